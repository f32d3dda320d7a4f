//! Reads the protobuf of an ONNX file and checks all that can be checked before anything is built from it.
//!
//! tract indexes by names and sizes that a file claims; what it would stumble over is refused here in words.

use crate::card::ModelCard;
use crate::error::{Error, ErrorKind};
use prost::Message;
use std::collections::HashSet;
use std::ops::RangeInclusive;
use tract_onnx::model::OnnxOpRegister;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dimension;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, type_proto};

/// Name of the input, float32 `[N, 3, H, W]`, RGB in [0, 1].
pub(crate) const INPUT: &str = "image";
/// Name of the output `[N, classes]`.
pub(crate) const LOGITS: &str = "logits";
/// Name of the output `[N, features]`, the pooled vector before the linear layer.
pub(crate) const EMBEDDING: &str = "embedding";

/// A file whose parts fit each other.
pub(crate) struct ModelFile {
    /// The card in its metadata.
    pub card: ModelCard,
    /// The whole message.
    pub proto: ModelProto,
    /// Position of [`LOGITS`] among the graph's outputs.
    pub logits: usize,
    /// Position of [`EMBEDDING`] among the graph's outputs.
    pub embedding: usize,
}

impl ModelFile {
    /// Decodes and checks a file; `known` are the operators that can be run.
    pub(crate) fn read(bytes: &[u8], known: &OnnxOpRegister) -> Result<Self, Error> {
        let proto = decode(bytes)?;
        let graph = graph_of(&proto)?;
        let entries = proto.metadata_props.iter().map(|entry| (&*entry.key, &*entry.value));
        let card = ModelCard::from_metadata(entries)?;
        check_accuracy(&card)?;
        check_input(graph, card.spec.input)?;
        check_tensors(graph)?;
        check_nodes(graph, known)?;
        let position = |name: &str| {
            graph.output.iter().position(|o| o.name == name).ok_or_else(|| {
                unsupported(format!("the graph has no output `{name}`; it needs `{LOGITS}` and `{EMBEDDING}`"))
            })
        };
        let (logits, embedding) = (position(LOGITS)?, position(EMBEDDING)?);
        Ok(Self { card, logits, embedding, proto })
    }
}

/// The message in the bytes.
pub(crate) fn decode(bytes: &[u8]) -> Result<ModelProto, Error> {
    let broken = |what: String| Error::new(ErrorKind::NotAModel, what);
    if bytes.is_empty() {
        return Err(broken("the file is empty (0 bytes)".into()));
    }
    ModelProto::decode(bytes).map_err(|e| broken(format!("the bytes are no ONNX file, or only a part of one: {e}")))
}

/// The graph of a message, which has at least one node.
pub(crate) fn graph_of(proto: &ModelProto) -> Result<&GraphProto, Error> {
    proto.graph.as_ref().filter(|g| !g.node.is_empty()).ok_or_else(|| {
        let what = "the bytes are no ONNX file, or only a part of one: there is no graph";
        Error::new(ErrorKind::NotAModel, what)
    })
}

fn unsupported(what: String) -> Error {
    Error::new(ErrorKind::Unsupported, what)
}

/// Counts that cannot be would become percentages that cannot be.
fn check_accuracy(card: &ModelCard) -> Result<(), Error> {
    let stages = card.stages.iter().filter_map(|s| s.validation);
    for a in card.accuracy.into_iter().chain(card.float_twin).chain(stages) {
        if a.images == 0 || a.top1 > a.top5 || a.top5 > a.images {
            let what = format!("the model card counts {} and {} right of {} pictures", a.top1, a.top5, a.images);
            return Err(Error::new(ErrorKind::Metadata, what));
        }
    }
    Ok(())
}

