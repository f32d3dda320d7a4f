//! A network that another one learns from.

use super::answers::Answers;
use super::{Checkpoint, Folder, loss, mode};
use crate::augment::whole_pixel;
use crate::batches::Batch;
use crate::data::Dataset;
use crate::error::Error;
use crate::network::{Mode, Network};
use crate::recipe::Recipe;
use burn::tensor::{Device, Tensor, TensorData};
use lsspq::Model;
use rayon::prelude::*;
use std::path::Path;

/// A teacher, ready to answer.
pub(super) enum Teacher {
    /// It looks at each batch.
    Present(Present),
    /// It looked at each picture before.
    Absent(Answers),
}

/// A network that looks at what the pupil looks at.
pub(super) struct Present {
    kind: Kind,
    /// What turns the pupil's normalised pictures into what the teacher takes, by colour: factor and offset.
    rescale: [[f32; 2]; 3],
    side: usize,
}

enum Kind {
    /// Trained here, as it was evaluated.
    Trained { network: Box<Network>, recipe: Box<Recipe>, mode: Mode },
    /// A model file.
    File(Box<Model>),
}

impl Teacher {
    /// The teacher that a recipe names, if it names one.
    ///
    /// # Errors
    /// [`Recipe`](crate::ErrorKind::Recipe) where there is none at that path, or it has other classes, another input or
    /// answers of other pictures.
    pub(super) fn of(recipe: &Recipe, dataset: &Dataset) -> Result<Option<Self>, Error> {
        let Some(distill) = &recipe.distill else { return Ok(None) };
        let path = &distill.teacher;
        let wrong = |why: String| Error::recipe(format!("distill.teacher = {:?}: {why}", path.display().to_string()));
        let teacher = if distill.has_answered() {
            Self::Absent(Answers::load(path, recipe, dataset, distill.temperature).map_err(wrong)?)
        } else {
            Self::Present(Present::new(path, recipe, &dataset.train.classes).map_err(wrong)?)
        };
        Ok(Some(teacher))
    }

    /// What the teacher says of a batch of an epoch of the run at a temperature: probabilities, `[images][classes]`.
    pub(super) fn softened(&self, batch: &Batch, epoch: u32, temperature: f64) -> Vec<f32> {
        match self {
            Self::Absent(answers) => answers.blended(batch, epoch),
            Self::Present(network) => {
                let logits = network.logits(batch);
                let classes = logits.len() / batch.labels.len();
                loss::softened(logits, classes, temperature)
            }
        }
    }
}

impl Present {
    /// The network at a path, or what is wrong with it.
    fn new(path: &Path, recipe: &Recipe, labels: &[String]) -> Result<Self, String> {
        let (kind, side, classes, normalised) = if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("onnx")) {
            let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
            let model = Model::load(&bytes).map_err(|e| e.to_string())?;
            let (side, classes) = (model.card().spec.input, model.card().labels.clone());
            (Kind::File(Box::new(model)), side, classes, ([0.0; 3], [1.0; 3]))
        } else {
            let (kind, own, classes) = trained(path).map_err(|e| e.to_string())?;
            (kind, own.network.input, classes, (own.data.mean.map(whole_pixel), own.data.deviation))
        };
        if side != recipe.network.input {
            return Err(format!("it takes pictures of {side} pixels, allowed is {}", recipe.network.input));
        }
        if let Some(at) = (0..labels.len().max(classes.len())).find(|&at| labels.get(at) != classes.get(at)) {
            let name = |labels: &[String]| labels.get(at).cloned().unwrap_or("none".into());
            return Err(format!(
                "its class {at} is {}, that of the pictures {}: allowed is a teacher with the same classes",
                name(&classes),
                name(labels)
            ));
        }
        let (mean, deviation) = (recipe.data.mean.map(whole_pixel), recipe.data.deviation);
        let rescale =
            [0, 1, 2].map(|c| [deviation[c] / normalised.1[c], (mean[c] - normalised.0[c]) / normalised.1[c]]);
        Ok(Self { kind, rescale, side })
    }

    /// Its logits on a batch, `[images][classes]`.
    fn logits(&self, batch: &Batch) -> Vec<f32> {
        let (count, area) = (batch.labels.len(), self.side * self.side);
        let rescale = |(plane, values): (usize, &[f32])| {
            let [factor, offset] = self.rescale[plane % 3];
            values.iter().map(|v| v * factor + offset).collect::<Vec<f32>>()
        };
        let images: Vec<f32> = batch.images.chunks_exact(area).enumerate().flat_map(rescale).collect();
        match &self.kind {
            Kind::Trained { network, recipe, mode } => {
                let data = TensorData::new(images, [count, 3, self.side, self.side]);
                let output = network.forward(&recipe.network, Tensor::from_data(data, &Device::flex()), *mode);
                output.logits.into_data().iter::<f32>().collect()
            }
            Kind::File(model) => images
                .par_chunks_exact(3 * area)
                .flat_map_iter(|image| model.run(image).expect("a loaded model runs on pictures of its size").logits)
                .collect(),
        }
    }
}

/// The best network of a run, or that of one of its checkpoints.
fn trained(path: &Path) -> Result<(Kind, Recipe, Vec<String>), Error> {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    let (folder, recipe) = Folder::existing(folder)?;
    let checkpoint = match path.is_dir() {
        true => folder.best(recipe.stages.len())?,
        false => Checkpoint::load(path)?,
    };
    let checkpoint = checkpoint.ok_or_else(|| Error::recipe("it holds no checkpoint yet"))?;
    let network = checkpoint.deployed(&recipe, &Device::flex())?;
    let stage = &recipe.stages[checkpoint.position.stage.min(recipe.stages.len() - 1)];
    let (mode, labels) = (mode(stage, false), folder.labels()?);
    Ok((Kind::Trained { network: Box::new(network), recipe: Box::new(recipe.clone()), mode }, recipe, labels))
}
