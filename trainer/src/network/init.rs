//! First values of a network's parameters, drawn from the seed.

use super::{Block, Network, Norm};
use crate::random::{Purpose, stream};
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use lsspq::spec::{BlockShape, NetworkSpec};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal, Uniform};

/// BatchNorm before an activation that clips to [0, 1]: a third below, a few percent above, the rest in the range
/// where gradients pass. With scale 1 and offset 0 only a third of the values would be inside it.
const ACTIVATION: (f32, f32) = (0.5, 0.25);

/// BatchNorm at the end of a branch: smaller than the shortcut at first.
const BRANCH: (f32, f32) = (0.5, 0.0);

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

    fn block(&mut self, shape: &BlockShape) -> Block {
        Block {
            pre: shape.pre_activated().then(|| self.norm(shape.input, ACTIVATION)),
            reduce: self.weight(shape.width, shape.input),
            middle: self.norm(shape.width, ACTIVATION),
            shifts: self.shifts(shape.width),
            expand: self.weight(shape.output, shape.width),
            last: self.norm(shape.output, BRANCH),
            shortcut: shape.projects().then(|| self.weight(shape.output, shape.input)),
            steps: None,
        }
    }
}

pub(super) fn network(spec: &NetworkSpec, seed: u64, device: &Device) -> Network {
    let mut draw = Draw { random: stream(seed, Purpose::Initial, 0, 0), device };
    let trunk = spec.trunk_output().0;
    Network {
        stem: draw.weight(spec.stem.channels, 3 * spec.stem.kernel * spec.stem.kernel),
        stem_norm: draw.norm(spec.stem.channels, ACTIVATION),
        blocks: spec.blocks().iter().map(|shape| draw.block(shape)).collect(),
        closes: spec.groups.iter().map(|g| draw.norm(g.width * g.expansion, ACTIVATION)).collect(),
        head: spec.head.as_ref().map(|head| draw.weight(head.channels, trunk)),
        head_norm: spec.head.as_ref().map(|head| draw.norm(head.channels, ACTIVATION)),
        linear: draw.weight(spec.classes, spec.embedding()),
        bias: Param::from_tensor(Tensor::zeros([spec.classes], device)),
        steps: None,
    }
}
