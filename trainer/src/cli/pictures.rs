//! `lsspq pictures`.

use super::command::Pictures;
use super::say::say;
use lsspq_trainer::altered::write_altered;
use lsspq_trainer::data::{Dataset, write_arrays};

pub(super) fn run(job: &Pictures) -> anyhow::Result<()> {
    let data = Dataset::load(&job.recipe, &job.data)?;
    let place = job.out.display();
    if job.altered {
        let epochs = write_altered(&job.out, &job.recipe, &data)?;
        say!("{place}: {} pictures of {} pixels in each of {epochs} epochs", data.learned().len(), data.train.side);
        return Ok(());
    }
    let (pictures, indices) =
        if job.test { (&data.test, (0..data.test.len() as u32).collect()) } else { (&data.train, data.learned()) };
    write_arrays(&job.out, pictures, &indices)?;
    say!("{place}: {} pictures of {} pixels", indices.len(), pictures.side);
    Ok(())
}
