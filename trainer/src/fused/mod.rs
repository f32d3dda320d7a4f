//! The parts of an L-SSPQ block as extensions of Burn's CPU backend, each with a backward pass of its own.
//!
//! The arithmetic is in [`crate::kernels`]; here it meets Burn's tensors and its tape. [`crate::composed`] says the same
//! in plain tensor operations, for every other backend, and the tests hold the two against each other.
//!
//! Maps are `[images, channels, height, width]`, weights `[output, input]`, parameters of BatchNorm `[channels]`, its
//! statistics `[2, channels]` (means, then biased variances), displacements `[channels, 2]` (down, right).

mod autodiff;
mod block;
mod flex;
mod primitive;
pub(crate) mod tape;

pub use block::{Before, BlockConfig, BlockTensors, block};

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

/// How BatchNorm and the activation behind it behave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormConfig {
    /// Normalise by the batch's own statistics; else by the running ones that are passed in.
    pub batch_statistics: bool,
    /// Bits of the activation; none clips without rounding.
    pub bits: Option<u8>,
    /// Stride of the shift, where there is one.
    pub stride: usize,
}

/// Kernel of the stem.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StemConfig {
    /// Side of the square kernel.
    pub kernel: usize,
    /// Step in pixels.
    pub stride: usize,
}

/// The operations. Those with BatchNorm also return the statistics it used, which carry no gradient.
#[backend_extension(Flex, Autodiff)]
pub trait FusedOps: Backend {
    /// Convolution of the picture; `weight` is `[output, channels * kernel * kernel]`. The picture gets no gradient.
    fn stem(input: FloatTensor<Self>, weight: FloatTensor<Self>, config: StemConfig) -> FloatTensor<Self>;

    /// 1x1 convolution of an activation, of every `stride`-th pixel.
    fn pointwise(input: FloatTensor<Self>, weight: FloatTensor<Self>, stride: usize) -> FloatTensor<Self>;

    /// BatchNorm, quantised activation, 1x1 convolution.
    fn normed_pointwise(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        running: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        config: NormConfig,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// BatchNorm, quantised activation, shift, 1x1 convolution.
    fn shifted_pointwise(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        running: FloatTensor<Self>,
        shifts: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        config: NormConfig,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// BatchNorm, plus the shortcut.
    fn normed_add(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        running: FloatTensor<Self>,
        shortcut: FloatTensor<Self>,
        config: NormConfig,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// BatchNorm, quantised activation.
    fn normed_activation(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        running: FloatTensor<Self>,
        config: NormConfig,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// A map times one number, `[1]`.
    fn scaled(input: FloatTensor<Self>, factor: FloatTensor<Self>) -> FloatTensor<Self>;

    /// The mean of each channel, `[images, channels]`.
    fn pooled(input: FloatTensor<Self>) -> FloatTensor<Self>;

    /// A whole block with the batch's own statistics: the three operations above and the shortcut in one.
    ///
    /// Where the configuration says that there is no BatchNorm before or no product in the shortcut, those tensors are
    /// not read. The second result holds all statistics one after the other: of the input (where it is normalised), of
    /// the map between the convolutions, of the second convolution's result, and of the output.
    #[allow(clippy::too_many_arguments, reason = "tensors of an extension cannot come in a list")]
    fn block(
        input: FloatTensor<Self>,
        statistics: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        reduce: FloatTensor<Self>,
        middle_gamma: FloatTensor<Self>,
        middle_beta: FloatTensor<Self>,
        shifts: FloatTensor<Self>,
        expand: FloatTensor<Self>,
        last_gamma: FloatTensor<Self>,
        last_beta: FloatTensor<Self>,
        shortcut: FloatTensor<Self>,
        config: BlockConfig,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

/// Parameters of one BatchNorm as tensors.
#[derive(Clone, Debug)]
pub struct NormTensors {
    /// Scale.
    pub gamma: Tensor<1>,
    /// Offset.
    pub beta: Tensor<1>,
    /// Running statistics, `[2, channels]`.
    pub running: Tensor<2>,
}

/// See [`FusedOps::stem`].
pub fn stem(input: Tensor<4>, weight: Tensor<2>, config: StemConfig) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as FusedOps>::stem(input.into_dispatch(), weight.into_dispatch(), config))
}

/// See [`FusedOps::pointwise`].
pub fn pointwise(input: Tensor<4>, weight: Tensor<2>, stride: usize) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as FusedOps>::pointwise(input.into_dispatch(), weight.into_dispatch(), stride))
}

/// See [`FusedOps::normed_pointwise`].
pub fn normed_pointwise(
    input: Tensor<4>,
    norm: NormTensors,
    weight: Tensor<2>,
    config: NormConfig,
) -> (Tensor<4>, Tensor<2>) {
    let (y, statistics) = <Dispatch as FusedOps>::normed_pointwise(
        input.into_dispatch(),
        norm.gamma.into_dispatch(),
        norm.beta.into_dispatch(),
        norm.running.into_dispatch(),
        weight.into_dispatch(),
        config,
    );
    (Tensor::from_dispatch(y), Tensor::from_dispatch(statistics))
}

/// See [`FusedOps::shifted_pointwise`].
pub fn shifted_pointwise(
    input: Tensor<4>,
    norm: NormTensors,
    shifts: Tensor<2>,
    weight: Tensor<2>,
    config: NormConfig,
) -> (Tensor<4>, Tensor<2>) {
    let (y, statistics) = <Dispatch as FusedOps>::shifted_pointwise(
        input.into_dispatch(),
        norm.gamma.into_dispatch(),
        norm.beta.into_dispatch(),
        norm.running.into_dispatch(),
        shifts.into_dispatch(),
        weight.into_dispatch(),
        config,
    );
    (Tensor::from_dispatch(y), Tensor::from_dispatch(statistics))
}

/// See [`FusedOps::normed_add`].
pub fn normed_add(
    input: Tensor<4>,
    norm: NormTensors,
    shortcut: Tensor<4>,
    config: NormConfig,
) -> (Tensor<4>, Tensor<2>) {
    let (y, statistics) = <Dispatch as FusedOps>::normed_add(
        input.into_dispatch(),
        norm.gamma.into_dispatch(),
        norm.beta.into_dispatch(),
        norm.running.into_dispatch(),
        shortcut.into_dispatch(),
        config,
    );
    (Tensor::from_dispatch(y), Tensor::from_dispatch(statistics))
}

/// See [`FusedOps::normed_activation`].
pub fn normed_activation(input: Tensor<4>, norm: NormTensors, config: NormConfig) -> (Tensor<4>, Tensor<2>) {
    let (y, statistics) = <Dispatch as FusedOps>::normed_activation(
        input.into_dispatch(),
        norm.gamma.into_dispatch(),
        norm.beta.into_dispatch(),
        norm.running.into_dispatch(),
        config,
    );
    (Tensor::from_dispatch(y), Tensor::from_dispatch(statistics))
}

/// See [`FusedOps::scaled`].
pub fn scaled(input: Tensor<4>, factor: Tensor<1>) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as FusedOps>::scaled(input.into_dispatch(), factor.into_dispatch()))
}

/// See [`FusedOps::pooled`].
pub fn pooled(input: Tensor<4>) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as FusedOps>::pooled(input.into_dispatch()))
}
