//! Writing a network of any kind of block, in float: ordinary Conv nodes with BatchNorm folded in.
//!
//! What the L-SSPQ family gains from whole numbers (see [`to_onnx`](super::to_onnx)) is not to be had here: weights are
//! 32-bit floats, but quantised ones, which are packed all the same, and shifts, which are one-hot kernels.

use super::graph::{Attribute, Graph, Value};
use super::{check_card, encode};
use crate::augment::whole_pixel;
use crate::deploy::{Affine, NetworkError, Weights};
use crate::network::active_shift::ActiveShift;
use crate::network::binary::{self, Binary, BinaryPart};
use crate::network::convolution::{Convolution, Dense, Window};
use crate::network::inverted::{self, InvertedResidual, Squeeze};
use crate::network::residual::{self, Residual};
use crate::network::{AnyBlock, Block, Network, Norm, integers, scale_and_bias};
use crate::quantise;
use burn::module::Param;
use burn::tensor::Tensor;
use lsspq::ModelCard;
use lsspq::spec::{Activation, BlockShape, NetworkSpec};
use tract_onnx::pb::GraphProto;
use tract_onnx::pb::tensor_proto::DataType;

/// The bytes of an ONNX file with the same input, outputs and card as [`to_onnx`](super::to_onnx) gives. Displacements
/// are rounded to whole pixels; `mean` and `deviation` are those of training.
///
/// # Errors
/// [`Inconsistent`](crate::deploy::NetworkErrorKind::Inconsistent) where the card describes another network.
pub fn to_plain_onnx(
    network: &Network,
    spec: &NetworkSpec,
    mean: [f32; 3],
    deviation: [f32; 3],
    card: &ModelCard,
) -> Result<Vec<u8>, NetworkError> {
    check_card(spec, card)?;
    Ok(encode(graph(network, spec, mean.map(whole_pixel), deviation), card))
}

fn graph(network: &Network, spec: &NetworkSpec, mean: [f32; 3], deviation: [f32; 3]) -> GraphProto {
    let mut w = Writer { graph: Graph::default(), activation: spec.activation };
    let image = w.graph.input("image", &[None, Some(3), Some(spec.input), Some(spec.input)]);
    let mean = w.floats(&mean, &[3, 1, 1]);
    let gain = w.floats(&deviation.map(|d| 1.0 / d), &[3, 1, 1]);
    let centred = w.graph.node("Sub", &[&image, &mean]);
    let normal = w.graph.node("Mul", &[&gain, &centred]);
    let window = Window { kernel: spec.stem.kernel, stride: spec.stem.stride, depthwise: false };
    let stem = w.convolution(&normal, &network.stem, None, Some(&network.stem_norm), window);
    let mut x = w.activate(&stem, spec.activation);
    if spec.stem.pool {
        x = w.pool("MaxPool", &x, 3, 2, 1);
    }
    let shapes = spec.blocks();
    let mut closes = network.closes.iter();
    for (i, (block, shape)) in network.blocks.iter().zip(&shapes).enumerate() {
        x = w.block(&x, block, shape);
        let ends = shapes.get(i + 1).is_none_or(|next| next.group != shape.group);
        if let Some(close) = if ends && shape.kind.shifts() { closes.next() } else { None } {
            x = w.normed(&x, close);
        }
    }
    if let (Some(weight), Some(norm)) = (&network.head, &network.head_norm) {
        let y = w.convolution(&x, weight, spec.bits.weights, Some(norm), Window::pointwise(1));
        x = w.activate(&y, spec.activation);
    }
    let side = spec.trunk_output().1;
    let mut embedding = w.mean(&x, side, false);
    if let Some(features) = &network.features {
        let y = w.dense(&embedding, features);
        embedding = w.activate(&y, spec.activation);
    }
    let logits = w.linear(&embedding, network, spec);
    w.graph.output(&logits, "logits", &[None, Some(spec.classes)]);
    w.graph.output(&embedding, "embedding", &[None, Some(spec.embedding())]);
    w.graph.finish(&spec.name)
}

struct Writer {
    graph: Graph,
    activation: Activation,
}

