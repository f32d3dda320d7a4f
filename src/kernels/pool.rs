//! Pooling of quantised activations.

use super::error::{KernelError, expect_length};

/// The maximum over square windows of a map `[height, width, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool {
    /// Side of the window in pixels.
    pub window: usize,
    /// Distance of two windows in pixels.
    pub stride: usize,
    /// Pixels around the map, on every side; they never win.
    pub pad: usize,
    /// Rows of the input map.
    pub height: usize,
    /// Columns of the input map.
    pub width: usize,
    /// Channels.
    pub channels: usize,
}

impl MaxPool {
    /// Rows and columns of the output map.
    pub fn output_size(&self) -> (usize, usize) {
        let side = |side: usize| {
            (side + 2 * self.pad).checked_sub(self.window).map_or(0, |rest| rest / self.stride.max(1) + 1)
        };
        (side(self.height), side(self.width))
    }

    /// Pools levels `[height, width, channels]` into `[rows, columns, channels]`.
    ///
    /// # Errors
    /// Sizes of zero, a window that can lie outside the map, or a slice whose length does not fit.
    pub fn run(&self, input: &[u8], out: &mut [u8]) -> Result<(), KernelError> {
        if self.stride == 0 || self.channels == 0 || self.pad >= self.window {
            return Err(KernelError::new(format!("{self:?} cannot be computed")));
        }
        let (rows, columns) = self.output_size();
        expect_length("activations", input.len(), self.height * self.width * self.channels)?;
        expect_length("pooled activations", out.len(), rows * columns * self.channels)?;
        for (pixel, out) in out.chunks_exact_mut(self.channels).enumerate() {
            out.fill(0);
            for y in self.window_range(pixel / columns, self.height) {
                for x in self.window_range(pixel % columns, self.width) {
                    let start = (y * self.width + x) * self.channels;
                    let input = &input[start..start + self.channels];
                    out.iter_mut().zip(input).for_each(|(most, &value)| *most = (*most).max(value));
                }
            }
        }
        Ok(())
    }

    /// Rows or columns of the map that a window covers.
    fn window_range(&self, at: usize, side: usize) -> std::ops::Range<usize> {
        let start = at * self.stride;
        start.saturating_sub(self.pad)..(start + self.window).saturating_sub(self.pad).min(side)
    }
}

/// The mean of each channel of `[pixels, channels]`: the exact sum of its levels, converted to f32, times `share` (the
/// graph's ReduceSum and Mul, where `share` is 1 over the number of pixels).
///
/// # Errors
/// `input` is no whole number of pixels, or longer than sums of 2^24 allow.
pub fn mean(input: &[u8], share: f32, means: &mut [f32]) -> Result<(), KernelError> {
    let channels = means.len();
    if channels == 0 || !input.len().is_multiple_of(channels) || input.len() / channels > 1 << 16 {
        return Err(KernelError::new(format!("{} activations of {channels} channels", input.len())));
    }
    means.fill(0.0);
    for pixel in input.chunks_exact(channels) {
        // Whole numbers below 2^24: exact.
        means.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += f32::from(value));
    }
    means.iter_mut().for_each(|sum| *sum *= share);
    Ok(())
}
