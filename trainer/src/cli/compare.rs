//! `lsspq compare`.

use super::command::Compare;
use super::model_file;
use anyhow::Context;
use lsspq::Model;
use lsspq_trainer::file;
use lsspq_trainer::paper::{Published, data, figure, table};

pub(super) fn run(job: &Compare) -> anyhow::Result<()> {
    let published = Published::load();
    let mut measured = Vec::new();
    for path in &job.models {
        let model = Model::load(&model_file::read(path)?).with_context(|| path.display().to_string())?;
        measured.push((model.card().spec.name.clone(), model.metrics()));
    }
    print!("{}", table(&published, &measured));
    let drawn = job.figure.as_ref().map(|path| (path, figure(&published)));
    let listed = job.data.as_ref().map(|path| (path, data(&published)));
    for (path, text) in drawn.into_iter().chain(listed) {
        file::write(path, text.as_bytes()).with_context(|| format!("{} cannot be written", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}
