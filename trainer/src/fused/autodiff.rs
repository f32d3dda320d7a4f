//! Backward passes: what Burn's tape keeps of each operation, and what it hands on.
//!
//! With running statistics instead of the batch's the gradients would be other ones; nothing trains in that mode, so
//! the tape refuses it instead of answering wrongly.

use super::block::{BlockConfig, BlockParts, Forward};
use super::flex::{displacements, kernel};
use super::primitive::{contiguous, map, shape, small, tensor, values};
use super::tape::{record, register, untracked};
use super::{FusedOps, NormConfig, StemConfig};
use crate::kernels::buffer::Buffer;
use crate::kernels::norm::{Norm, NormGradients, Statistics};
use crate::kernels::{Levels, Map, activation, join, pointwise, pool, scale, shifted, stem};
use burn::backend::TensorMetadata;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn_flex::FlexTensor;

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

/// What BatchNorm's backward pass needs again.
#[derive(Clone, Debug)]
struct NormState {
    input: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    statistics: FlexTensor,
    config: NormConfig,
}

impl NormState {
    fn new(
        input: &FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        statistics: &FlexTensor,
        config: NormConfig,
    ) -> Self {
        Self {
            input: contiguous(input.clone()),
            gamma: contiguous(gamma),
            beta: contiguous(beta),
            statistics: statistics.clone(),
            config,
        }
    }

    fn norm(&self) -> Norm {
        assert!(self.config.batch_statistics, "a network with running statistics is for evaluation, not for training");
        Norm::new(values(&self.gamma), values(&self.beta), &Statistics::from_slice(values(&self.statistics)))
    }

    fn levels(&self) -> Levels {
        Levels::of_bits(self.config.bits)
    }
}

fn parameters(gradients: NormGradients) -> [Option<FlexTensor>; 2] {
    let channels = gradients.gamma.len();
    [Some(small(gradients.gamma, [channels])), Some(small(gradients.beta, [channels]))]
}

#[derive(Debug)]
struct Stem;

impl Backward<Flex, 1> for Stem {
    type State = (FlexTensor, [usize; 2], StemConfig);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let (input, weight, config) = &ops.state;
        let mut dw = Buffer::take(weight[0] * weight[1]);
        stem::backward(values(&dy), values(input), map(input), kernel(*config), &mut dw);
        let dw = tensor(dw, *weight);
        register::<Flex, _, _>(&ops, grads, [Some(dw)]);
    }
}

#[derive(Debug)]
struct Scaled;

impl Backward<Flex, 2> for Scaled {
    type State = (FlexTensor, FlexTensor);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let (input, factor) = &ops.state;
        let mut dx = Buffer::take(map(input).len());
        let factor = scale::backward(values(&dy), values(input), values(factor)[0], &mut dx);
        let dx = tensor(dx, shape(map(input)));
        register::<Flex, _, _>(&ops, grads, [Some(dx), Some(small(vec![factor], [1]))]);
    }
}

#[derive(Debug)]
struct Pooled;

impl Backward<Flex, 1> for Pooled {
    type State = Map;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let map = ops.state;
        let mut dx = Buffer::take(map.len());
        pool::backward(values(&dy), map, &mut dx);
        let dx = tensor(dx, shape(map));
        register::<Flex, _, _>(&ops, grads, [Some(dx)]);
    }
}

#[derive(Debug)]
struct Pointwise;

impl Backward<Flex, 2> for Pointwise {
    type State = (FlexTensor, FlexTensor, usize);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let (input, weight, stride) = &ops.state;
        let (mut dx, mut dw) = (Buffer::take(map(input).len()), Buffer::take(values(weight).len()));
        let before = pointwise::Before::Activation { stride: *stride };
        pointwise::backward(values(&dy), values(input), map(input), before, values(weight), &mut dx, &mut dw);
        let gradients = [Some(tensor(dx, shape(map(input)))), Some(tensor(dw, weight.shape()))];
        register::<Flex, _, _>(&ops, grads, gradients);
    }
}

#[derive(Debug)]
struct NormedPointwise;

impl Backward<Flex, 4> for NormedPointwise {
    type State = (NormState, FlexTensor);

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let (state, weight) = &ops.state;
        let (norm, input) = (state.norm(), &state.input);
        let (mut dx, mut dw) = (Buffer::take(map(input).len()), Buffer::take(values(weight).len()));
        let before = pointwise::Before::Norm(&norm, state.levels());
        let of_norm =
            pointwise::backward(values(&dy), values(input), map(input), before, values(weight), &mut dx, &mut dw);
        let [gamma, beta] = of_norm.map_or([None, None], parameters);
        let (dx, dw) = (tensor(dx, shape(map(input))), tensor(dw, weight.shape()));
        register::<Flex, _, _>(&ops, grads, [Some(dx), gamma, beta, Some(dw)]);
    }
}

