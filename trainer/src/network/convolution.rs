//! Convolutions as ordinary networks have them: each with its BatchNorm, then an activation.

use super::{Engine, Keep, Mode, Norm};
use crate::quantise;
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::{avg_pool2d, conv2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions};
use lsspq::spec::Activation;

/// A convolution and the BatchNorm behind it.
#[derive(Module, Debug)]
pub(crate) struct Convolution {
    /// `[output, input * kernel * kernel]`; the input of a depthwise convolution is 1.
    pub(crate) weight: Param<Tensor<2>>,
    /// Of the outputs.
    pub(crate) norm: Norm,
}

/// What an output pixel of a convolution sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Side of the kernel, odd; the map is padded with `kernel / 2` zeros.
    pub(crate) kernel: usize,
    /// Step in pixels.
    pub(crate) stride: usize,
    /// Whether an output sees one channel alone.
    pub(crate) depthwise: bool,
}

impl Window {
    /// One pixel, every `stride`-th.
    pub(crate) fn pointwise(stride: usize) -> Self {
        Self { kernel: 1, stride, depthwise: false }
    }

    /// 3x3 pixels.
    pub(crate) fn three(stride: usize) -> Self {
        Self { kernel: 3, ..Self::pointwise(stride) }
    }
}

impl Convolution {
    /// Convolution, then BatchNorm.
    pub(super) fn forward(&self, x: Tensor<4>, window: Window, mode: Mode, keep: &mut Keep<'_>) -> Tensor<4> {
        let sums = convolve(x, self.weight.val(), window, mode.engine);
        keep(mode.engine.normed(sums, &self.norm, mode))
    }

    /// Convolution, then BatchNorm, plus a shortcut.
    pub(super) fn forward_onto(
        &self,
        x: Tensor<4>,
        shortcut: Tensor<4>,
        window: Window,
        mode: Mode,
        keep: &mut Keep<'_>,
    ) -> Tensor<4> {
        let sums = convolve(x, self.weight.val(), window, mode.engine);
        keep(mode.engine.normed_add(sums, &self.norm, shortcut, mode))
    }
}

/// The sums of a convolution with weights `[output, input * kernel * kernel]`.
pub(super) fn convolve(x: Tensor<4>, weight: Tensor<2>, window: Window, engine: Engine) -> Tensor<4> {
    if window.kernel == 1 && !window.depthwise {
        return engine.pointwise(x, weight, window.stride);
    }
    let [output, row] = weight.dims();
    let side = window.kernel;
    let weight = weight.reshape([output, row / (side * side), side, side]);
    let groups = if window.depthwise { output } else { 1 };
    conv2d(x, weight, None, ConvOptions::new([window.stride; 2], [side / 2; 2], [1; 2], groups))
}

/// An activation behind a BatchNorm.
pub(super) fn activate<const D: usize>(x: Tensor<D>, activation: Activation, mode: Mode) -> Tensor<D> {
    match activation {
        Activation::Clip => quantise::activations(x, mode.activations),
        Activation::Relu => relu(x),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::HardSwish => x.clone() * hard_sigmoid(x),
    }
}

/// clip(x + 3, 0, 6) / 6.
pub(super) fn hard_sigmoid<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    (x + 3.0).clamp(0.0, 6.0) / 6.0
}

/// The mean of every `stride` x `stride` pixels.
pub(super) fn average(x: Tensor<4>, stride: usize) -> Tensor<4> {
    if stride == 1 { x } else { avg_pool2d(x, AvgPoolOptions::new([stride; 2])) }
}

/// A linear layer.
#[derive(Module, Debug)]
pub(crate) struct Dense {
    /// `[output, input]`.
    pub(crate) weight: Param<Tensor<2>>,
    /// `[output]`.
    pub(crate) bias: Param<Tensor<1>>,
}

impl Dense {
    /// Of vectors `[images, input]`.
    pub(super) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.weight.val().transpose()) + self.bias.val().unsqueeze()
    }
}
