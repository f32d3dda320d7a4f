//! The block of MobileNet v2 and v3: [`lsspq::spec::BlockKind::InvertedResidual`].

use super::convolution::{Convolution, Dense, Window, activate, hard_sigmoid};
use super::{Keep, Mode, Norm};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use lsspq::spec::{BlockKind, BlockShape};

/// Widen, filter every channel, narrow.
#[derive(Module, Debug)]
pub struct InvertedResidual {
    /// None where the block does not widen.
    pub(crate) widen: Option<Convolution>,
    /// One kernel a channel.
    pub(crate) depthwise: Convolution,
    /// Weighs the channels by what all pixels say.
    pub(crate) squeeze: Option<Squeeze>,
    /// Without an activation behind it.
    pub(crate) narrow: Convolution,
}

/// Squeeze-and-excitation.
#[derive(Module, Debug)]
pub(crate) struct Squeeze {
    /// To a quarter of the channels.
    pub(crate) reduce: Dense,
    /// And back.
    pub(crate) expand: Dense,
}

/// The depthwise window.
pub(crate) fn window(shape: &BlockShape) -> Window {
    let kernel = if let BlockKind::InvertedResidual { kernel, .. } = shape.kind { kernel } else { 3 };
    Window { kernel, stride: shape.stride, depthwise: true }
}

impl InvertedResidual {
    pub(super) fn forward(&self, x: Tensor<4>, shape: &BlockShape, mode: Mode, keep: &mut Keep<'_>) -> Tensor<4> {
        let mut y = x.clone();
        if let Some(widen) = &self.widen {
            y = activate(widen.forward(y, Window::pointwise(1), mode, keep), shape.activation, mode);
        }
        y = activate(self.depthwise.forward(y, window(shape), mode, keep), shape.activation, mode);
        if let Some(squeeze) = &self.squeeze {
            y = squeeze.forward(y);
        }
        if shape.keeps_shape() {
            self.narrow.forward_onto(y, x, Window::pointwise(1), mode, keep)
        } else {
            self.narrow.forward(y, Window::pointwise(1), mode, keep)
        }
    }

    pub(super) fn norms_mut(&mut self) -> Vec<&mut Norm> {
        self.widen.iter_mut().chain([&mut self.depthwise, &mut self.narrow]).map(|c| &mut c.norm).collect()
    }

    pub(super) fn weights(&self) -> Vec<&Param<Tensor<2>>> {
        let convolutions = self.widen.iter().chain([&self.depthwise, &self.narrow]).map(|c| &c.weight);
        let squeeze = self.squeeze.iter().flat_map(|s| [&s.reduce.weight, &s.expand.weight]);
        convolutions.chain(squeeze).collect()
    }
}

impl Squeeze {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [images, channels, _, _] = x.dims();
        let means = x.clone().mean_dim(3).mean_dim(2).reshape([images, channels]);
        let weights = hard_sigmoid(self.expand.forward(relu(self.reduce.forward(means))));
        x * weights.reshape([images, channels, 1, 1])
    }
}
