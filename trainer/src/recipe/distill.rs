//! Learning from another network's answers.

use super::within;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Distillation (Hinton, Vinyals and Dean, 2015): part of the loss is how far the softened answers are from a teacher's
/// on the very pictures, augmentation included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distill {
    /// The folder of a run, a checkpoint in one, or a model file of ours. A relative path counts from where the program
    /// runs. It must have the same classes and the same input side.
    pub teacher: PathBuf,
    /// Logits are divided by it before the softmax.
    #[serde(default = "temperature")]
    pub temperature: f64,
    /// Part of the loss; the labels have the rest.
    #[serde(default = "weight")]
    pub weight: f64,
}

fn temperature() -> f64 {
    4.0
}

fn weight() -> f64 {
    0.5
}

impl Distill {
    pub(super) fn validate(&self) -> Result<(), String> {
        within("distill.temperature", self.temperature, 0.1, 100.0)?;
        within("distill.weight", self.weight, 0.0, 1.0)
    }
}
