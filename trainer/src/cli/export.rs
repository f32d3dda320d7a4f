//! `lsspq export`.

use super::command::{Export, Source};
use super::model_file;
use super::say::say;
use anyhow::Context;
use lsspq::spec::NetworkSpec;
use lsspq_trainer::file;
use lsspq_trainer::paper::untrained;
use lsspq_trainer::train::{Finished, Folder, exported};
use std::path::Path;

pub(super) fn run(job: &Export) -> anyhow::Result<()> {
    match &job.source {
        Source::Run(run) => of_run(job, run),
        Source::Untrained(spec, seed) => of_seed(job, spec, *seed),
    }
}

fn of_run(job: &Export, run: &Path) -> anyhow::Result<()> {
    let (folder, recipe) = Folder::existing(run)?;
    let out = job.out.clone().unwrap_or_else(|| folder.model(&recipe));
    model_file::refuse_to_replace(&out, job.overwrite)?;
    let mut exported = exported(&recipe, &folder, &folder.labels()?)?;
    match std::fs::read(folder.result()) {
        Ok(result) => exported.card.accuracy = Some(serde_json::from_slice::<Finished>(&result)?.test),
        Err(_) => say!("the run has not ended: the file carries no accuracy on the test split"),
    }
    write(&out, &exported.bytes()?)
}

fn of_seed(job: &Export, spec: &NetworkSpec, seed: u64) -> anyhow::Result<()> {
    let out = job.out.as_deref().context("a network with random weights has no folder: name the file with --out")?;
    model_file::refuse_to_replace(out, job.overwrite)?;
    write(out, &untrained(spec, seed))
}

fn write(out: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    file::write(out, bytes).with_context(|| format!("{} cannot be written", out.display()))?;
    say!("{}: {} bytes", out.display(), bytes.len());
    Ok(())
}
