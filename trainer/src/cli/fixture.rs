//! `lsspq fixture`.

use super::command::Fixture;
use super::say::say;
use lsspq_trainer::fixture;

pub(super) fn run(job: &Fixture) -> anyhow::Result<()> {
    fixture::write(&job.folder, job.plan)?;
    let classes = fixture::CLASSES.len() as u32;
    say!(
        "{}: {} training and {} test pictures of {} classes ({})",
        job.folder.display(),
        classes * job.plan.train,
        classes * job.plan.test,
        classes,
        fixture::CLASSES.join(", ")
    );
    Ok(())
}
