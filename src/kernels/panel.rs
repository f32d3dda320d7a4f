//! The activations of a few pixels, side by side for an inner loop.

use super::lane::{LANE, Lane, bytes, bytes_mut};
use super::shift::Shift;

/// Pixels that an inner loop computes at once.
pub(super) const PIXELS: usize = 4;

/// The activations that a product reads: `[pixels, channels]`, or the map that `shift` reads.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) input: &'a [u8],
    pub(super) channels: usize,
    pub(super) pixels: usize,
    pub(super) shift: Option<&'a Shift>,
}

impl Source<'_> {
    /// Copies the activations of `PIXELS` pixels from `first` on into rows, each filled up with zeros to whole lanes;
    /// pixels behind the last are zero.
    #[inline]
    pub(super) fn gather(&self, first: usize, rows: &mut [Lane]) {
        let row_lanes = self.channels.div_ceil(LANE);
        for (pixel, row) in (first..).zip(rows.chunks_exact_mut(row_lanes)) {
            if pixel >= self.pixels {
                bytes_mut(row).fill(0);
                continue;
            }
            match self.shift {
                Some(shift) => shift.read(self.input, pixel, row),
                None => {
                    let input = &self.input[pixel * self.channels..][..self.channels];
                    let (values, rest) = bytes_mut(row).split_at_mut(self.channels);
                    values.copy_from_slice(input);
                    rest.fill(0);
                }
            }
        }
    }
}

/// Pairs of activations of the rows of [`PIXELS`] pixels as 16-bit numbers, `[pair][pixel][2]`: a lane a pair.
#[inline]
pub(super) fn fill_pairs(rows: &[Lane], panel: &mut [Lane]) {
    let row_bytes = size_of_val(rows) / PIXELS;
    let rows = bytes(rows);
    for (pair, out) in bytes_mut(panel).as_chunks_mut::<LANE>().0.iter_mut().enumerate() {
        for (pixel, out) in out.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let at = pixel * row_bytes + 2 * pair;
            *out = [rows[at], 0, rows[at + 1], 0];
        }
    }
}

/// The sum of a row's activations.
#[inline]
pub(super) fn total(row: &[Lane]) -> i32 {
    bytes(row).iter().map(|&value| i32::from(value)).sum()
}
