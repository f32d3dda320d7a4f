//! `lsspq pictures`.

use super::command::Pictures;
use super::say::say;
use lsspq_trainer::data::{Dataset, write_arrays};

pub(super) fn run(job: &Pictures) -> anyhow::Result<()> {
    let data = Dataset::load(&job.recipe, &job.data)?;
    let (pictures, indices) =
        if job.test { (&data.test, (0..data.test.len() as u32).collect()) } else { (&data.train, data.training) };
    write_arrays(&job.out, pictures, &indices)?;
    say!("{}: {} pictures of {} pixels", job.out.display(), indices.len(), pictures.side);
    Ok(())
}
