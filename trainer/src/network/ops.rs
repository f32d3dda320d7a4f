//! Which form of the operations does the arithmetic.

use super::convolution::activate;
use super::learned::times;
use super::{Mode, Norm};
use crate::fused::{NormConfig, StemConfig};
#[cfg(feature = "libtorch")]
use crate::libtorch;
use crate::{composed, fused};
use burn::tensor::Tensor;
use lsspq::spec::Activation;

/// The two forms of a block's operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Extensions of the CPU backend.
    Fused,
    /// Plain tensor operations, on any backend.
    Composed,
    /// LibTorch's own where it has fewer for the same, and plain ones.
    #[cfg(feature = "libtorch")]
    LibTorch,
}

fn config(mode: Mode, stride: usize) -> NormConfig {
    NormConfig { batch_statistics: mode.batch_statistics, bits: mode.activations, stride }
}

/// Values of one picture of a map.
fn features(x: &Tensor<4>) -> usize {
    x.dims()[1..].iter().product()
}

impl Engine {
    pub(super) fn stem(self, x: Tensor<4>, weight: Tensor<2>, kernel: usize, stride: usize) -> Tensor<4> {
        let config = StemConfig { kernel, stride };
        match self {
            Self::Fused => fused::stem(x, weight, config),
            _ => composed::stem(x, weight, config),
        }
    }

    pub(super) fn pointwise(self, x: Tensor<4>, weight: Tensor<2>, stride: usize) -> Tensor<4> {
        match self {
            Self::Fused => fused::pointwise(x, weight, stride),
            _ => composed::pointwise(x, weight, stride),
        }
    }

    pub(super) fn pooled(self, x: Tensor<4>) -> Tensor<2> {
        match self {
            Self::Fused => fused::pooled(x),
            _ => composed::pooled(x),
        }
    }

    pub(super) fn normed_pointwise(
        self,
        x: Tensor<4>,
        norm: &Norm,
        weight: Tensor<2>,
        mode: Mode,
    ) -> (Tensor<4>, Tensor<2>) {
        let (norm, range) = norm.in_range(features(&x), mode);
        let weight = times(weight, range);
        match self {
            Self::Fused => fused::normed_pointwise(x, norm, weight, config(mode, 1)),
            Self::Composed => composed::normed_pointwise(x, norm, weight, config(mode, 1)),
            #[cfg(feature = "libtorch")]
            Self::LibTorch => libtorch::normed_pointwise(x, norm, weight, config(mode, 1)),
        }
    }

    pub(super) fn shifted_pointwise(
        self,
        x: Tensor<4>,
        norm: &Norm,
        shifts: Tensor<2>,
        weight: Tensor<2>,
        mode: Mode,
        stride: usize,
    ) -> (Tensor<4>, Tensor<2>) {
        let config = config(mode, stride);
        let (norm, range) = norm.in_range(features(&x), mode);
        let weight = times(weight, range);
        match self {
            Self::Fused => fused::shifted_pointwise(x, norm, shifts, weight, config),
            Self::Composed => composed::shifted_pointwise(x, norm, shifts, weight, config),
            #[cfg(feature = "libtorch")]
            Self::LibTorch => libtorch::shifted_pointwise(x, norm, shifts, weight, config, mode.round_shifts),
        }
    }

    pub(super) fn normed_add(
        self,
        x: Tensor<4>,
        norm: &Norm,
        shortcut: Tensor<4>,
        mode: Mode,
    ) -> (Tensor<4>, Tensor<2>) {
        match self {
            Self::Fused => fused::normed_add(x, norm.tensors(), shortcut, config(mode, 1)),
            Self::Composed => composed::normed_add(x, norm.tensors(), shortcut, config(mode, 1)),
            #[cfg(feature = "libtorch")]
            Self::LibTorch => libtorch::normed_add(x, norm.tensors(), shortcut, config(mode, 1)),
        }
    }

    pub(super) fn normed_activation(self, x: Tensor<4>, norm: &Norm, mode: Mode) -> (Tensor<4>, Tensor<2>) {
        let (norm, range) = norm.in_range(features(&x), mode);
        let (y, statistics) = match self {
            Self::Fused => fused::normed_activation(x, norm, config(mode, 1)),
            Self::Composed => composed::normed_activation(x, norm, config(mode, 1)),
            #[cfg(feature = "libtorch")]
            Self::LibTorch => libtorch::normed_activation(x, norm, config(mode, 1)),
        };
        let y = match (self, range) {
            (Self::Fused, Some(range)) => fused::scaled(y, range),
            (_, range) => times(y, range),
        };
        (y, statistics)
    }

    /// BatchNorm alone.
    pub(super) fn normed(self, x: Tensor<4>, norm: &Norm, mode: Mode) -> (Tensor<4>, Tensor<2>) {
        match self {
            // Adding nothing is faster than BatchNorm's parts one by one.
            Self::Fused => {
                let nothing = Tensor::zeros(x.dims(), &x.device());
                fused::normed_add(x, norm.tensors(), nothing, config(mode, 1))
            }
            Self::Composed => composed::norm(x, norm.tensors(), config(mode, 1)),
            #[cfg(feature = "libtorch")]
            Self::LibTorch => libtorch::norm(x, norm.tensors(), config(mode, 1)),
        }
    }

    /// BatchNorm and any activation.
    pub(super) fn activated(
        self,
        x: Tensor<4>,
        norm: &Norm,
        activation: Activation,
        mode: Mode,
    ) -> (Tensor<4>, Tensor<2>) {
        if activation == Activation::Clip {
            return self.normed_activation(x, norm, mode);
        }
        let (y, statistics) = self.normed(x, norm, mode);
        (activate(y, activation, mode), statistics)
    }
}
