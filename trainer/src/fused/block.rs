//! A whole block as one operation: what its kernels need of Burn's tensors.

use super::FusedOps;
use super::NormTensors;
use super::flex::displacements;
use super::primitive::{contiguous, map, shape, small, tensor, values};
use crate::kernels::Levels;
use crate::kernels::block::{self as kernel, Block, WeightGradients};
use crate::kernels::buffer::Buffer;
use crate::kernels::norm::{Norm, NormGradients, Statistics};
use crate::kernels::shift::Displacement;
use burn::backend::{Dispatch, TensorMetadata};
use burn::tensor::Tensor;
use burn_flex::FlexTensor;

/// What stands before a block's first convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Nothing: the input is an activation.
    Nothing,
    /// BatchNorm and quantised activation on the way into the branch; the shortcut takes the input as it is.
    Branch,
    /// BatchNorm and quantised activation on the way into branch and shortcut.
    Both,
}

/// How a block behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockConfig {
    /// What stands before the first convolution.
    pub before: Before,
    /// Whether the input's statistics are passed in; else they are taken.
    pub statistics_known: bool,
    /// Whether the shortcut is a product.
    pub projects: bool,
    /// Stride of shift and shortcut.
    pub stride: usize,
    /// Bits of the activations; none clips without rounding.
    pub bits: Option<u8>,
}

/// Everything a block is made of.
#[derive(Clone, Debug)]
pub struct BlockTensors {
    /// The BatchNorm before, and the statistics of the input, `[2, channels]`, where they are known.
    pub before: Option<(NormTensors, Option<Tensor<2>>)>,
    /// `[width, input]`.
    pub reduce: Tensor<2>,
    /// The BatchNorm between the convolutions.
    pub middle: NormTensors,
    /// Displacements, `[width, 2]`.
    pub shifts: Tensor<2>,
    /// `[output, width]`.
    pub expand: Tensor<2>,
    /// The last BatchNorm.
    pub last: NormTensors,
    /// `[output, input]`.
    pub shortcut: Option<Tensor<2>>,
}

/// A block's output and the batch statistics that were taken on the way, each `[2, channels]`.
#[derive(Clone, Debug)]
pub struct BlockOutput {
    /// The block's output.
    pub output: Tensor<4>,
    /// Of the input, where it is normalised.
    pub before: Option<Tensor<2>>,
    /// Of the map between the convolutions.
    pub middle: Tensor<2>,
    /// Of the second convolution's result.
    pub last: Tensor<2>,
    /// Of the output.
    pub next: Tensor<2>,
}

/// See [`FusedOps::block`]. `both` says whether the shortcut, too, reads what the BatchNorm before gives.
pub fn block(input: Tensor<4>, parts: BlockTensors, both: bool, stride: usize, bits: Option<u8>) -> BlockOutput {
    let channels = input.dims()[1];
    let [width, outputs] = [parts.reduce.dims()[0], parts.expand.dims()[0]];
    let config = BlockConfig {
        before: match (&parts.before, both) {
            (None, _) => Before::Nothing,
            (Some(_), false) => Before::Branch,
            (Some(_), true) => Before::Both,
        },
        statistics_known: matches!(parts.before, Some((_, Some(_)))),
        projects: parts.shortcut.is_some(),
        stride,
        bits,
    };
    // An extension takes no optional tensors: others of the block take their places, and are not read.
    let (gamma, beta, known) = match parts.before {
        Some((norm, known)) => (norm.gamma, norm.beta, known.unwrap_or(norm.running)),
        None => {
            let middle = parts.middle.clone();
            (middle.gamma.detach(), middle.beta.detach(), middle.running)
        }
    };
    let shortcut = parts.shortcut.unwrap_or_else(|| parts.expand.clone().detach());
    let (output, statistics) = <Dispatch as FusedOps>::block(
        input.into_dispatch(),
        known.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        parts.reduce.into_dispatch(),
        parts.middle.gamma.into_dispatch(),
        parts.middle.beta.into_dispatch(),
        parts.shifts.into_dispatch(),
        parts.expand.into_dispatch(),
        parts.last.gamma.into_dispatch(),
        parts.last.beta.into_dispatch(),
        shortcut.into_dispatch(),
        config,
    );
    let statistics: Tensor<1> = Tensor::from_dispatch(statistics);
    let mut place = 0;
    let mut next = |channels: usize| {
        let part = statistics.clone().narrow(0, place, 2 * channels).reshape([2, channels]);
        place += 2 * channels;
        part
    };
    BlockOutput {
        output: Tensor::from_dispatch(output),
        before: (config.before != Before::Nothing).then(|| next(channels)),
        middle: next(width),
        last: next(outputs),
        next: next(outputs),
    }
}

/// A block's input and parameters on the CPU.
#[derive(Clone, Debug)]
pub(super) struct BlockParts {
    input: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    reduce: FlexTensor,
    middle: [FlexTensor; 2],
    shifts: FlexTensor,
    expand: FlexTensor,
    last: [FlexTensor; 2],
    shortcut: FlexTensor,
    config: BlockConfig,
}

/// What a forward pass leaves for the backward pass.
#[derive(Clone, Debug)]
pub(super) struct Forward {
    pub(super) output: FlexTensor,
    pub(super) statistics: FlexTensor,
    reduced: FlexTensor,
    expanded: FlexTensor,
    norms: Norms,
}

