//! `lsspq export`.

use super::command::Export;
use anyhow::Context;
use lsspq_trainer::train::{Finished, Folder, bytes, deployed};
use lsspq_trainer::{Error, file};

pub(super) fn run(job: &Export) -> anyhow::Result<()> {
    let (folder, recipe) = Folder::existing(&job.run)?;
    let out = job.out.clone().unwrap_or_else(|| folder.model(&recipe));
    if out.exists() && !job.overwrite {
        let message = format!("{} is there already: replace it by --overwrite, or name another file", out.display());
        return Err(Error::recipe(message).into());
    }
    let mut deployed = deployed(&recipe, &folder, &folder.labels()?)?;
    match std::fs::read(folder.result()) {
        Ok(result) => deployed.card.accuracy = Some(serde_json::from_slice::<Finished>(&result)?.test),
        Err(_) => println!("the run has not ended: the file carries no accuracy on the test split"),
    }
    let bytes = bytes(&deployed)?;
    file::write(&out, &bytes).with_context(|| format!("{} cannot be written", out.display()))?;
    println!("{}: {} bytes", out.display(), bytes.len());
    Ok(())
}
