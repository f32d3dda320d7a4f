//! A training run: one recipe, one folder, several stages.
//!
//! The folder holds `recipe.toml` (resolved), `log.jsonl` (a line an epoch), `last.checkpoint`, `best.checkpoint` (the
//! latest of the stage's best, see `choice.rs`) and, at the end, the ONNX file and `result.json`. A run that was
//! interrupted at any point goes on from its last checkpoint to the very numbers it would have reached: batches,
//! augmentation and rates are functions of the seed and the epoch alone, and sums over pictures have one order.

mod answers;
mod checkpoint;
mod choice;
mod clip;
mod dashboard;
mod ema;
mod evaluate;
mod finish;
mod folder;
mod health;
mod lock;
mod log;
mod look;
mod loss;
mod optimiser;
mod pass;
mod position;
mod progress;
mod start;
mod statistics;
mod teacher;
mod terminal;

pub use checkpoint::Checkpoint;
pub(crate) use choice::kept;
pub use dashboard::leave_dashboard;
pub use evaluate::evaluate;
pub use finish::{Deployed, Exported, Finished, deployed, exported, finish};
pub(crate) use finish::{calibration, measure};
pub use folder::{Existing, Folder};
pub use log::EpochRecord;
pub use position::Position;
pub use progress::show_dashboard;

use crate::augment::Normalise;
use crate::batches::{Batch, Batches};
use crate::compute::Compute;
use crate::data::{Dataset, UNLABELLED};
use crate::error::Error;
use crate::network::{Engine, Mode, Network};
use crate::recipe::{Recipe, Stage};
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::Device;
use ema::Average;
use look::Look;
use pass::{Pass, Passed};
use progress::Progress;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use teacher::Teacher;

/// Weight of a batch's statistics in the running ones.
const STATISTICS_MOMENTUM: f32 = 0.1;

/// The longest that work is lost for where a process is killed; an epoch may be shorter.
const SAVE_EVERY: Duration = Duration::from_secs(600);

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All stages are done.
    Finished,
    /// It was asked to stop, and saved where it was.
    Interrupted,
}

/// Trains on the CPU: [`train_on`] with [`Compute::cpu`].
///
/// # Errors
/// As [`train_on`].
pub fn train(
    recipe: &Recipe,
    dataset: &Dataset,
    folder: &Folder,
    stop: &dyn Fn(&Position) -> bool,
) -> Result<Outcome, Error> {
    train_on(&Compute::cpu(), recipe, dataset, folder, stop)
}

/// Trains, or goes on training, the recipe in the folder. Before every step `stop` is asked whether to save and end.
///
/// # Errors
/// [`Storage`](crate::ErrorKind::Storage): a folder that cannot be written or is too small, found before the first step
/// where it can be. [`Training`](crate::ErrorKind::Training): a loss or a weight that is no number, a loss that runs away,
/// an unreadable checkpoint, or a GPU or another machine's device that failed. In each case the last good checkpoint stays.
/// [`Recipe`](crate::ErrorKind::Recipe): fewer pictures in a batch than devices, or a teacher or a file to
/// begin with that does not fit.
pub fn train_on(
    compute: &Compute,
    recipe: &Recipe,
    dataset: &Dataset,
    folder: &Folder,
    stop: &dyn Fn(&Position) -> bool,
) -> Result<Outcome, Error> {
    let work = || train_all(compute, recipe, dataset, folder, stop);
    if compute.engine() == Engine::Fused {
        return work();
    }
    // Where a device is out of memory, or was lent and is gone, Burn panics in whoever reads from it next.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        let what = what.unwrap_or("it says nothing");
        Err(Error::training(format!("a device failed: {what}; the last checkpoint is untouched: go on with --resume")))
    })
}

