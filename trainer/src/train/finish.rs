//! The end of a run: the file that is published, measured once on the test split.

use super::{Folder, mode};
use crate::data::{Dataset, Pictures};
use crate::error::Error;
use crate::eval::{Evaluation, Example, evaluate};
use crate::network::{Network, fold};
use crate::recipe::Recipe;
use crate::{deploy, export, file, model_card};
use burn::tensor::Device;
use lsspq::Model;
use lsspq::calibration::Calibration;
use lsspq::card::{Accuracy, ModelCard};
use lsspq::preprocess::rgba_from_rgb;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a finished run came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// The model file.
    pub model: PathBuf,
    /// Its size.
    pub size_bytes: usize,
    /// Of that very file on the test split.
    pub test: Accuracy,
    /// The same for every class, in the order of the labels.
    pub classes: Vec<Accuracy>,
}

/// A network as it is deployed, with what there is to say of it.
pub struct Deployed {
    /// Folded, with whole-pixel shifts.
    pub network: deploy::Network,
    /// Without accuracy on the test split.
    pub card: ModelCard,
}

/// A network of any kind as it is published, with what there is to say of it.
pub struct Exported {
    /// Without accuracy on the test split.
    pub card: ModelCard,
    form: Form,
}

enum Form {
    /// L-SSPQ's.
    WholeNumbers(Box<deploy::Network>),
    /// That of all other kinds of blocks; mean and deviation of the pictures.
    Float(Box<Network>, [f32; 3], [f32; 3]),
}

/// The network of a run: the latest of the best on the validation split in the last stage, else the last one.
///
/// # Errors
/// A folder without a checkpoint, one that does not fit the recipe, or a network that is not of the L-SSPQ family: those
/// are [`exported`] in float alone.
pub fn deployed(recipe: &Recipe, folder: &Folder, labels: &[String]) -> Result<Deployed, Error> {
    let Exported { card, form } = exported(recipe, folder, labels)?;
    match form {
        Form::WholeNumbers(network) => Ok(Deployed { network: *network, card }),
        Form::Float(..) => Err(Error::training(format!(
            "{} is no network of shift blocks with clipped activations, which alone are deployed in whole numbers",
            recipe.network.name
        ))),
    }
}

/// The network of a run in the form in which its file is written.
///
/// # Errors
/// A folder without a checkpoint, or one that does not fit the recipe.
pub fn exported(recipe: &Recipe, folder: &Folder, labels: &[String]) -> Result<Exported, Error> {
    let checkpoint = folder.best(recipe.stages.len())?.ok_or_else(|| {
        Error::training(format!("{} holds no checkpoint yet: train at least one epoch", folder.path().display()))
    })?;
    let network = checkpoint.deployed(recipe, &Device::flex())?;
    let position = checkpoint.position;
    // A run that ended has no next stage; its weights are those of the last one.
    let stage = &recipe.stages[position.stage.min(recipe.stages.len() - 1)];
    let (mean, deviation) = (recipe.data.mean, recipe.data.deviation);
    let (form, spec) = if recipe.network.is_shift_network() {
        let mut network = fold(&network, &recipe.network, mode(stage, false), mean, deviation);
        network.move_biases();
        let spec = network.spec.clone();
        (Form::WholeNumbers(Box::new(network)), spec)
    } else {
        (Form::Float(Box::new(network), mean, deviation), recipe.network.clone())
    };
    let card = ModelCard {
        float_twin: float_twin(recipe),
        stages: position.results(&recipe.stages, recipe.network.bits.weights),
        limits: recipe.limits.clone(),
        recipe: recipe.to_shared_toml(),
        seed: recipe.seed,
        licence: recipe.licence.clone(),
        provenance: format!(
            "{} {}; pictures: {}",
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            recipe.data.source
        ),
        ..ModelCard::new(spec, labels.to_vec(), recipe.data.dataset.clone())
    };
    Ok(Exported { card, form })
}