#[derive(Debug)]
struct ShiftedPointwise;

impl Backward<Flex, 5> for ShiftedPointwise {
    type State = (NormState, FlexTensor, FlexTensor);

    fn backward(self, ops: Ops<Self::State, 5>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let (state, shifts, weight) = &ops.state;
        let (norm, input) = (state.norm(), &state.input);
        let (mut dx, mut dw) = (Buffer::take(map(input).len()), Buffer::take(values(weight).len()));
        let displacements = displacements(shifts);
        let before = shifted::Before {
            norm: &norm,
            levels: state.levels(),
            shifts: &displacements,
            stride: state.config.stride,
        };
        let others =
            shifted::backward(values(&dy), values(input), map(input), before, values(weight), &mut dx, &mut dw);
        let [gamma, beta] = parameters(others.norm);
        let moves = small(others.shifts.into_flattened(), shifts.shape());
        let (dx, dw) = (tensor(dx, shape(map(input))), tensor(dw, weight.shape()));
        register::<Flex, _, _>(&ops, grads, [Some(dx), gamma, beta, Some(moves), Some(dw)]);
    }
}

#[derive(Debug)]
struct NormedAdd;

impl Backward<Flex, 4> for NormedAdd {
    type State = NormState;

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let (norm, input) = (ops.state.norm(), &ops.state.input);
        let mut dx = Buffer::take(map(input).len());
        let of_norm = join::backward(values(&dy), values(input), map(input), &norm, &mut dx);
        let [gamma, beta] = parameters(of_norm);
        let dx = tensor(dx, shape(map(input)));
        register::<Flex, _, _>(&ops, grads, [Some(dx), gamma, beta, Some(dy)]);
    }
}

#[derive(Debug)]
struct NormedActivation;

impl Backward<Flex, 3> for NormedActivation {
    type State = NormState;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let (norm, input) = (ops.state.norm(), &ops.state.input);
        let mut dx = Buffer::take(map(input).len());
        let of_norm = activation::backward(values(&dy), values(input), map(input), &norm, &mut dx);
        let [gamma, beta] = parameters(of_norm);
        let dx = tensor(dx, shape(map(input)));
        register::<Flex, _, _>(&ops, grads, [Some(dx), gamma, beta]);
    }
}

#[derive(Debug)]
struct Block;

impl Backward<Flex, 11> for Block {
    type State = (BlockParts, Forward);

    fn backward(self, ops: Ops<Self::State, 11>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let (parts, forward) = &ops.state;
        let gradients = parts.backward(&dy, forward);
        drop(dy);
        register::<Flex, _, _>(&ops, grads, gradients);
    }
}

impl<C: CheckpointStrategy> FusedOps for Autodiff<Flex, C> {
    fn stem(input: Tracked<C>, weight: Tracked<C>, config: StemConfig) -> Tracked<C> {
        let input = contiguous(input.into_primitive());
        let (weight, guard) = weight.into_parts();
        let dims = [weight.shape()[0], weight.shape()[1]];
        let y = Flex::stem(input.clone(), weight, config);
        record::<Flex, C, _, _, 1>(Stem, [guard], (input, dims, config), y)
    }

    fn pointwise(input: Tracked<C>, weight: Tracked<C>, stride: usize) -> Tracked<C> {
        let ((input, a), (weight, b)) = (input.into_parts(), weight.into_parts());
        let (input, weight) = (contiguous(input), contiguous(weight));
        let y = Flex::pointwise(input.clone(), weight.clone(), stride);
        record::<Flex, C, _, _, 2>(Pointwise, [a, b], (input, weight, stride), y)
    }

    fn normed_pointwise(
        input: Tracked<C>,
        gamma: Tracked<C>,
        beta: Tracked<C>,
        running: Tracked<C>,
        weight: Tracked<C>,
        config: NormConfig,
    ) -> (Tracked<C>, Tracked<C>) {
        let ((input, a), (gamma, b), (beta, c)) = (input.into_parts(), gamma.into_parts(), beta.into_parts());
        let (weight, d) = weight.into_parts();
        let (input, weight) = (contiguous(input), contiguous(weight));
        let running = running.into_primitive();
        let (y, statistics) =
            Flex::normed_pointwise(input.clone(), gamma.clone(), beta.clone(), running, weight.clone(), config);
        let state = NormState::new(&input, gamma, beta, &statistics, config);
        let y = record::<Flex, C, _, _, 4>(NormedPointwise, [a, b, c, d], (state, weight), y);
        (y, untracked::<Flex, C>(statistics))
    }