/// All stages that are left, on whatever device.
fn train_all(
    compute: &Compute,
    recipe: &Recipe,
    dataset: &Dataset,
    folder: &Folder,
    stop: &dyn Fn(&Position) -> bool,
) -> Result<Outcome, Error> {
    let devices = compute.training();
    if let Some(stage) = recipe.stages.iter().find(|stage| stage.batch < devices.len()) {
        let (batch, count) = (stage.batch, devices.len());
        return Err(Error::recipe(format!("batch = {batch} cannot be shared out among {count} devices: name fewer")));
    }
    let mut run = match folder.last()? {
        Some(checkpoint) => Run::resume(recipe, checkpoint, &devices[0])?,
        None => Run::start(recipe, dataset, &devices[0], compute.engine())?,
    };
    folder.check_room(run.checkpoint()?.largest())?;
    folder.keep_labels(&dataset.train.classes)?;
    let teacher = Teacher::of(recipe, dataset)?;
    let progress = Progress::new(recipe, dataset.learned().len(), &run.position);
    let job = Job { recipe, dataset, folder, stop, teacher, progress, devices, engine: compute.engine() };
    while let Some(stage) = recipe.stages.get(run.position.stage) {
        if run.position.begins_stage() {
            job.progress.stage(run.position.stage, stage);
        }
        while run.position.epoch_in_stage < stage.epochs && !run.position.is_stale(recipe.training.patience) {
            let before = run.position.images;
            run.began = Instant::now();
            if !run.epoch(&job, stage)? {
                folder.save_last(&run.checkpoint()?)?;
                return Ok(Outcome::Interrupted);
            }
            job.progress.validating(&run.position);
            run.measure(&job, stage);
            let look = run.validate(&job, stage);
            let record = run.close_epoch(stage, look, dataset, before);
            folder.append(&record)?;
            job.progress.epoch(&record);
            if run.position.is_kept(record.validation) {
                folder.save_best(&run.checkpoint()?)?;
            }
            folder.save_last(&run.checkpoint()?)?;
        }
        if let Some(patience) = recipe.training.patience.filter(|_| run.position.epoch_in_stage < stage.epochs) {
            job.progress.ended_early(&run.position, patience);
        }
        run.next_stage(recipe);
        folder.save_last(&run.checkpoint()?)?;
    }
    Ok(Outcome::Finished)
}

/// What stays the same while a run goes on.
struct Job<'a> {
    recipe: &'a Recipe,
    dataset: &'a Dataset,
    folder: &'a Folder,
    stop: &'a dyn Fn(&Position) -> bool,
    teacher: Option<Teacher>,
    progress: Progress,
    /// With gradients; the first holds the network.
    devices: Vec<Device>,
    engine: Engine,
}

impl Job<'_> {
    /// How the network runs in a stage.
    fn mode(&self, stage: &Stage, training: bool) -> Mode {
        Mode { engine: self.engine, ..mode(stage, training) }
    }
}

/// Everything that changes while a run goes on.
struct Run {
    network: Network,
    optimiser: ModuleOptimizer,
    average: Option<Average>,
    position: Position,
    /// When this process took up the current epoch.
    began: Instant,
}

impl Run {
    fn start(recipe: &Recipe, dataset: &Dataset, device: &Device, engine: Engine) -> Result<Self, Error> {
        let drawn = Network::new(&recipe.network, recipe.seed, device);
        let network = match &recipe.start {
            None => drawn.with_quantiser(&recipe.network, recipe.quantiser),
            Some(start) => {
                let mode = Mode { engine, ..mode(&recipe.stages[0], false) };
                start::begun(start, drawn, recipe, dataset, mode)?
            }
        };
        let optimiser = optimiser::new(&network, &recipe.stages[0].optimiser);
        let average = recipe.training.ema_decay.map(|decay| Average::new(&network, decay));
        Ok(Self { network, optimiser, average, position: Position::default(), began: Instant::now() })
    }

    fn resume(recipe: &Recipe, checkpoint: Checkpoint, device: &Device) -> Result<Self, Error> {
        let network = checkpoint.network(recipe, device)?;
        // After the last stage nothing is stepped any more.
        let stage = recipe.stages.get(checkpoint.position.stage).unwrap_or(&recipe.stages[0]);
        let fresh = optimiser::new(&network, &stage.optimiser);
        // Where the stage was added after the run had ended, what was saved is the optimiser of the stage before.
        let optimiser = if checkpoint.position.begins_stage() { fresh } else { checkpoint.optimiser(fresh)? };
        let saved = checkpoint.average(recipe, device)?;
        let average = recipe.training.ema_decay.map(|decay| Average::new(saved.as_ref().unwrap_or(&network), decay));
        Ok(Self { network, optimiser, average, position: checkpoint.position, began: Instant::now() })
    }

    fn checkpoint(&self) -> Result<Checkpoint, Error> {
        let average = self.average.as_ref().map(Average::network);
        let mut position = self.position.clone();
        if position.step > 0 {
            position.seconds += self.began.elapsed().as_secs_f64();
        }
        Checkpoint::new(&self.network, &self.optimiser, average, position)
    }

