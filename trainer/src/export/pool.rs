//! Constants of a kind, stored as one tensor for the whole network and unpacked together.
//!
//! A tensor of its own for every layer would cost 100 to 200 bytes a layer in nodes alone, a tenth of a small file.

use super::graph::{Attribute, Graph, Value};
use super::pack::{Plane, pack};
use crate::deploy::fits_half;
use half::f16;
use tract_onnx::pb::tensor_proto::DataType;

/// Numbers in one pool at most: as floats 4 MiB, above which tract leaves a constant unfolded.
const LIMIT: usize = 1 << 20;

/// How the constants of a pool are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Per-channel numbers `[channels, 1, 1]`, as float16 or as they are.
    Floats { half: bool },
    /// Vectors of `2 plane - (2^width - 1)`, packed.
    Plane { width: u8 },
    /// One-hot kernels `[channels, 1, side, side]`, as the position of the one.
    Kernels { side: usize },
}

/// Constants of one kind, and the names by which the layers know their parts.
pub(super) struct Pool {
    kind: Kind,
    numbers: Vec<f32>,
    parts: Vec<(Value, usize)>,
}

impl Graph {
    /// Per-channel numbers as floats `[channels, 1, 1]`: stored as float16 where that holds every one exactly.
    pub(super) fn pooled_floats(&mut self, values: &[f32]) -> Value {
        let half = values.iter().all(|&v| fits_half(v));
        self.pooled(Kind::Floats { half }, values.iter().copied())
    }

    /// One plane of weight levels as a vector of `2 plane - (2^width - 1)`.
    pub(super) fn pooled_plane(&mut self, levels: &[u8], plane: Plane) -> Value {
        let mask = u8::MAX >> (8 - plane.width);
        let numbers = levels.iter().map(|level| f32::from(level >> plane.offset & mask));
        self.pooled(Kind::Plane { width: plane.width }, numbers)
    }

    /// One-hot kernels `[channels, 1, side, side]` with their ones at the given positions.
    pub(super) fn pooled_kernels(&mut self, positions: &[usize], side: usize) -> Value {
        self.pooled(Kind::Kernels { side }, positions.iter().map(|&p| p as f32))
    }

    fn pooled(&mut self, kind: Kind, numbers: impl ExactSizeIterator<Item = f32>) -> Value {
        let value = self.promise();
        let count = numbers.len();
        let fits = |pool: &Pool| pool.kind == kind && pool.numbers.len() + count <= LIMIT;
        let at = self.pools.iter().position(fits).unwrap_or_else(|| {
            self.pools.push(Pool { kind, numbers: Vec::new(), parts: Vec::new() });
            self.pools.len() - 1
        });
        self.pools[at].numbers.extend(numbers);
        self.pools[at].parts.push((value.clone(), count));
        value
    }
}

impl Pool {
    /// Adds the tensor and the nodes that give the parts their promised names.
    pub(super) fn write(self, graph: &mut Graph) {
        let whole = match self.kind {
            Kind::Floats { half } => self.write_floats(graph, half),
            Kind::Plane { width } => self.write_plane(graph, width),
            Kind::Kernels { side } => self.write_kernels(graph, side),
        };
        if self.parts.len() > 1 {
            let sizes: Vec<i64> = self.parts.iter().map(|part| part.1 as i64).collect();
            let sizes = graph.integers(&sizes);
            graph.node("Split", &[&whole, &sizes]);
        }
        graph.name_outputs(self.parts.into_iter().map(|part| part.0));
    }

    fn write_floats(&self, graph: &mut Graph, half: bool) -> Value {
        let shape = [self.numbers.len(), 1, 1];
        if half {
            let bytes = self.numbers.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect();
            let halves = graph.constant(DataType::Float16, &shape, bytes);
            return graph.cast(&halves, DataType::Float);
        }
        let bytes = self.numbers.iter().flat_map(|v| v.to_le_bytes()).collect();
        let floats = graph.constant(DataType::Float, &shape, bytes);
        // A single part must be some node's output; the Cast is folded as all the others are.
        if self.parts.len() == 1 { graph.cast(&floats, DataType::Float) } else { floats }
    }

    fn write_plane(&self, graph: &mut Graph, width: u8) -> Value {
        let count = self.numbers.len();
        let levels: Vec<u8> = self.numbers.iter().map(|&v| v as u8).collect();
        let bytes = pack(&levels, Plane { width, offset: 0 });
        let per_byte = usize::from(8 / width);
        let mut bits = if width == 8 {
            graph.constant(DataType::Uint8, &[count], bytes)
        } else {
            let packed = graph.constant(DataType::Uint8, &[bytes.len(), 1], bytes);
            let distances = (0..8).step_by(width.into()).collect();
            let distances = graph.constant(DataType::Uint8, &[per_byte], distances);
            let mask = graph.constant(DataType::Uint8, &[], vec![u8::MAX >> (8 - width)]);
            let right = [("direction", Attribute::Text("RIGHT"))];
            let moved = graph.node_with("BitShift", &[&packed, &distances], "", &right);
            let masked = graph.node("BitwiseAnd", &[&moved, &mask]);
            let flat = graph.integers(&[-1]);
            graph.node("Reshape", &[&masked, &flat])
        };
        if !count.is_multiple_of(per_byte) {
            let (start, end) = (graph.integers(&[0]), graph.integers(&[count as i64]));
            bits = graph.node("Slice", &[&bits, &start, &end]);
        }
        let numbers = graph.cast(&bits, DataType::Float);
        let two = graph.scalar(2.0);
        let doubled = graph.node("Mul", &[&numbers, &two]);
        let top = graph.scalar(((1_u32 << width) - 1) as f32);
        graph.node("Sub", &[&doubled, &top])
    }

    fn write_kernels(&self, graph: &mut Graph, side: usize) -> Value {
        let (data_type, bytes) = if side * side <= 256 {
            (DataType::Uint8, self.numbers.iter().map(|&p| p as u8).collect())
        } else {
            (DataType::Uint16, self.numbers.iter().flat_map(|&p| (p as u16).to_le_bytes()).collect())
        };
        let positions = graph.constant(data_type, &[self.numbers.len(), 1], bytes);
        // onnxruntime compares no 8-bit numbers.
        let positions = graph.cast(&positions, DataType::Int32);
        let range = (0..(side * side) as i32).flat_map(i32::to_le_bytes).collect();
        let range = graph.constant(DataType::Int32, &[side * side], range);
        let hot = graph.node("Equal", &[&positions, &range]);
        let hot = graph.cast(&hot, DataType::Float);
        let shape = graph.integers(&[0, 1, side as i64, side as i64]);
        graph.node("Reshape", &[&hot, &shape])
    }
}
