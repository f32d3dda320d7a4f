//! Products that compute two outputs in one: weights and activations whose bits leave room in 16 x 16 = 32.
//!
//! With levels `q` of `b` bits, the signed 16-bit weight `q0 + 2^f (q1 - 2^(b - 1))`, `f = 16 - b`, holds the weights of two
//! outputs. Its product with an activation `a` is `q0 a + 2^f (q1 - 2^(b - 1)) a`, and such products add up side by side
//! until the lower sum needs more than `f` bits: for `(2^f - 1) / (2 (2^b - 1) (2^k - 1))` additions of two products each (9
//! for 4-bit weights on 4-bit activations, 182 for 2-bit weights). Then the lower part of the sum is moved elsewhere:
//!
//! ```text
//! low   = low + (sum & (2^f - 1))
//! total = total + sum                   high = (total - low) / 2^f
//! ```
//!
//! So one multiply-and-add instruction (`i32x4.dot_i16x8_s`, `vpmaddwd`) does twice the multiply-adds of
//! [`wide`](super::wide). With `A` the sum of a pixel's activations, what the outputs get is
//!
//! ```text
//! sum of (2 q0 - (2^b - 1)) a = 2 low - (2^b - 1) A        sum of (2 q1 - (2^b - 1)) a = 2 high + A
//! ```

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(not(any(target_arch = "x86_64", target_arch = "wasm32")))]
mod portable;
#[cfg(target_arch = "wasm32")]
mod wasm;

use super::drive::{Tiles, drive};
use super::epilogue::Epilogue;
use super::lane::{LANE, Lane, bytes_mut, lanes, words};
use super::panel::{PIXELS, Source, fill_pairs, total};
use super::scratch::Scratch;

#[cfg(target_arch = "x86_64")]
use avx2 as form;
#[cfg(not(any(target_arch = "x86_64", target_arch = "wasm32")))]
use portable as form;
#[cfg(target_arch = "wasm32")]
use wasm as form;

/// Outputs of a tile.
const OUTPUTS: usize = 16;

/// Lanes of one pair of inputs in a tile: a 32-bit place holds two inputs of two outputs.
const PAIR_LANES: usize = OUTPUTS * 2 / LANE;

/// A run of fewer pairs costs more in moving sums than it saves in products.
const SHORTEST: usize = 4;

/// How sums are cut.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// Bits of the lower sum.
    field: u32,
    /// Pairs of inputs after which the lower sum is moved away.
    run: usize,
    /// Runs after which 32 bits are full.
    runs: usize,
}

impl Cut {
    fn new(bits: u8, activation_bits: u8) -> Option<Self> {
        let field = 16 - u32::from(bits);
        let activation = (1_usize << activation_bits) - 1;
        let run = ((1 << field) - 1) / (2 * ((1 << bits) - 1) * activation);
        // In magnitude a pair adds at most 2^15 for every activation level to the total.
        let runs = (i32::MAX as usize / ((2 * activation) << 15)).checked_div(run)?;
        (run >= SHORTEST && runs > 0).then_some(Self { field, run, runs })
    }
}

/// Levels of two outputs in 16 bits, in pairs of inputs.
#[derive(Clone, Debug)]
pub(super) struct Paired {
    output: usize,
    input: usize,
    bits: u8,
    cut: Cut,
    /// `[tile][pair][OUTPUTS / 2][2]`, 16 bits each. A tile's outputs `o` and `o + OUTPUTS / 2` share a place.
    weights: Vec<Lane>,
}

impl Paired {
    /// Packs levels `[output, input]`; none where the bits leave no room.
    pub(super) fn pack(levels: &[u8], output: usize, input: usize, bits: u8, activation_bits: u8) -> Option<Self> {
        let cut = Cut::new(bits, activation_bits)?;
        let pairs = input.next_multiple_of(LANE) / 2;
        let mut bytes = Vec::with_capacity(output.next_multiple_of(OUTPUTS) * pairs * 2);
        let level = |o: usize, i: usize| if o < output && i < input { levels[o * input + i] } else { 0 };
        for tile in (0..output).step_by(OUTPUTS) {
            for pair in 0..pairs {
                for o in tile..tile + OUTPUTS / 2 {
                    for i in [2 * pair, 2 * pair + 1] {
                        let (low, high) = (level(o, i), level(o + OUTPUTS / 2, i));
                        let weight = i32::from(low) + ((i32::from(high) - (1 << (bits - 1))) << cut.field);
                        bytes.extend((weight as i16).to_le_bytes());
                    }
                }
            }
        }
        Some(Self { output, input, bits, cut, weights: lanes(&bytes) })
    }

    fn pairs(&self) -> usize {
        self.input.next_multiple_of(LANE) / 2
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

impl Tiles<OUTPUTS> for Paired {
    /// The activations in pairs, then the pixels' sums.
    fn panel_lanes(&self) -> usize {
        self.pairs() + 1
    }

    #[inline]
    fn fill(&self, rows: &[Lane], panel: &mut [Lane]) {
        let (pairs, totals) = panel.split_at_mut(panel.len() - 1);
        fill_pairs(rows, pairs);
        let mut all = [0; LANE];
        for (row, out) in rows.chunks_exact(rows.len() / PIXELS).zip(all.as_chunks_mut::<4>().0) {
            *out = total(row).to_le_bytes();
        }
        bytes_mut(totals).copy_from_slice(&all);
    }

    #[inline]
    fn sums(&self, tile: usize, panel: &[Lane], sums: &mut [[i32; OUTPUTS]; PIXELS]) {
        let tile_lanes = self.pairs() * PAIR_LANES;
        let weights = self.weights[tile * tile_lanes..][..tile_lanes].as_chunks().0;
        let (pairs, totals) = panel.split_at(panel.len() - 1);
        let top = (1_i32 << self.bits) - 1;
        let start = words(totals)[0].map(|total| [-top * total, total]);
        form::sums(weights, words(pairs), self.cut, start, sums);
    }
}
