//! First values of a network's parameters, drawn from the seed.

use super::active_shift::ActiveShift;
use super::binary::{self, Binary, BinaryPart};
use super::convolution::{Convolution, Dense};
use super::inverted::{self, InvertedResidual, Squeeze};
use super::residual::{self, Residual};
use super::{AnyBlock, Block, Network, Norm};
use crate::random::{Purpose, stream};
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use lsspq::spec::{Activation, BlockKind, BlockShape, NetworkSpec};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal, Uniform};

/// BatchNorm before an activation that clips to [0, 1]: a third below, a few percent above, the rest in the range
/// where gradients pass. With scale 1 and offset 0 only a third of the values would be inside it.
const ACTIVATION: (f32, f32) = (0.5, 0.25);

/// BatchNorm at the end of a branch: smaller than the shortcut at first.
const BRANCH: (f32, f32) = (0.5, 0.0);

/// BatchNorm before an activation without an upper end, or with a far one.
const PLAIN: (f32, f32) = (1.0, 0.0);

/// First slope of a PReLU below zero.
const SLOPE: f32 = 0.25;

/// First threshold of a gate: sums of signs are often nothing, and at nothing rounding would decide.
const GATE: f32 = 0.01;

fn before(activation: Activation) -> (f32, f32) {
    if activation == Activation::Clip { ACTIVATION } else { PLAIN }
}

struct Draw<'a> {
    random: ChaCha8Rng,
    device: &'a Device,
}