impl Exported {
    /// The ONNX file.
    ///
    /// # Errors
    /// Where the network's parts do not fit each other.
    pub fn bytes(&self) -> Result<Vec<u8>, Error> {
        let file = match &self.form {
            Form::WholeNumbers(network) => export::to_onnx(network, &self.card),
            Form::Float(network, mean, deviation) => {
                export::to_plain_onnx(network, &self.card.spec, *mean, *deviation, &self.card)
            }
        };
        file.map_err(|e| Error::training(format!("the export: {e}")))
    }
}

/// What the float twin of a recipe came to, where it is the teacher and has ended.
fn float_twin(recipe: &Recipe) -> Option<Accuracy> {
    let (folder, teacher) = Folder::existing(&recipe.distill.as_ref()?.teacher).ok()?;
    let twin = recipe.float_twin();
    let same = teacher.network.groups == twin.network.groups && teacher.network.bits == twin.network.bits;
    let finished: Finished = serde_json::from_slice(&std::fs::read(folder.result()).ok()?).ok()?;
    (same && teacher.data == recipe.data).then_some(finished.test)
}

/// Writes the model file of a run that has ended, measures it on the test split by the library that runs in the browser,
/// and puts the accuracy into the file.
///
/// # Errors
/// As [`exported`], and a folder that cannot be written.
pub fn finish(recipe: &Recipe, dataset: &Dataset, folder: &Folder) -> Result<(Finished, Evaluation), Error> {
    let mut exported = exported(recipe, folder, &dataset.test.classes)?;
    let bytes = exported.bytes()?;
    if recipe.start.as_ref().is_none_or(|start| !start.validation_seen) {
        exported.card.calibration = calibration(&bytes, dataset)?;
    }
    let test = &dataset.test;
    let evaluation = measure(&bytes, test, 0..test.len())?;
    exported.card.accuracy = Some(evaluation.accuracy);
    exported.card.classes = evaluation.class_accuracies();
    let bytes = exported.bytes()?;
    let path = folder.model(recipe);
    let unwritable = |e| Error::storage(format!("{} cannot be written: {e}", path.display()));
    file::write(&path, &bytes).map_err(unwritable)?;
    let page =
        model_card::markdown(&bytes, &format!("{}.onnx", recipe.name)).map_err(|e| Error::training(e.to_string()))?;
    file::write(&path.with_extension("md"), page.as_bytes()).map_err(unwritable)?;
    let finished = Finished {
        model: path.clone(),
        size_bytes: bytes.len(),
        test: evaluation.accuracy,
        classes: evaluation.classes.clone(),
    };
    let json = serde_json::to_vec_pretty(&finished).expect("a result is plain data");
    file::write(&folder.result(), &json).map_err(unwritable)?;
    Ok((finished, evaluation))
}

/// From which probability on nine of ten answers are right, by the validation pictures; none without such pictures.
pub(crate) fn calibration(bytes: &[u8], dataset: &Dataset) -> Result<Option<Calibration>, Error> {
    const PRECISION: f64 = 0.9;
    let validation = dataset.validation.iter().map(|&number| number as usize);
    let answers = measure(bytes, &dataset.train, validation)?.answers;
    let answers: Vec<_> = answers.iter().map(|a| (a.probability, a.first == a.class)).collect();
    Ok(Calibration::measure(&answers, PRECISION))
}

/// Shows pictures to the library.
pub(crate) fn measure(
    bytes: &[u8],
    pictures: &Pictures,
    numbers: impl Iterator<Item = usize>,
) -> Result<Evaluation, Error> {
    let wrong = |e: lsspq::Error| Error::training(format!("the exported file does not run: {e}"));
    let model = Model::load(bytes).map_err(wrong)?;
    let side = pictures.side as u32;
    let numbers: Vec<usize> = numbers.collect();
    let example = |i: usize| Example {
        rgba: rgba_from_rgb(pictures.picture(numbers[i])),
        width: side,
        height: side,
        class: pictures.labels[numbers[i]].into(),
    };
    evaluate(&model, numbers.len(), |i| Ok::<_, lsspq::Error>(example(i))).map_err(wrong)
}
