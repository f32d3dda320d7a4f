//! The blocks of ResNet: [`lsspq::spec::BlockKind::Bottleneck`] and [`lsspq::spec::BlockKind::Basic`].

use super::convolution::{Convolution, Window, activate};
use super::{Keep, Mode, Norm};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use lsspq::spec::{BlockKind, BlockShape};

/// Two or three convolutions beside a shortcut.
#[derive(Module, Debug)]
pub struct Residual {
    /// First to last.
    pub(crate) convolutions: Vec<Convolution>,
    /// None where the shortcut is the identity.
    pub(crate) shortcut: Option<Convolution>,
}

/// Inputs, outputs and windows of the convolutions of a block.
pub(crate) fn plan(shape: &BlockShape) -> Vec<(usize, usize, Window)> {
    let &BlockShape { input, width, output, stride, .. } = shape;
    if shape.kind == (BlockKind::Basic {}) {
        return vec![(input, output, Window::three(stride)), (output, output, Window::three(1))];
    }
    let (reduce, expand) = ((input, width, Window::pointwise(1)), (width, output, Window::pointwise(1)));
    vec![reduce, (width, width, Window::three(stride)), expand]
}

impl Residual {
    pub(super) fn forward(&self, x: Tensor<4>, shape: &BlockShape, mode: Mode, keep: &mut Keep<'_>) -> Tensor<4> {
        let mut shortcut = x.clone();
        if let Some(projection) = &self.shortcut {
            shortcut = projection.forward(shortcut, Window::pointwise(shape.stride), mode, keep);
        }
        let plan = plan(shape);
        let mut y = x;
        for (convolution, &(_, _, window)) in self.convolutions.iter().zip(&plan[..plan.len() - 1]) {
            y = activate(convolution.forward(y, window, mode, keep), shape.activation, mode);
        }
        let (last, window) = (&self.convolutions[plan.len() - 1], plan[plan.len() - 1].2);
        activate(last.forward_onto(y, shortcut, window, mode, keep), shape.activation, mode)
    }

    pub(super) fn norms_mut(&mut self) -> Vec<&mut Norm> {
        self.shortcut.iter_mut().chain(&mut self.convolutions).map(|c| &mut c.norm).collect()
    }

    pub(super) fn weights(&self) -> Vec<&Param<Tensor<2>>> {
        self.shortcut.iter().chain(&self.convolutions).map(|c| &c.weight).collect()
    }
}
