//! The linear head: class probabilities from an embedding.

use super::features::Features;
use super::linear::dot;
use super::{logistic, nearest_mean};
use crate::model::{Prediction, rank, softmax};

/// From how many pictures in every class on the head is trained by logistic regression.
///
/// On 30 classes of Tiny-ImageNet that the shipped network was not trained on, 3 at a time, the nearest mean was right
/// on 69.7 % of other pictures against 69.4 % after 3 pictures of each class, both on 76.1 % after 10, and logistic
/// regression on 79.2 % against 77.7 % after 20.
pub const LOGISTIC_FROM: usize = 10;

/// How a head was trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeadKind {
    /// The nearest class mean.
    NearestMean,
    /// Multinomial logistic regression with an L2 penalty.
    Logistic,
}

impl HeadKind {
    /// A short stable name for programs, such as `nearest-mean`.
    pub fn name(self) -> &'static str {
        match self {
            Self::NearestMean => "nearest-mean",
            Self::Logistic => "logistic",
        }
    }

    /// The rule: which one for the pictures of the class that has fewest.
    fn suited(fewest: usize) -> Self {
        if fewest >= LOGISTIC_FROM { Self::Logistic } else { Self::NearestMean }
    }
}

/// A linear layer on the embedding, `[classes, features]`, whose softmax are probabilities.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub(super) kind: HeadKind,
    pub(super) labels: Vec<String>,
    pub(super) weights: Vec<Vec<f32>>,
    pub(super) bias: Vec<f32>,
}

impl Head {
    /// How it was trained.
    pub fn kind(&self) -> HeadKind {
        self.kind
    }

    /// The classes that it tells apart: those that had pictures.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Trains a head: `rows` are embeddings of one length, `of` their classes, positions in `labels`. Two classes at
    /// least, and a picture in each. The kind is chosen by [`LOGISTIC_FROM`].
    pub(super) fn train(labels: Vec<String>, rows: &[&[f32]], of: &[usize]) -> Self {
        let classes = labels.len();
        let mut counts = vec![0usize; classes];
        of.iter().for_each(|&class| counts[class] += 1);
        // Every class counts the same: a finger that stays on a button must not make its class the likelier one.
        let weights: Vec<f32> = of.iter().map(|&class| ((classes * counts[class]) as f32).recip()).collect();
        let features = Features::of(rows, &weights);
        let scaled: Vec<Vec<f32>> = rows.iter().map(|row| features.apply(row)).collect();
        let kind = HeadKind::suited(counts.iter().copied().min().unwrap_or(0));
        let (mut lines, mut bias) = match kind {
            HeadKind::NearestMean => nearest_mean::fit(&scaled, of, classes),
            HeadKind::Logistic => logistic::fit(&scaled, of, &weights, classes),
        };
        // Written for the embedding as it comes: w (x - c) f = (w f) x - (w f) c.
        for (line, bias) in lines.iter_mut().zip(&mut bias) {
            line.iter_mut().zip(&features.factor).for_each(|(weight, factor)| *weight *= factor);
            *bias -= dot(line, &features.centre);
        }
        Self { kind, labels, weights: lines, bias }
    }

    /// One number a class; the largest wins.
    pub fn logits(&self, embedding: &[f32]) -> Vec<f32> {
        self.weights.iter().zip(&self.bias).map(|(line, bias)| dot(line, embedding) + bias).collect()
    }

    /// The `top_k` likeliest classes, the likeliest first. Softmax of logits that are not finite would be none: they
    /// stay far below.
    pub(super) fn predictions(&self, embedding: &[f32], top_k: usize) -> Vec<Prediction> {
        let logits =
            self.logits(embedding).into_iter().map(|l| if l.is_nan() { f32::MIN } else { l.clamp(f32::MIN, f32::MAX) });
        let logits: Vec<f32> = logits.collect();
        rank(&logits, &softmax(&logits), &self.labels, top_k)
    }
}
