//! The log of a run: a line of JSON an epoch.

use super::Position;
use super::look::Look;
use crate::recipe::Stage;
use lsspq::card::Accuracy;
use serde::{Deserialize, Serialize};

/// What an epoch came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Index of the stage, from 0.
    pub stage: usize,
    /// Epoch in all stages, from 0.
    pub epoch: u32,
    /// Learning rate.
    pub rate: f64,
    /// Bits of the activations, none for float.
    pub activations: Option<u8>,
    /// Mean loss over the training pictures as they came.
    pub loss: f64,
    /// Part of them that was classified rightly.
    pub accuracy: f64,
    /// On the validation split after the epoch, where there is one.
    pub validation: Option<Accuracy>,
    /// Of the moving average there, where the run keeps one; `validation` is the better of this and the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<Accuracy>,
    /// Of the weights as they were stepped, where there is an average beside them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Accuracy>,
    /// Pictures a second, training and validation together, since the epoch began or was resumed.
    pub images_per_second: f64,
    /// Seconds that were spent on the epoch; where it was resumed, those before count as well, up to what was saved.
    pub seconds: f64,
}

impl EpochRecord {
    pub(super) fn new(position: &Position, stage: &Stage, look: Option<Look>, images: u64, seconds: f64) -> Self {
        Self {
            stage: position.stage,
            epoch: position.epoch,
            rate: stage.rate(position.epoch_in_stage),
            activations: stage.activation_bits(),
            loss: position.loss().unwrap_or(f64::NAN),
            accuracy: position.accuracy().unwrap_or(0.0),
            validation: look.map(|look| look.kept()),
            average: look.and_then(|look| look.average),
            weights: look.and_then(|look| look.average.and(Some(look.weights))),
            images_per_second: images as f64 / seconds.max(1e-9),
            seconds: position.seconds + seconds,
        }
    }
}
