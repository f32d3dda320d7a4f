//! Constant operands in the forms that kernels take: windows, weights, numbers a channel.

use super::constant::{Constant, Kind, Numbers, list};
use super::graph::Node;
use super::layer::Shape;
use super::recognise::Reason;
use crate::kernels::PointwiseWeights;

/// Side, stride and padding of a square window.
pub(super) struct Window {
    pub(super) side: usize,
    pub(super) stride: usize,
    pub(super) pad: usize,
}

impl Window {
    pub(super) fn of(node: &Node, [rows, columns]: [usize; 2]) -> Result<Self, Reason> {
        let one = |name: &str, default: i64, count: usize| match list(node.proto, name) {
            None => usize::try_from(default).ok(),
            Some(all) => {
                let first = *all.first()?;
                (all.len() == count && all.iter().all(|&v| v == first)).then(|| usize::try_from(first).ok())?
            }
        };
        let side = list(node.proto, "kernel_shape").is_none_or(|k| k == [rows as i64, columns as i64]);
        let dilated = one("dilations", 1, 2) != Some(1);
        let (stride, pad) = (one("strides", 1, 2), one("pads", 0, 4));
        match (stride, pad) {
            (Some(stride @ 1..=64), Some(pad @ 0..=127)) if side && !dilated && rows == columns && rows > 0 => {
                Ok(Self { side: rows, stride, pad })
            }
            _ => Err("its window is not square and even on all sides".into()),
        }
    }
}

/// Weights `[outputs, inputs]` as levels, packed for activations up to `top`.
pub(super) fn pack(weights: &Constant, outputs: usize, inputs: usize, top: u8) -> Result<PointwiseWeights, Reason> {
    if weights.kind != Kind::Float {
        return Err("its weights are no floats".into());
    }
    let activation_bits = (8 - top.leading_zeros()).max(1) as u8;
    let packed = match &weights.numbers {
        // What the file stores are the levels themselves.
        Numbers::Whole(whole) if whole.scale == 2 && (1..=8).any(|bits| whole.offset == 1 - (1 << bits)) => {
            let bits = (1 - whole.offset).ilog2() as u8;
            PointwiseWeights::pack(whole.bytes(), outputs, inputs, bits, activation_bits)
        }
        _ => {
            let signed = |v: f32| (v.fract() == 0.0 && v.abs() <= 127.0).then_some(v as i8);
            let values = weights.floats().unwrap_or_default();
            let values: Option<Vec<i8>> = values.into_iter().map(signed).collect();
            let values = values.ok_or("its weights are float")?;
            PointwiseWeights::pack_signed(&values, outputs, inputs, activation_bits)
        }
    };
    packed.map_err(|e| e.to_string())
}

/// A constant as one number a channel; none where it has another shape.
pub(super) fn per_channel(constant: &Constant, shape: Shape) -> Option<Vec<f32>> {
    let values = constant.floats()?;
    let rank = if shape.flat { 2 } else { 4 };
    if constant.shape.len() > rank {
        return None;
    }
    if let [value] = values[..] {
        return Some(vec![value; shape.channels]);
    }
    let wanted: &[usize] = if shape.flat { &[1, shape.channels] } else { &[1, shape.channels, 1, 1] };
    (wanted.ends_with(&constant.shape) && values.len() == shape.channels).then_some(values)
}

/// A constant as one number a colour.
pub(super) fn colours(constant: &Constant) -> Result<[f32; 3], Reason> {
    let shape = Shape::map(3, 1, 1);
    let values = per_channel(constant, shape).and_then(|v| <[f32; 3]>::try_from(v).ok());
    values.ok_or_else(|| "the normalisation is not one number a colour".into())
}
