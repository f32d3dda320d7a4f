//! What becomes of a product's sums, pixel by pixel while they are in the cache.

use super::affine::Affine;
use super::error::{KernelError, expect_length};

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

/// Clips to `0 ..= top` and rounds, ties to even; what is no number becomes 0.
#[inline(always)]
pub(super) fn level(value: f32, top: f32) -> u8 {
    value.max(0.0).min(top).round_ties_even() as u8
}
