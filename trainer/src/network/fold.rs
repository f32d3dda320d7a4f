//! From trained parameters to the deployed form: whole numbers, and one scale and bias behind each sum.

use super::{AnyBlock, Block, Mode, Network, Norm};
use crate::augment::whole_pixel;
use crate::deploy;
use crate::deploy::{Affine, Convolution, Pointwise, Weights};
use crate::kernels::norm::{Norm as Folded, Statistics};
use crate::quantise;
use burn::module::Param;
use burn::tensor::Tensor;
use half::f16;
use lsspq::spec::{BlockShape, NetworkSpec};

/// Folds a network as it evaluates in that mode. Displacements are rounded to whole pixels in any case; scales and
/// biases are rounded to float16 where that loses nothing that counts, since the file stores
/// them so.
///
/// `mean` and `deviation` are those by which training normalised pictures in [0, 1]. The mean is rounded to a whole
/// number over 255, as [`Normalise`](crate::augment::Normalise) does in training.
///
/// Activations of the mode take the place of those of the specification, which must be that of a
/// [shift network](NetworkSpec::is_shift_network).
pub fn fold(network: &Network, spec: &NetworkSpec, mode: Mode, mean: [f32; 3], deviation: [f32; 3]) -> deploy::Network {
    let mut spec = spec.clone();
    spec.bits.activations = mode.activations;
    let fold = Fold { levels: mode.activations.map_or(1.0, quantise::steps) };
    let shapes = spec.blocks();
    // The activation that a group reads: the stem's, then that of the group before.
    let entry = |group: usize| if group == 0 { &network.stem_norm } else { &network.closes[group - 1] };
    let stream = |group: usize| fold.stream(&shapes, group, entry(group));
    let mut groups: Vec<Vec<deploy::Block>> = vec![Vec::new(); spec.groups.len()];
    for (block, shape) in network.blocks.iter().filter_map(AnyBlock::as_shift).zip(&shapes) {
        let folded = fold.block(block, shape.weight_bits, stream(shape.group), entry(shape.group));
        groups[shape.group].push(folded);
    }
    let last = entry(spec.groups.len());
    let closes = network.closes.iter().enumerate();
    let head = network.head.as_ref().zip(network.head_norm.as_ref());
    deploy::Network {
        mean: mean.map(whole_pixel),
        deviation: [1.0 / 255.0; 3],
        stem: fold.stem(network, deviation),
        groups,
        closes: closes.map(|(g, norm)| fold.activation(norm, 1.0 / stream(g))).collect(),
        head: head.map(|(weight, norm)| {
            let weight = (weight, spec.bits.weights, step(&network.steps, 0));
            let (pointwise, unit) = fold.pointwise(weight, last);
            Pointwise { affine: fold.activation(norm, unit), ..pointwise }
        }),
        linear: {
            let weight = (&network.linear, spec.bits.linear, step(&network.steps, 1));
            let (pointwise, unit) = fold.pointwise(weight, network.head_norm.as_ref().unwrap_or(last));
            let scale = vec![to_half(unit); pointwise.output];
            let bias = host(network.bias.val()).into_iter().map(near_half).collect();
            Pointwise { affine: Affine { scale, bias }, ..pointwise }
        },
        spec,
    }
}

struct Fold {
    /// Whole steps of an activation, 1 for float.
    levels: f32,
}

impl Fold {
    /// The stem on pixels from -255 to 255 in whole numbers: each output's weights take BatchNorm's scale in and are
    /// divided by the smallest power of two that keeps them and their sums exact. A runtime that multiplies the weights
    /// by that scale beforehand, as tract does, then still rounds nothing.
    fn stem(&self, network: &Network, deviation: [f32; 3]) -> Convolution {
        let [outputs, taps] = network.stem.val().dims();
        let colour = |tap: usize| tap / (taps / 3);
        let mut weight = host(network.stem.val());
        let exact = affine_exact(&network.stem_norm, self.worth(&network.stem_norm));
        let mut scale = Vec::with_capacity(outputs);
        for (filter, exact) in weight.chunks_exact_mut(taps).zip(exact) {
            filter.iter_mut().enumerate().for_each(|(tap, w)| *w *= exact / (255.0 * deviation[colour(tap)]));
            let unit = whole_unit(filter);
            filter.iter_mut().for_each(|w| *w = (*w / unit).round());
            scale.push(unit);
        }
        Convolution { weight, affine: Affine { scale, ..self.activation(&network.stem_norm, 1.0) } }
    }

    /// What a value of 1 is in the residual stream of a group. A group that begins with an identity shortcut takes its
    /// stream from an activation, which is carried in levels; a projection gives values as they are.
    fn stream(&self, shapes: &[BlockShape], group: usize, entry: &Norm) -> f32 {
        let projects = shapes.iter().any(|s| s.group == group && s.index == 0 && s.projects());
        if projects { 1.0 } else { self.worth(entry) }
    }

    /// `entry` is the activation that the group reads.
    fn block(&self, block: &Block, bits: Option<u8>, stream: f32, entry: &Norm) -> deploy::Block {
        let of = |place| step(&block.steps, place);
        let (reduce, reduce_unit) = self.pointwise((&block.reduce, bits, of(0)), block.pre.as_ref().unwrap_or(entry));
        let (expand, expand_unit) = self.pointwise((&block.expand, bits, of(1)), &block.middle);
        let shifts = host(quantise::shifts(block.shifts.val(), true));
        deploy::Block {
            pre: block.pre.as_ref().map(|norm| self.activation(norm, 1.0 / stream)),
            reduce: Pointwise { affine: self.activation(&block.middle, reduce_unit), ..reduce },
            shift: shifts.chunks_exact(2).map(|d| (d[0] as i8, d[1] as i8)).collect(),
            expand: Pointwise { affine: affine(&block.last, expand_unit, stream), ..expand },
            shortcut: block.shortcut.as_ref().map(|weight| {
                let (pointwise, unit) = self.pointwise((weight, bits, of(2)), entry);
                let output = pointwise.output;
                Pointwise {
                    affine: Affine { scale: vec![to_half(unit); output], bias: vec![0.0; output] },
                    ..pointwise
                }
            }),
        }
    }

