//! What becomes of a product's sums, pixel by pixel while they are in the cache.

use super::affine::Affine;
use super::error::{KernelError, expect_length};
use std::ops::Range;

/// What is added to a scaled sum before it is stored: the other branch of a block.
#[derive(Clone, Copy, Debug)]
pub enum Residual<'a> {
    /// Nothing.
    None,
    /// A float stream `[pixels, channels]`.
    Floats(&'a [f32]),
    /// A quantised activation `[pixels, channels]`, taken as its whole numbers: the identity shortcut of a group's first
    /// block.
    Levels(&'a [u8]),
    /// What [`Epilogue::floats`] holds already: the stream is updated in place.
    InPlace,
}

/// The quantised activation at the end: clip to `0 ..= top`, round to the nearest whole number, ties to even.
#[derive(Debug)]
pub struct Levels<'a> {
    /// A second scale and bias before it: the next block's pre-activation, or what closes a group.
    pub affine: Option<&'a Affine>,
    /// The largest level, `2^bits - 1`.
    pub top: u8,
    /// Where the levels go, `[pixels, channels]`.
    pub out: &'a mut [u8],
}

/// What is done with each sum of a product, in f32 and in the order of the float graph:
///
/// ```text
/// value = affine.scale * sum + affine.bias   (Mul, Add)
/// value = value + residual                   (Add)            where there is one
/// floats = value                                              where asked for
/// value = second.scale * value + second.bias (Mul, Add)       where there is one
/// levels = round(clip(value, 0, top))        (Clip, Round)    where asked for
/// ```
///
/// Every operation rounds to f32 by itself, so the numbers are those of a float runtime as long as the sums are below
/// 2^24 in magnitude (above, the float runtime itself rounds while it sums).
#[derive(Debug)]
pub struct Epilogue<'a> {
    /// Scale and bias of the sums.
    pub affine: &'a Affine,
    /// What is added.
    pub residual: Residual<'a>,
    /// Where the floats go, `[pixels, channels]`: a stream, a shortcut's product, logits.
    pub floats: Option<&'a mut [f32]>,
    /// Where the quantised activation goes.
    pub levels: Option<Levels<'a>>,
}

impl<'a> Epilogue<'a> {
    /// Scale, bias and quantised activation: `reduce` and the head.
    pub fn levels(affine: &'a Affine, top: u8, out: &'a mut [u8]) -> Self {
        let levels = Levels { affine: None, top, out };
        Self { affine, residual: Residual::None, floats: None, levels: Some(levels) }
    }

    /// Scale and bias: a shortcut's product, the linear layer.
    pub fn floats(affine: &'a Affine, out: &'a mut [f32]) -> Self {
        Self { affine, residual: Residual::None, floats: Some(out), levels: None }
    }

    /// Scale, bias and residual, of which only the activation behind a second scale and bias is kept: the last block of
    /// a group. Add [`with_floats`](Self::with_floats) where the stream goes on.
    pub fn activated(
        affine: &'a Affine,
        residual: Residual<'a>,
        second: &'a Affine,
        top: u8,
        out: &'a mut [u8],
    ) -> Self {
        Self { affine, residual, floats: None, levels: Some(Levels { affine: Some(second), top, out }) }
    }

    /// Also adds `residual`.
    #[must_use]
    pub fn with_residual(self, residual: Residual<'a>) -> Self {
        Self { residual, ..self }
    }

    /// Also keeps the floats.
    #[must_use]
    pub fn with_floats(self, out: &'a mut [f32]) -> Self {
        Self { floats: Some(out), ..self }
    }

    /// Whether every slice fits `[pixels, channels]`.
    pub(super) fn check(&self, pixels: usize, channels: usize) -> Result<(), KernelError> {
        let size = pixels * channels;
        expect_length("scales", self.affine.channels(), channels)?;
        match self.residual {
            Residual::None => {}
            Residual::Floats(values) => expect_length("residual", values.len(), size)?,
            Residual::Levels(values) => expect_length("residual", values.len(), size)?,
            Residual::InPlace if self.floats.is_none() => {
                return Err(KernelError::new("a residual in place, but no floats to hold it"));
            }
            Residual::InPlace => {}
        }
        if let Some(floats) = &self.floats {
            expect_length("floats", floats.len(), size)?;
        }
        if let Some(levels) = &self.levels {
            expect_length("levels", levels.out.len(), size)?;
            if let Some(affine) = levels.affine {
                expect_length("second scales", affine.channels(), channels)?;
            }
        }
        Ok(())
    }

