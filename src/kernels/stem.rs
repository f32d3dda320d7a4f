//! The stem: a convolution of whole-number weights on a picture in whole numbers.

use super::epilogue::Epilogue;
use super::error::{KernelError, expect_length};
use super::scratch::Scratch;

/// Colours of a picture.
const COLOURS: usize = 3;

/// Every sum must stay below this, to be the same in f32 and in whole numbers.
const EXACT: u64 = 1 << 24;

/// A convolution on pictures `[height, width, 3]` of whole numbers, zero-padded by `kernel / 2` on every side.
#[derive(Clone, Debug)]
pub struct Stem {
    output: usize,
    kernel: usize,
    stride: usize,
    height: usize,
    width: usize,
    /// `[output][row][column][colour]`, the order of a picture's pixels.
    values: Vec<i16>,
}

impl Stem {
    /// Packs weights `[output, 3, kernel, kernel]` for pictures of a height and a width.
    ///
    /// # Errors
    /// Sizes of zero or an even kernel, a length that does not fit, or weights that are no whole numbers, or so large
    /// that a sum of them over pixels from -255 to 255 could reach 2^24: such a stem is a float convolution.
    pub fn pack(
        weights: &[f32],
        output: usize,
        kernel: usize,
        stride: usize,
        height: usize,
        width: usize,
    ) -> Result<Self, KernelError> {
        if [output, stride, height, width].contains(&0) || kernel.is_multiple_of(2) {
            let what = format!("a stem of {output} outputs, kernel {kernel}, stride {stride} on {height} x {width}");
            return Err(KernelError::new(what));
        }
        let taps = kernel * kernel;
        expect_length("stem weights", weights.len(), output * COLOURS * taps)?;
        if weights.iter().any(|w| w.fract() != 0.0 || w.abs() > f32::from(i16::MAX)) {
            return Err(KernelError::new("stem weights that are no whole numbers of 16 bits"));
        }
        let mut values = vec![0; weights.len()];
        for (filter, row) in weights.chunks_exact(COLOURS * taps).zip(values.chunks_exact_mut(COLOURS * taps)) {
            let sum: u64 = filter.iter().map(|w| w.abs() as u64).sum();
            if 255 * sum >= EXACT {
                return Err(KernelError::new("stem weights whose sums can reach 2^24"));
            }
            for (at, &weight) in filter.iter().enumerate() {
                row[at % taps * COLOURS + at / taps] = weight as i16;
            }
        }
        Ok(Self { output, kernel, stride, height, width, values })
    }

    /// Output channels.
    pub fn output(&self) -> usize {
        self.output
    }

    /// Rows and columns of the output map.
    pub fn output_size(&self) -> (usize, usize) {
        (self.height.div_ceil(self.stride), self.width.div_ceil(self.stride))
    }

    /// Makes `scratch` large enough.
    pub fn plan(&self, scratch: &mut Scratch) {
        let _ = scratch;
    }

    /// Convolves `whole`, `[height, width, 3]` from -255 to 255 (see [`whole_pixels`]), and hands the sums
    /// `[pixels, output]` to `epilogue`.
    ///
    /// # Errors
    /// A slice whose length does not fit.
    pub fn run(&self, whole: &[i16], mut epilogue: Epilogue, scratch: &mut Scratch) -> Result<(), KernelError> {
        let (rows, columns) = self.output_size();
        expect_length("pixels", whole.len(), self.height * self.width * COLOURS)?;
        epilogue.check(rows * columns, self.output)?;
        self.plan(scratch);
        for pixel in 0..rows * columns {
            for (output, filter) in self.values.chunks_exact(COLOURS * self.kernel * self.kernel).enumerate() {
                let sum = self.sum(filter, whole, pixel / columns, pixel % columns);
                epilogue.finish_one(self.output, pixel, output, sum as f32);
            }
        }
        Ok(())
    }

    /// One sum, in plain loops: the reference.
    fn sum(&self, filter: &[i16], whole: &[i16], y: usize, x: usize) -> i32 {
        let reach = self.kernel / 2;
        let mut sum = 0;
        for (at, &weight) in filter.iter().enumerate() {
            let (tap, colour) = (at / COLOURS, at % COLOURS);
            let row = (y * self.stride + tap / self.kernel).checked_sub(reach).filter(|&r| r < self.height);
            let column = (x * self.stride + tap % self.kernel).checked_sub(reach).filter(|&c| c < self.width);
            if let (Some(row), Some(column)) = (row, column) {
                sum += i32::from(weight) * i32::from(whole[(row * self.width + column) * COLOURS + colour]);
            }
        }
        sum
    }
}

/// A picture `[3, height, width]` in [0, 1] as whole numbers `[height, width, 3]`: `round((value - mean) * gain)`, ties to
/// even, as the graph's Sub, Mul and Round; clipped to -255 ..= 255, which a picture in [0, 1] never leaves where `gain` is
/// 255.
///
/// # Errors
/// `planes` and `whole` are of different lengths or no whole number of pixels.
pub fn whole_pixels(planes: &[f32], mean: [f32; 3], gain: [f32; 3], whole: &mut [i16]) -> Result<(), KernelError> {
    let area = planes.len() / COLOURS;
    expect_length("pixels", planes.len(), area * COLOURS)?;
    expect_length("whole pixels", whole.len(), planes.len())?;
    for (at, pixel) in whole.chunks_exact_mut(COLOURS).enumerate() {
        for (colour, value) in pixel.iter_mut().enumerate() {
            *value = whole_pixel(planes[colour * area + at], mean[colour], gain[colour]);
        }
    }
    Ok(())
}

/// As [`whole_pixels`], from bytes `[height, width, 3]` that stand for themselves over 255.
///
/// # Errors
/// `rgb` and `whole` are of different lengths or no whole number of pixels.
pub fn whole_pixels_from_rgb(rgb: &[u8], mean: [f32; 3], gain: [f32; 3], whole: &mut [i16]) -> Result<(), KernelError> {
    expect_length("pixels", rgb.len(), rgb.len() / COLOURS * COLOURS)?;
    expect_length("whole pixels", whole.len(), rgb.len())?;
    let mut table = [[0; COLOURS]; 256];
    for (byte, row) in (0..=u8::MAX).zip(&mut table) {
        for (colour, value) in row.iter_mut().enumerate() {
            *value = whole_pixel(f32::from(byte) / 255.0, mean[colour], gain[colour]);
        }
    }
    for (pixel, whole) in rgb.chunks_exact(COLOURS).zip(whole.chunks_exact_mut(COLOURS)) {
        for (colour, (&byte, value)) in pixel.iter().zip(whole).enumerate() {
            *value = table[usize::from(byte)][colour];
        }
    }
    Ok(())
}

#[inline(always)]
fn whole_pixel(value: f32, mean: f32, gain: f32) -> i16 {
    ((value - mean) * gain).round_ties_even().clamp(-255.0, 255.0) as i16
}
