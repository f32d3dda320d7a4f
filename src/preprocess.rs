//! From a picture to the network's input: the one way for the page, the tests and the trainer's evaluation.
//!
//! 1. Crop the largest square around the centre.
//! 2. Lay what is transparent over white.
//! 3. Resize to the network's side by a triangle filter that widens with the reduction (antialiased), rounding to whole
//!    bytes. A picture that has the right size already is not touched.
//! 4. Divide by 255 and order as `[3, side, side]`.
//!
//! Filter weights and sums are whole numbers, so every processor gives the same bytes.

use crate::error::{Error, ErrorKind};
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

/// Turns RGBA pixels, row by row from the top left, into `[3, side, side]`: red, green, blue planes in [0, 1].
///
/// # Errors
/// [`ErrorKind::Picture`] where the picture or the input is empty, or `rgba` does not hold `width * height * 4` bytes.
pub fn input_from_rgba(rgba: &[u8], width: u32, height: u32, side: usize) -> Result<Vec<f32>, Error> {
    let bad = |what: String| Error::new(ErrorKind::Picture, what);
    if width == 0 || height == 0 {
        return Err(bad(format!("the picture is empty: {width} x {height} pixels")));
    }
    let wanted = (u64::from(width) * u64::from(height)).checked_mul(4);
    if wanted != Some(rgba.len() as u64) {
        return Err(bad(format!(
            "a picture of {width} x {height} RGBA pixels has {} bytes, got {}",
            wanted.map_or("too many".to_owned(), |w| w.to_string()),
            rgba.len()
        )));
    }
    let target = u32::try_from(side).ok().filter(|&s| s > 0).ok_or_else(|| bad(format!("no input of side {side}")))?;

    let square = width.min(height);
    let rgb = crop_over_white(rgba, width, height, square);
    let rgb = if square == target { rgb } else { resize(&rgb, square, target).map_err(bad)? };

    let mut planes = vec![0.0; rgb.len()];
    let area = side * side;
    for (i, pixel) in rgb.chunks_exact(3).enumerate() {
        for (colour, &value) in pixel.iter().enumerate() {
            planes[colour * area + i] = f32::from(value) / 255.0;
        }
    }
    Ok(planes)
}

/// Adds full opacity to RGB pixels; bytes behind the last whole pixel are dropped.
pub fn rgba_from_rgb(rgb: &[u8]) -> Vec<u8> {
    rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect()
}

/// The RGB pixels of the centred square; an odd pixel more stays off at the right and at the bottom.
fn crop_over_white(rgba: &[u8], width: u32, height: u32, square: u32) -> Vec<u8> {
    let [width, height, square] = [width, height, square].map(|v| v as usize);
    let (left, top) = ((width - square) / 2, (height - square) / 2);
    let mut rgb = Vec::with_capacity(square * square * 3);
    for row in rgba.chunks_exact(width * 4).skip(top).take(square) {
        for pixel in row[left * 4..(left + square) * 4].chunks_exact(4) {
            let opacity = u32::from(pixel[3]);
            rgb.extend(pixel[..3].iter().map(|&colour| match opacity {
                255 => colour,
                // In whole numbers and to the nearest: half up.
                _ => ((u32::from(colour) * opacity + 255 * (255 - opacity) + 127) / 255) as u8,
            }));
        }
    }
    rgb
}

