//! The learned displacements, read back from a model file.
//!
//! A shift is stored as a depthwise convolution whose kernels are one-hot: one small number a channel, the position of
//! the one, expanded by Equal with a range (see the trainer's export). What is read here is for people to look at; the
//! engine runs the graph as it is.

use serde::Serialize;
use std::collections::HashMap;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

/// One shift layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shift {
    /// Its node in the file, such as `S3`: the shift of block 3.
    pub name: String,
    /// The farthest that a kernel reaches, in pixels: displacements lie in `-reach ..= reach`.
    pub reach: i32,
    /// A channel's displacement, down and to the right, in pixels: it shows what lies there.
    pub displacements: Vec<(i32, i32)>,
}

/// All shifts of a graph in the order of its nodes; those that are stored in another way are left out.
pub(crate) fn read(graph: &GraphProto) -> Vec<Shift> {
    let reader = Reader {
        tensors: graph.initializer.iter().map(|t| (t.name.as_str(), t)).collect(),
        writers: graph.node.iter().flat_map(|n| n.output.iter().map(move |o| (o.as_str(), n))).collect(),
    };
    let shifts = graph.node.iter().filter(|n| n.op_type == "Conv" && group(n) > 1);
    shifts.filter_map(|node| reader.shift(node)).collect()
}

fn group(node: &NodeProto) -> i64 {
    node.attribute.iter().find(|a| a.name == "group").map_or(1, |a| a.i)
}

struct Reader<'a> {
    tensors: HashMap<&'a str, &'a TensorProto>,
    writers: HashMap<&'a str, &'a NodeProto>,
}

impl<'a> Reader<'a> {
    fn shift(&self, node: &'a NodeProto) -> Option<Shift> {
        let kernels = node.input.get(1)?;
        let (whole, part) = self.part(kernels)?;
        let (positions, taps) = self.positions(whole)?;
        let (begin, length) = part.unwrap_or((0, positions.len()));
        let mine = positions.get(begin..begin.checked_add(length)?)?;
        let side = (1..=taps).find(|s| s * s == taps).filter(|s| s % 2 == 1)?;
        let (side, reach) = (side as i64, (side / 2) as i32);
        let displacement = |&at: &i64| {
            let inside = (0..side * side).contains(&at);
            inside.then(|| ((at / side) as i32 - reach, (at % side) as i32 - reach))
        };
        let displacements = mine.iter().map(displacement).collect::<Option<Vec<_>>>()?;
        Some(Shift { name: node.name.clone(), reach, displacements })
    }

    /// Where a value is one part of a Split: the whole, and begin and length of the part.
    fn part(&self, value: &'a str) -> Option<(&'a str, Option<(usize, usize)>)> {
        let writer = self.writers.get(value)?;
        if writer.op_type != "Split" {
            return Some((value, None));
        }
        let index = writer.output.iter().position(|o| o == value)?;
        let sizes = numbers(self.tensors.get(writer.input.get(1)?.as_str())?)?;
        let sizes = sizes.iter().map(|&s| usize::try_from(s).ok()).collect::<Option<Vec<_>>>()?;
        let begin = sizes.get(..index)?.iter().try_fold(0usize, |sum, &s| sum.checked_add(s))?;
        Some((writer.input.first()?, Some((begin, *sizes.get(index)?))))
    }

    /// The positions of the ones, and how many positions there are.
    fn positions(&self, kernels: &'a str) -> Option<(Vec<i64>, usize)> {
        let equal = self.through(kernels, &["Reshape", "Cast"])?;
        let equal = self.writers.get(equal).filter(|n| n.op_type == "Equal")?;
        let operand = |i: usize| {
            let tensor = self.tensors.get(self.through(equal.input.get(i)?, &["Cast"])?)?;
            numbers(tensor)
        };
        let (positions, range) = (operand(0)?, operand(1)?);
        let counts_up = range.iter().enumerate().all(|(i, &v)| v == i as i64);
        counts_up.then_some((positions, range.len()))
    }

    /// The value that goes in where only these operators lie between.
    fn through(&self, mut value: &'a str, operators: &[&str]) -> Option<&'a str> {
        // No graph that is worth showing has more of them in a row.
        for _ in 0..8 {
            match self.writers.get(value) {
                Some(node) if operators.contains(&&*node.op_type) => value = node.input.first()?,
                _ => return Some(value),
            }
        }
        None
    }
}

/// The numbers of a stored tensor of whole numbers; none for other types.
fn numbers(tensor: &TensorProto) -> Option<Vec<i64>> {
    let raw = &tensor.raw_data[..];
    let kind = DataType::try_from(tensor.data_type).ok()?;
    if raw.is_empty() {
        return match kind {
            DataType::Int64 => Some(tensor.int64_data.clone()),
            DataType::Uint8 | DataType::Uint16 | DataType::Int32 => {
                Some(tensor.int32_data.iter().map(|&v| v.into()).collect())
            }
            _ => None,
        };
    }
    match kind {
        DataType::Uint8 => Some(raw.iter().map(|&v| v.into()).collect()),
        DataType::Uint16 => Some(raw.as_chunks().0.iter().map(|&b| u16::from_le_bytes(b).into()).collect()),
        DataType::Int32 => Some(raw.as_chunks().0.iter().map(|&b| i32::from_le_bytes(b).into()).collect()),
        DataType::Int64 => Some(raw.as_chunks().0.iter().map(|&b| i64::from_le_bytes(b)).collect()),
        _ => None,
    }
}
