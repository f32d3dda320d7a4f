//! Model files made in memory: a network that tells colours apart, written with the operators of a real export.
//!
//! Packed four-bit weights are unpacked by shifts and masks, activations are whole numbers 0 to 15, the shift is a depthwise
//! convolution with one-hot kernels. Every convolution is nearly the identity (15 on the diagonal, -1 beside it), so the
//! outcome can be worked out by hand: a picture that is all red leaves the pooling as `[15, 0, 0]`.
#![allow(dead_code, unreachable_pub)]

use lsspq::card::{Accuracy, ModelCard};
use lsspq::spec::{Activation, Bits, BlockKind, Group, NetworkSpec, Stem};
use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, attribute_proto::AttributeType, type_proto,
};

/// A card for pictures of side 8 and three colours.
pub fn card() -> ModelCard {
    card_of(8, &["red", "green", "blue"])
}

/// A card for pictures of that side.
pub fn card_of(side: usize, labels: &[&str]) -> ModelCard {
    let spec = NetworkSpec {
        name: "colours".into(),
        input: side,
        classes: labels.len(),
        stem: Stem { kernel: 1, channels: 3, stride: 1, pool: false },
        groups: vec![Group {
            width: 3,
            blocks: 1,
            stride: 1,
            expansion: 1,
            weight_bits: None,
            block: BlockKind::Shift {},
        }],
        head: None,
        bits: Bits { weights: Some(4), linear: None, activations: Some(4) },
        activation: Activation::Clip,
        mirrored: false,
    };
    ModelCard {
        accuracy: Some(Accuracy { images: 100, top1: 90, top5: 100 }),
        float_twin: Some(Accuracy { images: 100, top1: 92, top5: 100 }),
        seed: 7,
        licence: "MIT OR Apache-2.0".into(),
        provenance: "made by a test".into(),
        ..ModelCard::new(spec, labels.iter().map(|&l| l.to_owned()).collect(), "colours")
    }
}

/// The bytes of the colour network: the logits are the pooled colours.
pub fn colours() -> Vec<u8> {
    message(&card()).encode_to_vec()
}

/// The message of a network for that card. Class `c` adds up colour `c % 3` and `c / 3` times the two others, negated.
pub fn message(card: &ModelCard) -> ModelProto {
    let (side, classes) = (card.spec.input as i64, card.labels.len());
    let metadata = card.to_metadata().into_iter().map(|(key, value)| StringStringEntryProto { key, value });
    let weight = |colour: usize, class: usize| match class % 3 == colour {
        true => 1.0,
        false => -0.25 * (class / 3) as f32,
    };
    let linear: Vec<f32> = (0..3).flat_map(|colour| (0..classes).map(move |class| weight(colour, class))).collect();
    // Levels 15 and 7 of four bits stand for 15 and -1; two to a byte, the first in the low half.
    let identity = [0x7f, 0x77, 0x7f, 0x77, 0x0f];
    let fifteenth = 1.0 / 15.0;
    let initializer = vec![
        floats("stem.w", &[3, 3, 1, 1], &[15., 0., 0., 0., 15., 0., 0., 0., 15.]),
        floats("low", &[], &[0.0]),
        floats("high", &[], &[15.0]),
        bytes("reduce.p", &[5, 1], &identity),
        bytes("expand.p", &[5, 1], &identity),
        bytes("places", &[2], &[0, 4]),
        bytes("mask", &[], &[15]),
        whole("flat", &[-1]),
        whole("begin", &[0]),
        whole("end", &[9]),
        whole("square", &[3, 3, 1, 1]),
        floats("two", &[], &[2.0]),
        floats("fifteenth", &[1, 3, 1, 1], &[fifteenth; 3]),
        floats("half", &[1, 3, 1, 1], &[0.5; 3]),
        floats("none", &[1, 3, 1, 1], &[0.0; 3]),
        bytes("shift.k", &[3, 1], &[4, 4, 4]),
        bytes("taps", &[9], &[0, 1, 2, 3, 4, 5, 6, 7, 8]),
        whole("kernel", &[3, 1, 3, 3]),
        floats("linear.w", &[3, classes as i64], &linear),
        floats("linear.b", &[classes as i64], &vec![0.0; classes]),
    ];
    let mut nodes = vec![node("Conv", &["image", "stem.w"], "stem", vec![])];
    quantise(&mut nodes, "stem", "a0");
    for name in ["reduce", "expand"] {
        let part = |suffix: &str| format!("{name}.{suffix}");
        nodes.push(node("BitShift", &[&part("p"), "places"], &part("s"), vec![text("direction", "RIGHT")]));
        nodes.push(node("BitwiseAnd", &[&part("s"), "mask"], &part("m"), vec![]));
        nodes.push(node("Reshape", &[&part("m"), "flat"], &part("f"), vec![]));
        nodes.push(node("Slice", &[&part("f"), "begin", "end"], &part("n"), vec![]));
        nodes.push(node("Reshape", &[&part("n"), "square"], &part("q"), vec![]));
        nodes.push(node("Cast", &[&part("q")], &part("c"), vec![number("to", DataType::Float as i64)]));
        nodes.push(node("Mul", &[&part("c"), "two"], &part("d"), vec![]));
        nodes.push(node("Sub", &[&part("d"), "high"], &part("w"), vec![]));
    }
    nodes.push(node("Conv", &["a0", "reduce.w"], "r0", vec![]));
    nodes.push(node("Mul", &["r0", "fifteenth"], "r1", vec![]));
    nodes.push(node("Add", &["r1", "none"], "r2", vec![]));
    quantise(&mut nodes, "r2", "a1");
    nodes.push(node("Equal", &["shift.k", "taps"], "k0", vec![]));
    nodes.push(node("Cast", &["k0"], "k1", vec![number("to", DataType::Float as i64)]));
    nodes.push(node("Reshape", &["k1", "kernel"], "k2", vec![]));
    nodes.push(node("Conv", &["a1", "k2"], "a2", vec![number("group", 3), numbers("pads", &[1; 4])]));
    nodes.push(node("Conv", &["a2", "expand.w"], "e0", vec![]));
    nodes.push(node("Mul", &["e0", "fifteenth"], "e1", vec![]));
    nodes.push(node("Add", &["e1", "a0"], "e2", vec![]));
    nodes.push(node("Mul", &["e2", "half"], "e3", vec![]));
    quantise(&mut nodes, "e3", "a3");
    nodes.push(node("GlobalAveragePool", &["a3"], "pooled", vec![]));
    nodes.push(node("Flatten", &["pooled"], "embedding", vec![]));
    nodes.push(node("Gemm", &["embedding", "linear.w", "linear.b"], "logits", vec![]));
    ModelProto {
        ir_version: 8,
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 18 }],
        graph: Some(GraphProto {
            name: "colours".into(),
            node: nodes,
            initializer,
            input: vec![value("image", &[None, Some(3), Some(side), Some(side)])],
            output: vec![value("logits", &[None, Some(classes as i64)]), value("embedding", &[None, Some(3)])],
            ..Default::default()
        }),
        metadata_props: metadata.collect(),
        ..Default::default()
    }
}

