//! The layers of a deployed network as groups of ONNX nodes.

use super::graph::{Attribute, Graph, Value};
use super::pack::planes;
use crate::deploy::{Affine, Pointwise, Weights, fits_half};
use half::f16;
use tract_onnx::pb::tensor_proto::DataType;

/// Below this many numbers the Cast that float16 needs is larger than what it saves.
const HALF_FROM: usize = 16;

impl Graph {
    /// A constant of floats: as float16 and a Cast where that holds every number exactly and is smaller.
    pub(crate) fn floats(&mut self, values: &[f32], shape: &[usize]) -> Value {
        if values.len() >= HALF_FROM && values.iter().all(|&v| fits_half(v)) {
            let bytes = values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect();
            let halves = self.constant(DataType::Float16, shape, bytes);
            return self.cast(&halves, DataType::Float);
        }
        self.constant(DataType::Float, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// Whole-number weights `2 level - (2^bits - 1)` of a shape whose second dimension is `input`.
    ///
    /// A plane of `w` bits is unpacked as `2 plane - (2^w - 1)`; the planes of a level add up to the weight with
    /// nothing but their place value, `2^offset`.
    pub(super) fn unpacked(&mut self, bits: u8, levels: &[u8], shape: &[usize]) -> Value {
        let mut sum: Option<Value> = None;
        for plane in planes(bits) {
            let mut part = self.pooled_plane(levels, plane);
            if plane.offset > 0 {
                let place = self.scalar((1_u32 << plane.offset) as f32);
                part = self.node("Mul", &[&part, &place]);
            }
            sum = Some(match sum {
                Some(sum) => self.node("Add", &[&sum, &part]),
                None => part,
            });
        }
        let sum = sum.expect("a level has at least one bit");
        // The -1 finds the outputs, so that layers of as many inputs share the constant.
        let mut target: Vec<i64> = shape.iter().map(|&d| d as i64).collect();
        target[0] = -1;
        let target = self.integers(&target);
        self.node("Reshape", &[&sum, &target])
    }

    /// The one number that all channels share, if they do: shortcuts and the linear layer have no BatchNorm.
    fn shared(&mut self, values: &[f32]) -> Option<Value> {
        let first = *values.first()?;
        values.iter().all(|&v| v == first).then(|| self.scalar(first))
    }

    fn weights(&mut self, weights: &Weights, shape: &[usize]) -> Value {
        match weights {
            Weights::Levels { bits, levels } => self.unpacked(*bits, levels, shape),
            Weights::Float(values) => self.floats(values, shape),
        }
    }

    /// A pointwise convolution, then its scale and bias.
    pub(crate) fn pointwise(&mut self, x: &Value, layer: &Pointwise, stride: usize, name: &str) -> Value {
        let weights = self.weights(&layer.weights, &[layer.output, layer.input, 1, 1]);
        let strides = Attribute::Ints(vec![stride as i64; 2]);
        let attributes = [("strides", strides)];
        let sums = self.node_with("Conv", &[x, &weights], name, if stride > 1 { &attributes } else { &[] });
        self.affine(&sums, &layer.affine)
    }

    /// The linear layer on vectors, then its scale and bias.
    pub(crate) fn linear(&mut self, x: &Value, layer: &Pointwise, name: &str) -> Value {
        let weights = self.weights(&layer.weights, &[layer.output, layer.input]);
        let sums = self.node_with("Gemm", &[x, &weights], name, &[("transB", Attribute::Int(1))]);
        let scale = &layer.affine.scale;
        let scale = self.shared(scale).unwrap_or_else(|| self.floats(scale, &[layer.output]));
        let bias = self.floats(&layer.affine.bias, &[layer.output]);
        let scaled = self.node("Mul", &[&scale, &sums]);
        self.node("Add", &[&scaled, &bias])
    }

    /// Scale and bias per channel of maps. A bias of zeros leaves no node, a scale that all channels share is a scalar.
    ///
    /// The constant is the Mul's first operand: onnxruntime folds a Mul whose second operand is constant into the
    /// convolution before it, whose sums would then be no whole numbers and round otherwise.
    pub(crate) fn affine(&mut self, x: &Value, affine: &Affine) -> Value {
        let scale = self.shared(&affine.scale).unwrap_or_else(|| self.pooled_floats(&affine.scale));
        let scaled = self.node("Mul", &[&scale, x]);
        if affine.bias.iter().all(|&b| b == 0.0) {
            return scaled;
        }
        let bias = self.pooled_floats(&affine.bias);
        self.node("Add", &[&scaled, &bias])
    }

    /// Clips to the levels of an activation and, where it is quantised, rounds.
    pub(crate) fn activation(&mut self, x: &Value, top: f32, rounds: bool) -> Value {
        let (low, high) = (self.scalar(0.0), self.scalar(top));
        let clipped = self.node("Clip", &[x, &low, &high]);
        if rounds { self.node("Round", &[&clipped]) } else { clipped }
    }

    /// A depthwise convolution whose one-hot kernels read each channel at its displacement.
    pub(crate) fn shift(&mut self, x: &Value, shift: &[(i8, i8)], stride: usize, name: &str) -> Value {
        let reach = shift.iter().map(|d| d.0.unsigned_abs().max(d.1.unsigned_abs())).max().unwrap_or(0);
        let reach = usize::from(reach);
        let side = 2 * reach + 1;
        let position = |&(dy, dx): &(i8, i8)| {
            let at = |d: i8| (reach as isize + isize::from(d)) as usize;
            at(dy) * side + at(dx)
        };
        let positions: Vec<usize> = shift.iter().map(position).collect();
        let kernels = self.pooled_kernels(&positions, side);
        let mut attributes = vec![("group", Attribute::Int(shift.len() as i64))];
        if reach > 0 {
            attributes.push(("pads", Attribute::Ints(vec![reach as i64; 4])));
        }
        if stride > 1 {
            attributes.push(("strides", Attribute::Ints(vec![stride as i64; 2])));
        }
        self.node_with("Conv", &[x, &kernels], name, &attributes)
    }
}
