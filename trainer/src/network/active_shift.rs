//! The block of ASL50: [`lsspq::spec::BlockKind::ActiveShift`].

use super::convolution::activate;
use super::{Keep, Mode, Norm};
use crate::{composed, quantise};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use lsspq::spec::{Activation, BlockShape};

/// A shift and one convolution beside a shortcut.
#[derive(Module, Debug)]
pub struct ActiveShift {
    /// Before the shift; none in a group's first block.
    pub(crate) pre: Option<Norm>,
    /// Displacements, `[width, 2]`: down, right.
    pub(crate) shifts: Param<Tensor<2>>,
    /// `[output, input]`.
    pub(crate) expand: Param<Tensor<2>>,
    /// After the convolution.
    pub(crate) last: Norm,
    /// `[output, input]`; none where the shortcut is the identity.
    pub(crate) shortcut: Option<Param<Tensor<2>>>,
}

impl ActiveShift {
    /// A displacement for each input channel: those of `width` channels over and over.
    pub(crate) fn displacements(&self, shape: &BlockShape, round: bool) -> Tensor<2> {
        quantise::shifts(self.shifts.val(), round).repeat_dim(0, shape.input / shape.width)
    }

    pub(super) fn forward(&self, x: Tensor<4>, shape: &BlockShape, mode: Mode, keep: &mut Keep<'_>) -> Tensor<4> {
        let e = mode.engine;
        let weight = |w: &Param<Tensor<2>>| quantise::weights(w.val(), shape.weight_bits);
        let shortcut = match &self.shortcut {
            Some(projection) => e.pointwise(x.clone(), weight(projection), shape.stride),
            None => x.clone(),
        };
        let shifts = self.displacements(shape, mode.round_shifts);
        let expand = weight(&self.expand);
        let y = match (&self.pre, shape.activation) {
            (Some(norm), Activation::Clip) => keep(e.shifted_pointwise(x, norm, shifts, expand, mode, shape.stride)),
            (Some(norm), other) => {
                let y = activate(keep(e.normed(x, norm, mode)), other, mode);
                e.pointwise(composed::shift(y, shifts, shape.stride), expand, 1)
            }
            (None, _) => e.pointwise(composed::shift(x, shifts, shape.stride), expand, 1),
        };
        keep(e.normed_add(y, &self.last, shortcut, mode))
    }

    pub(super) fn norms_mut(&mut self) -> Vec<&mut Norm> {
        self.pre.iter_mut().chain([&mut self.last]).collect()
    }

    pub(super) fn weights(&self) -> Vec<&Param<Tensor<2>>> {
        [&self.expand].into_iter().chain(&self.shortcut).collect()
    }
}
