//! Backward passes: what Burn's tape keeps of each operation, and what it hands on.

use super::forward::{self, Normed, Places};
use super::{After, LibTorch, MapOps};
use crate::fused::tape::{record, register, untracked};
use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::FloatTensor;
use burn_tch::TchTensor;
use std::sync::Arc;

type Tracked<C> = FloatTensor<Autodiff<LibTorch, C>>;

/// What the tape keeps of a BatchNorm.
#[derive(Clone)]
struct NormState {
    input: TchTensor,
    gamma: TchTensor,
    normed: Arc<Kept>,
    after: After,
}

/// [`Normed`] between threads.
struct Kept(Normed);

// SAFETY: its tensors are written by nobody once they are made, and LibTorch counts references to them atomically.
unsafe impl Send for Kept {}
// SAFETY: as above.
unsafe impl Sync for Kept {}

impl std::fmt::Debug for NormState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NormState").field("after", &self.after).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct NormedMap;

impl Backward<LibTorch, 3> for NormedMap {
    type State = NormState;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<LibTorch>(&ops.node);
        let NormState { input, gamma, normed, after } = &ops.state;
        let g = after.backward(dy.tensor, &normed.0.map);
        let of = normed.0.backward(&g, &input.tensor, &gamma.tensor);
        let gradients = [of.input, of.gamma, of.beta].map(|g| Some(TchTensor::new(g)));
        register::<LibTorch, _, 3>(&ops, grads, gradients);
    }
}

#[derive(Debug)]
struct Moved;

impl Backward<LibTorch, 2> for Moved {
    type State = (TchTensor, TchTensor, i64);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<LibTorch>(&ops.node).tensor.contiguous();
        let (map, shifts, stride) = &ops.state;
        let (map, shifts) = (&map.tensor, &shifts.tensor);
        let [of_map, of_shifts] = ops.parents.each_ref().map(Option::is_some);
        let of_map = of_map.then(|| forward::moved_backward(&dy, shifts, forward::side(map), *stride));
        let of_shifts = of_shifts.then(|| forward::shifts_backward(&dy, map, shifts, *stride));
        register::<LibTorch, _, 2>(&ops, grads, [of_map, of_shifts].map(|g| g.map(TchTensor::new)));
    }
}

/// The tensor with its values one after the other.
fn contiguous(tensor: TchTensor) -> TchTensor {
    if tensor.tensor.is_contiguous() { tensor } else { TchTensor::new(tensor.tensor.contiguous()) }
}

impl<C: CheckpointStrategy> MapOps for Autodiff<LibTorch, C> {
    fn normed(input: Tracked<C>, gamma: Tracked<C>, beta: Tracked<C>, after: After) -> (Tracked<C>, Tracked<C>) {
        let ((input, a), (gamma, b), (beta, c)) = (input.into_parts(), gamma.into_parts(), beta.into_parts());
        let input = contiguous(input);
        let normed = Normed::of(&input.tensor, &gamma.tensor, &beta.tensor);
        let (y, statistics) = (TchTensor::new(after.of(&normed.map)), TchTensor::new(normed.statistics()));
        let state = NormState { input, gamma, normed: Arc::new(Kept(normed)), after };
        (record::<LibTorch, C, _, _, 3>(NormedMap, [a, b, c], state, y), untracked::<LibTorch, C>(statistics))
    }

    fn moved(input: Tracked<C>, shifts: Tracked<C>, stride: usize) -> Tracked<C> {
        let ((input, a), (shifts, b)) = (input.into_parts(), shifts.into_parts());
        let (input, stride) = (contiguous(input), stride as i64);
        let y = Places::of(&shifts.tensor, forward::side(&input.tensor), stride).read(&input.tensor);
        record::<LibTorch, C, _, _, 2>(Moved, [a, b], (input, shifts, stride), TchTensor::new(y))
    }
}
