//! The stem: a convolution of whole-number weights on a picture in whole numbers.

use super::epilogue::Epilogue;
use super::error::{KernelError, expect_length};
use super::lane::{LANE, Lane, bytes, bytes_mut};
use super::panel::PIXELS;
use super::scratch::Scratch;
use super::wide::{OUTPUTS, TileWeights};
use std::ops::Range;

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
    /// `[output][row][column][colour]`, the order of a picture's pixels; each row has an even length, by a zero at its
    /// end, so that pairs of inputs lie in one row.
    values: Vec<i16>,
    weights: TileWeights,
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
        let row = row_length(kernel);
        let mut values = vec![0; output * kernel * row];
        for (filter, values) in weights.chunks_exact(COLOURS * taps).zip(values.chunks_exact_mut(kernel * row)) {
            let sum: u64 = filter.iter().map(|w| w.abs() as u64).sum();
            if 255 * sum >= EXACT {
                return Err(KernelError::new("stem weights whose sums can reach 2^24"));
            }
            for (at, &weight) in filter.iter().enumerate() {
                let (colour, tap) = (at / taps, at % taps);
                values[tap / kernel * row + tap % kernel * COLOURS + colour] = weight as i16;
            }
        }
        let weights = TileWeights::pack(&values, output, kernel * row);
        Ok(Self { output, kernel, stride, height, width, values, weights })
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
        scratch.reserve(self.padded_lanes() + self.weights.pairs());
    }

    /// Numbers in a row of the padded picture.
    fn padded_row(&self) -> usize {
        (self.width + self.kernel - 1) * COLOURS
    }

    /// Lanes of the padded picture, and one number more that the end of a filter's last row reads.
    fn padded_lanes(&self) -> usize {
        ((self.height + self.kernel - 1) * self.padded_row() + 1).div_ceil(LANE / 2)
    }

    /// Convolves `whole`, `[height, width, 3]` from -255 to 255 (see [`whole_pixels`]), and hands the sums
    /// `[pixels, output]` to `epilogue`.
    ///
    /// # Errors
    /// A slice whose length does not fit.
    pub fn run(&self, whole: &[i16], mut epilogue: Epilogue, scratch: &mut Scratch) -> Result<(), KernelError> {
        let (rows, columns) = self.output_size();
        let pixels = rows * columns;
        expect_length("pixels", whole.len(), self.height * self.width * COLOURS)?;
        epilogue.check(pixels, self.output)?;
        let (padded, panel) = scratch.split(self.padded_lanes(), self.weights.pairs());
        self.pad(whole, padded);
        let mut sums = [[0; OUTPUTS]; PIXELS];
        for first in (0..pixels).step_by(PIXELS) {
            let end = pixels.min(first + PIXELS);
            self.fill(padded, first..end, columns, panel);
            for tile in 0..self.output.div_ceil(OUTPUTS) {
                self.weights.sums(tile, panel, &mut sums);
                epilogue.finish_tile(self.output, first..end, tile * OUTPUTS, &sums);
            }
        }
        Ok(())
    }

    /// As [`run`](Self::run), in plain loops: the reference.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_plain(&self, whole: &[i16], mut epilogue: Epilogue) -> Result<(), KernelError> {
        let (rows, columns) = self.output_size();
        expect_length("pixels", whole.len(), self.height * self.width * COLOURS)?;
        epilogue.check(rows * columns, self.output)?;
        for pixel in 0..rows * columns {
            for output in 0..self.output {
                let sum = self.sum(output, whole, pixel / columns, pixel % columns);
                epilogue.finish_one(self.output, pixel, output, sum as f32);
            }
        }
        Ok(())
    }

    fn sum(&self, output: usize, whole: &[i16], y: usize, x: usize) -> i32 {
        let (kernel, row) = (self.kernel, row_length(self.kernel));
        let mut sum = 0;
        for at in 0..COLOURS * kernel * kernel {
            let (tap, colour) = (at / COLOURS, at % COLOURS);
            let inside = |place: usize, side: usize| place.checked_sub(kernel / 2).filter(|&place| place < side);
            let row_at = inside(y * self.stride + tap / kernel, self.height);
            let column_at = inside(x * self.stride + tap % kernel, self.width);
            if let (Some(row_at), Some(column_at)) = (row_at, column_at) {
                let weight = self.values[(output * kernel + tap / kernel) * row + tap % kernel * COLOURS + colour];
                sum += i32::from(weight) * i32::from(whole[(row_at * self.width + column_at) * COLOURS + colour]);
            }
        }
        sum
    }

    /// Copies the picture with zeros around it, so that no filter has to look where it ends.
    fn pad(&self, whole: &[i16], padded: &mut [Lane]) {
        let (reach, length) = (self.kernel / 2, self.padded_row() * 2);
        let padded = bytes_mut(padded);
        padded.fill(0);
        for (y, row) in whole.chunks_exact(self.width * COLOURS).enumerate() {
            let start = (y + reach) * length + reach * COLOURS * 2;
            let out = &mut padded[start..start + row.len() * 2];
            for (out, value) in out.as_chunks_mut::<2>().0.iter_mut().zip(row) {
                *out = value.to_le_bytes();
            }
        }
    }

    /// The pictures below the filters at a few pixels, `[pair][pixel][2]`: a lane a pair.
    fn fill(&self, padded: &[Lane], pixels: Range<usize>, columns: usize, panel: &mut [Lane]) {
        let (padded, panel) = (bytes(padded), bytes_mut(panel));
        let pairs = row_length(self.kernel) / 2;
        for (at, pixel) in pixels.enumerate() {
            let (y, x) = (pixel / columns * self.stride, pixel % columns * self.stride);
            for (row, panel) in panel.chunks_exact_mut(pairs * LANE).enumerate() {
                let start = ((y + row) * self.padded_row() + x * COLOURS) * 2;
                let values = padded[start..start + pairs * 4].as_chunks::<4>().0;
                for (value, out) in values.iter().zip(panel.as_chunks_mut::<LANE>().0) {
                    out[at * 4..at * 4 + 4].copy_from_slice(value);
                }
            }
        }
    }
}

/// Numbers in a row of a filter: colours of its columns, and a zero where that makes them even.
fn row_length(kernel: usize) -> usize {
    (kernel * COLOURS).next_multiple_of(2)
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

/// Mirrors whole pixels `[height, width, 3]` left to right.
///
/// # Errors
/// `whole` is no whole number of rows.
pub fn mirror_pixels(whole: &mut [i16], width: usize) -> Result<(), KernelError> {
    let row = width.max(1) * COLOURS;
    expect_length("whole pixels", whole.len(), whole.len() / row * row)?;
    whole.chunks_exact_mut(row).for_each(|row| row.as_chunks_mut::<COLOURS>().0.reverse());
    Ok(())
}

#[inline(always)]
fn whole_pixel(value: f32, mean: f32, gain: f32) -> i16 {
    ((value - mean) * gain).round_ties_even().clamp(-255.0, 255.0) as i16
}
