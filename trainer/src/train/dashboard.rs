//! Burn's dashboard, fed by our loop in place of Burn's own.
//!
//! There is one terminal and so one dashboard, which the thread that trains feeds and a signal may close from another
//! one. Lines that would be printed wait until it is closed. Closing gives the terminal back before it returns.

use super::terminal;
use burn_train::Interrupter;
use burn_train::logger::TrainingProgressLogger;
use burn_train::metric::{MetricAttributes, MetricDefinition, MetricEntry, MetricId};
use burn_train::metric::{NumericAttributes, NumericEntry, SerializedEntry};
use burn_train::renderer::tui::TuiMetricsRendererWrapper;
use burn_train::renderer::{MetricState, MetricsRenderer, MetricsRendererTraining};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The one that is shown.
static SHOWN: Mutex<Option<Dashboard>> = Mutex::new(None);

/// What is plotted: the name, the unit, and whether more of it is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
    Loss,
    Accuracy,
    Rate,
    Speed,
}

impl Metric {
    const ALL: [Self; 4] = [Self::Loss, Self::Accuracy, Self::Rate, Self::Speed];

    fn name(self) -> &'static str {
        match self {
            Self::Loss => "Loss",
            Self::Accuracy => "Accuracy",
            Self::Rate => "Learning rate",
            Self::Speed => "Images per second",
        }
    }

    fn id(self) -> MetricId {
        MetricId::new(Arc::new(self.name().to_owned()))
    }

    fn definition(self) -> MetricDefinition {
        let unit = (self == Self::Accuracy).then(|| "%".to_owned());
        let attributes = NumericAttributes { unit, higher_is_better: self != Self::Loss };
        MetricDefinition {
            metric_id: self.id(),
            name: Arc::new(self.name().to_owned()),
            description: None,
            attributes: MetricAttributes::Numeric(attributes),
        }
    }

    /// A point of its plot, and what stands beside it in words.
    pub(super) fn at(self, value: f64, words: String) -> MetricState {
        let entry = MetricEntry::new(self.id(), SerializedEntry::new(words, value.to_string()));
        MetricState::Numeric(entry, Some(NumericEntry::Value(value)))
    }
}

/// What is on the screen.
pub(super) struct Dashboard {
    renderer: TuiMetricsRendererWrapper,
    interrupter: Interrupter,
    epochs: usize,
    /// What is printed when the terminal is the user's again.
    lines: Vec<String>,
}

impl Dashboard {
    /// Takes the terminal, for a run of which `done` of `epochs` epochs are over; false where it cannot be had.
    pub(super) fn open(epochs: u32, done: u32) -> bool {
        let mut shown = lock();
        if shown.is_some() || !terminal::is_ours() {
            return false;
        }
        let interrupter = Interrupter::new();
        let renderer = TuiMetricsRendererWrapper::new(interrupter.clone(), Some(done as usize));
        let mut dashboard = Self { renderer, interrupter, epochs: epochs as usize, lines: Vec::new() };
        if !terminal::wait_until_taken() {
            dashboard.close();
            return false;
        }
        terminal::keep_interrupt();
        for metric in Metric::ALL {
            dashboard.tell(|renderer| renderer.register_metric(metric.definition()));
        }
        *shown = Some(dashboard);
        true
    }

    /// What is going on, and the epoch (counted from 0) that it goes on in.
    pub(super) fn label(&mut self, epoch: u32, label: &str) {
        let epochs = self.epochs;
        self.tell(|renderer| {
            renderer.start(epochs, epoch as usize, None, Some(label));
            renderer.update_epoch(epoch as usize);
        });
    }

    /// An epoch of that many pictures begins, or goes on.
    pub(super) fn begin(&mut self, pictures: usize) {
        self.tell(|renderer| renderer.start_split("train", pictures));
    }

    /// After a step, with the pictures of the epoch so far.
    pub(super) fn step(&mut self, pictures: usize, points: [MetricState; 4]) {
        self.tell(|renderer| {
            points.into_iter().for_each(|point| renderer.update_train(point));
            renderer.update_split(pictures);
        });
    }

    /// A point of the validation split.
    pub(super) fn validated(&mut self, point: MetricState) {
        self.tell(|renderer| renderer.update_valid(point));
    }

    /// Keeps a line for later.
    pub(super) fn print(&mut self, line: String) {
        self.lines.push(line);
    }

    /// Whether its keys asked for the end.
    pub(super) fn asks_to_stop(&self) -> bool {
        self.interrupter.should_stop()
    }

    /// Burn's renderer panics in whoever speaks to it after the user chose to stop at once. Nothing is lost by saving
    /// first, so that both ways of stopping are one.
    fn tell(&mut self, what: impl FnOnce(&mut TuiMetricsRendererWrapper)) {
        if catch_unwind(AssertUnwindSafe(|| what(&mut self.renderer))).is_err() {
            self.interrupter.stop(None);
        }
    }

    fn close(self) {
        // In a thread of its own: the renderer does not close in one that panics, and may panic where it closes.
        let closed = std::thread::spawn(move || drop(self.renderer)).join();
        if closed.is_err() && !std::thread::panicking() {
            // The renderer's hook is still there and says nothing of later panics.
            let _ = std::panic::take_hook();
        }
        terminal::restore();
        let mut out = std::io::stdout().lock();
        for line in self.lines {
            // Where nobody reads any more there is nobody to tell.
            let _ = writeln!(out, "{line}");
        }
    }
}

fn lock() -> MutexGuard<'static, Option<Dashboard>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does something to the dashboard that is shown, if one is.
pub(super) fn shown<R>(action: impl FnOnce(&mut Dashboard) -> R) -> Option<R> {
    lock().as_mut().map(action)
}

/// Closes the dashboard, if one is shown, and prints what waited for that: the terminal is as it was before. Any thread
/// may call this; a run that goes on prints lines from then on.
pub fn leave_dashboard() {
    // Held to the end: whoever comes second must not print before the terminal is back.
    let mut shown = lock();
    if let Some(dashboard) = shown.take() {
        dashboard.close();
    }
}
