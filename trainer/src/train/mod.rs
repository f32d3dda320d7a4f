//! A training run: one recipe, one folder, several stages.
//!
//! The folder holds `recipe.toml` (resolved), `log.jsonl` (a line an epoch), `last.checkpoint`, `best.checkpoint` and,
//! at the end, the ONNX file and `result.json`. A run that was interrupted at any point goes on from its last
//! checkpoint to the very numbers it would have reached: batches, augmentation and rates are functions of the seed and
//! the epoch alone, and sums over pictures have one order.

mod checkpoint;
mod evaluate;
mod finish;
mod folder;
mod log;
mod optimiser;
mod position;
mod progress;

pub use checkpoint::Checkpoint;
pub use evaluate::evaluate;
pub use finish::{Deployed, Finished, bytes, deployed, finish};
pub use folder::{Existing, Folder};
pub use log::EpochRecord;
pub use position::Position;
pub use progress::show_plain_lines;

use crate::augment::Normalise;
use crate::batches::{Batch, Batches};
use crate::data::Dataset;
use crate::error::Error;
use crate::network::{Engine, Mode, Network};
use crate::recipe::{Recipe, Stage};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use lsspq::card::Accuracy;
use progress::Progress;
use std::time::Instant;

/// Weight of a batch's statistics in the running ones.
const STATISTICS_MOMENTUM: f32 = 0.1;

/// Steps between two looks at the loss on the progress bar.
const REPORT_EVERY: usize = 10;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All stages are done.
    Finished,
    /// It was asked to stop, and saved where it was.
    Interrupted,
}

/// Trains, or goes on training, the recipe in the folder. Before every step `stop` is asked whether to save and end.
///
/// # Errors
/// A folder that cannot be written, a loss that is no number (the last checkpoint stays), or an unreadable checkpoint.
pub fn train(
    recipe: &Recipe,
    dataset: &Dataset,
    folder: &Folder,
    stop: &dyn Fn(&Position) -> bool,
) -> Result<Outcome, Error> {
    let device = Device::flex().autodiff();
    let mut run = match folder.last()? {
        Some(checkpoint) => Run::resume(recipe, checkpoint, &device)?,
        None => Run::start(recipe, &device),
    };
    folder.keep_labels(&dataset.train.classes)?;
    let progress = Progress::new(recipe);
    while let Some(stage) = recipe.stages.get(run.position.stage) {
        if run.position.epoch_in_stage == 0 && run.position.step == 0 {
            progress.stage(run.position.stage, stage);
        }
        while run.position.epoch_in_stage < stage.epochs {
            let started = Instant::now();
            if !run.epoch(recipe, stage, dataset, stop, &progress)? {
                folder.save_last(&run.checkpoint()?)?;
                return Ok(Outcome::Interrupted);
            }
            run.check_finite()?;
            let validation = run.validate(recipe, stage, dataset);
            let record = run.close_epoch(stage, validation, dataset, started);
            folder.append(&record)?;
            progress.epoch(&record);
            if run.position.is_best(validation) {
                folder.save_best(&run.checkpoint()?)?;
            }
            folder.save_last(&run.checkpoint()?)?;
        }
        run.next_stage(recipe);
        folder.save_last(&run.checkpoint()?)?;
    }
    Ok(Outcome::Finished)
}

/// Everything that changes while a run goes on.
struct Run {
    network: Network,
    optimiser: ModuleOptimizer,
    position: Position,
    device: Device,
}

impl Run {
    fn start(recipe: &Recipe, device: &Device) -> Self {
        let network = Network::new(&recipe.network, recipe.seed, device);
        let optimiser = optimiser::new(&network, &recipe.stages[0].optimiser);
        Self { network, optimiser, position: Position::default(), device: device.clone() }
    }

    fn resume(recipe: &Recipe, checkpoint: Checkpoint, device: &Device) -> Result<Self, Error> {
        let network = checkpoint.network(&recipe.network, device)?;
        // After the last stage nothing is stepped any more.
        let stage = recipe.stages.get(checkpoint.position.stage).unwrap_or(&recipe.stages[0]);
        let optimiser = checkpoint.optimiser(optimiser::new(&network, &stage.optimiser))?;
        Ok(Self { network, optimiser, position: checkpoint.position, device: device.clone() })
    }

