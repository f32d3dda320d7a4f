//! `lsspq inspect`.

use super::command::Inspect;
use super::model_file;
use super::say;
use anyhow::Context;
use lsspq::Model;
use lsspq_trainer::inspect;

pub(super) fn run(job: &Inspect) -> anyhow::Result<()> {
    match job {
        Inspect::Network(spec) => say::text(inspect::before_training(spec)),
        Inspect::Recipe(recipe) => {
            say::text(format_args!(
                "{}\n{}\n{}",
                recipe.to_toml(),
                inspect::before_training(&recipe.network),
                inspect::stages(recipe)
            ));
        }
        Inspect::Model(path) => {
            let bytes = model_file::read(path)?;
            let model = Model::load(&bytes).with_context(|| path.display().to_string())?;
            say::text(format_args!("{}\n{}", inspect::file(&bytes)?, inspect::sizes(&model.card().spec, &bytes)));
        }
    }
    Ok(())
}