/// Resizes square RGB pixels. By the type of the pixels, so that the code for all others stays out of the module.
fn resize(rgb: &[u8], from: u32, to: u32) -> Result<Vec<u8>, String> {
    let source = TypedImageRef::<U8x3>::from_buffer(from, from, rgb).map_err(|e| e.to_string())?;
    let mut target = TypedImage::<U8x3>::new(to, to);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new().resize_typed(&source, &mut target, &options).map_err(|e| e.to_string())?;
    Ok(target.pixels().iter().flat_map(|pixel| pixel.0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fast_image_resize::images::{Image, ImageRef};
    use fast_image_resize::{CpuExtensions, PixelType};

    /// Bytes that look random and never change.
    fn noise(count: usize) -> Vec<u8> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn a_picture_of_the_right_size_passes_exactly() {
        let rgb = noise(8 * 8 * 3);
        let input = input_from_rgba(&rgba_from_rgb(&rgb), 8, 8, 8).unwrap();
        for (i, pixel) in rgb.chunks(3).enumerate() {
            for colour in 0..3 {
                assert_eq!(input[colour * 64 + i], f32::from(pixel[colour]) / 255.0);
            }
        }
    }

    #[test]
    fn the_square_around_the_centre_is_kept() {
        // Columns 0 1 | 2 3 | 4, rows 0 1: the square of side 2 begins at column (5 - 2) / 2 = 1.
        let rgba: Vec<u8> = (0..2).flat_map(|y| (0..5).flat_map(move |x| [x * 10, y, 0, 255])).collect();
        let input = input_from_rgba(&rgba, 5, 2, 2).unwrap();
        let red: Vec<f32> = [10.0, 20.0, 10.0, 20.0].map(|v| v / 255.0).to_vec();
        assert_eq!(input[..4], red);
        let tall: Vec<u8> = (0..5).flat_map(|y| (0..2).flat_map(move |_| [y * 10, 0, 0, 255])).collect();
        let input = input_from_rgba(&tall, 2, 5, 2).unwrap();
        assert_eq!(input[..4], [10.0, 10.0, 20.0, 20.0].map(|v| v / 255.0));
    }

    #[test]
    fn what_is_transparent_lies_over_white() {
        let rgba = [0, 0, 0, 0, 0, 100, 200, 255, 0, 0, 0, 128, 255, 255, 255, 7];
        let input = input_from_rgba(&rgba, 2, 2, 2).unwrap();
        let pixel = |i: usize| [input[i], input[4 + i], input[8 + i]].map(|v| (v * 255.0).round() as u8);
        assert_eq!(pixel(0), [255; 3]);
        assert_eq!(pixel(1), [0, 100, 200]);
        assert_eq!(pixel(2), [127; 3]);
        assert_eq!(pixel(3), [255; 3]);
    }

    #[test]
    fn reducing_averages_instead_of_skipping() {
        // Stripes of one pixel become grey; a filter that skips pixels would keep black or white.
        let rgba: Vec<u8> = (0..64 * 64).flat_map(|i| if i % 2 == 0 { [0, 0, 0, 255] } else { [255; 4] }).collect();
        let input = input_from_rgba(&rgba, 64, 64, 8).unwrap();
        assert!(input.iter().all(|v| (v - 0.5).abs() < 0.02), "{input:?}");
    }

    #[test]
    fn one_colour_stays_that_colour_at_every_size() {
        for (width, height) in [(1, 1), (3, 7), (31, 33), (640, 480), (1, 900)] {
            let rgba: Vec<u8> = (0..width * height).flat_map(|_| [13, 200, 254, 255]).collect();
            let input = input_from_rgba(&rgba, width, height, 32).unwrap();
            for (plane, value) in input.chunks(32 * 32).zip([13.0, 200.0, 254.0]) {
                assert!(plane.iter().all(|&v| v == value / 255.0), "{width} x {height}");
            }
        }
    }

    /// [`resize`] as the processor's vector instructions do it, against the plain form of the same library.
    #[test]
    fn vector_instructions_give_the_bytes_of_the_plain_resize() {
        for from in [1, 7, 33, 200, 481] {
            let rgb = noise((from * from * 3) as usize);
            let source = ImageRef::new(from, from, &rgb, PixelType::U8x3).unwrap();
            let mut plain = Image::new(32, 32, PixelType::U8x3);
            let mut resizer = Resizer::new();
            // SAFETY: no extension is asked for, so none can be missing.
            unsafe { resizer.set_cpu_extensions(CpuExtensions::None) };
            let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
            resizer.resize(&source, &mut plain, &options).unwrap();
            assert_eq!(resize(&rgb, from, 32).unwrap(), plain.into_vec(), "{from} -> 32");
        }
    }

    #[test]
    fn pictures_that_cannot_be_are_refused_as_pictures() {
        let cases = [(0, 4, 0), (4, 0, 0), (2, 2, 15), (2, 2, 17), (u32::MAX, u32::MAX, 16)];
        for (width, height, bytes) in cases {
            let error = input_from_rgba(&vec![0; bytes], width, height, 8).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Picture, "{width} x {height}, {bytes} bytes");
        }
        assert_eq!(input_from_rgba(&[0; 4], 1, 1, 0).unwrap_err().kind(), ErrorKind::Picture);
    }
}