impl Writer {
    fn floats(&mut self, values: &[f32], shape: &[usize]) -> Value {
        self.graph.constant(DataType::Float, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    fn per_channel(&mut self, values: &[f32]) -> Value {
        self.floats(values, &[values.len(), 1, 1])
    }

    /// A convolution and its BatchNorm. Float weights take the scale in; of quantised ones it stands behind the sums.
    fn convolution(
        &mut self,
        x: &Value,
        weight: &Param<Tensor<2>>,
        bits: Option<u8>,
        norm: Option<&Norm>,
        window: Window,
    ) -> Value {
        let [output, row] = weight.val().dims();
        let shape = [output, row / (window.kernel * window.kernel), window.kernel, window.kernel];
        let (scale, bias) = norm.map_or((vec![1.0; output], vec![0.0; output]), scale_and_bias);
        let mut attributes = vec![];
        if window.kernel > 1 {
            attributes.push(("pads", Attribute::Ints(vec![(window.kernel / 2) as i64; 4])));
        }
        if window.stride > 1 {
            attributes.push(("strides", Attribute::Ints(vec![window.stride as i64; 2])));
        }
        if window.depthwise {
            attributes.push(("group", Attribute::Int(output as i64)));
        }
        match integers(weight, bits, None) {
            (Weights::Float(mut values), _) => {
                values.chunks_exact_mut(row).zip(&scale).for_each(|(row, s)| row.iter_mut().for_each(|v| *v *= s));
                let weights = self.floats(&values, &shape);
                let bias = self.floats(&bias, &[output]);
                self.graph.node_with("Conv", &[x, &weights, &bias], "", &attributes)
            }
            (Weights::Levels { bits, levels }, unit) => {
                let weights = self.graph.unpacked(bits, &levels, &shape);
                let sums = self.graph.node_with("Conv", &[x, &weights], "", &attributes);
                self.graph.affine(&sums, &Affine { scale: scale.iter().map(|s| s * unit).collect(), bias })
            }
        }
    }

    fn of(&mut self, x: &Value, layer: &Convolution, bits: Option<u8>, window: Window) -> Value {
        self.convolution(x, &layer.weight, bits, Some(&layer.norm), window)
    }

    /// BatchNorm and the network's activation.
    fn normed(&mut self, x: &Value, norm: &Norm) -> Value {
        let (scale, bias) = scale_and_bias(norm);
        let y = self.graph.affine(x, &Affine { scale, bias });
        self.activate(&y, self.activation)
    }

    fn activate(&mut self, x: &Value, activation: Activation) -> Value {
        match activation {
            Activation::Clip => self.clip(x, 0.0, 1.0),
            Activation::Relu => self.graph.node("Relu", &[x]),
            Activation::Relu6 => self.clip(x, 0.0, 6.0),
            Activation::HardSwish => {
                let factor = self.hard_sigmoid(x);
                self.graph.node("Mul", &[x, &factor])
            }
        }
    }

    fn clip(&mut self, x: &Value, low: f32, high: f32) -> Value {
        let (low, high) = (self.graph.scalar(low), self.graph.scalar(high));
        self.graph.node("Clip", &[x, &low, &high])
    }

    fn hard_sigmoid(&mut self, x: &Value) -> Value {
        let (three, sixth) = (self.graph.scalar(3.0), self.graph.scalar(1.0 / 6.0));
        let moved = self.graph.node("Add", &[x, &three]);
        let clipped = self.clip(&moved, 0.0, 6.0);
        self.graph.node("Mul", &[&clipped, &sixth])
    }

    fn pool(&mut self, op: &str, x: &Value, kernel: i64, stride: i64, pad: i64) -> Value {
        let attributes = [
            ("kernel_shape", Attribute::Ints(vec![kernel; 2])),
            ("pads", Attribute::Ints(vec![pad; 4])),
            ("strides", Attribute::Ints(vec![stride; 2])),
        ];
        self.graph.node_with(op, &[x], "", &attributes)
    }

    /// The mean of each channel's `side` x `side` pixels.
    fn mean(&mut self, x: &Value, side: usize, keep: bool) -> Value {
        let axes = self.graph.integers(&[2, 3]);
        let keepdims = [("keepdims", Attribute::Int(keep.into()))];
        let sums = self.graph.node_with("ReduceSum", &[x, &axes], "", &keepdims);
        let share = self.graph.scalar(1.0 / (side * side) as f32);
        self.graph.node("Mul", &[&share, &sums])
    }

    fn dense(&mut self, x: &Value, layer: &Dense) -> Value {
        let [output, input] = layer.weight.val().dims();
        let weights = self.floats(&host(layer.weight.val()), &[output, input]);
        let bias = self.floats(&host(layer.bias.val()), &[output]);
        self.graph.node_with("Gemm", &[x, &weights, &bias], "", &[("transB", Attribute::Int(1))])
    }

    fn linear(&mut self, x: &Value, network: &Network, spec: &NetworkSpec) -> Value {
        let [output, input] = network.linear.val().dims();
        let bias = self.floats(&host(network.bias.val()), &[output]);
        let transposed = [("transB", Attribute::Int(1))];
        match integers(&network.linear, spec.bits.linear, None) {
            (Weights::Float(values), _) => {
                let weights = self.floats(&values, &[output, input]);
                self.graph.node_with("Gemm", &[x, &weights, &bias], "linear", &transposed)
            }
            (Weights::Levels { bits, levels }, unit) => {
                let weights = self.graph.unpacked(bits, &levels, &[output, input]);
                let sums = self.graph.node_with("Gemm", &[x, &weights], "linear", &transposed);
                let unit = self.graph.scalar(unit);
                let scaled = self.graph.node("Mul", &[&unit, &sums]);
                self.graph.node("Add", &[&scaled, &bias])
            }
        }
    }

    fn block(&mut self, x: &Value, block: &AnyBlock, shape: &BlockShape) -> Value {
        match block {
            AnyBlock::Shift(block) => self.shift(x, block, shape),
            AnyBlock::ActiveShift(block) => self.active_shift(x, block, shape),
            AnyBlock::Residual(block) => self.residual(x, block, shape),
            AnyBlock::Inverted(block) => self.inverted(x, block, shape),
            AnyBlock::Binary(block) => self.binary(x, block, shape),
        }
    }

    fn shifted(&mut self, x: &Value, displacements: Tensor<2>, stride: usize) -> Value {
        let shift: Vec<(i8, i8)> = host(displacements).chunks_exact(2).map(|d| (d[0] as i8, d[1] as i8)).collect();
        self.graph.shift(x, &shift, stride, "")
    }

    fn projected(&mut self, x: &Value, shortcut: Option<&Param<Tensor<2>>>, shape: &BlockShape) -> Value {
        match shortcut {
            Some(weight) => self.convolution(x, weight, shape.weight_bits, None, Window::pointwise(shape.stride)),
            None => x.clone(),
        }
    }

    fn shift(&mut self, x: &Value, block: &Block, shape: &BlockShape) -> Value {
        let (bits, one) = (shape.weight_bits, Window::pointwise(1));
        let inner = block.pre.as_ref().map_or_else(|| x.clone(), |norm| self.normed(x, norm));
        let reduced = self.convolution(&inner, &block.reduce, bits, Some(&block.middle), one);
        let reduced = self.activate(&reduced, shape.activation);
        let shifted = self.shifted(&reduced, quantise::shifts(block.shifts.val(), true), shape.stride);
        let expanded = self.convolution(&shifted, &block.expand, bits, Some(&block.last), one);
        let shortcut = self.projected(x, block.shortcut.as_ref(), shape);
        self.graph.node("Add", &[&expanded, &shortcut])
    }

    fn active_shift(&mut self, x: &Value, block: &ActiveShift, shape: &BlockShape) -> Value {
        let inner = block.pre.as_ref().map_or_else(|| x.clone(), |norm| self.normed(x, norm));
        let shifted = self.shifted(&inner, block.displacements(shape, true), shape.stride);
        let one = Window::pointwise(1);
        let expanded = self.convolution(&shifted, &block.expand, shape.weight_bits, Some(&block.last), one);
        let shortcut = self.projected(x, block.shortcut.as_ref(), shape);
        self.graph.node("Add", &[&expanded, &shortcut])
    }

    fn residual(&mut self, x: &Value, block: &Residual, shape: &BlockShape) -> Value {
        let plan = residual::plan(shape);
        let mut y = x.clone();
        for (i, (layer, &(_, _, window))) in block.convolutions.iter().zip(&plan).enumerate() {
            y = self.of(&y, layer, None, window);
            if i + 1 < plan.len() {
                y = self.activate(&y, shape.activation);
            }
        }
        let shortcut = match &block.shortcut {
            Some(layer) => self.of(x, layer, None, Window::pointwise(shape.stride)),
            None => x.clone(),
        };
        let sum = self.graph.node("Add", &[&y, &shortcut]);
        self.activate(&sum, shape.activation)
    }

    fn inverted(&mut self, x: &Value, block: &InvertedResidual, shape: &BlockShape) -> Value {
        let mut y = x.clone();
        if let Some(widen) = &block.widen {
            y = self.of(&y, widen, None, Window::pointwise(1));
            y = self.activate(&y, shape.activation);
        }
        y = self.of(&y, &block.depthwise, None, inverted::window(shape));
        y = self.activate(&y, shape.activation);
        if let Some(squeeze) = &block.squeeze {
            y = self.squeeze(&y, squeeze, shape.output_side());
        }
        y = self.of(&y, &block.narrow, None, Window::pointwise(1));
        if shape.keeps_shape() { self.graph.node("Add", &[&y, x]) } else { y }
    }

    /// The linear layers as convolutions of maps of one pixel: nothing has to be reshaped.
    fn squeeze(&mut self, x: &Value, squeeze: &Squeeze, side: usize) -> Value {
        let layer = |w: &mut Self, x: &Value, layer: &Dense| {
            let [output, input] = layer.weight.val().dims();
            let weights = w.floats(&host(layer.weight.val()), &[output, input, 1, 1]);
            let bias = w.floats(&host(layer.bias.val()), &[output]);
            w.graph.node("Conv", &[x, &weights, &bias])
        };
        let means = self.mean(x, side, true);
        let reduced = layer(self, &means, &squeeze.reduce);
        let reduced = self.graph.node("Relu", &[&reduced]);
        let expanded = layer(self, &reduced, &squeeze.expand);
        let factors = self.hard_sigmoid(&expanded);
        self.graph.node("Mul", &[x, &factors])
    }

    fn binary(&mut self, x: &Value, block: &Binary, shape: &BlockShape) -> Value {
        let plan = binary::plan(shape);
        block
            .parts
            .iter()
            .zip(plan)
            .fold(x.clone(), |x, (part, (input, output, window))| self.binary_part(&x, part, output / input, window))
    }

    fn binary_part(&mut self, x: &Value, part: &BinaryPart, repeat: usize, window: Window) -> Value {
        let Convolution { weight, norm } = &part.convolution;
        let offset = self.per_channel(&host(part.offset.val()));
        let moved = self.graph.node("Sub", &[x, &offset]);
        let signs = self.at_least_zero(&moved);
        let (two, one) = (self.graph.scalar(2.0), self.graph.scalar(1.0));
        let signs = self.graph.node("Mul", &[&signs, &two]);
        let signs = self.graph.node("Sub", &[&signs, &one]);
        let y = match &part.gate {
            None => self.convolution(&signs, weight, Some(1), Some(norm), window),
            Some(gate) => {
                let share = self.graph.scalar(2.0 / 3.0);
                let upper = self.graph.node("Mul", &[&signs, &share]);
                let whole = self.two_bits(&moved);
                let lower = self.graph.node("Sub", &[&whole, &upper]);
                let coarse = self.convolution(&upper, weight, Some(1), None, window);
                let threshold = self.per_channel(&host(gate.val()));
                let above = self.graph.node("Sub", &[&coarse, &threshold]);
                let open = self.at_least_zero(&above);
                let fine = self.convolution(&lower, weight, Some(1), None, window);
                let gated = self.graph.node("Mul", &[&open, &fine]);
                let sums = self.graph.node("Add", &[&coarse, &gated]);
                let (scale, bias) = scale_and_bias(norm);
                self.graph.affine(&sums, &Affine { scale, bias })
            }
        };
        let mut shortcut = x.clone();
        if window.stride > 1 {
            shortcut = self.pool("AveragePool", &shortcut, window.stride as i64, window.stride as i64, 0);
        }
        if repeat > 1 {
            let inputs = vec![&shortcut; repeat];
            shortcut = self.graph.node_with("Concat", &inputs, "", &[("axis", Attribute::Int(1))]);
        }
        let y = self.graph.node("Add", &[&y, &shortcut]);
        let rows = host(part.prelu.val());
        let [before, slope, after] = [0, 1, 2].map(|i| rows[i * rows.len() / 3..(i + 1) * rows.len() / 3].to_vec());
        let before = self.per_channel(&before);
        let slope = self.per_channel(&slope);
        let after = self.per_channel(&after);
        let moved = self.graph.node("Sub", &[&y, &before]);
        let bent = self.graph.node("PRelu", &[&moved, &slope]);
        self.graph.node("Add", &[&bent, &after])
    }

    /// 1 from zero on, else 0.
    fn at_least_zero(&mut self, x: &Value) -> Value {
        let zero = self.graph.scalar(0.0);
        let yes = self.graph.node("GreaterOrEqual", &[x, &zero]);
        self.graph.cast(&yes, DataType::Float)
    }

    /// The nearest of -1, -1/3, 1/3, 1; halves go up.
    fn two_bits(&mut self, x: &Value) -> Value {
        let clipped = self.clip(x, -1.0, 1.0);
        let (one, half) = (self.graph.scalar(1.0), self.graph.scalar(0.5));
        let (step, share) = (self.graph.scalar(1.5), self.graph.scalar(2.0 / 3.0));
        let moved = self.graph.node("Add", &[&clipped, &one]);
        let scaled = self.graph.node("Mul", &[&moved, &step]);
        let above = self.graph.node("Add", &[&scaled, &half]);
        let level = self.graph.node("Floor", &[&above]);
        let value = self.graph.node("Mul", &[&level, &share]);
        self.graph.node("Sub", &[&value, &one])
    }
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
