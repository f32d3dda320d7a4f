//! What a run does beside the bare recipe of the publication; everything here is off unless it is asked for.

use super::within;
use serde::{Deserialize, Serialize};

/// Options of training that hold for all stages. What is off is left out of a resolved recipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Part of each target that is spread evenly over all classes (Szegedy et al., 2016); 0 is off.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub label_smoothing: f64,
    /// Decay, per step, of a moving average of all weights. Where it is given, the average is kept as best, handed to the
    /// next stage and exported, unless pictures are held out and more of them are right without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ema_decay: Option<f64>,
    /// Gradients of a step are scaled down to this Euclidean norm over all parameters together, where they exceed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// A stage ends after that many epochs without a new best on the validation split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<u32>,
    /// Displacements stay where they were drawn, or as the file has them that the run begins with, instead of being learned:
    /// as in the networks before the active shift (Wu et al., CVPR 2018).
    #[serde(default, skip_serializing_if = "is_false")]
    pub fixed_shifts: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Training {
    /// Whether everything is off.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn validate(&self, validates: bool) -> Result<(), String> {
        within("training.label_smoothing", self.label_smoothing, 0.0, 0.9)?;
        if let Some(decay) = self.ema_decay {
            within("training.ema_decay", decay, 0.0, 0.999_999)?;
        }
        if let Some(norm) = self.clip_norm {
            within("training.clip_norm", norm, 1e-6, 1e6)?;
        }
        if let Some(patience) = self.patience {
            within("training.patience", patience, 1, 100_000)?;
            if !validates {
                return Err(format!(
                    "training.patience = {patience}: allowed only where data.validation holds pictures out to look at"
                ));
            }
        }
        Ok(())
    }
}