    /// BatchNorm in units of levels, on sums of which one is worth `unit`.
    fn activation(&self, norm: &Norm, unit: f32) -> Affine {
        affine(norm, unit, self.worth(norm))
    }

    /// What a value of 1 is in the levels of the activation behind a norm.
    fn worth(&self, norm: &Norm) -> f32 {
        self.levels / norm.range.as_ref().map_or(1.0, |range| quantise::positive(range.val()).into_scalar::<f32>())
    }

    /// The weights with their learned step, and what one unit of their sums over the activation behind `input` is worth;
    /// the affine is left empty.
    fn pointwise(
        &self,
        (weight, bits, step): (&Param<Tensor<2>>, Option<u8>, Option<Tensor<1>>),
        input: &Norm,
    ) -> (Pointwise, f32) {
        let [outputs, inputs] = weight.val().dims();
        let (weights, unit) = integers(weight, bits, step);
        let affine = Affine { scale: Vec::new(), bias: Vec::new() };
        (Pointwise { input: inputs, output: outputs, weights, affine }, unit / self.worth(input))
    }
}

/// Quantised weights as whole numbers, and what one of them is worth; float ones as they are. `step` is the learned one.
pub(crate) fn integers(weight: &Param<Tensor<2>>, bits: Option<u8>, step: Option<Tensor<1>>) -> (Weights, f32) {
    match (bits, step) {
        (None, _) => (Weights::Float(host(weight.val())), 1.0),
        (Some(1), None) => {
            let values = host(quantise::weights(weight.val(), bits));
            let unit = values.first().map_or(0.0, |v| v.abs());
            (Weights::Levels { bits: 1, levels: values.iter().map(|&v| u8::from(v >= 0.0)).collect() }, unit)
        }
        (Some(bits), None) => {
            let n = quantise::steps(bits);
            let level = |v: f32| ((v + 1.0) / 2.0 * n).round() as u8;
            let values = host(quantise::weights(weight.val(), Some(bits)));
            (Weights::Levels { bits, levels: values.into_iter().map(level).collect() }, 1.0 / n)
        }
        (Some(bits), Some(step)) => {
            let half = quantise::positive(step.clone()).into_scalar::<f32>() / 2.0;
            let level = |v: f32| ((v / half + quantise::steps(bits)) / 2.0).round() as u8;
            let values = host(quantise::learned_weights(weight.val(), Some(bits), step));
            (Weights::Levels { bits, levels: values.into_iter().map(level).collect() }, half)
        }
    }
}

/// BatchNorm in evaluation as a scale and a bias of each channel.
pub(crate) fn scale_and_bias(norm: &Norm) -> (Vec<f32>, Vec<f32>) {
    let statistics = Statistics::from_slice(&host(norm.running.val()));
    let folded = Folded::new(&host(norm.gamma.val()), &host(norm.beta.val()), &statistics);
    (folded.scale.clone(), folded.bias.clone())
}

/// The learned step in that place, where steps are learned.
fn step(steps: &Option<Param<Tensor<1>>>, place: usize) -> Option<Tensor<1>> {
    steps.as_ref().map(|steps| steps.val().narrow(0, place, 1))
}

/// The smallest power of two in whose units the stem's weights are whole numbers that float16 holds and their sums over
/// whole pixels such that f32 does; 1 for weights of zero.
fn whole_unit(filter: &[f32]) -> f32 {
    /// Whole numbers up to this are exact in float16.
    const LARGEST_WEIGHT: f32 = 2047.0;
    /// Whole numbers up to this are exact in f32; a little is left for the rounding of the weights.
    const LARGEST_SUM: f32 = 0.99 * 16_777_216.0;
    let largest = filter.iter().fold(0.0f32, |m, w| m.max(w.abs()));
    let sum: f32 = filter.iter().map(|w| w.abs()).sum();
    let unit = (largest / LARGEST_WEIGHT).max(255.0 * sum / LARGEST_SUM);
    if unit > 0.0 { unit.log2().ceil().exp2() } else { 1.0 }
}

fn affine(norm: &Norm, unit: f32, levels: f32) -> Affine {
    let (scale, bias) = scale_and_bias(norm);
    Affine {
        scale: scale.iter().map(|s| to_half(s * unit * levels)).collect(),
        bias: bias.iter().map(|b| near_half(b * levels)).collect(),
    }
}

/// BatchNorm's scale in units of levels, not rounded.
fn affine_exact(norm: &Norm, levels: f32) -> Vec<f32> {
    scale_and_bias(norm).0.into_iter().map(|scale| scale * levels).collect()
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// The nearest float16 to a factor, unless that would lose more than its usual eleven bits.
fn to_half(value: f32) -> f32 {
    let half = f16::from_f32(value);
    if half.is_normal() || value == 0.0 { half.to_f32() } else { value }
}

/// The nearest float16, for numbers that are added to others: near zero it is the absolute error that counts.
fn near_half(value: f32) -> f32 {
    let half = f16::from_f32(value);
    if half.is_finite() { half.to_f32() } else { value }
}
