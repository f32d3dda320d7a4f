//! Operations on Burn's tape, for every backend.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend};

/// Registers the gradients of the parents that want one, in their order.
pub(crate) fn register<B: Backend, S, const N: usize>(
    parents: &Ops<S, N>,
    grads: &mut Gradients,
    gradients: [Option<FloatTensor<B>>; N],
) {
    for (parent, gradient) in parents.parents.iter().zip(gradients) {
        if let (Some(parent), Some(gradient)) = (parent, gradient) {
            grads.register::<B>(parent.id, gradient);
        }
    }
}

/// Puts an operation on the tape.
pub(crate) fn record<B, C, Op, S, const N: usize>(
    op: Op,
    guards: [NodeGuard; N],
    state: S,
    output: FloatTensor<B>,
) -> FloatTensor<Autodiff<B, C>>
where
    B: Backend,
    C: CheckpointStrategy,
    Op: Backward<B, N, State = S>,
    S: Clone + Send + std::fmt::Debug + 'static,
{
    match op.prepare::<C>(guards).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    }
}

/// A tensor off the tape.
pub(crate) fn untracked<B: Backend, C: CheckpointStrategy>(tensor: FloatTensor<B>) -> FloatTensor<Autodiff<B, C>> {
    <Autodiff<B, C> as AutodiffBackend>::from_inner(tensor)
}
