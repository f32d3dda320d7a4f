//! One block of the network.

use super::convolution::activate;
use super::{Keep, Mode, Norm};
use crate::{composed, quantise};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use lsspq::spec::{Activation, BlockShape};

/// Parameters of a block; [`lsspq::spec`] draws it.
#[derive(Module, Debug)]
pub struct Block {
    /// Before the first convolution; none in a group's first block.
    pub(crate) pre: Option<Norm>,
    /// `[width, input]`.
    pub(crate) reduce: Param<Tensor<2>>,
    /// Between the convolutions.
    pub(crate) middle: Norm,
    /// Displacements, `[width, 2]`: down, right.
    pub(crate) shifts: Param<Tensor<2>>,
    /// `[output, width]`.
    pub(crate) expand: Param<Tensor<2>>,
    /// After the second convolution.
    pub(crate) last: Norm,
    /// `[output, input]`; none where the shortcut is the identity.
    pub(crate) shortcut: Option<Param<Tensor<2>>>,
}

impl Block {
    /// Runs a map through the block; `keep` takes each BatchNorm's statistics, in order.
    pub(super) fn forward(&self, x: Tensor<4>, shape: &BlockShape, mode: Mode, keep: &mut Keep<'_>) -> Tensor<4> {
        let e = mode.engine;
        let weights = |w: &Param<Tensor<2>>| quantise::weights(w.val(), shape.weight_bits);
        let shortcut = match &self.shortcut {
            Some(weight) => e.pointwise(x.clone(), weights(weight), shape.stride),
            None => x.clone(),
        };
        if shape.activation != Activation::Clip {
            return self.forward_unfused(x, shortcut, shape, mode, keep);
        }
        let y = match &self.pre {
            Some(norm) => keep(e.normed_pointwise(x, norm, weights(&self.reduce), mode)),
            None => e.pointwise(x, weights(&self.reduce), 1),
        };
        let shifts = quantise::shifts(self.shifts.val(), mode.round_shifts);
        let y = keep(e.shifted_pointwise(y, &self.middle, shifts, weights(&self.expand), mode, shape.stride));
        keep(e.normed_add(y, &self.last, shortcut, mode))
    }

    /// With any activation; the fused operations know clipping alone.
    fn forward_unfused(
        &self,
        x: Tensor<4>,
        shortcut: Tensor<4>,
        shape: &BlockShape,
        mode: Mode,
        keep: &mut Keep<'_>,
    ) -> Tensor<4> {
        let e = mode.engine;
        let weights = |w: &Param<Tensor<2>>| quantise::weights(w.val(), shape.weight_bits);
        let mut y = x;
        if let Some(norm) = &self.pre {
            y = activate(keep(e.normed(y, norm, mode)), shape.activation, mode);
        }
        let y = e.pointwise(y, weights(&self.reduce), 1);
        let y = activate(keep(e.normed(y, &self.middle, mode)), shape.activation, mode);
        let y = composed::shift(y, quantise::shifts(self.shifts.val(), mode.round_shifts), shape.stride);
        let y = e.pointwise(y, weights(&self.expand), 1);
        keep(e.normed_add(y, &self.last, shortcut, mode))
    }

    pub(super) fn norms_mut(&mut self) -> impl Iterator<Item = &mut Norm> {
        self.pre.iter_mut().chain([&mut self.middle, &mut self.last])
    }
}
