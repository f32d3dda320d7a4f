//! `lsspq train`.

use super::command::Train;
use super::interrupt;
use super::say::{self, say};
use lsspq_trainer::data::Dataset;
use lsspq_trainer::eval;
use lsspq_trainer::inspect;
use lsspq_trainer::report::{Report, Test};
use lsspq_trainer::train::{Folder, Outcome, Position, finish, show_dashboard, train_on};
use lsspq_trainer::{Error, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) fn run(job: &Train) -> anyhow::Result<()> {
    if !job.plain {
        show_dashboard();
    }
    if job.dry_run {
        say!("{}", job.recipe.to_toml());
        say!("{}", inspect::before_training(&job.recipe.network));
        say::text(inspect::stages(&job.recipe));
    }
    let interrupted = interrupt::watch()?;
    let data = Dataset::load(&job.recipe, &job.data)?;
    say!(
        "{}: {} pictures to train on, {} to validate, {} to test, {} classes",
        job.recipe.data.dataset,
        data.training.len(),
        data.validation.len(),
        data.test.len(),
        data.train.classes.len()
    );
    if !data.unlabelled.is_empty() {
        say!("{} pictures without labels, of which only the teacher says what they show", data.unlabelled.len());
    }
    if job.dry_run { Ok(()) } else { work(job, &data, &interrupted) }
}

/// Opens the run's folder, trains, tests once and exports.
fn work(job: &Train, data: &Dataset, interrupted: &AtomicBool) -> anyhow::Result<()> {
    let folder = Folder::open(&job.out, &job.recipe, job.existing)?;
    let stop = |_: &Position| interrupted.load(Ordering::Relaxed);
    // On a thread of the pool: from any other, each of a step's hundreds of parts would wait for a thread to wake up, which
    // on a busy machine takes longer than the part.
    let outcome = rayon::scope(|_| train_on(&job.compute, &job.recipe, data, &folder, &stop))?;
    if outcome == Outcome::Interrupted {
        let message = format!("stopped and saved in {}: go on with --resume", job.out.display());
        return Err(Error::new(ErrorKind::Interrupted, message).into());
    }
    say!("measuring on the test split");
    let (finished, evaluation) = finish(&job.recipe, data, &folder)?;
    say::text(eval::report(&evaluation, &data.test.classes));
    say!("{}: {} bytes", finished.model.display(), finished.size_bytes);
    let report = Report::gather(&job.recipe, &folder, Some(Test::new(&evaluation, &data.test)))?;
    say!("{}", report.write(&folder)?.display());
    Ok(())
}
