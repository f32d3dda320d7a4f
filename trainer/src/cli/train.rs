//! `lsspq train`.

use super::command::Train;
use super::interrupt;
use lsspq_trainer::data::Dataset;
use lsspq_trainer::eval::report;
use lsspq_trainer::train::{Folder, Outcome, Position, finish, train};
use lsspq_trainer::{Error, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) fn run(job: &Train) -> anyhow::Result<()> {
    let interrupted = interrupt::watch()?;
    let data = Dataset::load(&job.recipe, &job.data)?;
    println!(
        "{}: {} pictures to train on, {} to validate, {} to test, {} classes",
        job.recipe.data.dataset,
        data.training.len(),
        data.validation.len(),
        data.test.len(),
        data.train.classes.len()
    );
    work(job, &data, &interrupted)
}

/// Opens the run's folder, trains, tests once and exports.
fn work(job: &Train, data: &Dataset, interrupted: &AtomicBool) -> anyhow::Result<()> {
    let folder = Folder::open(&job.out, &job.recipe, job.existing)?;
    let stop = |_: &Position| interrupted.load(Ordering::Relaxed);
    if train(&job.recipe, data, &folder, &stop)? == Outcome::Interrupted {
        let message = format!("stopped and saved in {}: go on with --resume", job.out.display());
        return Err(Error::new(ErrorKind::Interrupted, message).into());
    }
    println!("measuring on the test split");
    let (finished, evaluation) = finish(&job.recipe, data, &folder)?;
    print!("{}", report(&evaluation, &data.test.classes));
    println!("{}: {} bytes", finished.model.display(), finished.size_bytes);
    Ok(())
}
