//! A map on its way through the network, with what is known of it and what is still to be done to it.

use super::{Engine, Keep, Mode, Norm};
use burn::tensor::Tensor;
use lsspq::spec::Activation;

/// A map. BatchNorm and activation that stand between two blocks are not applied at once but handed to the next block,
/// whose first product applies them as it reads.
pub(super) struct Flow<'a> {
    map: Tensor<4>,
    /// Batch statistics, where whoever made the map took them.
    statistics: Option<Tensor<2>>,
    /// BatchNorm and quantised activation that are still to come.
    pending: Option<&'a Norm>,
}

/// A [`Flow`] in its parts.
pub(super) struct Parts<'a> {
    pub(super) map: Tensor<4>,
    pub(super) statistics: Option<Tensor<2>>,
    pub(super) pending: Option<&'a Norm>,
}

impl<'a> Flow<'a> {
    /// A map of which nothing is known.
    pub(super) fn of(map: Tensor<4>) -> Self {
        Self { map, statistics: None, pending: None }
    }

    /// A map with its batch statistics.
    pub(super) fn with_statistics(map: Tensor<4>, statistics: Tensor<2>) -> Self {
        Self { map, statistics: Some(statistics), pending: None }
    }

    /// Whether blocks run as one operation each.
    pub(super) fn is_fused(mode: Mode) -> bool {
        mode.engine == Engine::Fused && mode.batch_statistics
    }

    /// BatchNorm and any activation.
    pub(super) fn activated(self, norm: &'a Norm, activation: Activation, mode: Mode, keep: &mut Keep<'_>) -> Self {
        if activation == Activation::Clip {
            return self.normed(norm, mode, keep);
        }
        let map = self.settle(mode, keep);
        Self::of(keep(mode.engine.activated(map, norm, activation, mode)))
    }

    /// BatchNorm and quantised activation.
    pub(super) fn normed(self, norm: &'a Norm, mode: Mode, keep: &mut Keep<'_>) -> Self {
        let waiting = Self { pending: Some(norm), ..self };
        // A learned range multiplies what the shortcut reads as well; no operation of a whole block does that.
        if Self::is_fused(mode) && norm.range.is_none() { waiting } else { Self::of(waiting.settle(mode, keep)) }
    }

    /// The map with everything done.
    pub(super) fn settle(self, mode: Mode, keep: &mut Keep<'_>) -> Tensor<4> {
        match self.pending {
            None => self.map,
            Some(norm) => keep(mode.engine.normed_activation(self.map, norm, mode)),
        }
    }

    /// The same, with what is known of a map to which nothing had to be done.
    pub(super) fn settled(self, mode: Mode, keep: &mut Keep<'_>) -> Self {
        if self.pending.is_none() { self } else { Self::of(self.settle(mode, keep)) }
    }

    pub(super) fn into_parts(self) -> Parts<'a> {
        Parts { map: self.map, statistics: self.statistics, pending: self.pending }
    }
}
