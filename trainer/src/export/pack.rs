//! Packing weight levels into bytes.
//!
//! A level of `k` bits is cut into planes whose widths are powers of two, so that no weight straddles two bytes: 4 and
//! 2 for 6 bits, 4, 2 and 1 for 7. Each plane is packed by itself, first weight in the lowest bits of the first byte.

/// A run of bits of every level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plane {
    /// Bits a weight: 1, 2, 4 or 8.
    pub(crate) width: u8,
    /// Position of its lowest bit in the level.
    pub(crate) offset: u8,
}

/// The planes of a level of `bits` bits, widest and lowest first.
pub(crate) fn planes(bits: u8) -> Vec<Plane> {
    let mut planes = Vec::new();
    let mut offset = 0;
    for width in [8, 4, 2, 1] {
        if bits & width != 0 {
            planes.push(Plane { width, offset });
            offset += width;
        }
    }
    planes
}

/// Packs one plane of `levels`; the last byte is filled up with zeros.
pub(crate) fn pack(levels: &[u8], plane: Plane) -> Vec<u8> {
    let per_byte = usize::from(8 / plane.width);
    let mask = u8::MAX >> (8 - plane.width);
    let byte = |group: &[u8]| {
        let at = |(i, level): (usize, &u8)| (level >> plane.offset & mask) << (i as u8 * plane.width);
        group.iter().enumerate().map(at).fold(0, |byte, bits| byte | bits)
    };
    levels.chunks(per_byte).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the graph does with BitShift, BitwiseAnd, Mul and Add.
    fn unpack(packed: &[(Plane, Vec<u8>)], count: usize) -> Vec<u8> {
        let level = |i: usize| {
            let part = |(plane, bytes): &(Plane, Vec<u8>)| {
                let per_byte = usize::from(8 / plane.width);
                let byte = bytes[i / per_byte] >> (i % per_byte * usize::from(plane.width));
                (byte & (u8::MAX >> (8 - plane.width))) << plane.offset
            };
            packed.iter().map(part).sum()
        };
        (0..count).map(level).collect()
    }

    #[test]
    fn every_width_and_count_comes_back() {
        for bits in 1..=8 {
            assert_eq!(planes(bits).iter().map(|p| p.width).sum::<u8>(), bits);
            for count in 1..=19 {
                let levels: Vec<u8> = (0..count).map(|i| (i * 89 + 3) as u8 & (u8::MAX >> (8 - bits))).collect();
                let packed: Vec<_> = planes(bits).into_iter().map(|p| (p, pack(&levels, p))).collect();
                assert_eq!(unpack(&packed, count), levels, "{bits} bits, {count} levels");
            }
        }
    }

    #[test]
    fn no_byte_is_wasted() {
        let size = |bits, count| planes(bits).iter().map(|&p| pack(&vec![0; count], p).len()).sum::<usize>();
        assert_eq!([1, 2, 3, 4, 5, 6, 7, 8].map(|bits| size(bits, 64)), [8, 16, 24, 32, 40, 48, 56, 64]);
        assert_eq!(size(3, 5), 2 + 1);
    }
}
