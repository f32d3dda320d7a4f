//! How good and how small a model is.
//!
//! Information density grows without bound as a model shrinks, and is not comparable across data sets: show it only
//! beside accuracy, size, data set and chance level. [`Metrics`] carries them together for that reason.

use crate::card::{Accuracy, ModelCard};
use crate::size::Totals;
use serde::Serialize;

/// Bytes of a MiB.
const MIB: f64 = 1_048_576.0;

/// A share of the pictures in percent, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// Percent of the pictures.
    pub percent: f64,
    /// Lower end of the interval, in percent.
    pub low: f64,
    /// Upper end of the interval, in percent.
    pub high: f64,
}

/// Top-1 and top-5 accuracy on a number of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rates {
    /// Pictures looked at.
    pub images: u64,
    /// How often the label came first.
    pub top1: Rate,
    /// How often the label was among the first five.
    pub top5: Rate,
}

/// All figures of one model file. Accuracies are none where the file states none.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Data set of the accuracies.
    pub dataset: String,
    /// Accuracy of guessing, in percent: 100 over the number of classes.
    pub chance_percent: f64,
    /// Accuracy of this file.
    pub accuracy: Option<Rates>,
    /// Accuracy of the float twin.
    pub float_twin_accuracy: Option<Rates>,
    /// Top-1 of the float twin less that of this file, in points.
    pub loss_points: Option<f64>,
    /// Bytes of the file.
    pub size_bytes: u64,
    /// MiB (2^20 bytes) of the file.
    pub size_mib: f64,
    /// Bytes of the packed weights alone; see [`crate::size`].
    pub weights_bytes: u64,
    /// Bytes of the float twin; see [`crate::size`].
    pub float_twin_bytes: u64,
    /// MiB of the float twin.
    pub float_twin_mib: f64,
    /// How many times larger the float twin is than the file.
    pub float_twin_ratio: f64,
    /// Multiply-adds for one picture.
    pub multiply_adds: u64,
    /// [`information_density`] of the file's top-1.
    pub information_density: Option<f64>,
}

impl Metrics {
    /// The figures of a model file of that size.
    pub fn new(card: &ModelCard, size_bytes: u64) -> Self {
        let totals = Totals::of(&card.spec);
        let accuracy = card.accuracy.and_then(Rates::new);
        let float_twin_accuracy = card.float_twin.and_then(Rates::new);
        let size_mib = size_bytes as f64 / MIB;
        Self {
            dataset: card.dataset.clone(),
            chance_percent: 100.0 / card.spec.classes as f64,
            accuracy,
            float_twin_accuracy,
            loss_points: accuracy.zip(float_twin_accuracy).map(|(a, f)| f.top1.percent - a.top1.percent),
            size_bytes,
            size_mib,
            weights_bytes: totals.weights_bytes,
            float_twin_bytes: totals.float_twin_bytes,
            float_twin_mib: totals.float_twin_bytes as f64 / MIB,
            float_twin_ratio: totals.float_twin_bytes as f64 / size_bytes as f64,
            multiply_adds: totals.multiply_adds,
            information_density: accuracy.and_then(|a| information_density(a.top1.percent, size_mib)),
        }
    }
}

impl Rates {
    /// None where no picture was looked at.
    pub fn new(accuracy: Accuracy) -> Option<Self> {
        let Accuracy { images, top1, top5 } = accuracy;
        Some(Self { images, top1: Rate::of(top1, images)?, top5: Rate::of(top5, images)? })
    }
}

impl Rate {
    /// `right` of `images`, with Wilson's score interval (E. B. Wilson, 1927), which stays inside 0 to 100 % and is not empty
    /// at either end. None without pictures or where more were right than looked at.
    pub fn of(right: u64, images: u64) -> Option<Self> {
        if images == 0 || right > images {
            return None;
        }
        // The normal distribution's 97.5 % point: 2.5 % lie outside on either side.
        let z = 1.959_963_984_540_054_f64;
        let (n, p) = (images as f64, right as f64 / images as f64);
        let shrink = 1.0 + z * z / n;
        let centre = (p + z * z / (2.0 * n)) / shrink;
        let half = z / shrink * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        let percent = |v: f64| (100.0 * v).clamp(0.0, 100.0);
        Some(Self { percent: 100.0 * p, low: percent(centre - half), high: percent(centre + half) })
    }
}

/// log10(top-1 accuracy in percent / size in MiB), after Kim, Lee and Sung, *Optimizing Spatial Shift Point-Wise
/// Quantization*, IEEE Access 2021. None where it has no value: nothing right, or no bytes.
pub fn information_density(top1_percent: f64, size_mib: f64) -> Option<f64> {
    let ratio = top1_percent / size_mib;
    (ratio > 0.0 && ratio.is_finite()).then(|| ratio.log10())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn density_gives_the_published_points() {
        let published = [
            (76.35, 97.49, -0.106),
            (72.28, 84.74, -0.069),
            (75.83, 54.41, 0.144),
            (72.2, 13.4, 0.731),
            (73.66, 9.79, 0.876),
            (73.93, 3.55, 1.318),
        ];
        for (top1, mib, wanted) in published {
            // Three digits, some cut and some rounded.
            let density = information_density(top1, mib).unwrap();
            assert!((density - wanted).abs() < 1e-3, "{top1} % in {mib} MiB: {density}");
        }
        assert_eq!(information_density(0.0, 1.0), None);
        assert_eq!(information_density(50.0, 0.0), None);
    }

    #[test]
    fn intervals_are_wilsons() {
        // Worked by hand from the formula: 8 of 10 is 49.02 to 94.33 %.
        let rate = Rate::of(8, 10).unwrap();
        assert_eq!(format!("{:.2} {:.2} {:.2}", rate.percent, rate.low, rate.high), "80.00 49.02 94.33");
        let none = Rate::of(0, 10).unwrap();
        assert_eq!(format!("{:.2} {:.2}", none.low, none.high), "0.00 27.75");
        let all = Rate::of(10, 10).unwrap();
        assert_eq!(format!("{:.2} {:.2}", all.low, all.high), "72.25 100.00");
        assert_eq!((Rate::of(0, 0), Rate::of(2, 1)), (None, None));
    }
}
