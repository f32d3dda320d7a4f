//! Which epoch of a stage is kept, by the validation split.
//!
//! Not the one with most right answers: the highest of many counts is the luckiest too, and of a thousand pictures 893 and 890
//! are the same. Of the epochs within one standard error of the highest the simplest is kept by custom (Breiman, Friedman, Olshen
//! and Stone, Classification and Regression Trees, 1984); here it is the latest, as rates fall and weights settle until the end.

use lsspq::card::Accuracy;

/// Whether an accuracy is the highest, or below it by no more than the standard error of the highest, √(p (1 − p) / n).
pub(super) fn is_close(now: Accuracy, highest: u64) -> bool {
    let (images, highest) = (now.images.max(1) as f64, highest as f64);
    let error = (highest * (1.0 - highest / images)).max(0.0).sqrt();
    now.top1 as f64 >= highest - error
}

/// The accuracy of the epoch that is kept, given those of all epochs of a stage, first to last.
pub(crate) fn kept(looks: impl DoubleEndedIterator<Item = Accuracy> + Clone) -> Option<Accuracy> {
    let highest = looks.clone().map(|look| look.top1).max()?;
    looks.rev().find(|look| is_close(*look, highest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(images: u64, top1: &[u64]) -> impl DoubleEndedIterator<Item = Accuracy> + Clone {
        top1.iter().map(move |&top1| Accuracy { images, top1, top5: images })
    }

    #[test]
    fn the_latest_within_a_standard_error_of_the_highest_is_kept() {
        // √(1000 · 0.9 · 0.1) = 9.49.
        for (top1, expected) in [
            ([900, 891, 890], 891),
            ([900, 895, 893], 893),
            ([880, 885, 900], 900),
            ([900, 880, 880], 900),
            ([900, 891, 882], 891),
        ] {
            assert_eq!(kept(looks(1000, &top1)).unwrap().top1, expected, "{top1:?}");
        }
        assert_eq!(kept(looks(1000, &[])), None);
    }

    #[test]
    fn more_pictures_tell_smaller_differences() {
        // √(100,000 · 0.9 · 0.1) = 94.9.
        assert_eq!(kept(looks(100_000, &[90_000, 89_900])).unwrap().top1, 90_000);
        assert_eq!(kept(looks(100_000, &[90_000, 89_910])).unwrap().top1, 89_910);
    }

    #[test]
    fn without_any_error_only_as_many_are_enough() {
        assert_eq!(kept(looks(10, &[10, 9])).unwrap().top1, 10);
        assert_eq!(kept(looks(10, &[0, 0])).unwrap().top1, 0);
    }
}
