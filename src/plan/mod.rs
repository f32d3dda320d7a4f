//! Recognises an L-SSPQ network in a file's graph and plans its run in whole numbers.
//!
//! It begins from the file's message and not from tract's model of it, because tract would unpack all weights into floats
//! first: what is recognised here never becomes a float, and a network that is recognised as a whole never meets tract.
//!
//! | step | file |
//! |---|---|
//! | constants are evaluated, packed weights to one byte each | `constant`, `graph` |
//! | nodes are matched by what they do: stem, product, shift, pooling, scale and bias, clip and round | `recognise`, `product`, `operand` |
//! | a picture and its mirror image, and where they come together again | `views` |
//! | what is ours and what is tract's, cut so that neither waits for the other in a circle | `region` |
//! | scale, bias, residual and activation are drawn into the product before them, buffers are planned | `compile` |
//! | the steps run | `program` |
//! | a region inside a graph of tract's, where some layers stay in float | `operator`, `mixed` |
//!
//! Sums of whole numbers are exact, and what follows them are the float operations of the graph in its own order: the
//! answers are those of a float runtime to the last bit wherever that runtime's own sums are exact (below 2^24), and where
//! it multiplies and adds separately. Pixels outside [0, 1] are clipped, which a float runtime does not do.

mod compile;
mod constant;
mod graph;
mod layer;
mod mixed;
mod operand;
mod operator;
mod picture;
mod product;
mod program;
mod recognise;
mod region;
mod views;

use crate::onnx::ModelFile;
use graph::Graph;
use layer::Shape;
use program::{Action, Program, Step};
use region::Cut;
use serde::Serialize;
use std::collections::HashMap;

pub(crate) use mixed::Mixed;

/// One layer and how it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedLayer {
    /// Name of the node in the file, or of its output where it has none.
    pub name: String,
    /// What it is: `stem`, `pointwise`, `shift + pointwise`, `linear`, …, or the ONNX operator where it was not recognised.
    pub operator: String,
    /// The kernel of whole numbers; none where the layer runs in float.
    pub kernel: Option<String>,
    /// Why it runs in float; none where it does not.
    pub reason: Option<String>,
}

/// How a graph will run.
pub(crate) enum Plan {
    /// All of it in whole numbers.
    Whole(Box<Whole>),
    /// Some of it.
    Mixed(Box<Mixed>),
    /// Nothing of it: a float network, or none of this project's.
    Float,
}

/// A network in whole numbers from the picture to the logits.
#[derive(Debug)]
pub(crate) struct Whole {
    program: Program,
    /// Positions of the outputs among the program's, and their lengths.
    logits: (usize, usize),
    embedding: (usize, usize),
}

impl Whole {
    /// Logits and embedding of one picture `[3, side, side]`. `done` is told the number of every step behind it.
    pub(crate) fn run(&self, picture: &[f32], done: &mut dyn FnMut(usize)) -> Result<(Vec<f32>, Vec<f32>), String> {
        let (mut logits, mut embedding) = (vec![0.0; self.logits.1], vec![0.0; self.embedding.1]);
        let mut outputs = [&mut logits[..], &mut embedding[..]];
        if self.logits.0 > self.embedding.0 {
            outputs.reverse();
        }
        self.program.run(picture, &[], &mut outputs, done).map_err(|e| e.to_string())?;
        Ok((logits, embedding))
    }
}

/// Plans the run of a file's graph, and says for every layer how it will run.
pub(crate) fn plan(file: &ModelFile) -> (Plan, Vec<PlannedLayer>) {
    let float = |layers| (Plan::Float, layers);
    let Some(graph) = file.proto.graph.as_ref().and_then(Graph::read) else { return float(Vec::new()) };
    let side = file.card.spec.input;
    let none = HashMap::new();
    if let Some(whole) = whole(file, &graph, side, &none) {
        return whole;
    }
    // Without a single rounding there is nothing of ours, and a second look would only cost time.
    if graph.nodes.iter().any(|n| n.proto.op_type == "Round") {
        let shapes = mixed::shapes(file).unwrap_or_default();
        if let Some(mixed) = mixed::mixed(file, &graph, side, &shapes) {
            return mixed;
        }
    }
    let reasons = recognise::Recogniser::run(&graph, side, &none, &Default::default()).reasons;
    let layers = reasons.into_iter().collect::<std::collections::BTreeMap<_, _>>();
    float(layers.into_iter().map(|(node, reason)| left(&graph, node, reason)).collect())
}

/// The plan of a graph that is recognised as a whole.
fn whole(
    file: &ModelFile,
    graph: &Graph,
    side: usize,
    shapes: &HashMap<String, Shape>,
) -> Option<(Plan, Vec<PlannedLayer>)> {
    let mut cut = Cut::of(graph, side, shapes)?;
    let ([region], true) = (&cut.regions[..], cut.left.is_empty()) else { return None };
    let position = |output: usize, length: usize| {
        let value = *graph.outputs.get(output)?;
        let position = region.outputs.keys().position(|&v| v == value)?;
        // Other shapes are tract's to refuse.
        (region.outputs[&value].1 == Shape::vector(length)).then_some((position, length))
    };
    let spec = &file.card.spec;
    let logits = position(file.logits, spec.classes)?;
    let embedding = position(file.embedding, spec.embedding())?;
    if region.outputs.len() != 2 || !region.inputs.is_empty() || logits.0 == embedding.0 {
        return None;
    }
    let program = compile::compile(&mut cut.found, region).ok()?;
    let layers = program.steps.iter().map(Step::planned).collect();
    Some((Plan::Whole(Box::new(Whole { program, logits, embedding })), layers))
}

/// A node that is left to tract.
fn left(graph: &Graph, node: usize, reason: String) -> PlannedLayer {
    let operator = graph.nodes[node].proto.op_type.clone();
    PlannedLayer { name: graph.name(node), operator, kernel: None, reason: Some(reason) }
}

impl Step {
    fn planned(&self) -> PlannedLayer {
        let (operator, kernel) = match &self.action {
            Action::Stem { .. } => ("stem", "whole numbers".to_owned()),
            Action::Product { shift, weights, .. } => {
                let operator = match shift {
                    None => "pointwise",
                    Some(_) => "shift + pointwise",
                };
                (operator, format!("{:?}", weights.kernel()))
            }
            Action::Float { .. } => ("linear", "float".to_owned()),
            Action::MaxPool { .. } => ("max-pool", "bytes".to_owned()),
            Action::Mean { .. } | Action::Merge { .. } => ("pooling", "whole numbers".to_owned()),
            Action::Affine { .. } => ("scale and bias", "float".to_owned()),
            Action::Add { .. } => ("addition", "float".to_owned()),
            Action::Quantise { .. } => ("activation", "float".to_owned()),
        };
        PlannedLayer { name: self.name.clone(), operator: operator.to_owned(), kernel: Some(kernel), reason: None }
    }
}
