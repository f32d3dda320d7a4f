//! From the deployed form back to parameters that can be trained: the inverse of [`fold`](super::fold()).
//!
//! A model file has no more than levels, and one scale and bias behind each sum. Which weights they were rounded from is
//! lost, and how the scale was shared out between weights, ranges and BatchNorm as well. So every weight is put into the
//! middle of its level, and the layers that a BatchNorm follows get the spread of first weights (He et al., 2015), by
//! which the same rate moves them as far as those of a network that begins anew.

use super::norm::Norm;
use super::{AnyBlock, Block, Network};
use crate::augment::whole_pixel;
use crate::deploy::{self, Affine, Pointwise, Weights};
use crate::quantise;
use crate::recipe::{Quantiser, WeightQuantiser};
use burn::module::Param;
use burn::tensor::{Tensor, TensorData};
use lsspq::spec::{BlockShape, NetworkSpec};

/// What a network is to be like that goes on from a deployed one.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Channels and kernels of the deployed network, and its blocks at the least; bits, classes, strides, the head and the side of
    /// the pictures may be others.
    pub spec: &'a NetworkSpec,
    /// How its weights come to their levels.
    pub quantiser: Quantiser,
    /// By which training normalises pictures in [0, 1].
    pub mean: [f32; 3],
    /// The same.
    pub deviation: [f32; 3],
    /// Whether it tells the same classes apart; the linear layer of others stays as it was drawn.
    pub same_classes: bool,
}

/// Puts the deployed weights into a network that was drawn for the target. It then computes in evaluation what the
/// deployed network does, up to rounding, where bits are the same; weights that were learned by LSQ and shall be DoReFa's
/// need the outermost level in every layer for that.
///
/// Blocks that the deployed network lacks stay as they were drawn, silent: they add nothing until training gives the scale at
/// their end a value. So stay a head that differs and the linear layer behind it, which is not silent.
///
/// Its BatchNorms have the running statistics of nothing (mean 0, variance 1): before it is trained with statistics of
/// batches it wants `Network::rebased`.
pub fn unfold(deployed: &deploy::Network, drawn: Network, target: Target) -> Network {
    let Target { spec, quantiser, same_classes, .. } = target;
    let unfold = Unfold { top: deployed.top_level(), learned: quantiser.weights == WeightQuantiser::Lsq };
    let mut network = drawn;
    unfold.stem(deployed, &mut network, target);
    let shapes = spec.blocks();
    let mut streams = Vec::new();
    let mut block_steps = Vec::new();
    for (block, shape) in network.blocks.iter_mut().zip(&shapes) {
        let block = block.as_shift_mut().expect("only networks of shift blocks are deployed in levels");
        let Some(from) = deployed.groups[shape.group].get(shape.index) else {
            block.last.evaluate_as(vec![0.0; shape.output], vec![0.0; shape.output]);
            block_steps.push([None; 3]);
            continue;
        };
        if shape.index == 0 {
            streams.push(unfold.stream(from, shape));
        }
        block_steps.push(unfold.block(from, block, shape, &streams[shape.group]));
    }
    for ((close, from), stream) in network.closes.iter_mut().zip(&deployed.closes).zip(&streams) {
        unfold.set_norm(close, from, stream.worth);
    }
    let mut steps = [None; 2];
    let same_head = deployed.spec.head == spec.head;
    let head = deployed.head.as_ref().filter(|_| same_head);
    if let (Some(from), Some(weight), Some(norm)) = (head, &mut network.head, &mut network.head_norm) {
        let unit = spread(from);
        steps[0] = unfold.set_activated(from, weight, norm, spec.bits.weights, unit);
    }
    if same_classes && same_head {
        let from = &deployed.linear;
        let wanted = from.affine.scale[0] * unfold.top;
        let (weight, unit, step) = unfold.weights(from, spec.bits.linear, wanted);
        set(&mut network.linear, weight);
        // Where the quantiser has a scale of its own, all logits are that much larger.
        let factor = if wanted > 0.0 { unit / wanted } else { 1.0 };
        set(&mut network.bias, from.affine.bias.iter().map(|b| b * factor).collect());
        steps[1] = step;
    }
    let mut network = network.with_quantiser(spec, quantiser);
    set_steps(&mut network.steps, &steps);
    for (block, steps) in network.blocks.iter_mut().filter_map(AnyBlock::as_shift_mut).zip(&block_steps) {
        set_steps(&mut block.steps, steps);
    }
    network
}

