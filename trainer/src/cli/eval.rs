//! `lsspq eval`.

use super::command::Eval;
use super::model_file;
use super::say::{self, say};
use anyhow::Context;
use lsspq::metrics::Rates;
use lsspq::preprocess::rgba_from_rgb;
use lsspq::{Model, ModelCard};
use lsspq_trainer::data::{Dataset, Pictures};
use lsspq_trainer::eval::{Evaluation, Example, evaluate, report};
use lsspq_trainer::{Error, Recipe, export, file};
use std::path::Path;

pub(super) fn run(job: &Eval) -> anyhow::Result<()> {
    let bytes = model_file::read(&job.model)?;
    let model = Model::load(&bytes).with_context(|| job.model.display().to_string())?;
    let recipe = recipe(&model, &job.model)?;
    // The recipe in a file has no folder of its own: a relative path counts from where the program runs.
    let folder = recipe.data.folder(job.data.as_deref(), job.base.as_deref(), Some(Path::new("")))?;
    let pictures = Dataset::load_test(&recipe, &folder)?;
    check_labels(&model, &pictures, &folder)?;
    let evaluation = measure(&model, &pictures)?;
    if job.json {
        say!("{:#}", json(job, &model, &recipe, &evaluation));
    } else {
        say!("{} on {} ({})", job.model.display(), recipe.data.dataset, folder.display());
        say::text(report(&evaluation, &model.card().labels));
    }
    // After the figures have been shown: they are not lost where the file cannot be written.
    job.write.as_ref().map_or(Ok(()), |path| Ok(write(path, &bytes, model.card(), &evaluation)?))
}

/// Shows every picture to the model.
pub(super) fn measure(model: &Model, pictures: &Pictures) -> Result<Evaluation, lsspq::Error> {
    let side = pictures.side as u32;
    evaluate(model, pictures.len(), |number| {
        Ok(Example {
            rgba: rgba_from_rgb(pictures.picture(number)),
            width: side,
            height: side,
            class: pictures.labels[number].into(),
        })
    })
}

/// The same network, with what was measured in its card.
fn write(path: &Path, bytes: &[u8], card: &ModelCard, evaluation: &Evaluation) -> Result<(), Error> {
    let card =
        ModelCard { accuracy: Some(evaluation.accuracy), classes: evaluation.class_accuracies(), ..card.clone() };
    let bytes = export::with_card(bytes, &card).map_err(|e| Error::data(e.to_string()))?;
    file::write(path, &bytes).map_err(|e| Error::storage(format!("{} cannot be written: {e}", path.display())))
}

/// Rates are in percent, with the ends of their 95 % intervals.
fn json(job: &Eval, model: &Model, recipe: &Recipe, evaluation: &Evaluation) -> serde_json::Value {
    let classes = model.card().labels.iter().zip(&evaluation.classes);
    serde_json::json!({
        "model": job.model,
        "dataset": recipe.data.dataset,
        "chancePercent": 100.0 / model.card().labels.len() as f64,
        "counts": evaluation.accuracy,
        "accuracy": Rates::new(evaluation.accuracy),
        "classes": classes.map(|(label, accuracy)| serde_json::json!({
            "label": label,
            "counts": accuracy,
            "accuracy": Rates::new(*accuracy),
        })).collect::<Vec<_>>(),
    })
}

/// The recipe that the model file carries.
pub(super) fn recipe(model: &Model, path: &Path) -> Result<Recipe, Error> {
    let text = &model.card().recipe;
    if text.is_empty() {
        return Err(Error::data(format!(
            "{} carries no recipe, so what pictures it is to be measured on is not known",
            path.display()
        )));
    }
    Recipe::parse(text, &format!("the recipe in {}", path.display()))
}

/// The same classes in another order would make every figure wrong without a word.
pub(super) fn check_labels(model: &Model, pictures: &Pictures, folder: &Path) -> Result<(), Error> {
    let labels = &model.card().labels;
    match labels.iter().zip(&pictures.classes).position(|(label, class)| label != class) {
        None => Ok(()),
        Some(at) => Err(Error::data(format!(
            "class {at} is {:?} in the model and {:?} in {}: name the data set it was made for with --data",
            labels[at],
            pictures.classes[at],
            folder.display()
        ))),
    }
}
