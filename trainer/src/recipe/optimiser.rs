//! What makes steps of gradients.

use super::within;
use serde::{Deserialize, Serialize};

/// An optimiser and its settings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimiser {
    /// Which one.
    #[serde(default, skip_serializing_if = "OptimiserKind::is_sgd")]
    pub kind: OptimiserKind,
    /// How much of the last steps is kept; AdamW's first beta.
    #[serde(default = "momentum")]
    pub momentum: f64,
    /// On weights only: not on BatchNorm, biases, shifts or step sizes. An L2 term of the loss for SGD, apart from the
    /// gradient for AdamW.
    #[serde(default = "weight_decay")]
    pub weight_decay: f64,
    /// SGD alone: the gradient is looked at where the momentum leads to (Sutskever et al., 2013).
    #[serde(default, skip_serializing_if = "is_false")]
    pub nesterov: bool,
    /// AdamW alone: how much of the last squared gradients is kept; 0.999 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta_2: Option<f64>,
}

/// The optimisers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimiserKind {
    /// Stochastic gradient descent with momentum.
    #[default]
    Sgd,
    /// Adam with decoupled weight decay (Loshchilov and Hutter, 2019).
    Adamw,
}

impl OptimiserKind {
    fn is_sgd(&self) -> bool {
        *self == Self::Sgd
    }
}

fn momentum() -> f64 {
    0.9
}

fn weight_decay() -> f64 {
    1e-4
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Default for Optimiser {
    fn default() -> Self {
        Self {
            kind: OptimiserKind::Sgd,
            momentum: momentum(),
            weight_decay: weight_decay(),
            nesterov: false,
            beta_2: None,
        }
    }
}

impl Optimiser {
    pub(super) fn validate(&self) -> Result<(), String> {
        within("momentum", self.momentum, 0.0, 0.9999)?;
        within("weight_decay", self.weight_decay, 0.0, 1.0)?;
        match self.kind {
            OptimiserKind::Sgd if self.nesterov && self.momentum == 0.0 => {
                Err("nesterov = true: allowed only with a momentum of more than 0".into())
            }
            OptimiserKind::Sgd if self.beta_2.is_some() => Err("beta_2: allowed only with kind = \"adamw\"".into()),
            OptimiserKind::Adamw if self.nesterov => Err("nesterov = true: allowed only with kind = \"sgd\"".into()),
            _ => within("beta_2", self.beta_2.unwrap_or(0.999), 0.0, 0.999_999),
        }
    }
}
