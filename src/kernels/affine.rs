//! Scale and bias per channel.

use super::error::{KernelError, expect_length};

/// Per-channel `y = scale * x + bias`: one multiplication and one addition, each rounded to f32, never fused.
///
/// The float graph leaves out the addition where all biases are zero; with zeros here the result is the same number
/// (at most the sign of a zero differs).
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    scale: Vec<f32>,
    bias: Vec<f32>,
}

impl Affine {
    /// Of one scale and one bias a channel.
    ///
    /// # Errors
    /// The lengths differ, or there is no channel.
    pub fn new(scale: &[f32], bias: &[f32]) -> Result<Self, KernelError> {
        expect_length("biases", bias.len(), scale.len())?;
        if scale.is_empty() {
            return Err(KernelError::new("an affine of no channels"));
        }
        Ok(Self { scale: scale.to_vec(), bias: bias.to_vec() })
    }

    /// The same scale for all channels and no bias, as a shortcut's or a linear layer's product may have.
    ///
    /// # Errors
    /// There is no channel.
    pub fn uniform(scale: f32, channels: usize) -> Result<Self, KernelError> {
        Self::new(&vec![scale; channels], &vec![0.0; channels])
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.scale.len()
    }

    /// One factor a channel.
    pub fn scale(&self) -> &[f32] {
        &self.scale
    }

    /// One term a channel.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// Scales and biases of `N` channels from `first` on, which must be there.
    #[inline(always)]
    pub(super) fn part<const N: usize>(&self, first: usize) -> (&[f32; N], &[f32; N]) {
        let parts = self.scale[first..].first_chunk().zip(self.bias[first..].first_chunk());
        parts.expect("channels are checked before")
    }

    /// The affine of one value.
    #[inline(always)]
    pub(super) fn apply(&self, channel: usize, x: f32) -> f32 {
        // Two roundings, as the float graph's Mul and Add.
        let scaled = self.scale[channel] * x;
        scaled + self.bias[channel]
    }
}