    /// The sums of a few pixels from the channel `first` on; what is behind the last channel is left out.
    #[inline(never)]
    pub(super) fn finish_tile<const N: usize>(
        &mut self,
        channels: usize,
        pixels: Range<usize>,
        first: usize,
        sums: &[[i32; N]],
    ) {
        if first + N <= channels {
            return self.finish_whole(channels, pixels, first, sums);
        }
        for (pixel, sums) in pixels.zip(sums) {
            for (channel, &sum) in (first..channels).zip(sums) {
                self.finish_one(channels, pixel, channel, sum as f32);
            }
        }
    }

    /// What [`finish_one`](Self::finish_one) does, where all `N` channels are there: one choice for all of them, and
    /// loops of a fixed length, which become vector instructions (`map` of an array does not).
    #[inline(always)]
    fn finish_whole<const N: usize>(&mut self, channels: usize, pixels: Range<usize>, first: usize, sums: &[[i32; N]]) {
        let (affine, second) =
            (self.affine.part(first), self.levels.as_ref().and_then(|l| l.affine).map(|a| a.part(first)));
        for (pixel, sums) in pixels.zip(sums) {
            let at = pixel * channels + first;
            let mut values = [0.0; N];
            values.iter_mut().zip(sums).for_each(|(value, &sum)| *value = sum as f32);
            values = apply(affine, values);
            match (self.residual, &self.floats) {
                (Residual::None, _) | (Residual::InPlace, None) => {}
                (Residual::Floats(other), _) => add(&mut values, part(other, at)),
                (Residual::Levels(other), _) => {
                    let other = part::<_, N>(other, at);
                    values.iter_mut().zip(other).for_each(|(value, &other)| *value += f32::from(other));
                }
                (Residual::InPlace, Some(floats)) => add(&mut values, part(floats, at)),
            }
            if let Some(floats) = &mut self.floats {
                floats[at..at + N].copy_from_slice(&values);
            }
            if let Some(levels) = &mut self.levels {
                if let Some(second) = second {
                    values = apply(second, values);
                }
                let top = f32::from(levels.top);
                let out: &mut [u8; N] = levels.out[at..].first_chunk_mut().expect(CHECKED);
                out.iter_mut().zip(values).for_each(|(out, value)| *out = level(value, top));
            }
        }
    }

    /// One value: the reference for every other form.
    #[inline(always)]
    pub(super) fn finish_one(&mut self, channels: usize, pixel: usize, channel: usize, sum: f32) {
        let at = pixel * channels + channel;
        let mut value = self.affine.apply(channel, sum);
        match self.residual {
            Residual::None => {}
            Residual::Floats(values) => value += values[at],
            Residual::Levels(values) => value += f32::from(values[at]),
            Residual::InPlace => value += self.floats.as_deref().map_or(0.0, |floats| floats[at]),
        }
        if let Some(floats) = &mut self.floats {
            floats[at] = value;
        }
        if let Some(levels) = &mut self.levels {
            if let Some(affine) = levels.affine {
                value = affine.apply(channel, value);
            }
            levels.out[at] = level(value, f32::from(levels.top));
        }
    }
}

const CHECKED: &str = "lengths are checked before";

#[inline(always)]
fn part<T, const N: usize>(values: &[T], at: usize) -> &[T; N] {
    values[at..].first_chunk().expect(CHECKED)
}

#[inline(always)]
fn add<const N: usize>(values: &mut [f32; N], other: &[f32; N]) {
    values.iter_mut().zip(other).for_each(|(value, other)| *value += other);
}

#[inline(always)]
fn apply<const N: usize>((scale, bias): (&[f32; N], &[f32; N]), mut values: [f32; N]) -> [f32; N] {
    for ((value, scale), bias) in values.iter_mut().zip(scale).zip(bias) {
        let scaled = scale * *value;
        *value = scaled + bias;
    }
    values
}

/// Clips to `0 ..= top` and rounds, ties to even; what is no number becomes 0.
#[inline(always)]
pub(super) fn level(value: f32, top: f32) -> u8 {
    // Comparisons, because `f32::max` and `min` are function calls in WebAssembly.
    let value = if value > 0.0 { value } else { 0.0 };
    let value = if value < top { value } else { top };
    // Next to 1.5 * 2^23 a float's last place is one: the addition rounds to a whole number, ties to even, and that
    // number stands in the lowest bits. Unlike a rounding instruction it is there on every processor.
    (value + 12_582_912.0).to_bits() as u8
}
