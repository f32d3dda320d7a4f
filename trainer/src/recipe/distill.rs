//! Learning from another network's answers.

use super::within;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Distillation (Hinton, Vinyals and Dean, 2015): part of the loss is how far the softened answers are from a teacher's: on the
/// very pictures, augmentation included, where the teacher is one of our networks; where its answers were given before, on whole
/// pictures or on those of each epoch as they are altered, blended where pictures are mixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distill {
    /// The folder of a run, a checkpoint in one, or a model file of ours, with the same classes and the same input side; or the
    /// answers of any other network, a NumPy array (`.npy`) of logits: `[pictures, classes]`, a row for each picture that
    /// `lsspq pictures` writes, or `[epochs, pictures, classes]`, a row for each that `lsspq pictures --altered` writes. The latter
    /// are of one seed, one choice of held-out pictures, and one `augment` and number of epochs of each stage: where any of them changes
    /// they are asked for anew. A relative path counts from where the program runs.
    pub teacher: PathBuf,
    /// A folder of pictures without labels, in it or in folders in it, which are learned from beside those of the data set: only the
    /// teacher says what is on them. They are neither held out nor tested, and pictures of the data set that are held out or tested are
    /// refused. A relative path counts from where the program runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<PathBuf>,
    /// What the teacher is and where it learned, in a sentence for the model card.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// Logits are divided by it before the softmax.
    #[serde(default = "temperature")]
    pub temperature: f64,
    /// Part of the loss; the labels have the rest, where there are any.
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
    /// Whether the teacher has answered before, and sees nothing while the pupil learns.
    pub fn has_answered(&self) -> bool {
        self.teacher.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy"))
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        within("distill.temperature", self.temperature, 0.1, 100.0)?;
        within("distill.weight", self.weight, 0.0, 1.0)?;
        match &self.pictures {
            Some(_) if self.weight == 0.0 => Err(
                "distill.weight = 0.0: with distill.pictures allowed is more than 0, or nothing is learned from them"
                    .into(),
            ),
            Some(folder) if folder.as_os_str().is_empty() => {
                Err("distill.pictures = \"\": allowed is a folder of pictures".into())
            }
            _ => Ok(()),
        }
    }
}
