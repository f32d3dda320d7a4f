//! Sixteen bytes in a vector register.

#[cfg(target_arch = "wasm32")]
pub(super) type Lane = core::arch::wasm32::v128;
#[cfg(target_arch = "x86_64")]
pub(super) type Lane = core::arch::x86_64::__m128i;
#[cfg(not(any(target_arch = "wasm32", target_arch = "x86_64")))]
pub(super) type Lane = u128;

/// Bytes of a [`Lane`].
pub(super) const LANE: usize = 16;

/// A vector of these bytes, the first in the lowest place.
#[inline(always)]
pub(super) fn lane(bytes: &[u8; LANE]) -> Lane {
    // SAFETY: both are 16 bytes and every pattern of bits is a value of both.
    unsafe { core::mem::transmute::<[u8; LANE], Lane>(*bytes) }
}

/// Bytes as vectors; what is left at the end is filled up with zeros.
pub(super) fn lanes(bytes: &[u8]) -> Vec<Lane> {
    let whole = |chunk: &[u8]| {
        let mut filled = [0; LANE];
        filled[..chunk.len()].copy_from_slice(chunk);
        lane(&filled)
    };
    bytes.chunks(LANE).map(whole).collect()
}

/// Vectors as the bytes that they hold.
#[inline(always)]
pub(super) fn bytes_mut(lanes: &mut [Lane]) -> &mut [u8] {
    // SAFETY: a lane is 16 bytes without padding, every pattern of bits is a value of both, and bytes have no alignment.
    unsafe { core::slice::from_raw_parts_mut(lanes.as_mut_ptr().cast(), size_of_val(lanes)) }
}

/// `sum | (bytes & mask)`.
#[cfg(target_arch = "wasm32")]
#[inline(always)]
pub(super) fn merge(sum: Lane, bytes: Lane, mask: Lane) -> Lane {
    use core::arch::wasm32::{v128_and, v128_or};
    v128_or(sum, v128_and(bytes, mask))
}

/// `sum | (bytes & mask)`.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn merge(sum: Lane, bytes: Lane, mask: Lane) -> Lane {
    use core::arch::x86_64::{_mm_and_si128, _mm_or_si128};
    // SAFETY: SSE2 is part of every x86-64 processor.
    unsafe { _mm_or_si128(sum, _mm_and_si128(bytes, mask)) }
}

/// `sum | (bytes & mask)`.
#[cfg(not(any(target_arch = "wasm32", target_arch = "x86_64")))]
#[inline(always)]
pub(super) fn merge(sum: Lane, bytes: Lane, mask: Lane) -> Lane {
    sum | (bytes & mask)
}

/// Vectors as the bytes that they hold.
#[inline(always)]
pub(super) fn bytes(lanes: &[Lane]) -> &[u8] {
    // SAFETY: a lane is 16 bytes without padding, and bytes have no alignment.
    unsafe { core::slice::from_raw_parts(lanes.as_ptr().cast(), size_of_val(lanes)) }
}

/// Vectors as four 32-bit numbers each.
#[inline(always)]
pub(super) fn words(lanes: &[Lane]) -> &[[i32; 4]] {
    // SAFETY: a lane is as large as four i32 and at least as aligned, and every pattern of bits is a value of both.
    unsafe { core::slice::from_raw_parts(lanes.as_ptr().cast(), lanes.len()) }
}
