//! How good a head is on pictures that it was not taught with: leave-some-out.

use super::head::Head;
use crate::calibration::Calibration;

/// Into how many parts the pictures of every class are cut; each part is held back once. With fewer pictures in some
/// class, into as many as that class has.
pub const FOLDS: usize = 5;

/// Pictures times classes times features above which one part is held back instead of each in turn: else the check
/// takes seconds.
const ALL_FOLDS_BELOW: usize = 1_000_000;

/// The share of answers called sure that shall be right.
const PRECISION: f64 = 0.95;
/// The threshold is in these bounds: a few pictures cannot say that guessing is sure, nor that nothing ever is.
const THRESHOLD: std::ops::RangeInclusive<f32> = 0.6..=0.95;
/// The threshold where nothing could be held back.
pub(super) const UNCHECKED_THRESHOLD: f32 = 0.75;

/// What came of holding pictures back: each was classified by a head trained without it and without its neighbours in
/// time.
///
/// Pictures that were recorded one after the other are nearly the same. So the parts are stretches of each class in the
/// order in which it was taught, not every fifth picture; what is left of the likeness makes the outcome too good,
/// never too bad.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldOut {
    /// Class by class, in the order of the head's labels.
    pub classes: Vec<HeldOutClass>,
    /// The least probability of an answer that is called sure: where it is reached, about 95 of 100 held-back pictures
    /// were right.
    pub threshold: f32,
}

/// The pictures of one class that were held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldOutClass {
    /// Name of the class.
    pub label: String,
    /// How many were recognised.
    pub right: usize,
    /// How many were held back.
    pub pictures: usize,
}

impl HeldOut {
    /// All pictures that were recognised.
    pub fn right(&self) -> usize {
        self.classes.iter().map(|c| c.right).sum()
    }

    /// All pictures that were held back.
    pub fn pictures(&self) -> usize {
        self.classes.iter().map(|c| c.pictures).sum()
    }

    /// Holds back parts of `classes`, the embeddings of each in the order of `labels`. None where a class has one
    /// picture only.
    pub(super) fn measure(labels: &[String], classes: &[Vec<&[f32]>]) -> Option<Self> {
        let fewest = classes.iter().map(Vec::len).min()?;
        let folds = FOLDS.min(fewest);
        if folds < 2 || classes.len() < 2 {
            return None;
        }
        let pictures: usize = classes.iter().map(Vec::len).sum();
        let features = classes[0][0].len();
        let tried = if pictures * classes.len() * features > ALL_FOLDS_BELOW { 1 } else { folds };
        let mut found: Vec<HeldOutClass> =
            labels.iter().map(|label| HeldOutClass { label: label.clone(), right: 0, pictures: 0 }).collect();
        let mut answers = Vec::new();
        for fold in 0..tried {
            let part = |count: usize| count * fold / folds..count * (fold + 1) / folds;
            let (mut rows, mut of) = (Vec::new(), Vec::new());
            for (class, all) in classes.iter().enumerate() {
                let out = part(all.len());
                let kept = all.iter().enumerate().filter(|(i, _)| !out.contains(i)).map(|(_, row)| *row);
                rows.extend(kept);
                of.resize(rows.len(), class);
            }
            let head = Head::train(labels.to_vec(), &rows, &of);
            for (class, all) in classes.iter().enumerate() {
                for row in &all[part(all.len())] {
                    let Some(first) = head.predictions(row, 1).into_iter().next() else { continue };
                    let right = first.index == class;
                    found[class].pictures += 1;
                    found[class].right += usize::from(right);
                    answers.push((first.probability, right));
                }
            }
        }
        let measured = match Calibration::measure(&answers, PRECISION) {
            // Right often enough whatever the probability.
            Some(found) if found.answered == found.images => *THRESHOLD.start(),
            Some(found) => found.threshold,
            None => *THRESHOLD.end(),
        };
        Some(Self { classes: found, threshold: measured.clamp(*THRESHOLD.start(), *THRESHOLD.end()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(classes: &[Vec<[f32; 2]>]) -> Option<HeldOut> {
        let labels: Vec<String> = (0..classes.len()).map(|i| format!("class {i}")).collect();
        let rows: Vec<Vec<&[f32]>> = classes.iter().map(|c| c.iter().map(|row| &row[..]).collect()).collect();
        HeldOut::measure(&labels, &rows)
    }

    #[test]
    fn every_picture_is_held_back_once() {
        let classes =
            [(0..7).map(|i| [i as f32 / 10.0, 0.0]).collect(), (0..11).map(|i| [5.0, i as f32 / 10.0]).collect()];
        let found = measure(&classes).unwrap();
        assert_eq!(found.classes.iter().map(|c| c.pictures).collect::<Vec<_>>(), [7, 11]);
        assert_eq!((found.right(), found.pictures()), (18, 18));
        assert_eq!(found.threshold, 0.6);
    }

    #[test]
    fn classes_that_cannot_be_told_apart_are_not_recognised() {
        // The same pictures under both names.
        let same: Vec<[f32; 2]> = (0..10).map(|i| [(i * 3 % 10) as f32, (i * 7 % 10) as f32]).collect();
        let found = measure(&[same.clone(), same]).unwrap();
        assert!((4..=16).contains(&found.right()), "{found:?}");
        assert!(found.threshold > 0.6, "{found:?}");
    }

    #[test]
    fn a_class_of_one_picture_cannot_be_checked() {
        assert_eq!(measure(&[vec![[0.0, 1.0]], vec![[1.0, 0.0], [1.0, 0.1]]]), None);
        assert_eq!(measure(&[vec![[0.0, 1.0]; 4]]), None);
        assert_eq!(measure(&[]), None);
        assert_eq!(measure(&[vec![[0.0, 1.0]; 2], vec![[1.0, 0.0]; 3]]).unwrap().pictures(), 5);
    }
}
