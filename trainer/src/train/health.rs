//! Whether a run still makes sense: numbers that are none, and losses that run away.

use super::Position;
use crate::error::Error;
use crate::network::Network;

/// A mean loss that many times the lowest of the stage, and above that of guessing, is no learning any more.
const RUNAWAY: f64 = 4.0;

/// Refuses a loss that is no number, and weights that are: clipping turns what is no number into zero, so a broken weight
/// need not show in the loss. `position` has counted the step.
pub(super) fn check_step(loss: f32, network: &Network, position: &Position, rate: f64) -> Result<(), Error> {
    let what = if !loss.is_finite() {
        format!("the loss is {loss}")
    } else if let Some(name) = network.first_not_finite() {
        format!("{name} holds values that are no numbers")
    } else {
        return Ok(());
    };
    Err(Error::training(format!(
        "{what} at step {} of epoch {} (step {} of stage {}), at a rate of {rate}: {ADVICE}",
        position.step,
        position.epoch + 1,
        position.steps,
        position.stage + 1
    )))
}

/// Refuses an epoch whose mean loss has run away from what the stage had reached; `position` has counted the epoch's
/// steps.
pub(super) fn check_epoch(position: &Position, classes: usize) -> Result<(), Error> {
    let (Some(loss), Some(lowest)) = (position.loss(), position.lowest_loss()) else { return Ok(()) };
    let guessing = (classes as f64).ln();
    if loss <= RUNAWAY * lowest || loss <= 2.0 * guessing {
        return Ok(());
    }
    Err(Error::training(format!(
        "training diverged by the end of epoch {} (step {} of stage {}): its mean loss is {loss:.3}, an epoch before had \
         {lowest:.3}, and guessing has {guessing:.3}: {ADVICE}",
        position.epoch + 1,
        position.steps,
        position.stage + 1
    )))
}

/// What to do about it.
const ADVICE: &str = "lower base_rate, give ramp_epochs, or set training.clip_norm; the last checkpoint, of before, is \
                      untouched";

#[cfg(test)]
mod tests {
    use super::*;

    /// A position behind an epoch of that mean loss.
    fn epoch(position: &mut Position, loss: f32) {
        position.count_step(loss, 10, 0, 0);
    }

    #[test]
    fn an_epoch_that_runs_away_is_refused_and_a_bad_one_is_not() {
        let mut position = Position::default();
        epoch(&mut position, 30.0);
        check_epoch(&position, 10).expect("a first epoch has nothing to be compared with");
        position.next_epoch(None);
        epoch(&mut position, 1.0);
        position.next_epoch(None);
        epoch(&mut position, 4.5);
        check_epoch(&position, 10).expect("below twice what guessing has");
        position.next_epoch(None);
        epoch(&mut position, 5.0);
        let error = check_epoch(&position, 10).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Training);
        assert!(error.to_string().contains("epoch 4") && error.to_string().contains("5.000"), "{error}");
    }

    #[test]
    fn a_loss_that_is_no_number_is_named_with_its_step() {
        use crate::deploy::random::tests::spec;
        let network = Network::new(&spec(2, 4), 1, &burn::tensor::Device::flex());
        let mut position = Position::default();
        epoch(&mut position, f32::NAN);
        let error = check_step(f32::NAN, &network, &position, 0.1).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Training);
        for part in ["the loss is NaN", "step 1 of epoch 1", "stage 1", "rate of 0.1", "last checkpoint"] {
            assert!(error.to_string().contains(part), "{part} is not in: {error}");
        }
        check_step(1.0, &network, &position, 0.1).unwrap();
    }
}
