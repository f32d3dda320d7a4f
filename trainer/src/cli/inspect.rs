//! `lsspq inspect`.

use super::command::Inspect;
use super::model_file;
use anyhow::Context;
use lsspq_trainer::inspect;

pub(super) fn run(job: &Inspect) -> anyhow::Result<()> {
    match job {
        Inspect::Network(spec) => print!("{}", inspect::untrained(spec)),
        Inspect::Recipe(recipe) => print!("{}\n{}", recipe.to_toml(), inspect::network(&recipe.network)),
        Inspect::Model(path) => {
            let bytes = model_file::read(path)?;
            print!("{}", inspect::file(&bytes).with_context(|| path.display().to_string())?);
        }
    }
    Ok(())
}
