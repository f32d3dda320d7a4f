//! BatchNorm, activation and shift by LibTorch's own operations, each with a backward pass of its own.
//!
//! [`crate::composed`] says the same in plain tensor operations. On a GPU each of those is a pass over memory, and its
//! gradient several more, while the arithmetic between them costs nothing: what is fewer passes is faster. The tests hold
//! the two against each other.
//!
//! Shapes are those of [`crate::fused`].

#![expect(deprecated, reason = "Burn means to give LibTorch up; until then it is the fastest way to a GPU")]

mod autodiff;
mod forward;
#[cfg(test)]
mod tests;

use crate::composed;
use crate::fused::{NormConfig, NormTensors};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, LibTorch, backend_extension};
use burn::tensor::Tensor;

/// What comes behind a BatchNorm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum After {
    /// Nothing.
    Nothing,
    /// Clipping to \[0, 1\].
    Clip,
    /// Clipping and rounding to `2^k - 1` steps.
    Round(u8),
}

/// The operations.
#[backend_extension(LibTorch, Autodiff)]
pub trait MapOps: Backend {
    /// BatchNorm by the batch's own statistics and what comes behind it; also gives those statistics, `[2, channels]`,
    /// which carry no gradient.
    fn normed(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        after: After,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// The shift by whole pixels: displacements are rounded.
    fn moved(input: FloatTensor<Self>, shifts: FloatTensor<Self>, stride: usize) -> FloatTensor<Self>;
}

fn normed(input: Tensor<4>, tensors: NormTensors, after: After) -> (Tensor<4>, Tensor<2>) {
    let [input, gamma, beta] = [input.into_dispatch(), tensors.gamma.into_dispatch(), tensors.beta.into_dispatch()];
    let (y, statistics) = <Dispatch as MapOps>::normed(input, gamma, beta, after);
    (Tensor::from_dispatch(y), Tensor::from_dispatch(statistics))
}

/// See [`crate::fused::FusedOps::normed_pointwise`].
pub fn normed_pointwise(
    input: Tensor<4>,
    tensors: NormTensors,
    weight: Tensor<2>,
    config: NormConfig,
) -> (Tensor<4>, Tensor<2>) {
    let (y, statistics) = normed_activation(input, tensors, config);
    (composed::pointwise(y, weight, 1), statistics)
}

/// See [`crate::fused::FusedOps::shifted_pointwise`]; `whole` says that the displacements are whole numbers.
pub fn shifted_pointwise(
    input: Tensor<4>,
    tensors: NormTensors,
    shifts: Tensor<2>,
    weight: Tensor<2>,
    config: NormConfig,
    whole: bool,
) -> (Tensor<4>, Tensor<2>) {
    let (y, statistics) = normed_activation(input, tensors, config);
    (composed::pointwise(shift(y, shifts, config.stride, whole), weight, 1), statistics)
}

/// See [`crate::fused::FusedOps::normed_add`].
pub fn normed_add(
    input: Tensor<4>,
    tensors: NormTensors,
    shortcut: Tensor<4>,
    config: NormConfig,
) -> (Tensor<4>, Tensor<2>) {
    let (y, statistics) = norm(input, tensors, config);
    (y + shortcut, statistics)
}

/// See [`crate::fused::FusedOps::normed_activation`].
pub fn normed_activation(input: Tensor<4>, tensors: NormTensors, config: NormConfig) -> (Tensor<4>, Tensor<2>) {
    if config.batch_statistics {
        normed(input, tensors, config.bits.map_or(After::Clip, After::Round))
    } else {
        composed::normed_activation(input, tensors, config)
    }
}

/// BatchNorm alone.
pub(crate) fn norm(input: Tensor<4>, tensors: NormTensors, config: NormConfig) -> (Tensor<4>, Tensor<2>) {
    if config.batch_statistics {
        normed(input, tensors, After::Nothing)
    } else {
        composed::norm(input, tensors, config)
    }
}

/// See [`composed::shift`]; `whole` says that the displacements are whole numbers.
pub fn shift(input: Tensor<4>, shifts: Tensor<2>, stride: usize, whole: bool) -> Tensor<4> {
    if whole {
        Tensor::from_dispatch(<Dispatch as MapOps>::moved(input.into_dispatch(), shifts.into_dispatch(), stride))
    } else {
        composed::shift(input, shifts, stride)
    }
}
