//! Forward passes on Burn's CPU backend.

use super::block::{BlockConfig, BlockParts};
use super::primitive::{contiguous, map, shape, small, tensor, values};
use super::{FusedOps, NormConfig, StemConfig};
use crate::kernels::buffer::Buffer;
use crate::kernels::norm::{Norm, Statistics};
use crate::kernels::shift::Displacement;
use crate::kernels::stem::Kernel;
use crate::kernels::{Levels, activation, join, pointwise, pool, scale, shifted, stem};
use burn::backend::Flex;
use burn::backend::TensorMetadata;
use burn_flex::FlexTensor;

/// Folds BatchNorm's parameters with the batch's or the running statistics.
pub(super) fn statistics(input: &FlexTensor, running: &FlexTensor, config: NormConfig) -> Statistics {
    if config.batch_statistics {
        Statistics::of(values(input), map(input))
    } else {
        Statistics::from_slice(values(running))
    }
}

pub(super) fn displacements(shifts: &FlexTensor) -> Vec<Displacement> {
    values(shifts).chunks_exact(2).map(|d| Displacement { dy: d[0], dx: d[1] }).collect()
}

pub(super) fn kernel(config: StemConfig) -> Kernel {
    Kernel { size: config.kernel, stride: config.stride }
}

fn outputs(weight: &FlexTensor) -> usize {
    weight.shape()[0]
}

fn statistics_tensor(statistics: &Statistics) -> FlexTensor {
    small(statistics.to_vec(), [2, statistics.mean.len()])
}

impl FusedOps for Flex {
    fn stem(input: FlexTensor, weight: FlexTensor, config: StemConfig) -> FlexTensor {
        let (input, weight) = (contiguous(input), contiguous(weight));
        let out = map(&input).strided(config.stride).with_channels(outputs(&weight));
        let mut y = Buffer::take(out.len());
        stem::forward(values(&input), map(&input), kernel(config), values(&weight), &mut y);
        tensor(y, shape(out))
    }

    fn pointwise(input: FlexTensor, weight: FlexTensor, stride: usize) -> FlexTensor {
        let (input, weight) = (contiguous(input), contiguous(weight));
        let out = map(&input).strided(stride).with_channels(outputs(&weight));
        let mut y = Buffer::take(out.len());
        let before = pointwise::Before::Activation { stride };
        pointwise::forward(values(&input), map(&input), before, values(&weight), &mut y);
        tensor(y, shape(out))
    }

    fn normed_pointwise(
        input: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        running: FlexTensor,
        weight: FlexTensor,
        config: NormConfig,
    ) -> (FlexTensor, FlexTensor) {
        let [input, gamma, beta, running, weight] = [input, gamma, beta, running, weight].map(contiguous);
        let statistics = statistics(&input, &running, config);
        let norm = Norm::new(values(&gamma), values(&beta), &statistics);
        let out = map(&input).with_channels(outputs(&weight));
        let mut y = Buffer::take(out.len());
        let before = pointwise::Before::Norm(&norm, Levels::of_bits(config.bits));
        pointwise::forward(values(&input), map(&input), before, values(&weight), &mut y);
        (tensor(y, shape(out)), statistics_tensor(&statistics))
    }

    fn shifted_pointwise(
        input: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        running: FlexTensor,
        shifts: FlexTensor,
        weight: FlexTensor,
        config: NormConfig,
    ) -> (FlexTensor, FlexTensor) {
        let [input, gamma, beta, running] = [input, gamma, beta, running].map(contiguous);
        let (shifts, weight) = (contiguous(shifts), contiguous(weight));
        let statistics = statistics(&input, &running, config);
        let norm = Norm::new(values(&gamma), values(&beta), &statistics);
        let shifts = displacements(&shifts);
        let before = shifted::Before {
            norm: &norm,
            levels: Levels::of_bits(config.bits),
            shifts: &shifts,
            stride: config.stride,
        };
        let out = map(&input).strided(config.stride).with_channels(outputs(&weight));
        let mut y = Buffer::take(out.len());
        shifted::forward(values(&input), map(&input), before, values(&weight), &mut y);
        (tensor(y, shape(out)), statistics_tensor(&statistics))
    }

    fn normed_add(
        input: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        running: FlexTensor,
        shortcut: FlexTensor,
        config: NormConfig,
    ) -> (FlexTensor, FlexTensor) {
        let [input, gamma, beta, running, shortcut] = [input, gamma, beta, running, shortcut].map(contiguous);
        let statistics = statistics(&input, &running, config);
        let norm = Norm::new(values(&gamma), values(&beta), &statistics);
        let out = map(&input);
        let mut y = Buffer::take(out.len());
        join::forward(values(&input), values(&shortcut), out, &norm, &mut y);
        (tensor(y, shape(out)), statistics_tensor(&statistics))
    }

    fn normed_activation(
        input: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        running: FlexTensor,
        config: NormConfig,
    ) -> (FlexTensor, FlexTensor) {
        let [input, gamma, beta, running] = [input, gamma, beta, running].map(contiguous);
        let statistics = statistics(&input, &running, config);
        let norm = Norm::new(values(&gamma), values(&beta), &statistics);
        let out = map(&input);
        let mut y = Buffer::take(out.len());
        activation::forward(values(&input), out, &norm, Levels::of_bits(config.bits), &mut y);
        (tensor(y, shape(out)), statistics_tensor(&statistics))
    }

    fn scaled(input: FlexTensor, factor: FlexTensor) -> FlexTensor {
        let (input, factor) = (contiguous(input), contiguous(factor));
        let mut y = Buffer::take(map(&input).len());
        scale::forward(values(&input), values(&factor)[0], &mut y);
        tensor(y, shape(map(&input)))
    }

    fn pooled(input: FlexTensor) -> FlexTensor {
        let input = contiguous(input);
        let map = map(&input);
        let mut y = Buffer::take(map.images * map.channels);
        pool::forward(values(&input), map, &mut y);
        tensor(y, [map.images, map.channels])
    }

    fn block(
        input: FlexTensor,
        statistics: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        reduce: FlexTensor,
        middle_gamma: FlexTensor,
        middle_beta: FlexTensor,
        shifts: FlexTensor,
        expand: FlexTensor,
        last_gamma: FlexTensor,
        last_beta: FlexTensor,
        shortcut: FlexTensor,
        config: BlockConfig,
    ) -> (FlexTensor, FlexTensor) {
        let parameters =
            [gamma, beta, reduce, middle_gamma, middle_beta, shifts, expand, last_gamma, last_beta, shortcut];
        let forward = BlockParts::new(input, parameters, config).forward(&statistics);
        (forward.output, forward.statistics)
    }
}