/// Every stored tensor has a type we know and exactly the bytes that its shape asks for.
pub(crate) fn check_tensors(graph: &GraphProto) -> Result<(), Error> {
    let attributes = graph.node.iter().flat_map(|n| &n.attribute);
    let constants = attributes.flat_map(|a| a.t.iter().chain(&a.tensors));
    for tensor in graph.initializer.iter().chain(constants) {
        let name = if tensor.name.is_empty() { "without a name" } else { &tensor.name };
        if tensor.data_location == Some(DataLocation::External as i32) {
            return Err(unsupported(format!("tensor {name} lies in another file; a model is one file")));
        }
        let elements = tensor
            .dims
            .iter()
            .try_fold(1u64, |product, &dim| product.checked_mul(u64::try_from(dim).ok()?))
            .ok_or_else(|| unsupported(format!("tensor {name} has the impossible shape {:?}", tensor.dims)))?;
        let stored = stored_elements(tensor)
            .ok_or_else(|| unsupported(format!("tensor {name} has a type that cannot be read")))?;
        if elements != stored {
            let what =
                format!("tensor {name} of shape {:?} needs {elements} values, the file has {stored}", tensor.dims);
            return Err(Error::new(ErrorKind::NotAModel, what));
        }
    }
    Ok(())
}

/// How many elements a tensor stores; none where its type is unknown or its bytes are no whole number of elements.
fn stored_elements(tensor: &TensorProto) -> Option<u64> {
    let kind = DataType::try_from(tensor.data_type).ok()?;
    let (bytes, listed) = match kind {
        DataType::Bool | DataType::Uint8 | DataType::Int8 => (1, tensor.int32_data.len()),
        DataType::Uint16 | DataType::Int16 | DataType::Float16 => (2, tensor.int32_data.len()),
        DataType::Int32 => (4, tensor.int32_data.len()),
        DataType::Float => (4, tensor.float_data.len()),
        DataType::Int64 => (8, tensor.int64_data.len()),
        DataType::Double => (8, tensor.double_data.len()),
        _ => return None,
    };
    let raw = tensor.raw_data.len();
    match raw {
        0 => Some(listed as u64),
        _ => raw.is_multiple_of(bytes).then_some((raw / bytes) as u64),
    }
}

/// Every operator can be run, and every name that is used exists once.
pub(crate) fn check_nodes(graph: &GraphProto, known: &OnnxOpRegister) -> Result<(), Error> {
    let mut names = HashSet::new();
    let stored: HashSet<&str> = graph.initializer.iter().map(|t| &*t.name).collect();
    // An input may be listed a second time as an initialiser: that is its default value.
    let inputs = graph.input.iter().map(|i| &*i.name).filter(|name| !stored.contains(name));
    let initializers = graph.initializer.iter().map(|t| &*t.name);
    let outputs = graph.node.iter().flat_map(|n| n.output.iter().map(|o| &**o)).filter(|o| !o.is_empty());
    for name in inputs.chain(initializers).chain(outputs) {
        if !names.insert(name) {
            return Err(unsupported(format!("two values of the graph have the name `{name}`")));
        }
    }
    for node in &graph.node {
        if !(node.domain.is_empty() || node.domain == "ai.onnx") || !known.0.contains_key(&node.op_type) {
            return Err(unsupported(format!("operator {} is none that can be run here", described(node))));
        }
        if node.attribute.iter().any(|a| a.g.is_some() || !a.graphs.is_empty()) {
            return Err(unsupported(format!("operator {} contains a graph of its own", described(node))));
        }
        if let Some(input) = node.input.iter().find(|i| !i.is_empty() && !names.contains(&***i)) {
            return Err(unsupported(format!("operator {} reads `{input}`, which nothing writes", described(node))));
        }
    }
    match graph.output.iter().find(|o| !names.contains(&*o.name)) {
        Some(output) => Err(unsupported(format!("nothing writes the output `{}`", output.name))),
        None => Ok(()),
    }
}

fn described(node: &NodeProto) -> String {
    let domain = if node.domain.is_empty() { String::new() } else { format!("{}.", node.domain) };
    format!("{domain}{} (node `{}`)", node.op_type, node.name)
}

