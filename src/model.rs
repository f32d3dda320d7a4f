//! A model that is loaded and ready: pictures in, labels out.

use crate::card::ModelCard;
use crate::engine::{self, Engine};
use crate::error::{Error, ErrorKind};
use crate::metrics::Metrics;
use crate::onnx::ModelFile;
use crate::plan::PlannedLayer;
use crate::preprocess::input_from_rgba;
use crate::shifts::{self, Shift};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A loaded model. It is never changed by use; threads may share it.
#[derive(Debug)]
pub struct Model {
    card: ModelCard,
    shifts: Vec<Shift>,
    engine: Engine,
    bytes: usize,
    sha256: [u8; 32],
}

/// What the network says about one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// One number per class, in the order of [`ModelCard::labels`]; the largest wins.
    pub logits: Vec<f32>,
    /// The pooled vector before the linear layer: similar pictures have similar ones.
    pub embedding: Vec<f32>,
}

/// How long one layer took.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerTime {
    /// Position in [`Model::plan`].
    pub layer: usize,
    /// Time in the unit of the clock that was given.
    pub time: f64,
}

/// One class and how likely the network takes it to be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// Position in [`ModelCard::labels`] and in [`Output::logits`].
    pub index: usize,
    /// Name of the class.
    pub label: String,
    /// Softmax of the logits, in [0, 1]; all classes sum to 1.
    pub probability: f32,
}

impl Model {
    /// The largest file that is read, 64 MiB: what a page should never have to fetch.
    pub const MAX_BYTES: usize = 64 << 20;

    /// Refuses a file by its size alone, so that a caller need not fetch or copy it.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] above [`Model::MAX_BYTES`].
    pub fn check_size(bytes: u64) -> Result<(), Error> {
        if bytes > Self::MAX_BYTES as u64 {
            let mib = |b: u64| b >> 20;
            let what = format!("the file has {} MiB, at most {} are read", mib(bytes), mib(Self::MAX_BYTES as u64));
            return Err(Error::new(ErrorKind::TooLarge, what));
        }
        Ok(())
    }

    /// Reads an ONNX file, checks it and makes it ready to run.
    ///
    /// # Errors
    /// - [`ErrorKind::TooLarge`] above [`Model::MAX_BYTES`].
    /// - [`ErrorKind::NotAModel`] where the bytes are empty, no ONNX file, or a part of one.
    /// - [`ErrorKind::NoCard`] where there is no model card; [`ErrorKind::Metadata`] where it is wrong.
    /// - [`ErrorKind::Unsupported`] where the graph does not fit the card (input `image` float32 `[N, 3, H, W]`, outputs
    ///   `logits` and `embedding`), or has operators that cannot be run.
    ///
    /// Layers of an L-SSPQ network run in whole numbers, all others in float; [`Model::plan`] says which. The answers are
    /// those of a float runtime: sums of whole numbers are exact, and the floats behind them are computed as the graph says.
    pub fn load(bytes: &[u8]) -> Result<Self, Error> {
        Self::load_with(bytes, Engine::build)
    }

