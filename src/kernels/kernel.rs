//! Which kernel computes a layer: one table, from measurement.

/// A way to compute a product of whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kernel {
    /// Plain loops: the reference.
    Scalar,
    /// Sums of four activations from a table: few weight bits, activations of at most 4 bits.
    Lookup,
    /// Two outputs in one 16-bit product: few weight bits.
    Paired,
    /// 16-bit products: everything.
    Wide,
}

impl Kernel {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Scalar, Self::Lookup, Self::Paired, Self::Wide];

    /// Whether this processor runs it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar | Self::Wide => true,
            Self::Lookup | Self::Paired => has_vectors(),
        }
    }

    /// The kernel for a layer.
    pub(super) fn choose(weight_bits: Option<u8>, activation_bits: u8, output: usize) -> Self {
        let _ = output;
        match (weight_bits, activation_bits) {
            _ if !has_vectors() => Self::Wide,
            (Some(1..=2), 1..=4) => Self::Lookup,
            (Some(3..=4), 1..=4) => Self::Paired,
            (Some(1..=2), _) => Self::Paired,
            _ => Self::Wide,
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn has_vectors() -> bool {
    std::is_x86_feature_detected!("avx2")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_vectors() -> bool {
    cfg!(target_arch = "wasm32")
}

/// Pixels whose panels are made before the weights go over them.
pub(super) fn block(kernel: Kernel, input: usize) -> usize {
    let _ = (kernel, input);
    4
}
