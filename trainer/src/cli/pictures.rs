//! `lsspq pictures`.

use super::command::Pictures;
use super::say::say;
use lsspq_trainer::data::{Dataset, write_arrays};

pub(super) fn run(job: &Pictures) -> anyhow::Result<()> {
    let data = Dataset::load(&job.recipe, &job.data)?;
    write_arrays(&job.out, &data.train, &data.training)?;
    say!("{}: {} pictures of {} pixels", job.out.display(), data.training.len(), data.train.side);
    Ok(())
}
