//! `lsspq mirror`.

use super::command::Mirror;
use super::say::{self, say};
use super::{eval, model_file};
use anyhow::Context;
use lsspq::Model;
use lsspq_trainer::data::Dataset;
use lsspq_trainer::eval::report;
use lsspq_trainer::mirror::Mirrored;
use lsspq_trainer::{Error, Recipe, file};
use std::path::Path;

pub(super) fn run(job: &Mirror) -> anyhow::Result<()> {
    model_file::refuse_to_replace(&job.out, job.overwrite)?;
    let named = || job.model.display().to_string();
    let bytes = model_file::read(&job.model)?;
    let model = Model::load(&bytes).with_context(named)?;
    let recipe = eval::recipe(&model, &job.model)?;
    let mut mirrored = Mirrored::of(&bytes, &recipe).with_context(named)?;
    // The recipe in a file has no folder of its own: a relative path counts from where the program runs.
    let folder = recipe.data.folder(job.data.as_deref(), job.base.as_deref(), Some(Path::new("")))?;
    // Pictures that only a teacher spoke of are of no use here, and may be gone.
    let dataset = Dataset::load(&Recipe { distill: None, ..recipe.clone() }, &folder)?;
    eval::check_labels(&model, &dataset.test, &folder)?;
    let evaluation = mirrored.measure(&dataset)?;
    say::text(report(&evaluation, &model.card().labels));
    let bytes = mirrored.bytes()?;
    file::write(&job.out, &bytes)
        .map_err(|e| Error::storage(format!("{} cannot be written: {e}", job.out.display())))?;
    say!("{}: {} bytes", job.out.display(), bytes.len());
    Ok(())
}
