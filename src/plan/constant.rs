//! Constants of a graph, and what its operators make of them.
//!
//! A file stores weights packed and unpacks them by a handful of operators. Done in floats, each of these would write
//! four bytes a weight; here a constant of small whole numbers stays one byte a number with a scale and an offset beside
//! it, so that casting, doubling and centring cost nothing and splitting copies nothing. What does not fit that form
//! is kept as floats or 64-bit integers. Operators that are not known here leave their result unknown: whoever needs it
//! leaves its layer to tract.

use std::rc::Rc;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, NodeProto, TensorProto};
use tract_onnx::prelude::tract_itertools::Itertools;

/// Numbers that one constant may have: what a hostile file can ask for at most.
const LIMIT: usize = 1 << 24;

/// The element types that make a difference to arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Byte,
    /// 16-, 32- and 64-bit integers.
    Integer,
    Half,
    Float,
}

/// A tensor whose numbers are known when the file is loaded.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    pub(super) kind: Kind,
    pub(super) shape: Vec<usize>,
    pub(super) numbers: Numbers,
}

/// The numbers of a constant, row-major.
#[derive(Clone, Debug)]
pub(super) enum Numbers {
    /// Small whole numbers.
    Whole(Whole),
    Integers(Rc<Vec<i64>>),
    Floats(Rc<Vec<f32>>),
}

/// The numbers `scale * byte + offset`, all below 2^24 in size and so exact as f32 too.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    bytes: Rc<Vec<u8>>,
    start: usize,
    len: usize,
    pub(super) scale: i32,
    pub(super) offset: i32,
}

impl Whole {
    fn new(bytes: Vec<u8>) -> Self {
        Self { start: 0, len: bytes.len(), bytes: Rc::new(bytes), scale: 1, offset: 0 }
    }

    /// The bytes, before scale and offset.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.len]
    }

    /// The bytes to change, in place where nobody else holds them.
    fn into_bytes(mut self) -> Vec<u8> {
        if self.start == 0
            && self.len == self.bytes.len()
            && let Some(own) = Rc::get_mut(&mut self.bytes)
        {
            return std::mem::take(own);
        }
        self.bytes().to_vec()
    }

    fn get(&self, i: usize) -> i32 {
        self.scale * i32::from(self.bytes[self.start + i]) + self.offset
    }

    fn is_plain(&self) -> bool {
        (self.scale, self.offset) == (1, 0)
    }

    /// `a * number + b`, where that is still a small whole number.
    fn affine(self, a: f32, b: f32) -> Option<Self> {
        let whole = |v: f32| (v.fract() == 0.0 && v.abs() < 65536.0).then_some(v as i32);
        let (a, b) = (whole(a)?, whole(b)?);
        let scale = self.scale.checked_mul(a)?;
        let offset = self.offset.checked_mul(a)?.checked_add(b)?;
        let fits = |v: i32| v.unsigned_abs() < 1 << 24;
        let largest = scale.checked_mul(255)?.checked_add(offset)?;
        (fits(scale) && fits(offset) && fits(largest)).then_some(Self { scale, offset, ..self })
    }
}

impl Constant {
    /// Decodes a stored tensor; none where it has another type, lies elsewhere, or its bytes do not fit its shape.
    pub(super) fn decode(tensor: &TensorProto) -> Option<Self> {
        let raw = &tensor.raw_data[..];
        let listed = raw.is_empty();
        let ints = || tensor.int32_data.iter().map(|&v| i64::from(v)).collect_vec();
        let (kind, numbers) = match DataType::try_from(tensor.data_type).ok()? {
            DataType::Float if listed => (Kind::Float, floats(tensor.float_data.clone())),
            DataType::Float => (Kind::Float, floats(read(raw, f32::from_le_bytes)?)),
            DataType::Float16 if !listed => (Kind::Half, floats(read(raw, half)?)),
            DataType::Uint8 if listed => {
                let bytes: Result<Vec<u8>, _> = ints().into_iter().map(u8::try_from).collect();
                (Kind::Byte, Numbers::Whole(Whole::new(bytes.ok()?)))
            }
            DataType::Uint8 => (Kind::Byte, Numbers::Whole(Whole::new(raw.to_vec()))),
            DataType::Uint16 if !listed => (Kind::Integer, integers(read(raw, |b| u16::from_le_bytes(b).into())?)),
            DataType::Int32 if listed => (Kind::Integer, integers(ints())),
            DataType::Int32 => (Kind::Integer, integers(read(raw, |b| i32::from_le_bytes(b).into())?)),
            DataType::Int64 if listed => (Kind::Integer, integers(tensor.int64_data.clone())),
            DataType::Int64 => (Kind::Integer, integers(read(raw, i64::from_le_bytes)?)),
            _ => return None,
        };
        let shape: Vec<usize> = tensor.dims.iter().map(|&d| usize::try_from(d).ok()).collect::<Option<_>>()?;
        Self::new(kind, shape, numbers)
    }

