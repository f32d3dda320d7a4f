//! Any image classifier: an ONNX file without a model card, with a fixed square input and one output of logits.
//!
//! Such a file does not say how its pictures are to be scaled, nor always what its classes are called: both are told by
//! whoever loads it.

use crate::engine::{guarded, known_operators};
use crate::error::{Error, ErrorKind};
use crate::labels;
use crate::model::{Model, Prediction, rank, softmax};
use crate::onnx;
use crate::preprocess::input_from_rgba;
use serde::Serialize;
use std::sync::Arc;
use tract_onnx::model::Onnx;
use tract_onnx::prelude::*;

/// The sides of the input, in pixels, that are accepted.
const SIDES: std::ops::RangeInclusive<usize> = 8..=1024;

/// What a network expects of the numbers of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalisation {
    /// As they are: 0 to 1.
    #[default]
    Unit,
    /// Less the mean and over the deviation of ImageNet's colours: (0.485, 0.456, 0.406) and (0.229, 0.224, 0.225), as
    /// the models of torchvision and timm want them.
    ImageNet,
}

impl Normalisation {
    /// By the name that programs use, `unit` or `imagenet`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "unit" => Some(Self::Unit),
            "imagenet" => Some(Self::ImageNet),
            _ => None,
        }
    }

    /// Applies it to planes `[3, S, S]` in [0, 1].
    fn apply(self, planes: &[f32]) -> Vec<f32> {
        let area = planes.len() / 3;
        let (mean, deviation) = match self {
            Self::Unit => return planes.to_vec(),
            Self::ImageNet => ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        };
        planes.iter().enumerate().map(|(i, v)| (v - mean[i / area]) / deviation[i / area]).collect()
    }
}

/// What is known of a plain classifier.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlainInfo {
    /// Name of the graph, or an empty text.
    pub name: String,
    /// The program that wrote the file, or an empty text.
    pub producer: String,
    /// Side of the square input in pixels.
    pub side: usize,
    /// Number of classes.
    pub classes: usize,
    /// Their names; `class 0` and so on where nobody named them.
    pub labels: Vec<String>,
    /// Whether somebody did: the file's metadata, or the caller.
    pub named: bool,
    /// How pictures are scaled.
    pub normalisation: Normalisation,
    /// Whether the network itself ends with a softmax, so that its output are probabilities.
    pub softmax: bool,
    /// Size of the file.
    pub size_bytes: usize,
    /// Number of operators.
    pub operators: usize,
}

/// A loaded plain classifier.
#[derive(Debug)]
pub struct PlainClassifier {
    info: PlainInfo,
    plan: Arc<TypedRunnableModel>,
    output: usize,
}

impl PlainClassifier {
    /// Reads an ONNX file, checks it and makes it ready to run. Labels are those given, else those in the metadata.
    ///
    /// # Errors
    /// - [`ErrorKind::TooLarge`] above [`Model::MAX_BYTES`].
    /// - [`ErrorKind::NotAModel`] where the bytes are no ONNX file, or a part of one.
    /// - [`ErrorKind::Unsupported`] where the graph has not one float32 input `[N, 3, S, S]` with `S` fixed, or not one
    ///   output of at least two classes, or operators that cannot be run.
    /// - [`ErrorKind::Labels`] where the labels given are not as many as the classes.
    pub fn load(bytes: &[u8], labels: Option<Vec<String>>, normalisation: Normalisation) -> Result<Self, Error> {
        Model::check_size(bytes.len() as u64)?;
        let proto = onnx::decode(bytes)?;
        let graph = onnx::graph_of(&proto)?;
        onnx::check_tensors(graph)?;
        onnx::check_nodes(graph, &known_operators())?;
        let side = onnx::square_side(graph, SIDES)?;
        let output = onnx::only_output(graph)?;
        let softmax =
            graph.node.iter().any(|n| n.op_type == "Softmax" && n.output.first() == Some(&graph.output[output].name));
        let plan = guarded(ErrorKind::Unsupported, "the graph cannot be run", || {
            let onnx = Onnx { ignore_value_info: true, ..tract_onnx::onnx() };
            let mut model = onnx.model_for_proto_model(&proto)?;
            model.set_input_fact(0, InferenceFact::dt_shape(f32::datum_type(), [1, 3, side, side]))?;
            model.into_optimized()?.into_runnable()
        })?;
        let classes = classes(&plan, output)?;
        let entries = || proto.metadata_props.iter().map(|entry| (&*entry.key, &*entry.value));
        let stated = labels::from_metadata(entries()).filter(|l| l.len() == classes);
        let labels = match labels {
            Some(given) if given.len() != classes => {
                let what = format!("the list has {} labels, the network {classes} classes", given.len());
                return Err(Error::new(ErrorKind::Labels, what));
            }
            Some(given) => Some(given),
            None => stated,
        };
        let info = PlainInfo {
            name: graph.name.clone(),
            producer: format!("{} {}", proto.producer_name, proto.producer_version).trim().to_owned(),
            side,
            classes,
            named: labels.is_some(),
            labels: labels.unwrap_or_else(|| (0..classes).map(|i| format!("class {i}")).collect()),
            normalisation,
            softmax,
            size_bytes: bytes.len(),
            operators: graph.node.len(),
        };
        Ok(Self { info, plan, output })
    }

