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

/// In a browser. Chromium 156 with `--js-flags="--no-liftoff --no-wasm-lazy-compilation"`, one thread of a Zen 4 core,
/// GMAC/s, median of rounds of 40 ms, for (outputs, inputs, pixels) with 4-bit activations:
///
/// | kernel, weight bits | 256,64,3136 | 64,256,3136 | 512,128,784 | 1024,256,196 | 2048,512,49 |
/// |---|---|---|---|---|---|
/// | look-up, 1 | 51 | 60 | 79 | 103 | 129 |
/// | look-up, 2 | 40 | 45 | 54 | 69 | 73 |
/// | paired, 1 to 2 | 34 | 45 | 51 | 64 | 69 |
/// | paired, 3 | 34 | 45 | 49 | 60 | 64 |
/// | paired, 4 | 32 | 38 | 43 | 51 | 51 |
/// | paired, 2, 8-bit activations | 31 | 38 | 43 | 51 | 51 |
/// | wide, all | 29 | 32 | 35 | 38 | 38 |
///
/// All pointwise layers of L-SSPQ50 took 38.4 ms paired and 39.2 looked up at 2 bits: no difference that the noise of a
/// few percent lets through. The paired form needs half the memory for a pixel's activations.
const WASM: Table = &[(1, 4, Kernel::Lookup), (8, 8, Kernel::Paired)];

/// In a browser with relaxed SIMD, whose look-up is one instruction on x86 instead of two (`lookup/relaxed.rs`). Chromium 156
/// on the same core, busy with other work: the best of 60 turns of all pointwise layers of L-SSPQ50, in milliseconds, and
/// of 25 turns of a layer, in GMAC/s:
///
/// | weight bits | kernel | all layers | 256,64,3136 | 64,256,3136 | 512,128,784 | 1024,256,196 |
/// |---|---|---|---|---|---|---|
/// | 1 | look-up | 34.9 | 51 | 64 | 79 | 103 |
/// | 1 | look-up, relaxed | 24.3 | 51 | 73 | 76 | 133 |
/// | 2 | paired | 56.5 | 32 | 43 | 51 | 69 |
/// | 2 | look-up | 55.9 | 40 | 47 | 51 | 73 |
/// | 2 | look-up, relaxed | 36.1 | 43 | 57 | 73 | 103 |
/// | 3 | paired | 61.0 | 32 | 43 | 45 | 64 |
/// | 3 | look-up, relaxed | 52.9 | 37 | 47 | 51 | 64 |
/// | 4 | paired | 63.8 | | | | |
/// | 4 | look-up, relaxed | 64.6 | | | | |
///
/// The relaxed dot products of bytes are not used: on x86 `i16x8.relaxed_dot_i8x16_i7x16_s` does as many multiply-adds an
/// instruction as the paired kernel.
const RELAXED: Table = &[(3, 4, Kernel::Lookup), (8, 8, Kernel::Paired)];

/// With AVX2, `cargo run --release --features bench --example kernels` on the same core: looked up 94 to 351 GMAC/s at
/// 1 bit and 67 to 112 at 4 bits, paired 35 to 104, wide 55 to 80.
const AVX2: Table = &[(4, 4, Kernel::Lookup), (2, 8, Kernel::Paired)];

/// Without vector instructions of ours.
const PORTABLE: Table = &[];

impl Kernel {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Scalar, Self::Lookup, Self::Paired, Self::Wide];

    /// Its name in reports, such as `lookup`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Lookup => "lookup",
            Self::Paired => "paired",
            Self::Wide => "wide",
        }
    }

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
        let table = if cfg!(all(target_arch = "wasm32", feature = "relaxed-simd")) {
            RELAXED
        } else if cfg!(target_arch = "wasm32") {
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

/// Pixels whose panels are made before the weights go over them: as few as an inner loop takes. The tables of a look-up
/// layer are four times as large as a tile of its weights, so it is the weights that had better come again.
pub(super) const BLOCK: usize = super::panel::PIXELS;