    fn shifted_pointwise(
        input: Tracked<C>,
        gamma: Tracked<C>,
        beta: Tracked<C>,
        running: Tracked<C>,
        shifts: Tracked<C>,
        weight: Tracked<C>,
        config: NormConfig,
    ) -> (Tracked<C>, Tracked<C>) {
        let ((input, a), (gamma, b), (beta, c)) = (input.into_parts(), gamma.into_parts(), beta.into_parts());
        let ((shifts, d), (weight, e)) = (shifts.into_parts(), weight.into_parts());
        let [input, shifts, weight] = [input, shifts, weight].map(contiguous);
        let (y, statistics) = Flex::shifted_pointwise(
            input.clone(),
            gamma.clone(),
            beta.clone(),
            running.into_primitive(),
            shifts.clone(),
            weight.clone(),
            config,
        );
        let state = NormState::new(&input, gamma, beta, &statistics, config);
        let y = record::<Flex, C, _, _, 5>(ShiftedPointwise, [a, b, c, d, e], (state, shifts, weight), y);
        (y, untracked::<Flex, C>(statistics))
    }

    fn normed_add(
        input: Tracked<C>,
        gamma: Tracked<C>,
        beta: Tracked<C>,
        running: Tracked<C>,
        shortcut: Tracked<C>,
        config: NormConfig,
    ) -> (Tracked<C>, Tracked<C>) {
        let ((input, a), (gamma, b), (beta, c)) = (input.into_parts(), gamma.into_parts(), beta.into_parts());
        let (shortcut, d) = shortcut.into_parts();
        let input = contiguous(input);
        let (y, statistics) =
            Flex::normed_add(input.clone(), gamma.clone(), beta.clone(), running.into_primitive(), shortcut, config);
        let state = NormState::new(&input, gamma, beta, &statistics, config);
        let y = record::<Flex, C, _, _, 4>(NormedAdd, [a, b, c, d], state, y);
        (y, untracked::<Flex, C>(statistics))
    }

    fn normed_activation(
        input: Tracked<C>,
        gamma: Tracked<C>,
        beta: Tracked<C>,
        running: Tracked<C>,
        config: NormConfig,
    ) -> (Tracked<C>, Tracked<C>) {
        let ((input, a), (gamma, b), (beta, c)) = (input.into_parts(), gamma.into_parts(), beta.into_parts());
        let input = contiguous(input);
        let running = running.into_primitive();
        let (y, statistics) = Flex::normed_activation(input.clone(), gamma.clone(), beta.clone(), running, config);
        let state = NormState::new(&input, gamma, beta, &statistics, config);
        let y = record::<Flex, C, _, _, 3>(NormedActivation, [a, b, c], state, y);
        (y, untracked::<Flex, C>(statistics))
    }

    fn scaled(input: Tracked<C>, factor: Tracked<C>) -> Tracked<C> {
        let ((input, a), (factor, b)) = (input.into_parts(), factor.into_parts());
        let (input, factor) = (contiguous(input), contiguous(factor));
        let y = Flex::scaled(input.clone(), factor.clone());
        record::<Flex, C, _, _, 2>(Scaled, [a, b], (input, factor), y)
    }

    fn pooled(input: Tracked<C>) -> Tracked<C> {
        let (input, guard) = input.into_parts();
        let map = map(&input);
        record::<Flex, C, _, _, 1>(Pooled, [guard], map, Flex::pooled(input))
    }

    fn block(
        input: Tracked<C>,
        statistics: Tracked<C>,
        gamma: Tracked<C>,
        beta: Tracked<C>,
        reduce: Tracked<C>,
        middle_gamma: Tracked<C>,
        middle_beta: Tracked<C>,
        shifts: Tracked<C>,
        expand: Tracked<C>,
        last_gamma: Tracked<C>,
        last_beta: Tracked<C>,
        shortcut: Tracked<C>,
        config: BlockConfig,
    ) -> (Tracked<C>, Tracked<C>) {
        let (input, guard) = input.into_parts();
        let parameters =
            [gamma, beta, reduce, middle_gamma, middle_beta, shifts, expand, last_gamma, last_beta, shortcut];
        let (mut guards, mut tensors) = (vec![guard], Vec::new());
        for parameter in parameters {
            let (tensor, guard) = parameter.into_parts();
            guards.push(guard);
            tensors.push(tensor);
        }
        let tensors: [FlexTensor; 10] = tensors.try_into().expect("one for each of ten parameters");
        let guards: [NodeGuard; 11] = guards.try_into().expect("one for the input and each of ten parameters");
        let parts = BlockParts::new(input, tensors, config);
        let forward = parts.forward(&statistics.into_primitive());
        let (y, statistics) = (forward.output.clone(), forward.statistics.clone());
        // The output itself is not needed again.
        let state = (parts, forward.without_output());
        let y = record::<Flex, C, _, _, 11>(Block, guards, state, y);
        (y, untracked::<Flex, C>(statistics))
    }
}
