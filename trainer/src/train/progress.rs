//! What a run shows while it goes on: a bar on a terminal, a line an epoch elsewhere.

use super::{EpochRecord, Position};
use crate::recipe::{Activations, Recipe, Stage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Whether terminals get lines as well.
static PLAIN: AtomicBool = AtomicBool::new(false);

/// From now on every run of this process shows plain lines, on a terminal too.
pub fn show_plain_lines() {
    PLAIN.store(true, Ordering::Relaxed);
}

pub(super) struct Progress {
    bar: ProgressBar,
    epochs: u32,
    began: Cell<(Instant, usize)>,
    steps: Cell<usize>,
}

impl Progress {
    pub(super) fn new(recipe: &Recipe) -> Self {
        // indicatif draws nothing where the output is no terminal.
        let bar = ProgressBar::new(0);
        if PLAIN.load(Ordering::Relaxed) {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template("{prefix} [{bar:30}] {msg}").expect("a correct template");
        bar.set_style(style.progress_chars("=> "));
        let epochs = recipe.stages.iter().map(|s| s.epochs).sum();
        Self { bar, epochs, began: Cell::new((Instant::now(), 0)), steps: Cell::new(0) }
    }

    pub(super) fn stage(&self, index: usize, stage: &Stage) {
        let activations = Activations::from_bits(stage.activation_bits());
        self.print(&format!("stage {}: {} epochs, activations {activations}", index + 1, stage.epochs));
    }

    pub(super) fn begin(&self, steps: usize, done: usize) {
        self.bar.set_length(steps as u64);
        self.bar.set_position(done as u64);
        self.began.set((Instant::now(), done));
        self.steps.set(steps);
    }

    pub(super) fn step(&self, position: &Position, batch: usize) {
        let (began, first) = self.began.get();
        let speed = ((position.step - first) * batch) as f64 / began.elapsed().as_secs_f64().max(1e-9);
        let steps_left = self.steps.get() * (self.epochs - position.epoch) as usize - position.step;
        let left = Duration::from_secs_f64((steps_left * batch) as f64 / speed.max(1e-9));
        self.bar.set_prefix(format!("epoch {}/{}", position.epoch + 1, self.epochs));
        self.bar.set_position(position.step as u64);
        self.bar.set_message(format!(
            "loss {:.4}  accuracy {:.1} %  {speed:.0} images/s  {} left",
            position.loss().unwrap_or(f64::NAN),
            100.0 * position.accuracy().unwrap_or(0.0),
            indicatif::HumanDuration(left)
        ));
    }

    pub(super) fn epoch(&self, record: &EpochRecord) {
        let validation = record
            .validation
            .map(|v| format!("  validation {:.2} %", 100.0 * v.top1 as f64 / v.images.max(1) as f64))
            .unwrap_or_default();
        self.print(&format!(
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
        self.print(&format!(
            "stage {} ends after {} epochs: {patience} without a better look at the validation split",
            position.stage + 1,
            position.epoch_in_stage
        ));
    }

    fn print(&self, line: &str) {
        if self.bar.is_hidden() {
            println!("{line}");
        } else {
            self.bar.println(line);
        }
    }
}
