//! The learning rate over the epochs of a stage.
//!
//! Both forms hold the base rate through a warm-up interval of `w` epochs. After it, at epochs `e` divisible by the
//! step size `s`, the factor
//!
//! ```text
//! f(e) = eta + (1 - eta) (1 + cos(pi (e - w) / (E - w))) / 2
//! ```
//!
//! (E epochs in the stage, eta the floor) comes into force: multiplied onto the *current* rate by
//! [`ScheduleKind::SteppedCosineCompounding`], as the published training scripts of L-SSPQ do, so that factors
//! pile up; or onto the *base* rate by [`ScheduleKind::CosineStepped`], the textbook's cosine annealing in steps.

use super::within;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// A learning-rate schedule; epochs are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// What the factor is applied to.
    pub kind: ScheduleKind,
    /// The rate of the warm-up interval, for a batch of the stage's size (the publication's is 0.1 for 256 pictures).
    pub base_rate: f64,
    /// Epochs through which the base rate is held.
    #[serde(default)]
    pub warmup_interval: u32,
    /// Epochs from one change of the rate to the next.
    #[serde(default = "one")]
    pub step_size: u32,
    /// The rate never falls below `floor * base_rate`.
    #[serde(default = "floor")]
    pub floor: f64,
    /// Epochs through which the rate grows linearly to what the rest says: 5 where a batch is over 256 pictures in
    /// the publication; 0 is off.
    #[serde(default)]
    pub ramp_epochs: u32,
}

/// What the cosine factor is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleKind {
    /// The current rate: the form of the published scripts.
    SteppedCosineCompounding,
    /// The base rate: the textbook's form.
    CosineStepped,
}

fn one() -> u32 {
    1
}

fn floor() -> f64 {
    1e-5
}

impl Schedule {
    /// The rate during `epoch` of a stage of `epochs`.
    pub fn rate(&self, epoch: u32, epochs: u32) -> f64 {
        // A factor of an epoch within the warm-up interval is no factor: it would be 1 at its end.
        let mut steps = (self.warmup_interval + 1..=epoch).filter(|e| e % self.step_size.max(1) == 0);
        let multiple = match self.kind {
            ScheduleKind::SteppedCosineCompounding => steps.map(|e| self.factor(e, epochs)).product(),
            ScheduleKind::CosineStepped => steps.next_back().map_or(1.0, |e| self.factor(e, epochs)),
        };
        let ramp = if epoch < self.ramp_epochs { f64::from(epoch + 1) / f64::from(self.ramp_epochs) } else { 1.0 };
        self.base_rate * f64::max(multiple, self.floor) * ramp
    }

    fn factor(&self, epoch: u32, epochs: u32) -> f64 {
        let part = f64::from(epoch - self.warmup_interval) / f64::from(epochs - self.warmup_interval);
        self.floor + (1.0 - self.floor) * (1.0 + (PI * part).cos()) / 2.0
    }

    pub(super) fn validate(&self, epochs: u32) -> Result<(), String> {
        if !(self.base_rate > 0.0 && self.base_rate <= 100.0) {
            return Err(format!("base_rate = {}: allowed is more than 0, up to 100", self.base_rate));
        }
        within("warmup_interval", self.warmup_interval, 0, epochs)?;
        within("step_size", self.step_size, 1, 100_000)?;
        within("floor", self.floor, 0.0, 1.0)?;
        within("ramp_epochs", self.ramp_epochs, 0, epochs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(kind: ScheduleKind, warmup_interval: u32, step_size: u32) -> Schedule {
        Schedule { kind, base_rate: 0.1, warmup_interval, step_size, floor: 1e-5, ramp_epochs: 0 }
    }

    fn close(got: f64, wanted: f64) {
        assert!((got - wanted).abs() <= 1e-12 + 1e-9 * wanted.abs(), "{got} is not {wanted}");
    }

    /// The compounding form written as the loop over epochs that it was published as.
    fn published(w: i32, s: i32, total: i32) -> Vec<f64> {
        let (eta, mut rate) = (1e-5, 0.1_f64);
        (0..total)
            .map(|e| {
                if e > w && e % s == 0 {
                    rate *= eta + (1.0 - eta) * 0.5 * (1.0 + (PI * f64::from(e - w) / f64::from(total - w)).cos());
                    rate = rate.max(0.1 * eta);
                }
                rate
            })
            .collect()
    }

    #[test]
    fn compounding_form_follows_the_published_loop_with_its_settings() {
        for (w, s, epochs) in [(5, 10, 105), (1, 1, 20), (30, 30, 200)] {
            let schedule = schedule(ScheduleKind::SteppedCosineCompounding, w, s);
            for (e, wanted) in (0..epochs).zip(published(w as i32, s as i32, epochs as i32)) {
                close(schedule.rate(e, epochs), wanted);
            }
        }
    }

    #[test]
    fn compounding_form_has_the_values_worked_out_by_hand() {
        let schedule = schedule(ScheduleKind::SteppedCosineCompounding, 30, 30);
        close(schedule.rate(59, 200), 0.1);
        // (1 + cos(30 pi / 170)) / 2 = 0.925222846...
        let first = 1e-5 + 0.99999 * (1.0 + (30.0 / 170.0 * PI).cos()) / 2.0;
        assert!((first - 0.9252).abs() < 1e-3, "{first}");
        close(schedule.rate(60, 200), 0.1 * first);
        let second = 1e-5 + 0.99999 * (1.0 + (60.0 / 170.0 * PI).cos()) / 2.0;
        close(schedule.rate(90, 200), 0.1 * first * second);
        close(schedule.rate(119, 200), 0.1 * first * second);
    }

    #[test]
    fn textbook_form_is_a_stepped_cosine_of_the_base_rate() {
        let schedule = schedule(ScheduleKind::CosineStepped, 0, 10);
        close(schedule.rate(9, 100), 0.1);
        close(schedule.rate(50, 100), 0.1 * (0.5 + 0.5e-5));
        close(schedule.rate(59, 100), 0.1 * (0.5 + 0.5e-5));
        close(schedule.rate(99, 100), 0.1 * (1e-5 + 0.99999 * (1.0 + (0.9 * PI).cos()) / 2.0));
    }

    #[test]
    fn rate_is_held_through_the_warm_up_interval() {
        for kind in [ScheduleKind::SteppedCosineCompounding, ScheduleKind::CosineStepped] {
            let schedule = schedule(kind, 5, 1);
            for epoch in 0..=5 {
                close(schedule.rate(epoch, 30), 0.1);
            }
            assert!(schedule.rate(6, 30) < 0.1);
        }
    }

    #[test]
    fn rate_never_falls_below_the_floor() {
        let schedule = Schedule { floor: 0.01, ..schedule(ScheduleKind::SteppedCosineCompounding, 1, 1) };
        close(schedule.rate(199, 200), 0.001);
    }

    #[test]
    fn ramp_grows_linearly_to_the_base_rate() {
        let schedule = Schedule { ramp_epochs: 5, ..schedule(ScheduleKind::CosineStepped, 10, 1) };
        let rates: Vec<f64> = (0..6).map(|e| schedule.rate(e, 100)).collect();
        for (got, wanted) in rates.iter().zip([0.02, 0.04, 0.06, 0.08, 0.1, 0.1]) {
            close(*got, wanted);
        }
    }
}
