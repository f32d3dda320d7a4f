//! How weights and activations come to their levels.

use serde::{Deserialize, Serialize};

/// The quantisers of a network. Left out, it is that of the publication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantiser {
    /// Of pointwise and linear weights.
    #[serde(default)]
    pub weights: WeightQuantiser,
    /// Of activations.
    #[serde(default)]
    pub activations: ActivationQuantiser,
}

/// Quantisers of weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightQuantiser {
    /// DoReFa (Zhou et al., 2016), for one bit BWN (Rastegari et al., 2016).
    #[default]
    Dorefa,
    /// A step size per layer that is learned (LSQ: Esser et al., 2020).
    Lsq,
}

/// Quantisers of activations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivationQuantiser {
    /// Levels between 0 and 1.
    #[default]
    Unit,
    /// Levels between 0 and a bound per layer that is learned by the rule of LSQ.
    Lsq,
}

impl Quantiser {
    /// Whether it is that of the publication.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}
