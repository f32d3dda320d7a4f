//! Quantised activations by themselves, where no product comes before them.

use super::affine::Affine;
use super::epilogue::level;
use super::error::{KernelError, expect_length};

/// Floats `[pixels, channels]` as levels: scale and bias where there are any, clip to `0 ..= top`, round, ties to even.
///
/// # Errors
/// A slice whose length does not fit.
pub fn quantise(values: &[f32], affine: Option<&Affine>, top: u8, out: &mut [u8]) -> Result<(), KernelError> {
    expect_length("levels", out.len(), values.len())?;
    let top = f32::from(top);
    let Some(affine) = affine else {
        out.iter_mut().zip(values).for_each(|(out, &value)| *out = level(value, top));
        return Ok(());
    };
    let channels = affine.channels();
    expect_length("floats", values.len(), values.len() / channels * channels)?;
    for (values, out) in values.chunks_exact(channels).zip(out.chunks_exact_mut(channels)) {
        for (channel, (&value, out)) in values.iter().zip(out).enumerate() {
            *out = level(affine.apply(channel, value), top);
        }
    }
    Ok(())
}