impl Forward {
    /// The same without holding the output's memory.
    pub(super) fn without_output(self) -> Self {
        Self { output: self.statistics.clone(), ..self }
    }
}

#[derive(Clone, Debug)]
struct Norms {
    before: Option<Norm>,
    middle: Norm,
    last: Norm,
}

impl BlockParts {
    /// Parameters are in the order of [`FusedOps::block`].
    pub(super) fn new(input: FlexTensor, parameters: [FlexTensor; 10], config: BlockConfig) -> Self {
        let [gamma, beta, reduce, middle_gamma, middle_beta, shifts, expand, last_gamma, last_beta, shortcut] =
            parameters.map(contiguous);
        Self {
            input: contiguous(input),
            gamma,
            beta,
            reduce,
            middle: [middle_gamma, middle_beta],
            shifts,
            expand,
            last: [last_gamma, last_beta],
            shortcut,
            config,
        }
    }

    fn block<'a>(&'a self, before: Option<&'a Norm>, shifts: &'a [Displacement]) -> Block<'a> {
        Block {
            map: map(&self.input),
            before: match (self.config.before, before) {
                (Before::Branch, Some(norm)) => kernel::Before::Branch(norm),
                (Before::Both, Some(norm)) => kernel::Before::Both(norm),
                _ => kernel::Before::Nothing,
            },
            reduce: values(&self.reduce),
            shifts,
            expand: values(&self.expand),
            shortcut: self.config.projects.then(|| values(&self.shortcut)),
            stride: self.config.stride,
            levels: Levels::of_bits(self.config.bits),
        }
    }

    /// Runs the block; `known` are the input's statistics, where the configuration says so.
    pub(super) fn forward(&self, known: &FlexTensor) -> Forward {
        let x = values(&self.input);
        let of_input = (self.config.before != Before::Nothing).then(|| {
            if self.config.statistics_known {
                Statistics::from_slice(values(&contiguous(known.clone())))
            } else {
                Statistics::of(x, map(&self.input))
            }
        });
        let before = of_input.as_ref().map(|s| Norm::new(values(&self.gamma), values(&self.beta), s));
        let shifts = displacements(&self.shifts);
        let block = self.block(before.as_ref(), &shifts);
        let (middle, out) = (block.middle(), block.output());
        let [mut r, mut e, mut y] = [middle, out, out].map(|map| Buffer::take(map.len()));
        let affine = |[gamma, beta]: &'_ [FlexTensor; 2]| (values(gamma).to_vec(), values(beta).to_vec());
        let (of_middle, of_last) = (affine(&self.middle), affine(&self.last));
        let taken =
            kernel::forward(x, &block, (&of_middle.0, &of_middle.1), (&of_last.0, &of_last.1), &mut r, &mut e, &mut y);
        let norms = Norms {
            before: before.clone(),
            middle: Norm::new(&of_middle.0, &of_middle.1, &taken.middle),
            last: Norm::new(&of_last.0, &of_last.1, &taken.last),
        };
        let all = of_input.iter().chain([&taken.middle, &taken.last, &taken.output]);
        let statistics: Vec<f32> = all.flat_map(Statistics::to_vec).collect();
        let len = statistics.len();
        Forward {
            output: tensor(y, shape(out)),
            statistics: small(statistics, [len]),
            reduced: tensor(r, shape(middle)),
            expanded: tensor(e, shape(out)),
            norms,
        }
    }

    /// Gradients of the input and of the parameters, in their order; none of those that are not read.
    pub(super) fn backward(&self, dy: &FlexTensor, forward: &Forward) -> [Option<FlexTensor>; 11] {
        let shifts = displacements(&self.shifts);
        let norms = &forward.norms;
        let block = self.block(norms.before.as_ref(), &shifts);
        let mut dx = Buffer::take(block.map.len());
        let [mut reduce, mut expand] = [block.reduce, block.expand].map(|w| Buffer::take(w.len()));
        let mut shortcut = Buffer::take(block.shortcut.map_or(0, <[f32]>::len));
        let maps = [values(&self.input), values(&forward.reduced), values(&forward.expanded)];
        let dw = WeightGradients { reduce: &mut reduce, expand: &mut expand, shortcut: &mut shortcut };
        let others = kernel::backward(values(dy), maps, &block, &norms.middle, &norms.last, &mut dx, dw);
        let [gamma, beta] = others.before.map_or([None, None], affine);
        let [middle_gamma, middle_beta] = affine(others.middle);
        let [last_gamma, last_beta] = affine(others.last);
        let moves = small(others.shifts.into_flattened(), self.shifts.shape());
        let projects = self.config.projects;
        [
            Some(tensor(dx, shape(block.map))),
            gamma,
            beta,
            Some(tensor(reduce, self.reduce.shape())),
            middle_gamma,
            middle_beta,
            Some(moves),
            Some(tensor(expand, self.expand.shape())),
            last_gamma,
            last_beta,
            projects.then(|| tensor(shortcut, self.shortcut.shape())),
        ]
    }
}

fn affine(gradients: NormGradients) -> [Option<FlexTensor>; 2] {
    let channels = gradients.gamma.len();
    [Some(small(gradients.gamma, [channels])), Some(small(gradients.beta, [channels]))]
}