    /// What is known of it.
    pub fn info(&self) -> &PlainInfo {
        &self.info
    }

    /// What the network sees of RGBA pixels of any size, before they are normalised: `[3, S, S]` in [0, 1].
    ///
    /// # Errors
    /// As [`Model::input`].
    pub fn input(&self, rgba: &[u8], width: u32, height: u32) -> Result<Vec<f32>, Error> {
        input_from_rgba(rgba, width, height, self.info.side)
    }

    /// The network's output, one number a class, for an input `[3, S, S]` in [0, 1].
    ///
    /// # Errors
    /// [`ErrorKind::Picture`] where the length is not `3 * S * S`; [`ErrorKind::Inference`] where the network fails or
    /// yields something that is no number.
    pub fn run(&self, input: &[f32]) -> Result<Vec<f32>, Error> {
        let side = self.info.side;
        if input.len() != 3 * side * side {
            let what = format!("an input [3, {side}, {side}] has {} values, got {}", 3 * side * side, input.len());
            return Err(Error::new(ErrorKind::Picture, what));
        }
        let outputs = guarded(ErrorKind::Inference, "the network failed", || {
            let tensor = Tensor::from_shape(&[1, 3, side, side], &self.info.normalisation.apply(input))?;
            self.plan.run(tvec!(tensor.into()))
        })?;
        let value = outputs.get(self.output).and_then(|v| v.as_plain_ram());
        let slice = value.as_ref().and_then(|v| v.as_slice::<f32>().ok());
        let output = slice.ok_or_else(|| Error::new(ErrorKind::Inference, "the output is no plain tensor"))?;
        if !output.iter().all(|v| v.is_finite()) {
            return Err(Error::new(ErrorKind::Inference, "the network yielded something that is no number"));
        }
        Ok(output.to_vec())
    }

    /// The `top_k` most likely classes of an output of [`PlainClassifier::run`], the likeliest first.
    pub fn predictions(&self, output: &[f32], top_k: usize) -> Vec<Prediction> {
        let probabilities = if self.info.softmax { output.to_vec() } else { softmax(output) };
        rank(output, &probabilities, &self.info.labels, top_k)
    }
}

/// How many numbers the output has.
fn classes(plan: &TypedRunnableModel, output: usize) -> Result<usize, Error> {
    let unsupported = |what: String| Error::new(ErrorKind::Unsupported, what);
    let fact = plan.model().output_fact(output).map_err(|e| unsupported(e.to_string()))?;
    let shape = fact.shape.as_concrete();
    // [1, classes], or the same with a map of one pixel behind it.
    match shape {
        Some([1, classes, rest @ ..])
            if fact.datum_type == f32::datum_type() && *classes >= 2 && rest.iter().all(|&d| d == 1) =>
        {
            Ok(*classes)
        }
        _ => Err(unsupported(format!(
            "the output is {:?} {:?}; a classifier gives float32 [N, classes], two classes or more",
            fact.datum_type, fact.shape
        ))),
    }
}
