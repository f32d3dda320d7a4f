//! Writing a deployed network as one standard ONNX file, and reading it back.
//!
//! The file needs no more than the operators of opset 18, so that onnxruntime, onnxruntime-web, tract and Netron read it
//! as it is served. Constants are stored packed, those of a kind as one tensor for the whole network, and unpacked by
//! nodes that every runtime folds when it loads the file:
//!
//! | in the file | unpacked by | gives |
//! |---|---|---|
//! | weights in bit planes of 1, 2, 4 or 8 bits, uint8 | BitShift, BitwiseAnd, Reshape, (Slice,) Cast, Mul, Sub, Split, (Mul, Add,) Reshape | whole numbers `2 level - (2^bits - 1)` |
//! | the position of the one in a channel's shift kernel, uint8 | Cast, Equal with a range, Cast, Reshape, Split | one-hot kernels |
//! | scales and biases, float16 | Cast, Split | floats |
//!
//! What is left is the network as [`crate::deploy::plain`] computes it: Conv, Mul, Add, Clip and Round on whole-number
//! activations. Values have the shortest names there are; the convolutions are named `stem`, `R3` (block 3: reduce),
//! `S3` (shift), `E3` (expand), `P3` (projecting shortcut), `head` and `linear`, blocks counted from 0.
//!
//! Networks of other kinds of blocks are written in float, by [`to_plain_onnx`].

mod constant;
mod graph;
mod layers;
mod pack;
mod plain;
#[cfg(test)]
mod plain_tests;
mod pool;
mod read;

pub use crate::file::write;
pub use plain::to_plain_onnx;
pub use read::from_onnx;

use crate::deploy::{Block, Network, NetworkError};
use graph::{Attribute, Graph, Value};
use lsspq::ModelCard;
use lsspq::spec::{BlockShape, NetworkSpec};
use prost::Message;
use tract_onnx::pb::{GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto};

/// The ONNX operator set of the file.
pub const OPSET: i64 = 18;

/// The version of the ONNX format that came with [`OPSET`].
const IR_VERSION: i64 = 8;

/// The bytes of an ONNX file: input `image` `[N, 3, side, side]` in [0, 1], outputs `logits` `[N, classes]` and
/// `embedding` `[N, features]`, the card as metadata.
///
/// # Errors
/// [`Inconsistent`](crate::deploy::NetworkErrorKind::Inconsistent) where the network's parts do not fit each other, or
/// the card describes another network.
pub fn to_onnx(network: &Network, card: &ModelCard) -> Result<Vec<u8>, NetworkError> {
    network.check()?;
    check_card(&network.spec, card)?;
    Ok(encode(graph(network), card))
}

/// The same file with another card; the graph stays byte for byte as it is.
///
/// # Errors
/// [`Unreadable`](crate::deploy::NetworkErrorKind::Unreadable) bytes,
/// [`Inconsistent`](crate::deploy::NetworkErrorKind::Inconsistent) where the card describes another network than the file's own.
pub fn with_card(bytes: &[u8], card: &ModelCard) -> Result<Vec<u8>, NetworkError> {
    let no_file = |e: &dyn std::fmt::Display| NetworkError::unreadable(format!("no ONNX file of ours: {e}"));
    let mut model = ModelProto::decode(bytes).map_err(|e| no_file(&e))?;
    let entries = model.metadata_props.iter().map(|e| (e.key.as_str(), e.value.as_str()));
    check_card(&ModelCard::from_metadata(entries).map_err(|e| no_file(&e))?.spec, card)?;
    model.metadata_props = card.to_metadata().into_iter().map(entry).collect();
    Ok(model.encode_to_vec())
}

fn entry((key, value): (String, String)) -> StringStringEntryProto {
    StringStringEntryProto { key, value }
}

/// Whether the card describes that network.
fn check_card(spec: &NetworkSpec, card: &ModelCard) -> Result<(), NetworkError> {
    if card.spec != *spec {
        let (card, network) = (&card.spec.name, &spec.name);
        return Err(NetworkError::inconsistent(format!(
            "the model card describes another network ({card}) than the one to export ({network})"
        )));
    }
    if card.labels.len() != spec.classes {
        let (labels, classes) = (card.labels.len(), spec.classes);
        return Err(NetworkError::inconsistent(format!("the model card has {labels} labels for {classes} classes")));
    }
    Ok(())
}

/// The bytes of a file.
fn encode(graph: GraphProto, card: &ModelCard) -> Vec<u8> {
    let model = ModelProto {
        ir_version: IR_VERSION,
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        producer_name: "lsspq".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        graph: Some(graph),
        metadata_props: card.to_metadata().into_iter().map(entry).collect(),
        ..ModelProto::default()
    };
    model.encode_to_vec()
}