    /// As [`Model::load`], but runs everything in float, with tract alone: slower, and what whole numbers are tested
    /// against.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn load_float(bytes: &[u8]) -> Result<Self, Error> {
        Self::load_with(bytes, Engine::build_float)
    }

    fn load_with(bytes: &[u8], build: impl FnOnce(&ModelFile) -> Result<Engine, Error>) -> Result<Self, Error> {
        Self::check_size(bytes.len() as u64)?;
        let file = ModelFile::read(bytes, &engine::known_operators())?;
        let engine = build(&file)?;
        let shifts = file.proto.graph.as_ref().map(shifts::read).unwrap_or_default();
        let sha256 = Sha256::digest(bytes).into();
        Ok(Self { card: file.card, shifts, engine, bytes: bytes.len(), sha256 })
    }

    /// Every layer in the order in which it runs, the kernel that computes it, or why it runs in float. Empty where
    /// everything was left to float unseen, as by [`Model::load_float`].
    pub fn plan(&self) -> &[PlannedLayer] {
        self.engine.layers()
    }

    /// Whether the whole network runs in whole numbers.
    pub fn is_whole(&self) -> bool {
        self.engine.is_whole()
    }

    /// What the file says about itself.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The learned displacements of every shift layer, in the order of the blocks.
    pub fn shifts(&self) -> &[Shift] {
        &self.shifts
    }

    /// Size of the file in bytes.
    pub fn bytes_len(&self) -> usize {
        self.bytes
    }

    /// SHA-256 of the file: embeddings of one file mean nothing to another.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// Size, accuracy and density, from the card and the size of the file.
    pub fn metrics(&self) -> Metrics {
        Metrics::new(&self.card, self.bytes as u64)
    }

    /// The network's input `[3, S, S]` for RGBA pixels of any size; see [`input_from_rgba`].
    ///
    /// # Errors
    /// [`ErrorKind::Picture`] where the picture is empty or its size and bytes disagree.
    pub fn input(&self, rgba: &[u8], width: u32, height: u32) -> Result<Vec<f32>, Error> {
        input_from_rgba(rgba, width, height, self.card.spec.input)
    }

    /// Runs the network on one input `[3, S, S]`: RGB planes in [0, 1], `S` the input side of the card.
    ///
    /// # Errors
    /// [`ErrorKind::Picture`] where the length is not `3 * S * S`; [`ErrorKind::Inference`] where the network fails or
    /// yields something that is no number.
    pub fn run(&self, input: &[f32]) -> Result<Output, Error> {
        self.run_watched(input, &mut |_| {})
    }

    /// As [`Model::run`], and how long each layer took by `clock`, which gives the time in any unit. Only a network that
    /// runs [as a whole](Model::is_whole) in whole numbers is timed; of others the list is empty.
    ///
    /// # Errors
    /// As [`Model::run`].
    pub fn profile(&self, input: &[f32], clock: &mut dyn FnMut() -> f64) -> Result<(Output, Vec<LayerTime>), Error> {
        let mut times = Vec::with_capacity(self.plan().len());
        let mut before = clock();
        let output = self.run_watched(input, &mut |layer| {
            let now = clock();
            // A layer that runs on two views is done twice.
            match times.get_mut(layer) {
                Some(LayerTime { time, .. }) => *time += now - before,
                None => times.push(LayerTime { layer, time: now - before }),
            }
            before = now;
        })?;
        Ok((output, times))
    }

    fn run_watched(&self, input: &[f32], done: &mut dyn FnMut(usize)) -> Result<Output, Error> {
        let side = self.card.spec.input;
        let wanted = 3 * side * side;
        if input.len() != wanted {
            let what = format!("an input [3, {side}, {side}] has {wanted} values, got {}", input.len());
            return Err(Error::new(ErrorKind::Picture, what));
        }
        let (logits, embedding) = self.engine.run(input, done)?;
        if !logits.iter().chain(&embedding).all(|v| v.is_finite()) {
            return Err(Error::new(ErrorKind::Inference, "the network yielded something that is no number"));
        }
        Ok(Output { logits, embedding })
    }

    /// The `top_k` most likely classes of a picture of any size, the likeliest first; all of them if there are fewer.
    ///
    /// # Errors
    /// As [`Model::input`] and [`Model::run`].
    pub fn classify(&self, rgba: &[u8], width: u32, height: u32, top_k: usize) -> Result<Vec<Prediction>, Error> {
        let output = self.run(&self.input(rgba, width, height)?)?;
        Ok(self.predictions(&output, top_k))
    }

    /// The embedding of a picture of any size.
    ///
    /// # Errors
    /// As [`Model::input`] and [`Model::run`].
    pub fn embed(&self, rgba: &[u8], width: u32, height: u32) -> Result<Vec<f32>, Error> {
        Ok(self.run(&self.input(rgba, width, height)?)?.embedding)
    }

    /// The `top_k` most likely classes of an output, the likeliest first; of equal ones the lower index.
    pub fn predictions(&self, output: &Output, top_k: usize) -> Vec<Prediction> {
        rank(&output.logits, &softmax(&output.logits), &self.card.labels, top_k)
    }
}

/// The `top_k` classes of the largest logits, the largest first; of equal ones the lower index.
pub(crate) fn rank(logits: &[f32], probabilities: &[f32], labels: &[String], top_k: usize) -> Vec<Prediction> {
    let mut ranked: Vec<(usize, f32)> = probabilities.iter().copied().enumerate().collect();
    // By logit, not by probability: two logits far below the first may round to the same probability.
    ranked.sort_by(|(a, _), (b, _)| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b)));
    let label = |index: usize| labels.get(index).cloned().unwrap_or_default();
    let named = |(index, probability)| Prediction { index, label: label(index), probability };
    ranked.into_iter().take(top_k).map(named).collect()
}

/// Probabilities that sum to 1. The largest logit is taken off first, so that no exponential overflows.
pub(crate) fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits.iter().map(|l| (l - largest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|p| p / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_sums_to_one_even_for_huge_logits() {
        for logits in [vec![0.0, 1.0, 2.0], vec![1e30, -1e30, 3.0], vec![500.0, 499.0], vec![-0.0; 7]] {
            let sum: f32 = softmax(&logits).iter().sum();
            assert!((sum - 1.0).abs() < 1e-6, "{logits:?}: {sum}");
        }
        assert_eq!(softmax(&[0.0, 0.0]), [0.5, 0.5]);
    }

    #[test]
    fn half_a_gigabyte_is_refused_by_its_size() {
        let error = Model::check_size(500_000_000).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert_eq!(error.to_string(), "the file has 476 MiB, at most 64 are read");
        Model::check_size(Model::MAX_BYTES as u64).unwrap();
    }
}
