//! Where a run is.

use super::choice;
use super::look::Look;
use crate::recipe::Stage;
use lsspq::card::{Accuracy, StageResult};
use serde::{Deserialize, Serialize};

/// Where a run is, and what it has counted so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Index of the stage.
    pub stage: usize,
    /// Epochs done in this stage.
    pub epoch_in_stage: u32,
    /// Epochs done in all stages: what the order of the pictures and their augmentation depend on.
    pub epoch: u32,
    /// Steps done in the current epoch.
    pub step: usize,
    /// Steps done in this stage.
    #[serde(default)]
    pub steps: u64,
    /// Pictures seen in the current epoch.
    pub images: u64,
    /// How many of them have no label.
    #[serde(default)]
    unlabelled: u64,
    /// How many of the others were classified rightly as they came.
    pub correct: u64,
    /// Sum over them of the loss, as the bits of an f64, since JSON would round it.
    loss_bits: u64,
    /// Seconds that processes before this one spent on the current epoch.
    #[serde(default)]
    pub seconds: f64,
    /// Accuracy on the validation split at the end of each finished stage.
    pub stages: Vec<StageResult>,
    /// The best count of right answers on the validation split in this stage.
    best: Option<u64>,
    /// Looks at the validation split since then.
    #[serde(default)]
    stale: u32,
    /// The lowest mean loss of an epoch of this stage, as the bits of an f64.
    #[serde(default)]
    lowest_bits: Option<u64>,
    /// The last look at the validation split.
    last_validation: Option<Accuracy>,
    /// Whether the weights did better there than their moving average.
    #[serde(default)]
    pub(super) prefers_weights: bool,
}

impl Position {
    /// Mean loss over the current epoch so far; none before the first step.
    pub fn loss(&self) -> Option<f64> {
        (self.images > 0).then(|| f64::from_bits(self.loss_bits) / self.images as f64)
    }

    /// How many of the pictures of the current epoch so far have a label.
    pub(super) fn labelled(&self) -> u64 {
        self.images - self.unlabelled
    }

    /// Part of the labelled pictures of the current epoch that were classified rightly; none before there was one.
    pub fn accuracy(&self) -> Option<f64> {
        (self.labelled() > 0).then(|| self.correct as f64 / self.labelled() as f64)
    }

    /// How many stages have begun, the one that is going on included.
    pub(super) fn begun(&self) -> usize {
        self.stage + usize::from(!self.begins_stage())
    }

    /// Whether the stage has no step yet.
    pub(super) fn begins_stage(&self) -> bool {
        self.epoch_in_stage == 0 && self.step == 0
    }

    /// The lowest mean loss of a finished epoch of this stage.
    pub(super) fn lowest_loss(&self) -> Option<f64> {
        self.lowest_bits.map(f64::from_bits)
    }

    /// Whether that many epochs have passed without a better look at the validation split.
    pub(super) fn is_stale(&self, patience: Option<u32>) -> bool {
        patience.is_some_and(|patience| self.stale >= patience)
    }

    /// A step on a batch of that many pictures, of which so many have no label.
    pub(super) fn count_step(&mut self, loss: f32, images: usize, unlabelled: usize, correct: u64) {
        let sum = f64::from_bits(self.loss_bits) + f64::from(loss) * images as f64;
        self.loss_bits = sum.to_bits();
        self.images += images as u64;
        self.unlabelled += unlabelled as u64;
        self.correct += correct;
        self.step += 1;
        self.steps += 1;
    }

    /// Whether the epoch of this look at the validation split is to be kept ([`choice`]); the highest accuracy is
    /// remembered. It is looked for in the last stage's precision only, so every stage starts anew.
    pub(super) fn is_kept(&mut self, validation: Option<Accuracy>) -> bool {
        let Some(now) = validation else { return false };
        let better = self.best.is_none_or(|best| now.top1 > best);
        self.stale = if better { 0 } else { self.stale + 1 };
        let highest = self.best.map_or(now.top1, |best| best.max(now.top1));
        self.best = Some(highest);
        choice::is_close(now, highest)
    }

    pub(super) fn next_epoch(&mut self, look: Option<Look>) {
        if let Some(loss) = self.loss() {
            self.lowest_bits = Some(self.lowest_loss().map_or(loss, |lowest| lowest.min(loss)).to_bits());
        }
        self.last_validation = look.map(|look| look.kept());
        self.prefers_weights = look.is_some_and(|look| look.prefers_weights());
        self.epoch_in_stage += 1;
        self.epoch += 1;
        (self.step, self.images, self.unlabelled, self.correct) = (0, 0, 0, 0);
        (self.loss_bits, self.seconds) = (0, 0.0);
    }

    pub(super) fn next_stage(&mut self, stage: &Stage, weights: Option<u8>) {
        self.stages.push(self.result(stage, weights));
        self.stage += 1;
        self.epoch_in_stage = 0;
        self.steps = 0;
        (self.best, self.stale, self.lowest_bits, self.prefers_weights) = (None, 0, None, false);
    }

    /// What every stage came to, the one that is going on included.
    pub(super) fn results(&self, stages: &[Stage], weights: Option<u8>) -> Vec<StageResult> {
        let current = stages.get(self.stage).filter(|_| self.epoch_in_stage > 0);
        self.stages.iter().cloned().chain(current.map(|stage| self.result(stage, weights))).collect()
    }

    fn result(&self, stage: &Stage, weights: Option<u8>) -> StageResult {
        StageResult {
            epochs: self.epoch_in_stage,
            weights,
            activations: stage.activation_bits(),
            validation: self.last_validation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_while_a_stage_goes_on_is_what_would_be_chosen_at_its_end() {
        let counts = [850, 874, 886, 880, 893, 884, 891, 870, 889, 860];
        let look = |top1| Accuracy { images: 1000, top1, top5: 999 };
        for epochs in 1..=counts.len() {
            let mut position = Position::default();
            let looks = counts[..epochs].iter().map(|&top1| look(top1));
            let kept = looks.clone().filter(|&look| position.is_kept(Some(look))).last();
            assert_eq!(kept, choice::kept(looks), "{epochs} epochs");
        }
    }

    #[test]
    fn accuracy_is_that_of_pictures_with_labels() {
        let mut position = Position::default();
        position.count_step(1.0, 4, 4, 0);
        assert_eq!((position.accuracy(), position.loss()), (None, Some(1.0)));
        position.count_step(2.0, 4, 1, 2);
        assert_eq!((position.accuracy(), position.loss()), (Some(2.0 / 3.0), Some(1.5)));
        position.next_epoch(None);
        position.count_step(1.0, 4, 0, 1);
        assert_eq!(position.accuracy(), Some(0.25));
    }

    #[test]
    fn patience_counts_from_the_highest() {
        let mut position = Position::default();
        for (top1, stale) in [(893, 0), (893, 1), (890, 2), (894, 0), (892, 1)] {
            assert!(position.is_kept(Some(Accuracy { images: 1000, top1, top5: 999 })));
            assert_eq!(position.stale, stale, "{top1}");
        }
        assert!(position.is_stale(Some(1)) && !position.is_stale(Some(2)) && !position.is_stale(None));
        assert!(!position.is_kept(None) && position.stale == 1);
    }
}
