//! Which kernel computes a layer: one table, from measurement.

/// A way to compute a product of whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kernel {
    /// Plain loops: the reference.
    Scalar,
    /// Sums of four activations from a table: activations of at most 4 bits.
    Lookup,
    /// Two outputs in one 16-bit product: weights and activations of few bits.
    Paired,
    /// 16-bit products: everything.
    Wide,
}

/// The kernels that a processor runs best, as rows of: weight bits up to, activation bits up to, kernel. The first row
/// that fits and whose kernel takes the layer is taken; [`Kernel::Wide`] takes what none does.
type Table = &'static [(u8, u8, Kernel)];

/// In a browser. Measured with `WASM_TABLE_COMMAND`.
const WASM: Table = &[(1, 4, Kernel::Lookup), (8, 8, Kernel::Paired)];

/// With AVX2, whose byte shuffle is twice as wide while its 16-bit products wait for the loads.
const AVX2: Table = &[(4, 4, Kernel::Lookup), (2, 8, Kernel::Paired)];

/// Without vector instructions of ours.
const PORTABLE: Table = &[];

impl Kernel {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Scalar, Self::Lookup, Self::Paired, Self::Wide];

    /// Whether this processor runs it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar | Self::Wide => true,
            #[cfg(target_arch = "x86_64")]
            Self::Lookup | Self::Paired => std::is_x86_feature_detected!("avx2"),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Lookup | Self::Paired => true,
        }
    }

    /// The kernels to try for a layer, best first.
    pub(super) fn candidates(weight_bits: u8, activation_bits: u8) -> impl Iterator<Item = Self> {
        let table = if cfg!(target_arch = "wasm32") {
            WASM
        } else if cfg!(target_arch = "x86_64") && Self::Lookup.is_available() {
            AVX2
        } else {
            PORTABLE
        };
        let fits = move |row: &&(u8, u8, Self)| weight_bits <= row.0 && activation_bits <= row.1;
        table.iter().filter(fits).map(|row| row.2).chain([Self::Wide])
    }
}

/// Pixels whose panels are made before the weights go over them: as few as can be. Panels of four pixels and a tile of
/// weights fit the first cache together; with 8 or 16 pixels a look-up layer's tables no longer do.
pub(super) const BLOCK: usize = super::panel::PIXELS;