fn graph(network: &Network) -> GraphProto {
    let spec = &network.spec;
    let mut graph = Graph::default();
    let image = graph.input("image", &[None, Some(3), Some(spec.input), Some(spec.input)]);
    let seen = if spec.mirrored { both_views(&mut graph, &image) } else { image };
    let mut x = stem(&mut graph, network, &seen);
    for (number, shape) in spec.blocks().iter().enumerate() {
        let block = &network.groups[shape.group][shape.index];
        x = add_block(&mut graph, network, block, shape, number, &x);
        if shape.index + 1 == network.groups[shape.group].len() {
            let closed = graph.affine(&x, &network.closes[shape.group]);
            x = activation(&mut graph, network, &closed);
        }
    }
    if let Some(head) = &network.head {
        let sums = graph.pointwise(&x, head, 1, "head");
        x = activation(&mut graph, network, &sums);
    }
    // The sum of whole levels is exact and the product rounds once: no runtime has a mean of its own to round otherwise.
    let axes = graph.integers(&[2, 3]);
    let mut sums = graph.node_with("ReduceSum", &[&x, &axes], "", &[("keepdims", Attribute::Int(0))]);
    if spec.mirrored {
        let apart = graph.integers(&[2, -1, spec.embedding() as i64]);
        let views = graph.node("Reshape", &[&sums, &apart]);
        let first = graph.integers(&[0]);
        sums = graph.node_with("ReduceSum", &[&views, &first], "", &[("keepdims", Attribute::Int(0))]);
    }
    let share = graph.scalar(1.0 / (spec.trunk_output().1.pow(2) * spec.views()) as f32);
    let embedding = graph.node("Mul", &[&share, &sums]);
    // A mean of levels lies among the levels: Clip would have nothing to do.
    let pooled = if network.rounds_pooled() { graph.node("Round", &[&embedding]) } else { embedding.clone() };
    let logits = graph.linear(&pooled, &network.linear, "linear");
    graph.output(&logits, "logits", &[None, Some(spec.classes)]);
    graph.output(&embedding, "embedding", &[None, Some(spec.embedding())]);
    graph.finish(&spec.name)
}

/// The pictures, and behind them in the batch their mirror images.
fn both_views(graph: &mut Graph, image: &Value) -> Value {
    let (last, columns) = (graph.integers(&[-1]), graph.integers(&[3]));
    let before_first = graph.integers(&[i64::from(i32::MIN)]);
    // Backwards from the last column, in steps of -1.
    let mirrored = graph.node("Slice", &[image, &last, &before_first, &columns, &last]);
    graph.node_with("Concat", &[image, &mirrored], "", &[("axis", Attribute::Int(0))])
}

/// Pixels as whole numbers around the mean colour, convolution, activation and the optional max-pool. The mean is taken
/// off before the convolution's zero padding: outside the picture is the mean colour, not black.
fn stem(graph: &mut Graph, network: &Network, image: &Value) -> Value {
    let stem = &network.spec.stem;
    let mean = graph.floats(&network.mean, &[3, 1, 1]);
    let gain = graph.floats(&network.gain(), &[3, 1, 1]);
    let difference = graph.node("Sub", &[image, &mean]);
    let scaled = graph.node("Mul", &[&gain, &difference]);
    let whole = graph.node("Round", &[&scaled]);
    let weights = graph.floats(&network.stem.weight, &[stem.channels, 3, stem.kernel, stem.kernel]);
    let attributes = [
        ("pads", Attribute::Ints(vec![(stem.kernel / 2) as i64; 4])),
        ("strides", Attribute::Ints(vec![stem.stride as i64; 2])),
    ];
    let sums = graph.node_with("Conv", &[&whole, &weights], "stem", &attributes);
    let scaled = graph.affine(&sums, &network.stem.affine);
    let x = activation(graph, network, &scaled);
    if !stem.pool {
        return x;
    }
    let attributes = [
        ("kernel_shape", Attribute::Ints(vec![3; 2])),
        ("pads", Attribute::Ints(vec![1; 4])),
        ("strides", Attribute::Ints(vec![2; 2])),
    ];
    graph.node_with("MaxPool", &[&x], "", &attributes)
}

fn add_block(
    graph: &mut Graph,
    network: &Network,
    block: &Block,
    shape: &BlockShape,
    number: usize,
    x: &Value,
) -> Value {
    let mut inner = x.clone();
    if let Some(pre) = &block.pre {
        let scaled = graph.affine(x, pre);
        inner = activation(graph, network, &scaled);
    }
    let reduced = graph.pointwise(&inner, &block.reduce, 1, &format!("R{number}"));
    let reduced = activation(graph, network, &reduced);
    let shifted = graph.shift(&reduced, &block.shift, shape.stride, &format!("S{number}"));
    let expanded = graph.pointwise(&shifted, &block.expand, 1, &format!("E{number}"));
    let shortcut = match &block.shortcut {
        Some(layer) => graph.pointwise(x, layer, shape.stride, &format!("P{number}")),
        None => x.clone(),
    };
    graph.node("Add", &[&expanded, &shortcut])
}

fn activation(graph: &mut Graph, network: &Network, x: &Value) -> Value {
    graph.activation(x, network.top_level(), network.spec.bits.activations.is_some())
}

#[cfg(test)]
pub(crate) mod tests;
