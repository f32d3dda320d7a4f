//! From which probability on an answer is worth giving: measured on validation pictures, kept in the model card.

use crate::error::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

/// A threshold for the probability of the first class, and what it was measured to do.
///
/// Of `images` validation pictures, `answered` had a first class at least as probable as `threshold`; of those, `right`
/// were right. Below the threshold a program had better say that it is not sure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The least probability of an answer that is called sure, above 0 and at most 1.
    pub threshold: f32,
    /// Pictures looked at: of the validation split, never of the test split.
    pub images: u64,
    /// Pictures whose first class reached the threshold.
    pub answered: u64,
    /// Of those, pictures whose first class was the right one.
    pub right: u64,
}

impl Calibration {
    /// The lowest threshold at which at least `precision` (a share in (0, 1]) of the answers that reach it are right.
    ///
    /// `answers` are the probability of the first class and whether that class was right, one a picture. None where no
    /// threshold does it, or where there are no pictures.
    pub fn measure(answers: &[(f32, bool)], precision: f64) -> Option<Self> {
        let mut ranked: Vec<(f32, bool)> = answers.iter().copied().filter(|(p, _)| *p > 0.0 && *p <= 1.0).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut right, mut best) = (0, None);
        for (i, &(probability, is_right)) in ranked.iter().enumerate() {
            right += u64::from(is_right);
            let answered = i as u64 + 1;
            // Equal probabilities pass a threshold together: only the last of them may be one.
            let last = ranked.get(i + 1).is_none_or(|next| next.0 < probability);
            if last && right as f64 >= precision * answered as f64 {
                best = Some(Self { threshold: probability, images: answers.len() as u64, answered, right });
            }
        }
        best
    }

    /// Checks what a file states.
    ///
    /// # Errors
    /// [`ErrorKind::Metadata`] where the threshold is no probability or the counts cannot be.
    pub fn validate(&self) -> Result<(), Error> {
        let Self { threshold, images, answered, right } = *self;
        if !(threshold > 0.0 && threshold <= 1.0) {
            let what = format!("the calibration's threshold is {threshold}: allowed is above 0 and at most 1");
            return Err(Error::new(ErrorKind::Metadata, what));
        }
        if images == 0 || answered > images || right > answered {
            let what = format!("the calibration counts {right} right of {answered} answered of {images} pictures");
            return Err(Error::new(ErrorKind::Metadata, what));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_the_lowest_that_keeps_the_promise() {
        let answers = [(0.9, true), (0.8, true), (0.7, false), (0.6, true), (0.5, false), (0.4, false)];
        let found = Calibration::measure(&answers, 0.75).unwrap();
        assert_eq!(found, Calibration { threshold: 0.6, images: 6, answered: 4, right: 3 });
        assert_eq!(Calibration::measure(&answers, 1.0).unwrap().threshold, 0.8);
        assert_eq!(Calibration::measure(&answers, 0.01).unwrap().answered, 6);
        found.validate().unwrap();
    }

    #[test]
    fn equal_probabilities_pass_together_or_not_at_all() {
        let answers = [(0.8, true), (0.8, false), (0.7, true)];
        assert_eq!(Calibration::measure(&answers, 0.9), None);
        assert_eq!(Calibration::measure(&answers, 0.5).unwrap().answered, 3);
        assert_eq!(Calibration::measure(&[], 0.5), None);
        assert_eq!(Calibration::measure(&[(f32::NAN, true)], 0.5), None);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let good = Calibration { threshold: 0.5, images: 10, answered: 8, right: 7 };
        good.validate().unwrap();
        for bad in [
            Calibration { threshold: 0.0, ..good },
            Calibration { threshold: 1.5, ..good },
            Calibration { threshold: f32::NAN, ..good },
            Calibration { images: 7, ..good },
            Calibration { right: 9, ..good },
            Calibration { images: 0, answered: 0, right: 0, ..good },
        ] {
            assert_eq!(bad.validate().unwrap_err().kind(), ErrorKind::Metadata, "{bad:?}");
        }
    }
}
