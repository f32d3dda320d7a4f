//! The trainable network: parameters and forward pass.

pub(crate) mod active_shift;
mod any_block;
pub(crate) mod binary;
mod block;
pub(crate) mod convolution;
mod flow;
mod fold;
#[cfg(test)]
mod gradient_tests;
mod init;
pub(crate) mod inverted;
#[cfg(test)]
mod kind_tests;
mod learned;
mod norm;
mod ops;
#[cfg(test)]
mod reference;
pub(crate) mod residual;
mod unfold;

pub use any_block::AnyBlock;
pub use block::Block;
pub use fold::fold;
pub(crate) use fold::{integers, scale_and_bias};
pub use norm::Norm;
pub use ops::Engine;
pub use unfold::{Target, unfold};

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor, TensorData, Transaction};
use convolution::{Dense, activate};
use flow::Flow;
use lsspq::spec::{Activation, NetworkSpec};

/// Parameters of a network. Weights are `[output, input]`, the stem's `[output, 3 * kernel * kernel]`.
#[derive(Module, Debug)]
pub struct Network {
    pub(crate) stem: Param<Tensor<2>>,
    pub(crate) stem_norm: Norm,
    pub(crate) blocks: Vec<AnyBlock>,
    /// Of the groups whose blocks shift.
    pub(crate) closes: Vec<Norm>,
    pub(crate) head: Option<Param<Tensor<2>>>,
    pub(crate) head_norm: Option<Norm>,
    pub(crate) features: Option<Dense>,
    pub(crate) linear: Param<Tensor<2>>,
    pub(crate) bias: Param<Tensor<1>>,
    /// Learned steps of the head's and the linear weights.
    pub(crate) steps: Option<Param<Tensor<1>>>,
}

/// Takes a map and the statistics of the BatchNorm it went through, and gives the map back.
pub(crate) type Keep<'a> = dyn FnMut((Tensor<4>, Tensor<2>)) -> Tensor<4> + 'a;

/// How the network runs: what differs between training and evaluation and from stage to stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mode {
    /// Normalise by the batch's own statistics (training) or by the running ones (evaluation).
    pub batch_statistics: bool,
    /// Bits of the activations in this stage; none clips without rounding.
    pub activations: Option<u8>,
    /// Whether displacements are rounded to whole pixels.
    pub round_shifts: bool,
    /// Which form of the operations does the arithmetic.
    pub engine: Engine,
}

/// What a forward pass gives.
pub struct Output {
    /// `[images, classes]`.
    pub logits: Tensor<2>,
    /// The pooled vector before the linear layer, `[images, features]`.
    pub embedding: Tensor<2>,
    /// Statistics of each BatchNorm, in the order of the forward pass.
    statistics: Vec<Tensor<2>>,
}

impl Output {
    /// The outputs of a batch's parts as one, on a device; no gradient passes through it. The statistics are those of all
    /// parts together: variances around the common means.
    pub(crate) fn merge(parts: Vec<Self>, device: &Device) -> Self {
        let here = |tensor: &Tensor<2>| tensor.clone().detach().to_device(device);
        let all = |part: fn(&Self) -> &Tensor<2>| Tensor::cat(parts.iter().map(|p| here(part(p))).collect(), 0);
        let shares: Vec<f32> = parts.iter().map(|part| part.logits.dims()[0] as f32).collect();
        let whole: f32 = shares.iter().sum();
        let norms = parts[0].statistics.len();
        let statistics = (0..norms).map(|norm| {
            let moments = parts.iter().zip(&shares).map(|(part, share)| {
                let statistics = here(&part.statistics[norm]);
                let (mean, variance) = (statistics.clone().narrow(0, 0, 1), statistics.narrow(0, 1, 1));
                Tensor::cat(vec![mean.clone(), variance + mean.clone() * mean], 0) * (share / whole)
            });
            let sum = moments.reduce(|a, b| a + b).expect("a batch has parts");
            let (mean, square) = (sum.clone().narrow(0, 0, 1), sum.narrow(0, 1, 1));
            Tensor::cat(vec![mean.clone(), (square - mean.clone() * mean).clamp_min(0.0)], 0)
        });
        Self { logits: all(|p| &p.logits), embedding: all(|p| &p.embedding), statistics: statistics.collect() }
    }
}

impl Network {
    /// A network with weights drawn from the seed.
    pub fn new(spec: &NetworkSpec, seed: u64, device: &Device) -> Self {
        init::network(spec, seed, device)
    }