    fn checkpoint(&self) -> Result<Checkpoint, Error> {
        Checkpoint::new(&self.network, &self.optimiser, self.position.clone())
    }

    /// Goes through the rest of the current epoch; false if it was interrupted.
    fn epoch(
        &mut self,
        recipe: &Recipe,
        stage: &Stage,
        dataset: &Dataset,
        stop: &dyn Fn(&Position) -> bool,
        progress: &Progress,
    ) -> Result<bool, Error> {
        let (epoch, done) = (self.position.epoch, self.position.step);
        let steps = dataset.training.len() / stage.batch;
        let rate = stage.rate(self.position.epoch_in_stage);
        progress.begin(steps, done);
        let normalise = Normalise::from(&recipe.data);
        let draw = (recipe.seed, epoch);
        for batch in
            Batches::training(&dataset.train, &dataset.training, stage.batch, &normalise, recipe.augment, draw, done)
        {
            if stop(&self.position) {
                return Ok(false);
            }
            let loss = self.step(recipe, stage, batch, rate);
            if !loss.is_finite() {
                return Err(Error::training(format!(
                    "the loss is {loss} at step {} of epoch {}: the rate {rate} may be too high; the last checkpoint is \
                     from before this epoch",
                    self.position.step,
                    epoch + 1
                )));
            }
            if self.position.step.is_multiple_of(REPORT_EVERY) || self.position.step == steps {
                progress.step(&self.position, stage.batch);
            }
        }
        Ok(true)
    }

    /// One step of gradient descent; returns the mean loss of the batch.
    fn step(&mut self, recipe: &Recipe, stage: &Stage, batch: Batch, rate: f64) -> f32 {
        let side = recipe.network.input;
        let count = batch.labels.len();
        let images = Tensor::from_data(TensorData::new(batch.images, [count, 3, side, side]), &self.device);
        let labels: Vec<i64> = batch.labels.iter().map(|&l| l.into()).collect();
        let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [count]), &self.device);
        let output = self.network.forward(&recipe.network, images, mode(stage, true));
        let loss = cross_entropy(output.logits.clone(), labels);
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        self.network = self.optimiser.step(rate, self.network.clone(), gradients);
        let correct = evaluate::correct(&output.logits, &batch.labels);
        self.network.absorb(output, STATISTICS_MOMENTUM);
        let loss = loss.into_scalar::<f32>();
        self.position.count_step(loss, count, correct);
        loss
    }

    /// Accuracy on the validation split, where there is one.
    fn validate(&self, recipe: &Recipe, stage: &Stage, dataset: &Dataset) -> Option<Accuracy> {
        (!dataset.validation.is_empty())
            .then(|| evaluate(&self.network, recipe, mode(stage, false), &dataset.train, &dataset.validation))
    }

    /// Clipping turns what is no number into zero, so a broken weight would not show in the loss.
    fn check_finite(&self) -> Result<(), Error> {
        match self.network.first_not_finite() {
            None => Ok(()),
            Some(name) => Err(Error::training(format!(
                "{name} holds values that are no numbers after epoch {}: the rate may be too high; the last checkpoint \
                 is from before this epoch",
                self.position.epoch
            ))),
        }
    }

    fn close_epoch(
        &mut self,
        stage: &Stage,
        validation: Option<Accuracy>,
        dataset: &Dataset,
        started: Instant,
    ) -> EpochRecord {
        let images = self.position.images + dataset.validation.len() as u64;
        let record = EpochRecord::new(&self.position, stage, validation, images, started.elapsed().as_secs_f64());
        self.position.next_epoch(validation);
        record
    }

    /// The next stage begins with these weights and without momentum.
    fn next_stage(&mut self, recipe: &Recipe) {
        self.position.next_stage(&recipe.stages[self.position.stage], recipe.network.bits.weights);
        if let Some(stage) = recipe.stages.get(self.position.stage) {
            self.optimiser = optimiser::new(&self.network, &stage.optimiser);
        }
    }
}

/// How the network runs in a stage.
fn mode(stage: &Stage, training: bool) -> Mode {
    Mode {
        batch_statistics: training,
        activations: stage.activation_bits(),
        round_shifts: stage.round_shifts,
        engine: Engine::Fused,
    }
}

/// Mean of `-log softmax(logits)[label]`.
fn cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    let [count, _] = logits.dims();
    log_softmax(logits, 1).gather(1, labels.reshape([count, 1])).mean().neg()
}
