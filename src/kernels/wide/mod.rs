//! Products in 16-bit numbers with 32-bit sums: every width of weights and activations, and the stem.
//!
//! Inputs go in pairs: one instruction multiplies two inputs by the weights of several outputs and adds the two products
//! (`i32x4.dot_i16x8_s`, `vpmaddwd`).

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
#[cfg(target_arch = "wasm32")]
mod wasm;

use super::drive::{Tiles, drive};
use super::epilogue::Epilogue;
use super::lane::{LANE, Lane, lanes};
use super::panel::{PIXELS, Source, fill_pairs};
use super::scratch::Scratch;

/// Outputs of a tile.
pub(super) const OUTPUTS: usize = 16;

/// Lanes of one pair's weights in a tile.
const PAIR_LANES: usize = OUTPUTS * 4 / LANE;

/// Weights in pairs of inputs, tile by tile.
#[derive(Clone, Debug)]
pub(super) struct TileWeights {
    pairs: usize,
    /// `[tile][pair][OUTPUTS][2]`, 16 bits each.
    lanes: Vec<Lane>,
}

impl TileWeights {
    /// Packs whole numbers `[output, input]`; inputs are filled up to pairs.
    pub(super) fn pack(values: &[i16], output: usize, input: usize) -> Self {
        let pairs = input.div_ceil(2);
        let mut bytes = Vec::with_capacity(output.next_multiple_of(OUTPUTS) * pairs * 4);
        for tile in (0..output).step_by(OUTPUTS) {
            for pair in 0..pairs {
                for o in tile..tile + OUTPUTS {
                    for i in [2 * pair, 2 * pair + 1] {
                        let inside = o < output && i < input;
                        let value = if inside { values[o * input + i] } else { 0 };
                        bytes.extend(value.to_le_bytes());
                    }
                }
            }
        }
        Self { pairs, lanes: lanes(&bytes) }
    }

    /// Pairs of inputs.
    pub(super) fn pairs(&self) -> usize {
        self.pairs
    }

    /// The sums of a tile, by the fastest form that the processor has. The panel is `[pair][pixel][2]`, 16 bits each;
    /// what it has behind the last pair is not read.
    #[inline(always)]
    pub(super) fn sums(&self, tile: usize, panel: &[Lane], sums: &mut [[i32; OUTPUTS]; PIXELS]) {
        let tile_lanes = self.pairs * PAIR_LANES;
        let weights = &self.lanes[tile * tile_lanes..][..tile_lanes];
        #[cfg(target_arch = "wasm32")]
        return wasm::sums(weights, panel, sums);
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            return unsafe { avx2::sums(weights, panel, sums) };
        }
        #[cfg(not(target_arch = "wasm32"))]
        portable::sums(weights, panel, sums);
    }
}

/// A pointwise layer.
#[derive(Clone, Debug)]
pub(super) struct Wide {
    output: usize,
    input: usize,
    weights: TileWeights,
}

impl Wide {
    /// Packs whole numbers `[output, input]`.
    pub(super) fn pack(values: &[i16], output: usize, input: usize) -> Self {
        Self { output, input, weights: TileWeights::pack(values, output, input) }
    }

    /// Lanes that a block of pixels needs.
    pub(super) fn scratch_lanes(&self, block: usize) -> usize {
        PIXELS * self.input.div_ceil(LANE) + self.panel_lanes() * (block / PIXELS)
    }

    /// The product.
    pub(super) fn run(&self, source: Source, block: usize, epilogue: &mut Epilogue, scratch: &mut Scratch) {
        drive::<OUTPUTS>(self, source, self.output, block, epilogue, scratch);
    }
}

impl Tiles<OUTPUTS> for Wide {
    /// `[pair][pixel][2]`, 16 bits each: a lane a pair.
    fn panel_lanes(&self) -> usize {
        self.input.next_multiple_of(LANE) / 2
    }

    #[inline]
    fn fill(&self, rows: &[Lane], panel: &mut [Lane]) {
        fill_pairs(rows, panel);
    }

    #[inline]
    fn sums(&self, tile: usize, panel: &[Lane], sums: &mut [[i32; OUTPUTS]; PIXELS]) {
        self.weights.sums(tile, panel, sums);
    }
}
