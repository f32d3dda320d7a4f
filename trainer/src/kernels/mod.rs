//! The hot path of training: forward and backward of an L-SSPQ block's parts on plain slices.
//!
//! Nothing here knows Burn. Maps are `[images][channels][height][width]` (NCHW), weights `[output][input]`, both
//! row-major f32. Every function that sums over images does so in a fixed number of parts, in a fixed order, so the
//! result does not depend on how many threads work.
//!
//! What is fused, and why: a map of the wide channels is larger than any cache, so each pass over it costs as much as
//! its matrix product. BatchNorm, clip, rounding and shift are therefore applied to one picture at a time, on the way
//! into the matrix product, and recomputed in the backward pass instead of being stored.

pub mod activation;
pub mod block;
pub mod buffer;
pub mod join;
mod matmul;
pub mod norm;
mod outer;
mod plane;
pub mod pointwise;
pub mod pool;
pub mod scale;
pub mod shift;
pub mod shifted;
pub mod stem;

use rayon::prelude::*;

/// Shape of a map: `[images][channels][height][width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Map {
    /// Number of pictures in the batch.
    pub images: usize,
    /// Channels of a picture.
    pub channels: usize,
    /// Rows of a channel.
    pub height: usize,
    /// Columns of a channel.
    pub width: usize,
}

impl Map {
    /// Pixels of one channel.
    pub fn plane(&self) -> usize {
        self.height * self.width
    }

    /// Values of one picture.
    pub fn image(&self) -> usize {
        self.channels * self.plane()
    }

    /// Values of the whole map.
    pub fn len(&self) -> usize {
        self.images * self.image()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The map with other channels.
    pub fn with_channels(self, channels: usize) -> Self {
        Self { channels, ..self }
    }

    /// The map after a stride: rows and columns rounded up.
    pub fn strided(self, stride: usize) -> Self {
        Self { height: self.height.div_ceil(stride), width: self.width.div_ceil(stride), ..self }
    }
}

/// Whole steps an activation is rounded to: `2^k - 1` for `k` bits; none leaves it as it is between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels(Option<f32>);

impl Levels {
    /// Levels of an activation of that many bits, none for float.
    pub fn of_bits(bits: Option<u8>) -> Self {
        Self(bits.map(|b| ((1u32 << b) - 1) as f32))
    }

    /// Clips to [0, 1] and rounds to the nearest level, ties to even.
    #[inline(always)]
    pub(crate) fn quantise(self, value: f32) -> f32 {
        let clipped = clip(value);
        match self.0 {
            Some(levels) => round(clipped * levels) * (1.0 / levels),
            None => clipped,
        }
    }
}

#[inline(always)]
fn clip(value: f32) -> f32 {
    // Comparisons, not f32::clamp: they become one maxps and one minps.
    let low = if value > 0.0 { value } else { 0.0 };
    if low < 1.0 { low } else { 1.0 }
}

/// Rounds to the nearest whole number, ties to even; exact for |value| < 2^22.
#[inline(always)]
fn round(value: f32) -> f32 {
    // At 1.5 * 2^23 an f32 has no fraction left, so the addition rounds. `round_ties_even` would be a library call
    // where the target has no SSE4.1.
    const MAGIC: f32 = 12_582_912.0;
    (value + MAGIC) - MAGIC
}

/// Pictures a task works through; tasks are what threads share, and take one by one.
///
/// A fixed number of tasks, not one a thread: sums over tasks must not depend on the number of threads. There are many, since all
/// threads wait for the last one at the end of a pass; where maps are small and weights large there are fewer, each with as many
/// pictures as make up a product.
fn images_per_task(map: Map) -> usize {
    const TASKS: usize = 64;
    map.images.div_ceil(TASKS).max(1).next_multiple_of(images_per_product(map))
}

/// Pictures whose columns are put side by side for one matrix product.
///
/// The product's inner tile is 64 columns wide with AVX-512: a map of 4x4 alone would fill a quarter of it.
fn images_per_product(map: Map) -> usize {
    const COLUMNS: usize = 256;
    const FEWEST_TASKS: usize = 16;
    (COLUMNS / map.plane()).clamp(1, map.images.div_ceil(FEWEST_TASKS).max(1))
}

/// Puts the channels of several pictures side by side: `[picture][channel][pixel]` to `[channel][picture][pixel]`.
fn side_by_side(pictures: &[f32], channels: usize, plane: usize, out: &mut [f32]) {
    let columns = pictures.len() / channels;
    for (i, picture) in pictures.chunks_exact(channels * plane).enumerate() {
        for (c, pixels) in picture.chunks_exact(plane).enumerate() {
            out[c * columns + i * plane..][..plane].copy_from_slice(pixels);
        }
    }
}

/// The inverse of [`side_by_side`].
fn one_by_one(together: &[f32], channels: usize, plane: usize, out: &mut [f32]) {
    let columns = together.len() / channels;
    for (i, picture) in out.chunks_exact_mut(channels * plane).enumerate() {
        for (c, pixels) in picture.chunks_exact_mut(plane).enumerate() {
            pixels.copy_from_slice(&together[c * columns + i * plane..][..plane]);
        }
    }
}

/// Sums the parts of each task in their order.
fn sum_parts(parts: &[buffer::Buffer], total: &mut [f32]) {
    const TASK: usize = 2048;
    total.par_chunks_mut(TASK).enumerate().for_each(|(i, total)| {
        total.fill(0.0);
        for part in parts {
            for (t, p) in total.iter_mut().zip(&part[i * TASK..]) {
                *t += p;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addition_trick_rounds_as_ieee_ties_to_even_does() {
        for i in 0..=1020 {
            let value = i as f32 * 0.25;
            assert_eq!(round(value), value.round_ties_even(), "{value}");
        }
    }

    #[test]
    fn levels_clip_and_round() {
        let four = Levels::of_bits(Some(4));
        assert_eq!(four.quantise(-0.2), 0.0);
        assert_eq!(four.quantise(7.0), 1.0);
        assert_eq!(four.quantise(0.5), 8.0 * (1.0 / 15.0));
        assert_eq!(Levels::of_bits(None).quantise(0.3), 0.3);
    }
}
