//! `lsspq compare`.

use super::command::Compare;
use super::model_file;
use super::say::{self, say};
use anyhow::Context;
use lsspq::Model;
use lsspq_trainer::compare::{Subject, side_by_side};
use lsspq_trainer::file;
use lsspq_trainer::paper::{Published, data, figure, table};
use std::path::Path;

pub(super) fn run(job: &Compare) -> anyhow::Result<()> {
    if !job.paper {
        let subjects = job.models.iter().map(|path| subject(path)).collect::<anyhow::Result<Vec<_>>>()?;
        say::text(side_by_side(&subjects));
        return Ok(());
    }
    let published = Published::load();
    let mut measured = Vec::new();
    for path in &job.models {
        let model = Model::load(&model_file::read(path)?).with_context(|| path.display().to_string())?;
        measured.push((model.card().spec.name.clone(), model.metrics()));
    }
    say::text(table(&published, &measured));
    let drawn = job.figure.as_ref().map(|path| (path, figure(&published)));
    let listed = job.data.as_ref().map(|path| (path, data(&published)));
    for (path, text) in drawn.into_iter().chain(listed) {
        file::write(path, text.as_bytes()).with_context(|| format!("{} cannot be written", path.display()))?;
        say!("{}", path.display());
    }
    Ok(())
}

/// A run by its folder, or a model file.
fn subject(path: &Path) -> anyhow::Result<Subject> {
    if path.is_dir() {
        return Ok(Subject::of_run(path)?);
    }
    let name = path.display().to_string();
    Subject::of_file(&name, &model_file::read(path)?).context(name)
}
