//! A look at the validation split: at the weights, and at their moving average where the run keeps one.
//!
//! Neither is always the better network. Averaged weights in float, or of many bits, usually do better than any step's (Izmailov
//! et al., 2018); weights of two bits that hover between levels did worse (docs/experiments.md).

use lsspq::card::Accuracy;

/// What a look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// Of the weights as they were stepped.
    pub(super) weights: Accuracy,
    /// Of their average.
    pub(super) average: Option<Accuracy>,
}

impl Look {
    /// Whether the weights did better than the average; where both are equal, the average is the steadier one.
    pub(super) fn prefers_weights(&self) -> bool {
        self.average.is_some_and(|average| self.weights.top1 > average.top1)
    }

    /// Of the one that is kept.
    pub(super) fn kept(&self) -> Accuracy {
        self.average.filter(|_| !self.prefers_weights()).unwrap_or(self.weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accuracy(top1: u64) -> Accuracy {
        Accuracy { images: 10, top1, top5: 9 }
    }

    #[test]
    fn the_better_one_is_kept_and_of_equals_the_average() {
        for (weights, average, prefers_weights, kept) in
            [(7, Some(6), true, 7), (6, Some(7), false, 7), (6, Some(6), false, 6), (5, None, false, 5)]
        {
            let look = Look { weights: accuracy(weights), average: average.map(accuracy) };
            assert_eq!((look.prefers_weights(), look.kept()), (prefers_weights, accuracy(kept)), "{look:?}");
        }
    }
}
