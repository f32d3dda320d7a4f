//! What a run shows while it goes on: a dashboard on a terminal that was offered for it, a line an epoch elsewhere.

use super::dashboard::{self, Dashboard, Metric, leave_dashboard};
use super::{EpochRecord, Position};
use crate::recipe::{Activations, Recipe, Stage};
use lsspq::card::Accuracy;
use std::cell::Cell;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Whether terminals get a dashboard.
static OFFERED: AtomicBool = AtomicBool::new(false);

/// From now on runs of this process show a dashboard in place of lines, where they are started in the foreground of a
/// terminal. Whoever offers it watches for Ctrl-C and calls [`leave_dashboard`] before the process ends.
pub fn show_dashboard() {
    OFFERED.store(true, Ordering::Relaxed);
}

pub(super) struct Progress {
    epochs: u32,
    stages: usize,
    /// That are learned from.
    pictures: usize,
    owns_dashboard: bool,
    /// Since when, and from which step of the epoch on, speed is measured.
    began: Cell<(Instant, usize)>,
    /// Right answers of the epoch before this step, and pictures with a label.
    seen: Cell<[u64; 2]>,
}

impl Progress {
    /// Of a run that is at that position, with that many pictures to train on.
    pub(super) fn new(recipe: &Recipe, pictures: usize, position: &Position) -> Self {
        let epochs = recipe.epochs();
        let unfinished = position.stage < recipe.stages.len();
        Self {
            epochs,
            stages: recipe.stages.len(),
            pictures,
            owns_dashboard: OFFERED.load(Ordering::Relaxed) && unfinished && Dashboard::open(epochs, position.epoch),
            began: Cell::new((Instant::now(), 0)),
            seen: Cell::new([0, 0]),
        }
    }

    /// Whether the dashboard's keys asked for the end.
    pub(super) fn asks_to_stop(&self) -> bool {
        dashboard::shown(|d| d.asks_to_stop()).unwrap_or(false)
    }

    pub(super) fn stage(&self, index: usize, stage: &Stage) {
        let activations = Activations::from_bits(stage.activation_bits());
        self.print(format!("stage {}: {} epochs, activations {activations}", index + 1, stage.epochs));
    }

    /// An epoch begins, or goes on where it was interrupted.
    pub(super) fn begin(&self, position: &Position, stage: &Stage) {
        self.began.set((Instant::now(), position.step));
        self.seen.set([position.correct, position.labelled()]);
        let activations = match stage.activation_bits() {
            Some(bits) => format!("{bits} bits"),
            None => "float".to_owned(),
        };
        dashboard::shown(|d| {
            d.label(position.epoch, &format!("stage {}/{}, {activations}", position.stage + 1, self.stages));
            d.begin(self.pictures);
        });
    }

    /// A step of that loss was taken; `position` has counted it.
    pub(super) fn step(&self, position: &Position, loss: f32, rate: f64, batch: usize) {
        let now = [position.correct, position.labelled()];
        let before = self.seen.replace(now);
        let [correct, labelled] = [0, 1].map(|i| now[i] - before[i]);
        dashboard::shown(|d| {
            let (began, first) = self.began.get();
            let speed = ((position.step - first) * batch) as f64 / began.elapsed().as_secs_f64().max(1e-9);
            let (loss, mean) = (f64::from(loss), position.loss().unwrap_or(f64::NAN));
            let (accuracy, all) = (percent(correct, labelled), 100.0 * position.accuracy().unwrap_or(0.0));
            let points = [
                Metric::Loss.at(loss, format!("{mean:.4} (batch {loss:.4})")),
                Metric::Accuracy.at(accuracy, format!("{all:.1} % (batch {accuracy:.1} %)")),
                Metric::Rate.at(rate, format!("{rate:.6}")),
                Metric::Speed.at(speed, format!("{speed:.0}")),
            ];
            d.step(position.step * batch, points);
        });
    }

    /// The validation split is looked at.
    pub(super) fn validating(&self, position: &Position) {
        dashboard::shown(|d| {
            d.label(position.epoch, &format!("stage {}/{}, validating", position.stage + 1, self.stages));
        });
    }

    pub(super) fn epoch(&self, record: &EpochRecord) {
        let percents = record.validation.map(|Accuracy { images, top1, .. }| percent(top1, images));
        if let Some(value) = percents {
            dashboard::shown(|d| d.validated(Metric::Accuracy.at(value, format!("{value:.2} %"))));
        }
        let both = record.average.zip(record.weights).map(|(average, weights)| {
            let [average, weights] = [average, weights].map(|Accuracy { images, top1, .. }| percent(top1, images));
            format!(" (average {average:.2} %, without it {weights:.2} %)")
        });
        let both = both.unwrap_or_default();
        let validation = percents.map(|value| format!("  validation {value:.2} %{both}")).unwrap_or_default();
        self.print(format!(
            "epoch {:>3}/{}  rate {:.6}  loss {:.4}  accuracy {:.2} %{validation}  {:.0} images/s",
            record.epoch + 1,
            self.epochs,
            record.rate,
            record.loss,
            100.0 * record.accuracy,
            record.images_per_second
        ));
    }

    pub(super) fn ended_early(&self, position: &Position, patience: u32) {
        self.print(format!(
            "stage {} ends after {} epochs: {patience} without a better look at the validation split",
            position.stage + 1,
            position.epoch_in_stage
        ));
    }

    fn print(&self, line: String) {
        let mut line = Some(line);
        dashboard::shown(|d| line.take().into_iter().for_each(|line| d.print(line)));
        if let Some(line) = line {
            // The log has it too; nobody reading on is no reason to stop.
            let _ = writeln!(std::io::stdout(), "{line}");
        }
    }
}

impl Drop for Progress {
    /// However the run ends, the terminal is the user's again before anything is said about it.
    fn drop(&mut self) {
        if self.owns_dashboard {
            leave_dashboard();
        }
    }
}

fn percent(part: u64, of: u64) -> f64 {
    100.0 * part as f64 / of.max(1) as f64
}