    /// Runs normalised pictures `[images, 3, height, width]` through the network; with running statistics their mirror
    /// images too, where the specification asks for it.
    pub fn forward(&self, spec: &NetworkSpec, images: Tensor<4>, mode: Mode) -> Output {
        let mut statistics = Vec::new();
        let mut keep = |(y, s): (Tensor<4>, Tensor<2>)| {
            statistics.push(s);
            y
        };
        let (e, activation) = (mode.engine, spec.activation);
        // Only who evaluates looks twice; training shows pictures mirrored at random.
        let mirrored = spec.mirrored && !mode.batch_statistics;
        let images = if mirrored { Tensor::cat(vec![images.clone(), images.flip([3])], 0) } else { images };
        let y = e.stem(images, self.stem.val(), spec.stem.kernel, spec.stem.stride);
        let mut flow = Flow::of(y).activated(&self.stem_norm, activation, mode, &mut keep);
        if spec.stem.pool {
            let pool = MaxPoolOptions { stride: [2, 2], padding: [(1, 1); 2], ..MaxPoolOptions::new([3, 3]) };
            flow = Flow::of(max_pool2d(flow.settle(mode, &mut keep), pool));
        }
        let shapes = spec.blocks();
        let mut closes = self.closes.iter().peekable();
        for (i, (block, shape)) in self.blocks.iter().zip(&shapes).enumerate() {
            flow = block.forward(flow, shape, mode, &mut keep);
            let ends = shapes.get(i + 1).is_none_or(|next| next.group != shape.group);
            if let Some(close) = closes.next_if(|_| ends && shape.kind.shifts()) {
                flow = flow.activated(close, activation, mode, &mut keep);
            }
        }
        let mut x = flow.settle(mode, &mut keep);
        if let (Some(weight), Some(norm)) = (&self.head, &self.head_norm) {
            let y = e.pointwise(x, self.quantised(0, weight, spec.bits.weights), 1);
            x = keep(e.activated(y, norm, activation, mode));
        }
        let mut embedding = e.pooled(x);
        if mirrored {
            let [views, _] = embedding.dims();
            let half = |start| embedding.clone().narrow(0, start, views / 2);
            embedding = (half(0) + half(views / 2)) / 2.0;
        }
        if let Some(features) = &self.features {
            embedding = activate(features.forward(embedding), activation, mode);
        }
        let pooled = match &self.head_norm {
            Some(norm) if activation == Activation::Clip => norm.quantised(embedding.clone(), mode),
            _ => embedding.clone(),
        };
        let weight = self.quantised(1, &self.linear, spec.bits.linear);
        let logits = pooled.matmul(weight.transpose()) + self.bias.val().unsqueeze();
        Output { logits, embedding, statistics }
    }

    /// Moves the running statistics towards a batch's: `(1 - momentum) old + momentum new`.
    pub fn absorb(&mut self, spec: &NetworkSpec, output: Output, momentum: f32) {
        for (norm, batch) in self.norms_mut(spec).into_iter().zip(output.statistics) {
            norm.absorb(batch, momentum);
        }
    }

    /// How many BatchNorms it has.
    pub(crate) fn norms(&self, spec: &NetworkSpec) -> usize {
        self.clone().norms_mut(spec).len()
    }

    /// Every BatchNorm in the order of the forward pass.
    fn norms_mut(&mut self, spec: &NetworkSpec) -> Vec<&mut Norm> {
        let mut norms = vec![&mut self.stem_norm];
        let mut closes = self.closes.iter_mut();
        let shapes = spec.blocks();
        for (i, (block, shape)) in self.blocks.iter_mut().zip(&shapes).enumerate() {
            norms.extend(block.norms_mut());
            if shape.kind.shifts() && shapes.get(i + 1).is_none_or(|next| next.group != shape.group) {
                norms.extend(closes.next());
            }
        }
        norms.extend(&mut self.head_norm);
        norms
    }

    /// Where its parameters are.
    pub fn device(&self) -> Device {
        self.linear.val().device()
    }

    /// The parameters that weight decay applies to: convolutions and linear layers, not BatchNorm, bias or shifts.
    pub fn weight_ids(&self) -> Vec<ParamId> {
        let blocks = self.blocks.iter().flat_map(AnyBlock::weights);
        let features = self.features.iter().map(|f| &f.weight);
        [&self.stem, &self.linear].into_iter().chain(&self.head).chain(features).chain(blocks).map(|p| p.id).collect()
    }

    /// The displacements of all blocks that shift.
    pub fn shift_ids(&self) -> Vec<ParamId> {
        self.blocks.iter().filter_map(AnyBlock::shifts).map(|p| p.id).collect()
    }

    /// Takes the displacements out of what learns.
    pub(crate) fn hold_shifts(&mut self) {
        for shifts in self.blocks.iter_mut().filter_map(AnyBlock::shifts_mut) {
            *shifts = shifts.clone().set_require_grad(false);
        }
    }

    /// The place of a parameter that holds a value that is no number, if there is one.
    pub fn first_not_finite(&self) -> Option<String> {
        let mut all = Values::default();
        self.visit(&mut all);
        let is_finite = |data: TensorData| data.as_slice::<f32>().is_ok_and(|v| v.iter().all(|v| v.is_finite()));
        all.names.into_iter().zip(all.values.execute()).find_map(|(name, data)| (!is_finite(data)).then_some(name))
    }
}

/// The values of all parameters with their places, read at once: a device is waited for once and not for each.
#[derive(Default)]
struct Values {
    path: Vec<String>,
    names: Vec<String>,
    values: Transaction,
}

impl ModuleVisitor for Values {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.names.push(self.path.join("."));
        self.values = std::mem::take(&mut self.values).register(param.val());
    }
}
