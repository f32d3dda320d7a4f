//! `lsspq publish`.

use super::command::Publish;
use super::model_file;
use super::say::say;
use anyhow::Context;
use lsspq::{Model, ModelCard};
use lsspq_trainer::publish::{Index, card_faults, check_parity, sha256};
use lsspq_trainer::train::Folder;
use lsspq_trainer::{Error, export, model_card};
use std::path::{Path, PathBuf};

pub(super) fn run(job: &Publish) -> anyhow::Result<()> {
    let path = model(&job.model)?;
    let bytes = model_file::read(&path)?;
    let sum = sha256(&bytes);
    if let Some(wanted) = job.sha256.as_ref().filter(|wanted| !wanted.eq_ignore_ascii_case(&sum)) {
        return Err(Error::data(format!("{} has SHA-256 {sum}, not {wanted}", path.display())).into());
    }
    let model = Model::load(&bytes).with_context(|| path.display().to_string())?;
    let faults = card_faults(model.card());
    if !faults.is_empty() {
        return Err(Error::data(format!("{} cannot be published: {}", path.display(), faults.join("; "))).into());
    }
    let file = file_name(job, &path)?;
    let mut index = Index::read(&job.models, &file)?;
    if !job.replace && (index.models.iter().any(|e| e.file == file) || job.models.join(&file).exists()) {
        let message = format!("{} is published already: replace it by --replace, or name another by --as", file);
        return Err(Error::recipe(message).into());
    }
    let bytes = completed(&bytes, &sum, model.card(), job)?;
    let engines = check_parity(&bytes, job.python.as_deref())?;
    say!("the same answers from {}", engines.join(", "));
    if job.python.is_none() {
        say!("not compared with onnxruntime: LSSPQ_PYTHON names no Python that has it");
    }
    let card = model.card();
    index.put(&file, job.name.as_deref().unwrap_or(&card.dataset), &card.dataset, &bytes);
    if job.first {
        index.lead(&file);
    }
    let page = model_card::markdown(&bytes, &file).with_context(|| path.display().to_string())?;
    let published = index.write(&job.models, &file, &bytes, &page)?;
    say!("{}: {} bytes, SHA-256 {}", published.display(), bytes.len(), sha256(&bytes));
    say!("{} models are in {}", index.models.len(), job.models.join("index.json").display());
    Ok(())
}

/// The file with a benchmark's result and the limits in its card, where they were given.
fn completed(bytes: &[u8], sum: &str, card: &ModelCard, job: &Publish) -> Result<Vec<u8>, Error> {
    let with = |full: &ModelCard| {
        if full == card { Ok(bytes.to_vec()) } else { export::with_card(bytes, full) }
            .map_err(|e| Error::data(e.to_string()))
    };
    let mut full = card.clone();
    if let Some(limits) = &job.limits {
        full.limits.clone_from(limits);
    }
    if let Some(path) = &job.benchmark {
        let wrong = |e: &dyn std::fmt::Display| Error::data(format!("{}: {e}", path.display()));
        let json = std::fs::read_to_string(path).map_err(|e| wrong(&e))?;
        // What is measured is the file as it was published, with its limits; or it was measured before it had them.
        let known = [sum, &sha256(&with(&full)?)];
        full.latency = Some(model_card::latency(&json, &known, job.machine.as_deref()).map_err(|e| wrong(&e))?);
    }
    with(&full)
}

/// The model file of a run, or the file itself.
fn model(path: &Path) -> Result<PathBuf, Error> {
    if !path.is_dir() {
        return if path.is_file() {
            Ok(path.into())
        } else {
            Err(Error::recipe(format!("there is no file or run {}", path.display())))
        };
    }
    let (folder, recipe) = Folder::existing(path)?;
    let model = folder.model(&recipe);
    if model.is_file() {
        return Ok(model);
    }
    Err(Error::data(format!("the run in {} has not ended: go on with it by `lsspq train --resume`", path.display())))
}

/// A plain name: the page asks for it beside its list.
fn file_name(job: &Publish, path: &Path) -> Result<String, Error> {
    let own = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let name = job.file.clone().or(own).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.ends_with(".onnx") && !name.starts_with('.') && name.chars().all(plain) {
        return Ok(name);
    }
    Err(Error::recipe(format!(
        "{name:?} cannot be a file's name on the page: letters, digits, `-`, `_`, `.`, and .onnx at the end; see --as"
    )))
}
