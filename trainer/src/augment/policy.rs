//! Operations drawn from a list, each as strong as one number says.
//!
//! After RandAugment (Cubuk, Zoph, Shlens and Le, 2020): the same list and the same largest strengths.

use super::colour;
use super::warp::Affine;
use crate::recipe::RandAugment;
use image::imageops::filter3x3;
use image::{ImageBuffer, Rgb};
use rand::{Rng, RngExt};

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Nothing,
    StretchContrast,
    Equalise,
    Turn,
    Solarise,
    Posterise,
    Saturation,
    Contrast,
    Brightness,
    Sharpness,
    ShearX,
    ShearY,
    MoveX,
    MoveY,
}

const ALL: [Operation; 14] = {
    use Operation::*;
    [
        Nothing,
        StretchContrast,
        Equalise,
        Turn,
        Solarise,
        Posterise,
        Saturation,
        Contrast,
        Brightness,
        Sharpness,
        ShearX,
        ShearY,
        MoveX,
        MoveY,
    ]
};

/// Applies what the recipe says to a square picture `[row][column][red, green, blue]`; `spare` is overwritten.
pub(super) fn apply(
    pixels: &mut Vec<u8>,
    spare: &mut Vec<u8>,
    side: usize,
    config: &RandAugment,
    random: &mut impl Rng,
) {
    for _ in 0..config.operations {
        let operation = ALL[random.random_range(0..ALL.len())];
        let sign = if random.random_bool(0.5) { 1.0 } else { -1.0 };
        one(operation, sign * (config.magnitude / 10.0) as f32, pixels, spare, side);
    }
}

/// One operation of a strength from -1 to 1; those that know no direction take its size.
fn one(operation: Operation, strength: f32, pixels: &mut Vec<u8>, spare: &mut Vec<u8>, side: usize) {
    let (size, factor) = (strength.abs(), 1.0 + 0.9 * strength);
    let mut warp = |linear: [[f32; 2]; 2], moved: [f32; 2]| {
        spare.resize(pixels.len(), 0);
        Affine::around_middle(linear, moved, side).apply(pixels, side, spare);
        std::mem::swap(pixels, spare);
    };
    let reach = 0.3 * side as f32 * strength;
    match operation {
        Operation::Nothing => {}
        Operation::StretchContrast => by_colour(pixels, stretched),
        Operation::Equalise => by_colour(pixels, equalised),
        Operation::Turn => {
            let (sin, cos) = (30.0 * strength).to_radians().sin_cos();
            warp([[cos, sin], [-sin, cos]], [0.0; 2]);
        }
        Operation::Solarise => {
            let threshold = 256.0 * (1.0 - size);
            pixels.iter_mut().filter(|v| f32::from(**v) >= threshold).for_each(|v| *v = 255 - *v);
        }
        Operation::Posterise => {
            let dropped = (4.0 * size).round() as u32;
            pixels.iter_mut().for_each(|v| *v = (*v >> dropped) << dropped);
        }
        Operation::Saturation => colour::saturation(pixels, factor),
        Operation::Contrast => colour::contrast(pixels, factor),
        Operation::Brightness => colour::brightness(pixels, factor),
        Operation::Sharpness => sharpen(pixels, side, factor),
        Operation::ShearX => warp([[1.0, 0.3 * strength], [0.0, 1.0]], [0.0; 2]),
        Operation::ShearY => warp([[1.0, 0.0], [0.3 * strength, 1.0]], [0.0; 2]),
        Operation::MoveX => warp([[1.0, 0.0], [0.0, 1.0]], [reach, 0.0]),
        Operation::MoveY => warp([[1.0, 0.0], [0.0, 1.0]], [0.0, reach]),
    }
}

/// Replaces the bytes of each colour by a table made of how often each occurs.
fn by_colour(pixels: &mut [u8], table: fn(&[u32; 256]) -> [u8; 256]) {
    for colour in 0..3 {
        let mut counts = [0u32; 256];
        pixels.iter().skip(colour).step_by(3).for_each(|&v| counts[usize::from(v)] += 1);
        let table = table(&counts);
        pixels.iter_mut().skip(colour).step_by(3).for_each(|v| *v = table[usize::from(*v)]);
    }
}