/// There is one input, [`INPUT`], and it takes pictures of that side.
fn check_input(graph: &GraphProto, side: usize) -> Result<(), Error> {
    let inputs = true_inputs(graph);
    let [input] = inputs[..] else {
        return Err(unsupported(format!("the graph has {} inputs; it needs one, `{INPUT}`", inputs.len())));
    };
    if input.name != INPUT {
        return Err(unsupported(format!("the graph's input is `{}`; it needs `{INPUT}`", input.name)));
    }
    let dims = float_shape(input)?;
    let side = side as i64;
    // The batch may be open or 1: one picture is run at a time.
    match dims[..] {
        [None | Some(1), Some(3), Some(h), Some(w)] if h == side && w == side => Ok(()),
        _ => {
            let shown = shown(&dims);
            Err(unsupported(format!(
                "the input `{INPUT}` has the shape {shown}, the model card asks for [N, 3, {side}, {side}]"
            )))
        }
    }
}

/// The side of the one input `[N, 3, S, S]` of any classifier.
pub(crate) fn square_side(graph: &GraphProto, allowed: RangeInclusive<usize>) -> Result<usize, Error> {
    let inputs = true_inputs(graph);
    let [input] = inputs[..] else {
        return Err(unsupported(format!("the graph has {} inputs; a picture is one", inputs.len())));
    };
    let dims = float_shape(input)?;
    let side = match dims[..] {
        [None | Some(1), Some(3), Some(h), Some(w)] if h == w => usize::try_from(h).ok(),
        _ => None,
    };
    side.filter(|side| allowed.contains(side)).ok_or_else(|| {
        unsupported(format!(
            "the input `{}` has the shape {}; it must be [N, 3, S, S] with one fixed side S of {} to {} pixels \
             (export the model for pictures of one size)",
            input.name,
            shown(&dims),
            allowed.start(),
            allowed.end()
        ))
    })
}

/// Position of the output that holds the classes: the only one, or the one that is called `logits`.
pub(crate) fn only_output(graph: &GraphProto) -> Result<usize, Error> {
    match &graph.output[..] {
        [_] => Ok(0),
        outputs => outputs.iter().position(|o| o.name == LOGITS).ok_or_else(|| {
            let count = outputs.len();
            unsupported(format!("the graph has {count} outputs and none is called `{LOGITS}`; a classifier has one"))
        }),
    }
}

/// The inputs that are not stored in the file: one that is has a default value and need not be given.
fn true_inputs(graph: &GraphProto) -> Vec<&ValueInfoProto> {
    let stored: HashSet<&str> = graph.initializer.iter().map(|t| &*t.name).collect();
    graph.input.iter().filter(|i| !stored.contains(&*i.name)).collect()
}

/// The shape of a float32 input; open dimensions are none.
fn float_shape(input: &ValueInfoProto) -> Result<Vec<Option<i64>>, Error> {
    let name = &input.name;
    let Some(type_proto::Value::TensorType(tensor)) = input.r#type.as_ref().and_then(|t| t.value.as_ref()) else {
        return Err(unsupported(format!("the input `{name}` has no tensor type")));
    };
    if tensor.elem_type != DataType::Float as i32 {
        return Err(unsupported(format!("the input `{name}` is not float32")));
    }
    Ok(tensor.shape.iter().flat_map(|s| &s.dim).map(fixed).collect())
}

fn shown(dims: &[Option<i64>]) -> String {
    let dims: Vec<String> = dims.iter().map(|d| d.map_or("N".into(), |d| d.to_string())).collect();
    format!("[{}]", dims.join(", "))
}

fn fixed(dim: &tract_onnx::pb::tensor_shape_proto::Dimension) -> Option<i64> {
    match dim.value {
        Some(Dimension::DimValue(value)) => Some(value),
        _ => None,
    }
}