impl Network {
    /// The same network in evaluation, its BatchNorms having the running statistics of `measured`; and how far those were
    /// from its own, in deviations. A norm's statistics are right when those of all norms before it were.
    pub(crate) fn rebased(mut self, spec: &NetworkSpec, mut measured: Self) -> (Self, f32) {
        let norms = self.norms_mut(spec).into_iter().zip(measured.norms_mut(spec));
        let farthest = norms.map(|(norm, measured)| norm.rebase(measured)).fold(0.0, f32::max);
        (self, farthest)
    }

    /// The same network with blocks of another of the same spec in place of those for which `new` holds.
    pub(crate) fn with_blocks(mut self, spec: &NetworkSpec, of: Self, new: impl Fn(&BlockShape) -> bool) -> Self {
        let pairs = self.blocks.iter_mut().zip(of.blocks).zip(spec.blocks());
        pairs.filter(|(_, shape)| new(shape)).for_each(|((block, other), _)| *block = other);
        self
    }
}

struct Unfold {
    /// The largest level of the deployed activations.
    top: f32,
    /// Whether steps of weights are learned.
    learned: bool,
}

/// The residual stream of a group.
struct Stream {
    /// What the deployed stream has where the trainable one has 1.
    worth: f32,
    /// What a unit of the shortcut's weights is to be, where there is a projection.
    shortcut: f32,
}

impl Unfold {
    fn stem(&self, deployed: &deploy::Network, network: &mut Network, target: Target) {
        let Target { spec, mean, deviation, .. } = target;
        let taps = 3 * spec.stem.kernel * spec.stem.kernel;
        let colour = |tap: usize| tap / (taps / 3);
        let spread = (2.0 / taps as f32).sqrt();
        let offset: Vec<f32> = (0..3).map(|c| (whole_pixel(mean[c]) - deployed.mean[c]) / deviation[c]).collect();
        let mut weight = deployed.stem.weight.clone();
        let Affine { scale, bias } = &deployed.stem.affine;
        let mut affine = Affine { scale: Vec::new(), bias: Vec::new() };
        for ((filter, scale), bias) in weight.chunks_exact_mut(taps).zip(scale).zip(bias) {
            filter
                .iter_mut()
                .enumerate()
                .for_each(|(tap, w)| *w *= deviation[colour(tap)] / deployed.deviation[colour(tap)]);
            let unit = unit_of(filter, spread);
            filter.iter_mut().for_each(|w| *w *= unit);
            // Pictures are normalised around another mean.
            let moved: f32 = filter.iter().enumerate().map(|(tap, w)| w * offset[colour(tap)]).sum();
            affine.scale.push(scale / unit);
            affine.bias.push(bias + moved * scale / unit);
        }
        set(&mut network.stem, weight);
        self.set_norm(&mut network.stem_norm, &affine, 1.0);
    }

    /// `first` is the first block of the group.
    fn stream(&self, first: &deploy::Block, shape: &BlockShape) -> Stream {
        match (&first.shortcut, shape.projects()) {
            (Some(from), true) => {
                let wanted = spread(from);
                let (_, unit, _) = self.weights(from, shape.weight_bits, wanted);
                let scale = from.affine.scale[0];
                let worth = if scale > 0.0 { scale * self.top / unit } else { 1.0 };
                Stream { worth, shortcut: wanted }
            }
            // It begins with an activation, which is carried in levels.
            _ => Stream { worth: self.top, shortcut: 1.0 },
        }
    }