    fn new(kind: Kind, shape: Vec<usize>, numbers: Numbers) -> Option<Self> {
        let constant = Self { kind, shape, numbers };
        (product(&constant.shape)? == constant.len()).then_some(constant)
    }

    /// How many numbers there are.
    pub(super) fn len(&self) -> usize {
        match &self.numbers {
            Numbers::Whole(whole) => whole.len,
            Numbers::Integers(all) => all.len(),
            Numbers::Floats(all) => all.len(),
        }
    }

    fn get(&self, i: usize) -> f32 {
        match &self.numbers {
            Numbers::Whole(whole) => whole.get(i) as f32,
            Numbers::Integers(all) => all[i] as f32,
            Numbers::Floats(all) => all[i],
        }
    }

    fn get_integer(&self, i: usize) -> Option<i64> {
        match &self.numbers {
            Numbers::Whole(whole) => Some(whole.get(i).into()),
            Numbers::Integers(all) => Some(all[i]),
            Numbers::Floats(_) => None,
        }
    }

    /// All numbers of a float tensor.
    pub(super) fn floats(&self) -> Option<Vec<f32>> {
        (self.kind == Kind::Float).then(|| self.all_floats())
    }

    fn all_floats(&self) -> Vec<f32> {
        match &self.numbers {
            Numbers::Floats(all) => all.to_vec(),
            _ => (0..self.len()).map(|i| self.get(i)).collect(),
        }
    }

    /// The one number of a float tensor of one element.
    pub(super) fn scalar(&self) -> Option<f32> {
        (self.kind == Kind::Float && self.len() == 1).then(|| self.get(0))
    }

    /// All numbers of an integer tensor.
    pub(super) fn integers(&self) -> Option<Vec<i64>> {
        (self.kind == Kind::Integer).then(|| (0..self.len()).map(|i| self.get_integer(i)).collect())?
    }

    /// What a node makes of constants: as many as it has outputs. None where it is no operator that is known here, or
    /// its operands do not fit. It has the only hold on operands that nobody else needs, and changes them in place.
    pub(super) fn evaluate(node: &NodeProto, inputs: Vec<Self>) -> Option<Vec<Self>> {
        let op = node.op_type.as_str();
        let known = |allowed: &[&str]| node.attribute.iter().all(|a| allowed.contains(&&*a.name));
        let attributes: &[&str] = match op {
            "Cast" => &["to"],
            "BitShift" => &["direction"],
            "Split" => &["axis"],
            _ => &[],
        };
        if !known(attributes) || inputs.iter().map(Self::len).sum::<usize>() > LIMIT {
            return None;
        }
        let mut inputs = inputs.into_iter();
        let (first, second, third) = (inputs.next()?, inputs.next(), inputs.next());
        if inputs.next().is_some() {
            return None;
        }
        let one = match (op, second, third) {
            ("Split", Some(sizes), None) if integer(node, "axis").unwrap_or(0) == 0 => return first.split(&sizes),
            ("Cast", None, None) => first.cast(integer(node, "to")?),
            ("Identity", None, None) => Some(first),
            ("Reshape", Some(shape), None) => first.reshape(&shape.integers()?),
            ("Slice", Some(start), Some(end)) => first.slice(&start, &end),
            ("BitShift", Some(by), None) if text(node, "direction")? == b"RIGHT" => {
                first.bytes(&by, |a, b| a.checked_shr(b.into()).unwrap_or(0))
            }
            ("BitwiseAnd", Some(mask), None) => first.bytes(&mask, |a, b| a & b),
            ("Mul", Some(b), None) => first.arithmetic(b, 0.0, |a, b| a * b),
            ("Add", Some(b), None) => first.arithmetic(b, 1.0, |a, b| a + b),
            ("Sub", Some(b), None) => first.arithmetic(b, -1.0, |a, b| a - b),
            ("Equal", Some(b), None) => first.equal(&b),
            _ => None,
        };
        one.map(|value| vec![value])
    }

