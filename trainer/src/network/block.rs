//! One block of the network.

use super::{Mode, Norm};
use crate::quantise;
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use lsspq::spec::BlockShape;

/// Parameters of a block; [`lsspq::spec`] draws it.
#[derive(Module, Debug)]
pub struct Block {
    /// Before the first convolution; none in a group's first block.
    pub(super) pre: Option<Norm>,
    /// `[width, input]`.
    pub(super) reduce: Param<Tensor<2>>,
    /// Between the convolutions.
    pub(super) middle: Norm,
    /// Displacements, `[width, 2]`: down, right.
    pub(super) shifts: Param<Tensor<2>>,
    /// `[output, width]`.
    pub(super) expand: Param<Tensor<2>>,
    /// After the second convolution.
    pub(super) last: Norm,
    /// `[output, input]`; none where the shortcut is the identity.
    pub(super) shortcut: Option<Param<Tensor<2>>>,
    /// Learned steps of the weights: reduce, expand, shortcut.
    pub(super) steps: Option<Param<Tensor<1>>>,
}

impl Block {
    /// Whether it is the first of its group.
    pub fn starts_group(&self) -> bool {
        self.pre.is_none()
    }

    /// Runs a map through the block; `keep` takes each BatchNorm's statistics, in order.
    pub(super) fn forward(
        &self,
        x: Tensor<4>,
        shape: &BlockShape,
        mode: Mode,
        keep: &mut impl FnMut((Tensor<4>, Tensor<2>)) -> Tensor<4>,
    ) -> Tensor<4> {
        let e = mode.engine;
        let weights = |place: usize, w: &Param<Tensor<2>>| self.quantised(place, w, shape.weight_bits);
        let shortcut = match &self.shortcut {
            Some(weight) => e.pointwise(x.clone(), weights(2, weight), shape.stride),
            None => x.clone(),
        };
        let y = match &self.pre {
            Some(norm) => keep(e.normed_pointwise(x, norm, weights(0, &self.reduce), mode)),
            None => e.pointwise(x, weights(0, &self.reduce), 1),
        };
        let shifts = quantise::shifts(self.shifts.val(), mode.round_shifts);
        let y = keep(e.shifted_pointwise(y, &self.middle, shifts, weights(1, &self.expand), mode, shape.stride));
        keep(e.normed_add(y, &self.last, shortcut, mode))
    }

    pub(super) fn norms_mut(&mut self) -> impl Iterator<Item = &mut Norm> {
        self.pre.iter_mut().chain([&mut self.middle, &mut self.last])
    }
}
