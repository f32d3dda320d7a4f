//! Building an ONNX graph: nodes, constants, and names as short as can be.

use super::pool::Pool;
use std::collections::HashMap;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{
    AttributeProto, GraphProto, NodeProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
    tensor_shape_proto, type_proto,
};

/// The name of a value: what a node or a constant gives and other nodes take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value(String);

/// An attribute of a node.
pub(crate) enum Attribute {
    Int(i64),
    Ints(Vec<i64>),
    Text(&'static str),
}

/// A graph in the making. Nodes must be added in an order in which they can run.
#[derive(Default)]
pub(crate) struct Graph {
    proto: GraphProto,
    /// Constants that are stored and unpacked together.
    pub(super) pools: Vec<Pool>,
    /// Constants already there, by type, shape and bytes.
    constants: HashMap<(i32, Vec<i64>, Vec<u8>), Value>,
    names: usize,
}

impl Graph {
    /// Declares an input of floats; a dimension without number is symbolic.
    pub(crate) fn input(&mut self, name: &str, shape: &[Option<usize>]) -> Value {
        self.proto.input.push(declaration(name, shape));
        Value(name.to_owned())
    }

    /// Gives a value the name under which it leaves the graph, and declares it.
    pub(crate) fn output(&mut self, value: &Value, name: &str, shape: &[Option<usize>]) {
        let Value(old) = value;
        for text in self.proto.node.iter_mut().flat_map(|n| n.input.iter_mut().chain(&mut n.output)) {
            if text == old {
                *text = name.to_owned();
            }
        }
        self.proto.output.push(declaration(name, shape));
    }

    /// A constant; one that is already there is used again.
    pub(crate) fn constant(&mut self, data_type: DataType, shape: &[usize], bytes: Vec<u8>) -> Value {
        let dims: Vec<i64> = shape.iter().map(|&d| d as i64).collect();
        let key = (data_type as i32, dims.clone(), bytes.clone());
        if let Some(value) = self.constants.get(&key) {
            return value.clone();
        }
        let value = self.fresh();
        self.proto.initializer.push(TensorProto {
            name: value.0.clone(),
            dims,
            data_type: data_type as i32,
            raw_data: bytes,
            ..TensorProto::default()
        });
        self.constants.insert(key, value.clone());
        value
    }

    /// A name for a value that a node will give later; see [`Graph::name_outputs`].
    pub(crate) fn promise(&mut self) -> Value {
        self.fresh()
    }

    /// Gives the outputs of the last node these names.
    pub(crate) fn name_outputs(&mut self, values: impl IntoIterator<Item = Value>) {
        if let Some(node) = self.proto.node.last_mut() {
            node.output = values.into_iter().map(|v| v.0).collect();
        }
    }

    /// A constant of 64-bit integers: shapes and axes.
    pub(crate) fn integers(&mut self, values: &[i64]) -> Value {
        self.constant(DataType::Int64, &[values.len()], values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// A scalar.
    pub(crate) fn scalar(&mut self, value: f32) -> Value {
        self.constant(DataType::Float, &[], value.to_le_bytes().to_vec())
    }

    /// A node without attributes.
    pub(crate) fn node(&mut self, op: &str, inputs: &[&Value]) -> Value {
        self.node_with(op, inputs, "", &[])
    }

    /// A node with attributes and, where `name` is not empty, a name.
    pub(crate) fn node_with(
        &mut self,
        op: &str,
        inputs: &[&Value],
        name: &str,
        attributes: &[(&str, Attribute)],
    ) -> Value {
        let output = self.fresh();
        self.proto.node.push(NodeProto {
            input: inputs.iter().map(|v| v.0.clone()).collect(),
            output: vec![output.0.clone()],
            name: name.to_owned(),
            op_type: op.to_owned(),
            attribute: attributes.iter().map(|(key, value)| attribute(key, value)).collect(),
            ..NodeProto::default()
        });
        output
    }

    /// A conversion to another type.
    pub(crate) fn cast(&mut self, value: &Value, to: DataType) -> Value {
        self.node_with("Cast", &[value], "", &[("to", Attribute::Int(to as i64))])
    }

    /// The finished graph: what unpacks constants comes first, then the nodes in their order.
    pub(crate) fn finish(mut self, name: &str) -> GraphProto {
        let nodes = std::mem::take(&mut self.proto.node);
        for pool in std::mem::take(&mut self.pools) {
            pool.write(&mut self);
        }
        self.proto.node.extend(nodes);
        self.proto.name = name.to_owned();
        self.proto
    }

    /// The next name: `0`, `1`, … `z`, `10`, … Every byte of a name is paid for twice or more in the file.
    fn fresh(&mut self) -> Value {
        const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        let (mut rest, mut name) = (self.names, Vec::new());
        loop {
            name.insert(0, DIGITS[rest % 36]);
            rest /= 36;
            if rest == 0 {
                break;
            }
        }
        self.names += 1;
        Value(name.into_iter().map(char::from).collect())
    }
}

fn attribute(name: &str, value: &Attribute) -> AttributeProto {
    let mut proto = AttributeProto { name: name.to_owned(), ..AttributeProto::default() };
    let kind = match value {
        Attribute::Int(i) => {
            proto.i = *i;
            AttributeType::Int
        }
        Attribute::Ints(ints) => {
            proto.ints.clone_from(ints);
            AttributeType::Ints
        }
        Attribute::Text(text) => {
            proto.s = text.as_bytes().to_vec();
            AttributeType::String
        }
    };
    proto.r#type = kind as i32;
    proto
}

fn declaration(name: &str, shape: &[Option<usize>]) -> ValueInfoProto {
    use tensor_shape_proto::{Dimension, dimension};
    let dimension = |d: &Option<usize>| Dimension {
        value: Some(d.map_or(dimension::Value::DimParam("N".into()), |d| dimension::Value::DimValue(d as i64))),
        ..Dimension::default()
    };
    let tensor = type_proto::Tensor {
        elem_type: DataType::Float as i32,
        shape: Some(TensorShapeProto { dim: shape.iter().map(dimension).collect() }),
    };
    let r#type = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() };
    ValueInfoProto { name: name.to_owned(), r#type: Some(r#type), ..ValueInfoProto::default() }
}