    /// Goes through the rest of the current epoch; false if it was interrupted.
    fn epoch(&mut self, job: &Job, stage: &Stage) -> Result<bool, Error> {
        let Job { recipe, progress, .. } = job;
        let rate = stage.rate(self.position.epoch_in_stage);
        progress.begin(&self.position, stage);
        let mut saved = Instant::now();
        for batch in self.batches(job, stage) {
            if (job.stop)(&self.position) || progress.asks_to_stop() {
                return Ok(false);
            }
            if saved.elapsed() > SAVE_EVERY {
                job.folder.save_last(&self.checkpoint()?)?;
                saved = Instant::now();
            }
            let loss = self.step(job, stage, batch, rate);
            health::check_step(loss, &self.network, &self.position, rate)?;
            progress.step(&self.position, loss, rate, stage.batch);
        }
        health::check_epoch(&self.position, recipe.network.classes)?;
        Ok(true)
    }

    /// What is left of the current epoch.
    fn batches(&self, job: &Job, stage: &Stage) -> Batches {
        let Job { recipe, dataset, .. } = job;
        let draw = (recipe.seed, self.position.epoch);
        let normalise = Normalise::from(&recipe.data);
        Batches::training(
            &dataset.train,
            &dataset.learned(),
            stage.batch,
            &normalise,
            stage.augment.unwrap_or(recipe.augment),
            draw,
            stage.side(recipe.network.input),
            self.position.step,
        )
    }

    /// One step of gradient descent; returns the mean loss of the batch.
    fn step(&mut self, job: &Job, stage: &Stage, batch: Batch, rate: f64) -> f32 {
        let recipe = job.recipe;
        let (count, labels) = (batch.labels.len(), batch.leading().to_vec());
        let (side, epoch) = (stage.side(recipe.network.input), self.position.epoch);
        if recipe.training.fixed_shifts {
            self.network.hold_shifts();
        }
        let pass = Pass { recipe, teacher: job.teacher.as_ref(), mode: job.mode(stage, true), side, epoch };
        let Passed { mut gradients, output, loss } = pass.run(&self.network, batch, &job.devices);
        if let Some(limit) = recipe.training.clip_norm {
            clip::clip(&mut gradients, &self.network, limit);
        }
        self.network = self.optimiser.step(rate, self.network.clone(), gradients);
        let correct = evaluate::correct(&output.logits, &labels);
        self.network.absorb(&recipe.network, output, STATISTICS_MOMENTUM);
        let unlabelled = labels.iter().filter(|label| **label == UNLABELLED).count();
        self.position.count_step(loss, count, unlabelled, correct);
        if let Some(average) = &mut self.average {
            average.update(&self.network, self.position.steps);
        }
        loss
    }

    /// Gives the weights, and their average where there is one, the statistics that belong to them.
    fn measure(&mut self, job: &Job, stage: &Stage) {
        let (mode, epoch) = (job.mode(stage, false), self.position.epoch);
        let fitted = |network: &Network| statistics::fitted(network, job.recipe, stage, mode, job.dataset, epoch);
        if let Some(average) = &mut self.average {
            average.replace(fitted(average.network()));
        }
        // Beside an average, the weights are looked at where pictures are held out, and nowhere else.
        if self.average.is_none() || !job.dataset.validation.is_empty() {
            self.network = fitted(&self.network);
        }
    }

    /// A look at the validation split, where there is one.
    fn validate(&self, job: &Job, stage: &Stage) -> Option<Look> {
        let Job { recipe, dataset, .. } = job;
        let of = |network| evaluate(network, recipe, job.mode(stage, false), &dataset.train, &dataset.validation);
        let look = || Look { weights: of(&self.network), average: self.average.as_ref().map(|a| of(a.network())) };
        (!dataset.validation.is_empty()).then(look)
    }

    /// `before`: how many of its pictures were learned when this process took the epoch up.
    fn close_epoch(&mut self, stage: &Stage, look: Option<Look>, dataset: &Dataset, before: u64) -> EpochRecord {
        let images = self.position.images - before + dataset.validation.len() as u64;
        let record = EpochRecord::new(&self.position, stage, look, images, self.began.elapsed().as_secs_f64());
        self.position.next_epoch(look);
        record
    }

    /// The next stage begins with the weights or their average, whichever did better at the last look, and without momentum.
    fn next_stage(&mut self, recipe: &Recipe) {
        match &mut self.average {
            Some(average) if self.position.prefers_weights => average.replace(self.network.valid()),
            Some(average) => self.network = average.network().clone().train(),
            None => {}
        }
        self.position.next_stage(&recipe.stages[self.position.stage], recipe.network.bits.weights);
        if let Some(stage) = recipe.stages.get(self.position.stage) {
            self.optimiser = optimiser::new(&self.network, &stage.optimiser);
        }
    }
}

/// How the network runs in a stage on the CPU.
fn mode(stage: &Stage, training: bool) -> Mode {
    Mode {
        batch_statistics: training,
        activations: stage.activation_bits(),
        round_shifts: stage.round_shifts,
        engine: Engine::Fused,
    }
}
