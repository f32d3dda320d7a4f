//! Changes of colour, in place on `[pixel][red, green, blue]`.

use crate::recipe::ColourJitter;
use image::imageops::colorops::huerotate_in_place;
use image::{ImageBuffer, Rgb};
use rand::{Rng, RngExt};

/// Luma of a pixel, as BT.601 weighs the colours.
fn grey(pixel: &[u8]) -> f32 {
    0.299 * f32::from(pixel[0]) + 0.587 * f32::from(pixel[1]) + 0.114 * f32::from(pixel[2])
}

/// `anchor + factor * (value - anchor)` for every byte, the anchor being one of its pixel.
fn away_from(pixels: &mut [u8], factor: f32, anchor: impl Fn(&[u8]) -> f32) {
    for pixel in pixels.chunks_exact_mut(3) {
        let anchor = anchor(pixel);
        for value in pixel {
            // The cast holds the outcome within a byte.
            *value = (anchor + factor * (f32::from(*value) - anchor)).round() as u8;
        }
    }
}

/// 0 is black, 1 the picture.
pub(super) fn brightness(pixels: &mut [u8], factor: f32) {
    away_from(pixels, factor, |_| 0.0);
}

/// 0 is the mean grey, 1 the picture.
pub(super) fn contrast(pixels: &mut [u8], factor: f32) {
    let mean = pixels.chunks_exact(3).map(|pixel| f64::from(grey(pixel))).sum::<f64>() / (pixels.len() / 3) as f64;
    away_from(pixels, factor, |_| mean as f32);
}

/// 0 is the grey picture, 1 the picture.
pub(super) fn saturation(pixels: &mut [u8], factor: f32) {
    away_from(pixels, factor, grey);
}

/// Turns the colours of a square picture by that many degrees.
pub(super) fn hue(pixels: &mut [u8], side: usize, degrees: i32) {
    let mut image = ImageBuffer::<Rgb<u8>, &mut [u8]>::from_raw(side as u32, side as u32, pixels)
        .expect("the picture is as large as its side says");
    huerotate_in_place(&mut image, degrees);
}

/// All of them, as far as the recipe allows.
pub(super) fn jitter(pixels: &mut [u8], side: usize, config: &ColourJitter, random: &mut impl Rng) {
    // Every number is drawn whether it is used or not: switching one kind off leaves the others as they were.
    let mut factor = |reach: f64| (1.0 + reach * random.random_range(-1.0..=1.0)) as f32;
    let factors = [factor(config.brightness), factor(config.contrast), factor(config.saturation)];
    let degrees = (360.0 * config.hue * random.random_range(-1.0..=1.0)).round() as i32;
    let change: [fn(&mut [u8], f32); 3] = [brightness, contrast, saturation];
    for (change, factor) in change.into_iter().zip(factors) {
        if factor != 1.0 {
            change(pixels, factor);
        }
    }
    if degrees != 0 {
        hue(pixels, side, degrees);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factor_one_changes_nothing_and_zero_leaves_the_anchor() {
        let picture = [200u8, 100, 50, 20, 40, 60];
        let changed = |change: fn(&mut [u8], f32), factor| {
            let mut pixels = picture;
            change(&mut pixels, factor);
            pixels
        };
        for change in [brightness, contrast, saturation] {
            assert_eq!(changed(change, 1.0), picture);
        }
        assert_eq!(changed(brightness, 0.0), [0; 6]);
        // 124.2 and 36.3 are the greys, 80.25 their mean.
        assert_eq!(changed(saturation, 0.0), [124, 124, 124, 36, 36, 36]);
        assert_eq!(changed(contrast, 0.0), [80; 6]);
        assert_eq!(changed(brightness, 2.0), [255, 200, 100, 40, 80, 120]);
    }

    #[test]
    fn a_third_of_the_circle_makes_red_green() {
        let mut pixels = [255u8, 0, 0];
        hue(&mut pixels, 1, 120);
        assert!(pixels[1] > pixels[0] && pixels[1] > pixels[2], "{pixels:?}");
    }
}