    /// Gives the steps of the weights that are known.
    fn block(&self, from: &deploy::Block, block: &mut Block, shape: &BlockShape, stream: &Stream) -> [Option<f32>; 3] {
        let bits = shape.weight_bits;
        if let (Some(norm), Some(affine)) = (&mut block.pre, &from.pre) {
            self.set_norm(norm, affine, stream.worth);
        }
        let reduce = self.set_activated(&from.reduce, &mut block.reduce, &mut block.middle, bits, spread(&from.reduce));
        set(&mut block.shifts, from.shift.iter().flat_map(|&(dy, dx)| [f32::from(dy), f32::from(dx)]).collect());
        let (weight, unit, expand) = self.weights(&from.expand, bits, spread(&from.expand));
        set(&mut block.expand, weight);
        let Affine { scale, bias } = &from.expand.affine;
        let scale = scale.iter().map(|s| s * self.top / unit / stream.worth).collect();
        block.last.evaluate_as(scale, bias.iter().map(|b| b / stream.worth).collect());
        let shortcut = block.shortcut.as_mut().zip(from.shortcut.as_ref()).and_then(|(parameter, from)| {
            let (weight, _, step) = self.weights(from, bits, stream.shortcut);
            set(parameter, weight);
            step
        });
        [reduce, expand, shortcut]
    }

    /// A product with BatchNorm and activation behind it.
    fn set_activated(
        &self,
        from: &Pointwise,
        parameter: &mut Param<Tensor<2>>,
        norm: &mut Norm,
        bits: Option<u8>,
        wanted: f32,
    ) -> Option<f32> {
        let (weight, unit, step) = self.weights(from, bits, wanted);
        set(parameter, weight);
        // A sum over whole weights and levels counts `unit / top` in values.
        self.set_norm(norm, &from.affine, self.top / unit);
        step
    }

    /// BatchNorm before an activation, on values of which one is `worth` in what the affine reads.
    fn set_norm(&self, norm: &mut Norm, affine: &Affine, worth: f32) {
        let scale = affine.scale.iter().map(|s| s * worth / self.top).collect();
        norm.evaluate_as(scale, affine.bias.iter().map(|b| b / self.top).collect());
    }

    /// Weights that are rounded to the deployed levels; what one is worth that stands for 1, which is what was wanted where the
    /// quantiser leaves the choice; and the learned step, where there is one and the bits are those of the file.
    fn weights(&self, from: &Pointwise, bits: Option<u8>, wanted: f32) -> (Vec<f32>, f32, Option<f32>) {
        let values = from.weights.values();
        let Some(bits) = bits.filter(|&bits| bits > 1 && !self.learned) else {
            let step = (self.learned && from.weights.bits() == bits).then_some(2.0 * wanted);
            return (values.iter().map(|v| v * wanted).collect(), wanted, step);
        };
        // DoReFa's levels go from -1 to 1, and to its hyperbolic tangents whatever factor may be given.
        let top = match &from.weights {
            Weights::Levels { bits, .. } => quantise::steps(*bits),
            Weights::Float(values) => values.iter().fold(f32::MIN_POSITIVE, |m, v| m.max(v.abs())),
        };
        let reach = (wanted * quantise::steps(bits)).min(2.0).tanh();
        (values.iter().map(|v| (v / top * reach).atanh()).collect(), 1.0 / top, None)
    }
}

/// What one is to be worth in a layer that a BatchNorm follows.
fn spread(from: &Pointwise) -> f32 {
    unit_of(&from.weights.values(), (2.0 / from.input as f32).sqrt())
}

/// The factor that gives values that deviation from zero; 1 for zeros.
fn unit_of(values: &[f32], deviation: f32) -> f32 {
    let squares: f64 = values.iter().map(|&v| f64::from(v).powi(2)).sum();
    let root = (squares / values.len().max(1) as f64).sqrt() as f32;
    if root > 0.0 { deviation / root } else { 1.0 }
}

fn set<const D: usize>(parameter: &mut Param<Tensor<D>>, values: Vec<f32>) {
    let (shape, device) = (parameter.val().dims(), parameter.val().device());
    *parameter = Param::from_data(TensorData::new(values, shape), &device);
}

/// Replaces the steps that are known.
fn set_steps(parameter: &mut Option<Param<Tensor<1>>>, known: &[Option<f32>]) {
    let Some(parameter) = parameter else { return };
    let old: Vec<f32> = parameter.val().into_data().iter::<f32>().collect();
    set(parameter, old.into_iter().zip(known).map(|(old, known)| known.unwrap_or(old)).collect());
}
