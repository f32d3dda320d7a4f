//! One block of the network.

use super::convolution::activate;
use super::flow::Flow;
use super::learned::times;
use super::{Keep, Mode, Norm};
use crate::fused::{self, BlockTensors};
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
    /// Learned steps of the weights: reduce, expand, shortcut.
    pub(crate) steps: Option<Param<Tensor<1>>>,
}

impl Block {
    /// Runs a map through the block; `keep` takes each BatchNorm's statistics, in order.
    pub(super) fn forward(
        &self,
        input: Flow<'_>,
        shape: &BlockShape,
        mode: Mode,
        keep: &mut Keep<'_>,
    ) -> Flow<'static> {
        // Nothing the paper has normalises before a block and projects in its shortcut as well.
        let is_plain = shape.activation == Activation::Clip && (self.pre.is_none() || self.shortcut.is_none());
        if Flow::is_fused(mode) && is_plain {
            return self.fused(input, shape, mode, keep);
        }
        let x = input.settle(mode, keep);
        let e = mode.engine;
        let weights = |place: usize, w: &Param<Tensor<2>>| self.quantised(place, w, shape.weight_bits);
        let shortcut = match &self.shortcut {
            Some(weight) => e.pointwise(x.clone(), weights(2, weight), shape.stride),
            None => x.clone(),
        };
        if shape.activation != Activation::Clip {
            return Flow::of(self.forward_unfused(x, shortcut, shape, mode, keep));
        }
        let y = match &self.pre {
            Some(norm) => keep(e.normed_pointwise(x, norm, weights(0, &self.reduce), mode)),
            None => e.pointwise(x, weights(0, &self.reduce), 1),
        };
        let shifts = quantise::shifts(self.shifts.val(), mode.round_shifts);
        let y = keep(e.shifted_pointwise(y, &self.middle, shifts, weights(1, &self.expand), mode, shape.stride));
        Flow::of(keep(e.normed_add(y, &self.last, shortcut, mode)))
    }

    /// The same as one operation, with batch statistics.
    fn fused(&self, input: Flow<'_>, shape: &BlockShape, mode: Mode, keep: &mut Keep<'_>) -> Flow<'static> {
        let weights = |place: usize, w: &Param<Tensor<2>>| self.quantised(place, w, shape.weight_bits);
        // A norm of the block's own stands in the branch; one that waits in front of the block is for the shortcut too.
        let input = if self.pre.is_some() { input.settled(mode, keep) } else { input };
        let parts = input.into_parts();
        let [_, channels, height, width] = parts.map.dims();
        // A norm that waits has no learned range: it would be the shortcut's too.
        let norm = self.pre.as_ref().or(parts.pending).map(|norm| norm.in_range(channels * height * width, mode));
        let (before, range) = norm.map_or((None, None), |(norm, range)| (Some((norm, parts.statistics)), range));
        let inner = self.reduce.val().dims()[0] * height * width;
        let (middle, middle_range) = self.middle.in_range(inner, mode);
        let tensors = BlockTensors {
            before,
            reduce: times(weights(0, &self.reduce), range),
            middle,
            shifts: quantise::shifts(self.shifts.val(), mode.round_shifts),
            expand: times(weights(1, &self.expand), middle_range),
            last: self.last.tensors(),
            shortcut: self.shortcut.as_ref().map(|weight| weights(2, weight)),
        };
        let out = fused::block(parts.map, tensors, self.pre.is_none(), shape.stride, mode.activations);
        let mut y = out.output;
        for statistics in out.before.into_iter().chain([out.middle, out.last]) {
            y = keep((y, statistics));
        }
        Flow::with_statistics(y, out.next)
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
        let weights = |place: usize, w: &Param<Tensor<2>>| self.quantised(place, w, shape.weight_bits);
        let mut y = x;
        if let Some(norm) = &self.pre {
            y = activate(keep(e.normed(y, norm, mode)), shape.activation, mode);
        }
        let y = e.pointwise(y, weights(0, &self.reduce), 1);
        let y = activate(keep(e.normed(y, &self.middle, mode)), shape.activation, mode);
        let y = composed::shift(y, quantise::shifts(self.shifts.val(), mode.round_shifts), shape.stride);
        let y = e.pointwise(y, weights(1, &self.expand), 1);
        keep(e.normed_add(y, &self.last, shortcut, mode))
    }

    pub(super) fn norms_mut(&mut self) -> impl Iterator<Item = &mut Norm> {
        self.pre.iter_mut().chain([&mut self.middle, &mut self.last])
    }
}