/// The least byte becomes 0, the largest 255.
fn stretched(counts: &[u32; 256]) -> [u8; 256] {
    let low = counts.iter().position(|&n| n > 0).unwrap_or(0);
    let high = counts.iter().rposition(|&n| n > 0).unwrap_or(255);
    std::array::from_fn(|v| match high > low {
        true => ((v.clamp(low, high) - low) * 255 / (high - low)) as u8,
        false => v as u8,
    })
}

/// All bytes become about equally frequent.
fn equalised(counts: &[u32; 256]) -> [u8; 256] {
    let last = counts.iter().rposition(|&n| n > 0).map_or(0, |v| counts[v]);
    let step = (counts.iter().sum::<u32>() - last) / 255;
    let mut below = step / 2;
    std::array::from_fn(|v| {
        let value = below.checked_div(step).map_or(v as u32, |level| level.min(255));
        below += counts[v];
        value as u8
    })
}

/// 0 is a soft picture, 1 the picture, 2 a sharp one; the outermost pixels stay.
fn sharpen(pixels: &mut [u8], side: usize, factor: f32) {
    if side < 3 {
        return;
    }
    let image = ImageBuffer::<Rgb<u8>, &[u8]>::from_raw(side as u32, side as u32, &*pixels)
        .expect("the picture is as large as its side says");
    let soft = filter3x3(&image, &[1.0, 1.0, 1.0, 1.0, 5.0, 1.0, 1.0, 1.0, 1.0].map(|w: f32| w / 13.0));
    let inside = 1..side - 1;
    for (at, (value, soft)) in pixels.iter_mut().zip(soft.as_raw()).enumerate() {
        let (row, column) = (at / 3 / side, at / 3 % side);
        if inside.contains(&row) && inside.contains(&column) {
            let soft = f32::from(*soft);
            *value = (soft + factor * (f32::from(*value) - soft)).round() as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Equalising needs more pixels than there are bytes.
    const SIDE: usize = 32;

    fn after(operation: Operation, strength: f32) -> Vec<u8> {
        let mut pixels = fixture::picture(0, 0, SIDE, 1);
        one(operation, strength, &mut pixels, &mut Vec::new(), SIDE);
        pixels
    }

    #[test]
    fn every_operation_but_nothing_changes_the_picture_and_none_its_size() {
        let plain = fixture::picture(0, 0, SIDE, 1);
        for operation in ALL {
            for strength in [-1.0, -0.5, 0.5, 1.0] {
                let changed = after(operation, strength);
                assert_eq!(changed.len(), plain.len());
                let expected = operation != Operation::Nothing;
                assert_eq!(changed != plain, expected, "{operation:?} {strength}");
            }
        }
    }

    #[test]
    fn strength_zero_leaves_what_has_a_strength() {
        let plain = fixture::picture(0, 0, SIDE, 1);
        for operation in ALL {
            if !matches!(operation, Operation::StretchContrast | Operation::Equalise) {
                assert_eq!(after(operation, 0.0), plain, "{operation:?}");
            }
        }
    }

    #[test]
    fn contrast_is_stretched_and_equalised_by_colour() {
        let mut counts = [0; 256];
        (counts[100], counts[150], counts[200]) = (10, 5, 1);
        let table = stretched(&counts);
        assert_eq!([table[100], table[150], table[200]], [0, 127, 255]);
        let mut even = [0; 256];
        even[..4].fill(255);
        let table = equalised(&even);
        assert!(table[..4].is_sorted() && table[3] == 255, "{:?}", &table[..4]);
        assert_eq!(stretched(&[0; 256])[7], 7);
    }

    #[test]
    fn all_operations_are_drawn() {
        let (mut random, config) = (ChaCha8Rng::seed_from_u64(1), RandAugment { operations: 2, magnitude: 9.0 });
        let pictures: std::collections::HashSet<Vec<u8>> = (0..100)
            .map(|_| {
                let mut pixels = fixture::picture(0, 0, SIDE, 1);
                apply(&mut pixels, &mut Vec::new(), SIDE, &config, &mut random);
                pixels
            })
            .collect();
        assert!(pictures.len() > 60, "{} different pictures", pictures.len());
    }
}