    fn cast(self, to: i64) -> Option<Self> {
        let kind = match DataType::try_from(i32::try_from(to).ok()?).ok()? {
            DataType::Float => Kind::Float,
            DataType::Int32 | DataType::Int64 => Kind::Integer,
            DataType::Uint8 if self.kind == Kind::Byte => Kind::Byte,
            _ => return None,
        };
        let numbers = match (self.kind, self.numbers) {
            (from, Numbers::Integers(all)) if from != kind => {
                floats(all.iter().map(|&v| (v.unsigned_abs() < 1 << 24).then_some(v as f32)).collect::<Option<_>>()?)
            }
            // Rounding floats to integers is nothing that unpacking needs.
            (Kind::Float | Kind::Half, _) if kind != Kind::Float => return None,
            (_, numbers) => numbers,
        };
        Some(Self { kind, numbers, ..self })
    }

    /// `0` keeps a dimension, `-1` takes what is left.
    fn reshape(self, wanted: &[i64]) -> Option<Self> {
        let mut shape = Vec::new();
        for (i, &d) in wanted.iter().enumerate() {
            shape.push(match d {
                0 => *self.shape.get(i)?,
                -1 => 1,
                d => usize::try_from(d).ok()?,
            });
        }
        if let Some(open) = wanted.iter().position(|&d| d == -1) {
            shape[open] = self.len().checked_div(product(&shape)?)?;
        }
        Self::new(self.kind, shape, self.numbers)
    }

    /// Runs of the first dimension.
    fn split(self, sizes: &Self) -> Option<Vec<Self>> {
        let (&first, inner) = self.shape.split_first()?;
        let row = product(inner)?;
        let mut start = 0_usize;
        let mut parts = Vec::new();
        for size in sizes.integers()? {
            let size = usize::try_from(size).ok()?;
            let end = start.checked_add(size).filter(|&end| end <= first)?;
            let shape = [&[size], inner].concat();
            parts.push(Self { kind: self.kind, shape, numbers: self.run(start * row, end * row) });
            start = end;
        }
        (start == first).then_some(parts)
    }

    /// A run of a vector.
    fn slice(self, start: &Self, end: &Self) -> Option<Self> {
        let (&[start], &[end]) = (&start.integers()?[..], &end.integers()?[..]) else { return None };
        let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?.min(self.len()));
        let one = self.shape.len() == 1 && start <= end;
        one.then(|| Self { kind: self.kind, shape: vec![end - start], numbers: self.run(start, end) })
    }

    /// The numbers from `start` to `end`, which must lie within.
    fn run(&self, start: usize, end: usize) -> Numbers {
        match &self.numbers {
            Numbers::Whole(whole) => {
                Numbers::Whole(Whole { start: whole.start + start, len: end - start, ..whole.clone() })
            }
            Numbers::Integers(all) => integers(all[start..end].to_vec()),
            Numbers::Floats(all) => floats(all[start..end].to_vec()),
        }
    }

    /// An operator on bytes.
    fn bytes(self, other: &Self, op: impl Fn(u8, u8) -> u8) -> Option<Self> {
        let (Numbers::Whole(a), Numbers::Whole(b)) = (self.numbers, &other.numbers) else { return None };
        if (self.kind, other.kind) != (Kind::Byte, Kind::Byte) || !a.is_plain() || !b.is_plain() {
            return None;
        }
        let shape = broadcast(&self.shape, &other.shape)?;
        let count = product(&shape).filter(|&count| count <= LIMIT)?;
        let bytes = match b.bytes() {
            &[b] if count == a.len => {
                let mut bytes = a.into_bytes();
                bytes.iter_mut().for_each(|a| *a = op(*a, b));
                bytes
            }
            // A column against a row: every byte is spread over the places it holds.
            b if self.shape == [a.len, 1] && other.shape == [b.len()] => {
                a.bytes().iter().flat_map(|&a| b.iter().map(move |&b| (a, b))).map(|(a, b)| op(a, b)).collect()
            }
            b => {
                let (left, right) = (Places::new(&self.shape, &shape), Places::new(&other.shape, &shape));
                (0..count).map(|i| op(a.bytes()[left.of(i)], b[right.of(i)])).collect()
            }
        };
        Self::new(Kind::Byte, shape, Numbers::Whole(Whole::new(bytes)))
    }

    /// Mul, Add or Sub on floats; `sign` is that of the second operand in a sum, 0 in a product.
    fn arithmetic(self, other: Self, sign: f32, op: impl Fn(f32, f32) -> f32) -> Option<Self> {
        if (self.kind, other.kind) != (Kind::Float, Kind::Float) {
            return None;
        }
        let shape = broadcast(&self.shape, &other.shape)?;
        let count = product(&shape).filter(|&count| count <= LIMIT)?;
        if let (Numbers::Whole(whole), Some(scalar), true) = (&self.numbers, other.scalar(), count == self.len()) {
            let moved = match sign {
                0.0 => whole.clone().affine(scalar, 0.0),
                _ => whole.clone().affine(1.0, sign * scalar),
            };
            if let Some(moved) = moved {
                return Self::new(Kind::Float, shape, Numbers::Whole(moved));
            }
        }
        if sign == 1.0
            && self.shape == other.shape
            && let (Numbers::Whole(a), Numbers::Whole(b)) = (&self.numbers, &other.numbers)
            && let Some(sum) = planes(a, b)
        {
            return Self::new(Kind::Float, shape, Numbers::Whole(sum));
        }
        let (left, right) = (Places::new(&self.shape, &shape), Places::new(&other.shape, &shape));
        let values = (0..count).map(|i| op(self.get(left.of(i)), other.get(right.of(i)))).collect();
        Self::new(Kind::Float, shape, floats(values))
    }

    fn equal(self, other: &Self) -> Option<Self> {
        if (self.kind, other.kind) != (Kind::Integer, Kind::Integer) {
            return None;
        }
        let shape = broadcast(&self.shape, &other.shape)?;
        let count = product(&shape).filter(|&count| count <= LIMIT)?;
        let (left, right) = (Places::new(&self.shape, &shape), Places::new(&other.shape, &shape));
        let same = |i| u8::from(self.get_integer(left.of(i)) == other.get_integer(right.of(i)));
        Self::new(Kind::Bool, shape, Numbers::Whole(Whole::new((0..count).map(same).collect())))
    }
}

