//! Memory that kernels need while they run, kept from call to call.

use super::lane::{LANE, Lane, lane};

/// Buffers of one thread of inference. They grow to what a layer needs when it is first run or [planned
/// for](super::PointwiseWeights::plan) and are never given back, so that frames allocate nothing.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    lanes: Vec<Lane>,
}

impl Scratch {
    /// Empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes held.
    pub fn len_bytes(&self) -> usize {
        self.lanes.len() * LANE
    }

    /// Two buffers of these lengths in lanes, whose contents are whatever the last call left.
    pub(super) fn split(&mut self, first: usize, second: usize) -> (&mut [Lane], &mut [Lane]) {
        self.reserve(first + second);
        let (a, rest) = self.lanes.split_at_mut(first);
        (a, &mut rest[..second])
    }

    /// Makes room for that many lanes.
    pub(super) fn reserve(&mut self, count: usize) {
        if self.lanes.len() < count {
            self.lanes.resize(count, lane(&[0; LANE]));
        }
    }
}
