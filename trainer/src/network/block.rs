//! One block of the network.

use super::flow::Flow;
use super::{Mode, Norm};
use crate::fused::{self, BlockTensors};
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
}

impl Block {
    /// Whether it is the first of its group.
    pub fn starts_group(&self) -> bool {
        self.pre.is_none()
    }

    /// Runs a map through the block; `keep` takes each BatchNorm's statistics, in order.
    pub(super) fn forward(
        &self,
        input: Flow<'_>,
        shape: &BlockShape,
        mode: Mode,
        keep: &mut impl FnMut((Tensor<4>, Tensor<2>)) -> Tensor<4>,
    ) -> Flow<'static> {
        // Nothing the paper has normalises before a block and projects in its shortcut as well.
        if Flow::is_fused(mode) && (self.pre.is_none() || self.shortcut.is_none()) {
            return self.fused(input, shape, mode, keep);
        }
        let x = input.settle(mode, keep);
        let e = mode.engine;
        let weights = |w: &Param<Tensor<2>>| quantise::weights(w.val(), shape.weight_bits);
        let shortcut = match &self.shortcut {
            Some(weight) => e.pointwise(x.clone(), weights(weight), shape.stride),
            None => x.clone(),
        };
        let y = match &self.pre {
            Some(norm) => keep(e.normed_pointwise(x, norm, weights(&self.reduce), mode)),
            None => e.pointwise(x, weights(&self.reduce), 1),
        };
        let shifts = quantise::shifts(self.shifts.val(), mode.round_shifts);
        let y = keep(e.shifted_pointwise(y, &self.middle, shifts, weights(&self.expand), mode, shape.stride));
        Flow::of(keep(e.normed_add(y, &self.last, shortcut, mode)))
    }

    /// The same as one operation, with batch statistics.
    fn fused(
        &self,
        input: Flow<'_>,
        shape: &BlockShape,
        mode: Mode,
        keep: &mut impl FnMut((Tensor<4>, Tensor<2>)) -> Tensor<4>,
    ) -> Flow<'static> {
        let weights = |w: &Param<Tensor<2>>| quantise::weights(w.val(), shape.weight_bits);
        // A norm of the block's own stands in the branch; one that waits in front of the block is for the shortcut too.
        let input = if self.pre.is_some() { input.settled(mode, keep) } else { input };
        let parts = input.into_parts();
        let norm = self.pre.as_ref().or(parts.pending);
        let tensors = BlockTensors {
            before: norm.map(|norm| (norm.tensors(), parts.statistics)),
            reduce: weights(&self.reduce),
            middle: self.middle.tensors(),
            shifts: quantise::shifts(self.shifts.val(), mode.round_shifts),
            expand: weights(&self.expand),
            last: self.last.tensors(),
            shortcut: self.shortcut.as_ref().map(weights),
        };
        let out = fused::block(parts.map, tensors, self.pre.is_none(), shape.stride, mode.activations);
        let mut y = out.output;
        for statistics in out.before.into_iter().chain([out.middle, out.last]) {
            y = keep((y, statistics));
        }
        Flow::with_statistics(y, out.next)
    }

    pub(super) fn norms_mut(&mut self) -> impl Iterator<Item = &mut Norm> {
        self.pre.iter_mut().chain([&mut self.middle, &mut self.last])
    }
}
