//! Evaluating the constants of a file: the few operators that unpack them.

use half::f16;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{NodeProto, TensorProto};

/// A constant tensor. Every type that occurs in our files (up to 16 bits, small 32- and 64-bit integers, floats) fits
/// f32 exactly.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Constant {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

impl Constant {
    /// Decodes an initialiser; none where it is of another type or its bytes do not fit its shape.
    pub(super) fn decode(tensor: &TensorProto) -> Option<Self> {
        let bytes = &tensor.raw_data;
        let values: Vec<f32> = match DataType::try_from(tensor.data_type).ok()? {
            DataType::Float => numbers(bytes, f32::from_le_bytes)?,
            DataType::Float16 => numbers(bytes, |b| f16::from_le_bytes(b).to_f32())?,
            DataType::Uint8 => bytes.iter().map(|&b| b.into()).collect(),
            DataType::Uint16 => numbers(bytes, |b| u16::from_le_bytes(b).into())?,
            DataType::Int32 => numbers(bytes, |b| i32::from_le_bytes(b) as f32)?,
            DataType::Int64 => numbers(bytes, |b| i64::from_le_bytes(b) as f32)?,
            _ => return None,
        };
        let shape: Vec<usize> = tensor.dims.iter().map(|&d| usize::try_from(d).ok()).collect::<Option<_>>()?;
        (product(&shape)? == values.len()).then_some(Self { shape, values })
    }

    /// What a node makes of constants; none where it is no operator that our files use on constants, or where its
    /// operands do not fit.
    pub(super) fn evaluate(node: &NodeProto, inputs: &[&Self]) -> Option<Vec<Self>> {
        let one = match (node.op_type.as_str(), inputs) {
            ("Split", [x, sizes]) => return x.split(sizes),
            ("Cast", [x]) => Some((*x).clone()),
            ("Reshape", [x, shape]) => x.reshape(&shape.values),
            ("Slice", [x, start, end]) => x.slice(start, end),
            ("BitShift", [a, b]) => broadcast(a, b, |a, b| ((a as u8).checked_shr(b as u32).unwrap_or(0)).into()),
            ("BitwiseAnd", [a, b]) => broadcast(a, b, |a, b| (a as u8 & b as u8).into()),
            ("Mul", [a, b]) => broadcast(a, b, |a, b| a * b),
            ("Add", [a, b]) => broadcast(a, b, |a, b| a + b),
            ("Sub", [a, b]) => broadcast(a, b, |a, b| a - b),
            ("Equal", [a, b]) => broadcast(a, b, |a, b| f32::from(u8::from(a == b))),
            _ => None,
        };
        one.map(|value| vec![value])
    }

    /// `0` keeps a dimension, `-1` takes what is left.
    fn reshape(&self, wanted: &[f32]) -> Option<Self> {
        let mut shape = Vec::new();
        for (i, &d) in wanted.iter().enumerate() {
            shape.push(match d {
                0.0 => *self.shape.get(i)?,
                -1.0 => 1,
                d => d as usize,
            });
        }
        if let Some(open) = wanted.iter().position(|&d| d == -1.0) {
            shape[open] = self.values.len().checked_div(product(&shape)?)?;
        }
        (product(&shape)? == self.values.len()).then(|| Self { shape, values: self.values.clone() })
    }

    /// Runs of the first dimension.
    fn split(&self, sizes: &Self) -> Option<Vec<Self>> {
        let (&first, inner) = self.shape.split_first()?;
        let row = product(inner)?;
        let mut start = 0_usize;
        let mut parts = Vec::new();
        for &size in &sizes.values {
            let end = start.checked_add(size as usize).filter(|&end| end <= first)?;
            let shape = [&[end - start], inner].concat();
            parts.push(Self { shape, values: self.values[start * row..end * row].to_vec() });
            start = end;
        }
        (start == first).then_some(parts)
    }

    /// A run of a vector.
    fn slice(&self, start: &Self, end: &Self) -> Option<Self> {
        let (start, end) = (*start.values.first()? as usize, *end.values.first()? as usize);
        let values = self.values.get(start..end)?.to_vec();
        (self.shape.len() == 1).then(|| Self { shape: vec![values.len()], values })
    }
}

fn numbers<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f32) -> Option<Vec<f32>> {
    let (chunks, rest) = bytes.as_chunks::<N>();
    rest.is_empty().then(|| chunks.iter().map(|&chunk| read(chunk)).collect())
}

fn product(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, &d| product.checked_mul(d))
}

/// Element by element, dimensions of 1 (and missing ones in front) stretched to the other operand's.
fn broadcast(a: &Constant, b: &Constant, op: impl Fn(f32, f32) -> f32) -> Option<Constant> {
    let rank = a.shape.len().max(b.shape.len());
    let padded = |shape: &[usize]| [vec![1; rank - shape.len()], shape.to_vec()].concat();
    let (left, right) = (padded(&a.shape), padded(&b.shape));
    let mut shape = Vec::new();
    for (&l, &r) in left.iter().zip(&right) {
        if l != r && l != 1 && r != 1 {
            return None;
        }
        shape.push(if l == 1 { r } else { l });
    }
    let count = product(&shape)?;
    // Limits what a hostile file can ask for; the largest tensor of ours has a few million numbers.
    if count > 1 << 26 {
        return None;
    }
    let offset = |dims: &[usize], mut place: usize| {
        let (mut offset, mut step) = (0, 1);
        for (&d, &full) in dims.iter().zip(&shape).rev() {
            offset += place % full * usize::from(d != 1) * step;
            place /= full;
            step *= d;
        }
        offset
    };
    let value = |i| op(a.values[offset(&left, i)], b.values[offset(&right, i)]);
    Some(Constant { values: (0..count).map(value).collect(), shape })
}