/// The sum of two bit planes of the same numbers, where one byte a number still holds it.
fn planes(a: &Whole, b: &Whole) -> Option<Whole> {
    if a.scale == 0 || b.scale % a.scale != 0 {
        return None;
    }
    let ratio = u8::try_from(b.scale / a.scale).ok()?;
    let sum = |(&a, &b): (&u8, &u8)| b.checked_mul(ratio)?.checked_add(a);
    let bytes = a.bytes().iter().zip(b.bytes()).map(sum).collect::<Option<Vec<u8>>>()?;
    Some(Whole { scale: a.scale, offset: a.offset.checked_add(b.offset)?, ..Whole::new(bytes) })
}

/// Where an operand's element stands that meets element `i` of the result.
struct Places {
    /// Extent of the result and step of the operand, innermost first.
    axes: Vec<(usize, usize)>,
}

impl Places {
    fn new(operand: &[usize], result: &[usize]) -> Self {
        let mut step = 1;
        let axes = result.iter().rev().enumerate().map(|(i, &extent)| {
            let own = operand.len().checked_sub(i + 1).map_or(1, |at| operand[at]);
            let here = if own == 1 { 0 } else { step };
            step *= own;
            (extent, here)
        });
        Self { axes: axes.collect() }
    }

    fn of(&self, mut i: usize) -> usize {
        let mut place = 0;
        for &(extent, step) in &self.axes {
            place += i % extent * step;
            i /= extent;
        }
        place
    }
}

fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], i: usize| (i + shape.len()).checked_sub(rank).map_or(1, |i| shape[i]);
    let merged = |i| match (at(a, i), at(b, i)) {
        (a, b) if a == b || b == 1 => Some(a),
        (1, b) => Some(b),
        _ => None,
    };
    (0..rank).map(merged).collect()
}

fn read<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Option<Vec<T>> {
    let (chunks, rest) = bytes.as_chunks::<N>();
    rest.is_empty().then(|| chunks.iter().map(|&chunk| number(chunk)).collect())
}

/// A float16 number, by its bits.
fn half(bytes: [u8; 2]) -> f32 {
    tract_onnx::prelude::f16::from_le_bytes(bytes).to_f32()
}

fn floats(values: Vec<f32>) -> Numbers {
    Numbers::Floats(Rc::new(values))
}

fn integers(values: Vec<i64>) -> Numbers {
    Numbers::Integers(Rc::new(values))
}

pub(super) fn product(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, &d| product.checked_mul(d))
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|a| a.name == name)
}

/// An integer attribute.
pub(super) fn integer(node: &NodeProto, name: &str) -> Option<i64> {
    attribute(node, name).filter(|a| a.r#type == AttributeType::Int as i32).map(|a| a.i)
}

/// A list of integers.
pub(super) fn list<'a>(node: &'a NodeProto, name: &str) -> Option<&'a [i64]> {
    attribute(node, name).filter(|a| a.r#type == AttributeType::Ints as i32).map(|a| &a.ints[..])
}

/// A text attribute.
pub(super) fn text<'a>(node: &'a NodeProto, name: &str) -> Option<&'a [u8]> {
    attribute(node, name).filter(|a| a.r#type == AttributeType::String as i32).map(|a| &a.s[..])
}