fn quantise(nodes: &mut Vec<NodeProto>, from: &str, to: &str) {
    let clipped = format!("{to}.c");
    nodes.push(node("Clip", &[from, "low", "high"], &clipped, vec![]));
    nodes.push(node("Round", &[&clipped], to, vec![]));
}

/// A node that is called as its output is.
pub fn node(op: &str, inputs: &[&str], output: &str, attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        input: inputs.iter().map(|&i| i.to_owned()).collect(),
        output: vec![output.to_owned()],
        name: output.to_owned(),
        op_type: op.to_owned(),
        attribute,
        ..Default::default()
    }
}

fn number(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: AttributeType::Int as i32, i, ..Default::default() }
}

fn numbers(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: AttributeType::Ints as i32, ints: ints.to_vec(), ..Default::default() }
}

fn text(name: &str, text: &str) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::String as i32,
        s: text.as_bytes().to_vec(),
        ..Default::default()
    }
}

/// A float32 tensor.
pub fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    tensor(name, DataType::Float, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

fn bytes(name: &str, dims: &[i64], values: &[u8]) -> TensorProto {
    tensor(name, DataType::Uint8, dims, values.to_vec())
}

fn whole(name: &str, values: &[i64]) -> TensorProto {
    let raw = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    tensor(name, DataType::Int64, &[values.len() as i64], raw)
}

fn tensor(name: &str, kind: DataType, dims: &[i64], raw_data: Vec<u8>) -> TensorProto {
    TensorProto { name: name.into(), data_type: kind as i32, dims: dims.to_vec(), raw_data, ..Default::default() }
}

/// A float32 input or output; a dimension that is none is open.
pub fn value(name: &str, dims: &[Option<i64>]) -> ValueInfoProto {
    let dim = |d: &Option<i64>| Dimension {
        value: Some(d.map_or(Value::DimParam("N".into()), Value::DimValue)),
        ..Default::default()
    };
    let shape = Some(TensorShapeProto { dim: dims.iter().map(dim).collect() });
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape };
    let kind = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() };
    ValueInfoProto { name: name.into(), r#type: Some(kind), ..Default::default() }
}
