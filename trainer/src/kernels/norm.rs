//! BatchNorm over pictures and pixels, per channel.

use super::buffer::Sums;
use super::{Map, images_per_task, plane};
use rayon::prelude::*;

/// Added to the variance before the root, as everywhere.
pub const EPSILON: f32 = 1e-5;

/// Mean and biased variance of each channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Mean.
    pub mean: Vec<f32>,
    /// Mean squared distance from it.
    pub variance: Vec<f32>,
}

impl Statistics {
    /// Those of a batch.
    pub fn of(x: &[f32], map: Map) -> Self {
        let parts: Vec<Sums> = x
            .par_chunks(images_per_task(map) * map.image())
            .with_max_len(1)
            .map(|images| {
                let mut sums = Sums::zeros(map.channels);
                for image in images.chunks_exact(map.image()) {
                    for (sum, x) in sums.iter_mut().zip(image.chunks_exact(map.plane())) {
                        add(sum, plane::moments(x));
                    }
                }
                sums
            })
            .collect();
        Self::from_sums(&total(parts, map.channels), map)
    }

    /// Those of a map, from the sums over each channel's values and their squares.
    pub(super) fn from_sums(sums: &[[f64; 2]], map: Map) -> Self {
        let count = (map.images * map.plane()) as f64;
        let mean = sums.iter().map(|s| (s[0] / count) as f32).collect();
        let variance = sums.iter().map(|s| ((s[1] / count) - (s[0] / count).powi(2)).max(0.0) as f32).collect();
        Self { mean, variance }
    }

    /// Means first, variances behind them, as `[2][channels]`.
    pub fn to_vec(&self) -> Vec<f32> {
        self.mean.iter().chain(&self.variance).copied().collect()
    }

    /// The inverse of [`Self::to_vec`].
    pub fn from_slice(values: &[f32]) -> Self {
        let (mean, variance) = values.split_at(values.len() / 2);
        Self { mean: mean.to_vec(), variance: variance.to_vec() }
    }
}

/// BatchNorm with its statistics: `y = scale * x + bias`, `scale = gamma / sqrt(variance + epsilon)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Norm {
    /// What it subtracts.
    pub mean: Vec<f32>,
    /// What it multiplies by before gamma: `1 / sqrt(variance + epsilon)`.
    pub inverse: Vec<f32>,
    /// `gamma * inverse`.
    pub scale: Vec<f32>,
    /// `beta - mean * scale`.
    pub bias: Vec<f32>,
}

impl Norm {
    /// Folds statistics and parameters.
    pub fn new(gamma: &[f32], beta: &[f32], statistics: &Statistics) -> Self {
        let inverse: Vec<f32> = statistics.variance.iter().map(|v| 1.0 / (v + EPSILON).sqrt()).collect();
        let scale: Vec<f32> = gamma.iter().zip(&inverse).map(|(g, i)| g * i).collect();
        let bias = beta.iter().zip(&statistics.mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
        Self { mean: statistics.mean.clone(), inverse, scale, bias }
    }

    /// Turns per-channel sums over `g` and `g * (x - mean)` into the gradients of gamma and beta and the constants of
    /// the gradient of x.
    pub(super) fn gradients(&self, sums: &[[f64; 2]], map: Map) -> NormGradients {
        let count = (map.images * map.plane()) as f64;
        let mut out = NormGradients::default();
        for (c, [sum, product]) in sums.iter().copied().enumerate() {
            let inverse = f64::from(self.inverse[c]);
            out.gamma.push((product * inverse) as f32);
            out.beta.push(sum as f32);
            out.offset.push((sum / count) as f32);
            out.slope.push((product * inverse * inverse / count) as f32);
        }
        out
    }
}

/// Gradients of gamma and beta, and what turns `g` into the gradient of the input:
/// `scale * (g - offset - slope * (x - mean))`.
#[derive(Clone, Debug, Default)]
pub struct NormGradients {
    /// Gradient of gamma.
    pub gamma: Vec<f32>,
    /// Gradient of beta.
    pub beta: Vec<f32>,
    pub(super) offset: Vec<f32>,
    pub(super) slope: Vec<f32>,
}

pub(super) fn add(sum: &mut [f64; 2], more: [f64; 2]) {
    sum[0] += more[0];
    sum[1] += more[1];
}

/// Adds the sums of all tasks in their order.
pub(super) fn total(parts: impl IntoIterator<Item = Sums>, channels: usize) -> Sums {
    let mut sums = Sums::zeros(channels);
    for part in parts {
        for (sum, more) in sums.iter_mut().zip(part.iter()) {
            add(sum, *more);
        }
    }
    sums
}

/// Second half of BatchNorm's backward pass: turns `g` into the gradient of `x`, in place.
pub(super) fn finish(g: &mut [f32], x: &[f32], map: Map, norm: &Norm, gradients: &NormGradients) {
    let task = images_per_task(map) * map.image();
    g.par_chunks_mut(task).zip(x.par_chunks(task)).with_max_len(1).for_each(|(g, x)| {
        for (i, (g, x)) in g.chunks_exact_mut(map.plane()).zip(x.chunks_exact(map.plane())).enumerate() {
            let c = i % map.channels;
            let (offset, slope) = (gradients.offset[c], gradients.slope[c]);
            plane::norm_backward_inplace(g, x, norm.mean[c], norm.scale[c], offset, slope);
        }
    });
}
