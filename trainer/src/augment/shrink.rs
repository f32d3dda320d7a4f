//! Pictures made smaller for a stage that trains on fewer pixels.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

/// Shrinks the three planes of a picture from `side` to `small` pixels a side, by the filter that frames of the camera go
/// through: a triangle that reaches over two of the target's pixels, so that nothing is skipped.
pub(super) fn planes(source: &[f32], side: usize, target: &mut [f32], small: usize, resizer: &mut Resizer) {
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    let (from, to) = (side as u32, small as u32);
    for (plane, out) in source.chunks_exact(side * side).zip(target.chunks_exact_mut(small * small)) {
        let plane = ImageRef::new(from, from, bytemuck::cast_slice(plane), PixelType::F32);
        let out = Image::from_slice_u8(to, to, bytemuck::cast_slice_mut(out), PixelType::F32);
        let (plane, mut out) = (plane.expect("a plane is a square"), out.expect("a plane is a square"));
        resizer.resize(&plane, &mut out, &options).expect("both are planes of one number a pixel");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shrunk(source: &[f32], side: usize, small: usize) -> Vec<f32> {
        let mut target = vec![9.0; 3 * small * small];
        planes(source, side, &mut target, small, &mut Resizer::new());
        target
    }

    #[test]
    fn planes_stay_apart_and_keep_what_is_even() {
        let source: Vec<f32> = [-1.5, 0.25, 2.0].into_iter().flat_map(|value| [value; 64]).collect();
        for small in [2, 4, 5, 7] {
            let found = shrunk(&source, 8, small);
            let wanted = [-1.5, 0.25, 2.0].into_iter().flat_map(|value| vec![value; small * small]);
            assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6), "{small}: {found:?}");
        }
    }

    #[test]
    fn a_ramp_stays_a_ramp_and_its_mean_stays() {
        let row = |at: usize| (at % 12) as f32;
        let source: Vec<f32> = (0..3 * 144).map(row).collect();
        let found = shrunk(&source, 12, 6);
        // Pixel 2 of 6 lies over the middle between pixels 4 and 5 of 12.
        assert!((found[2] - 4.5).abs() < 1e-5 && (found[3] - 6.5).abs() < 1e-5, "{:?}", &found[..6]);
        let mean = found[..36].iter().sum::<f32>() / 36.0;
        assert!((mean - 5.5).abs() < 1e-5, "{mean}");
    }

    #[test]
    fn what_is_finer_than_the_target_is_averaged() {
        let source: Vec<f32> = (0..3 * 256).map(|at| if (at + at / 16) % 2 == 0 { 1.0 } else { -1.0 }).collect();
        assert!(shrunk(&source, 16, 4).iter().all(|value| value.abs() < 0.1));
    }
}
