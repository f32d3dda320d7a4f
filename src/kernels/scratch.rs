//! Memory that kernels need while they run, kept from call to call.

/// Buffers of one thread of inference. They grow to what a layer needs when it is first run or [planned
/// for](super::PointwiseWeights::plan) and are never given back, so that frames allocate nothing.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// Panels of activations; aligned to 16 bytes.
    panel: Vec<u128>,
    /// Sums of a panel.
    pub(super) sums: Vec<i32>,
}

impl Scratch {
    /// Empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes held.
    pub fn len_bytes(&self) -> usize {
        self.panel.len() * 16 + self.sums.len() * 4
    }
}