impl Draw<'_> {
    fn values<const D: usize>(
        &mut self,
        shape: [usize; D],
        mut value: impl FnMut(&mut ChaCha8Rng) -> f32,
    ) -> Param<Tensor<D>> {
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| value(&mut self.random)).collect();
        Param::from_data(TensorData::new(values, shape), self.device)
    }

    /// Normal with variance 2 / inputs (He et al., 2015).
    fn weight(&mut self, output: usize, input: usize) -> Param<Tensor<2>> {
        let deviation = (2.0 / input as f32).sqrt();
        self.values([output, input], |r| {
            let normal: f32 = StandardNormal.sample(r);
            normal * deviation
        })
    }

    /// Uniform in [-1, 1], as Jeon and Kim start the active shift.
    fn shifts(&mut self, channels: usize) -> Param<Tensor<2>> {
        let uniform = Uniform::new_inclusive(-1.0f32, 1.0).expect("-1 is below 1");
        self.values([channels, 2], |r| uniform.sample(r))
    }

    fn norm(&self, channels: usize, (gamma, beta): (f32, f32)) -> Norm {
        Norm::new(channels, gamma, beta, self.device)
    }

    fn block(&mut self, shape: &BlockShape) -> AnyBlock {
        match shape.kind {
            BlockKind::Shift {} => AnyBlock::Shift(self.shift(shape)),
            BlockKind::ActiveShift {} => AnyBlock::ActiveShift(self.active_shift(shape)),
            BlockKind::Bottleneck {} | BlockKind::Basic {} => AnyBlock::Residual(self.residual(shape)),
            BlockKind::InvertedResidual { .. } => AnyBlock::Inverted(self.inverted(shape)),
            BlockKind::React {} | BlockKind::Fractional {} => AnyBlock::Binary(self.binary(shape)),
        }
    }

    fn shift(&mut self, shape: &BlockShape) -> Block {
        Block {
            pre: shape.pre_activated().then(|| self.norm(shape.input, before(shape.activation))),
            reduce: self.weight(shape.width, shape.input),
            middle: self.norm(shape.width, before(shape.activation)),
            shifts: self.shifts(shape.width),
            expand: self.weight(shape.output, shape.width),
            last: self.norm(shape.output, BRANCH),
            shortcut: shape.projects().then(|| self.weight(shape.output, shape.input)),
            steps: None,
        }
    }

    fn active_shift(&mut self, shape: &BlockShape) -> ActiveShift {
        ActiveShift {
            pre: shape.pre_activated().then(|| self.norm(shape.input, before(shape.activation))),
            shifts: self.shifts(shape.width),
            expand: self.weight(shape.output, shape.input),
            last: self.norm(shape.output, BRANCH),
            shortcut: shape.projects().then(|| self.weight(shape.output, shape.input)),
        }
    }

    /// A convolution of that many inputs, pixels of the kernel counted.
    fn convolution(&mut self, output: usize, input: usize, norm: (f32, f32)) -> Convolution {
        Convolution { weight: self.weight(output, input), norm: self.norm(output, norm) }
    }

    fn dense(&mut self, output: usize, input: usize) -> Dense {
        Dense { weight: self.weight(output, input), bias: self.zeros(output) }
    }

    fn zeros(&self, length: usize) -> Param<Tensor<1>> {
        Param::from_tensor(Tensor::zeros([length], self.device))
    }

    fn residual(&mut self, shape: &BlockShape) -> Residual {
        let plan = residual::plan(shape);
        let last = plan.len() - 1;
        let norm = |i| if i == last { BRANCH } else { before(shape.activation) };
        let draw = |(i, (input, output, window)): (usize, (usize, usize, super::convolution::Window))| {
            self.convolution(output, input * window.kernel * window.kernel, norm(i))
        };
        let convolutions = plan.into_iter().enumerate().map(draw).collect();
        let shortcut = shape.projects().then(|| self.convolution(shape.output, shape.input, PLAIN));
        Residual { convolutions, shortcut }
    }

    fn inverted(&mut self, shape: &BlockShape) -> InvertedResidual {
        let (norm, kernel) = (before(shape.activation), inverted::window(shape).kernel);
        let squeezed = shape.squeezed();
        InvertedResidual {
            widen: (shape.width != shape.input).then(|| self.convolution(shape.width, shape.input, norm)),
            depthwise: self.convolution(shape.width, kernel * kernel, norm),
            squeeze: (squeezed > 0).then(|| Squeeze {
                reduce: self.dense(squeezed, shape.width),
                expand: self.dense(shape.width, squeezed),
            }),
            narrow: self.convolution(shape.output, shape.width, PLAIN),
        }
    }

    fn binary(&mut self, shape: &BlockShape) -> Binary {
        let gated = shape.kind == (BlockKind::Fractional {});
        let part = |(input, output, window): (usize, usize, super::convolution::Window)| BinaryPart {
            offset: self.zeros(input),
            convolution: self.convolution(output, input * window.kernel * window.kernel, PLAIN),
            gate: gated.then(|| Param::from_tensor(Tensor::full([output], GATE, self.device))),
            prelu: {
                let row = |value: f32| Tensor::<2>::full([1, output], value, self.device);
                Param::from_tensor(Tensor::cat(vec![row(0.0), row(SLOPE), row(0.0)], 0))
            },
        };
        Binary { parts: binary::plan(shape).into_iter().map(part).collect() }
    }
}

pub(super) fn network(spec: &NetworkSpec, seed: u64, device: &Device) -> Network {
    let mut draw = Draw { random: stream(seed, Purpose::Initial, 0, 0), device };
    let trunk = spec.trunk_output().0;
    Network {
        stem: draw.weight(spec.stem.channels, 3 * spec.stem.kernel * spec.stem.kernel),
        stem_norm: draw.norm(spec.stem.channels, before(spec.activation)),
        blocks: spec.blocks().iter().map(|shape| draw.block(shape)).collect(),
        closes: {
            let shifting = spec.groups.iter().filter(|g| g.block.shifts());
            shifting.map(|g| draw.norm(g.width * g.expansion, before(spec.activation))).collect()
        },
        head: spec.head.as_ref().map(|head| draw.weight(head.channels, trunk)),
        head_norm: spec.head.as_ref().map(|head| draw.norm(head.channels, before(spec.activation))),
        features: {
            let features = spec.head.as_ref().and_then(|head| Some((head.features?, head.channels)));
            features.map(|(output, input)| draw.dense(output, input))
        },
        linear: draw.weight(spec.classes, spec.embedding()),
        bias: Param::from_tensor(Tensor::zeros([spec.classes], device)),
        steps: None,
    }
}
