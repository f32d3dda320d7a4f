//! Products by looking sums up: weights of few bits, activations of at most four.
//!
//! Four activations have 16 subset sums, each at most `4 * 15 = 60`: a table of 16 bytes, one vector. A one-bit weight
//! plane says for an output which of the four it takes: an index of four bits. One byte shuffle looks up the sums
//! of 16 outputs, 64 multiply-adds; four of them still add up in a byte (240). A weight of `k` bits is `k` such planes.
//! With levels `q` that stand for `2 q - (2^k - 1)`,
//!
//! ```text
//! sum over i of w[i] a[i] = 2 * sum over i of q[i] a[i] - (2^k - 1) * sum over i of a[i]
//! ```
//!
//! Sums of four tables go to 16-bit accumulators, planes highest first, doubling the accumulator from plane to plane
//! (Horner's rule); after as many inputs as 16 bits can hold they go to 32 bits.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(not(any(target_arch = "x86_64", target_arch = "wasm32")))]
mod portable;
#[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
mod relaxed;
#[cfg(target_arch = "wasm32")]
mod wasm;

use super::drive::{Tiles, drive};
use super::epilogue::Epilogue;
use super::lane::{LANE, Lane, bytes_mut, lanes};
use super::panel::{PIXELS, Source, total};
use super::scratch::Scratch;

#[cfg(target_arch = "x86_64")]
use avx2 as form;
#[cfg(not(any(target_arch = "x86_64", target_arch = "wasm32")))]
use portable as form;
#[cfg(target_arch = "wasm32")]
use wasm as form;

/// Inputs that one table sums.
const TABLE: usize = 4;

/// Tables whose entries add up in a byte.
const TABLES: usize = 4;

/// Activation bits at most, so that so many tables' entries do.
const ACTIVATION_BITS: u8 = 4;

/// Outputs of a tile.
const OUTPUTS: usize = form::OUTPUTS;

/// Weight planes as table indices.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    output: usize,
    input: usize,
    bits: u8,
    /// Lanes of a pixel's activations that 16 bits can sum.
    chunk: usize,
    /// `[tile][chunk][plane, highest first][table][OUTPUTS]`, a byte an index.
    indices: Vec<Lane>,
}

impl Lookup {
    /// Packs levels `[output, input]`; none where activations have too many bits.
    pub(super) fn pack(levels: &[u8], output: usize, input: usize, bits: u8, activation_bits: u8) -> Option<Self> {
        if activation_bits > ACTIVATION_BITS {
            return None;
        }
        let input_lanes = input.div_ceil(LANE);
        let largest = ((1 << bits) - 1) * ((1 << activation_bits) - 1) * LANE;
        let chunk = usize::from(u16::MAX) / largest;
        let mut bytes = Vec::with_capacity(output.next_multiple_of(OUTPUTS) * input_lanes * TABLES * usize::from(bits));
        for tile in (0..output).step_by(OUTPUTS) {
            for start in (0..input_lanes).step_by(chunk) {
                let tables = start * TABLES..(start + chunk).min(input_lanes) * TABLES;
                for plane in (0..bits).rev() {
                    for table in tables.clone() {
                        for at in 0..OUTPUTS {
                            // Low bytes of 16-bit pairs hold the first half of the tile, high bytes the second.
                            let o = tile + at % 2 * (OUTPUTS / 2) + at / 2;
                            let bit = |i: usize| {
                                let inside = o < output && table * TABLE + i < input;
                                inside && levels[o * input + table * TABLE + i] >> plane & 1 == 1
                            };
                            bytes.push((0..TABLE).map(|i| u8::from(bit(i)) << i).sum());
                        }
                    }
                }
            }
        }
        Some(Self { output, input, bits, chunk, indices: lanes(&bytes) })
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

impl Tiles<OUTPUTS> for Lookup {
    /// Tables `[table][pixel]`, then the pixels' sums.
    fn panel_lanes(&self) -> usize {
        self.input.div_ceil(LANE) * TABLES * PIXELS + 1
    }

    #[inline]
    fn fill(&self, rows: &[Lane], panel: &mut [Lane]) {
        let (tables, totals) = panel.split_at_mut(panel.len() - 1);
        form::tables(rows, tables);
        let row_lanes = self.input.div_ceil(LANE);
        let mut all = [0; LANE];
        for (row, out) in rows.chunks_exact(row_lanes).zip(all.as_chunks_mut::<4>().0) {
            *out = total(row).to_le_bytes();
        }
        bytes_mut(totals).copy_from_slice(&all);
    }

    #[inline]
    fn sums(&self, tile: usize, panel: &[Lane], sums: &mut [[i32; OUTPUTS]; PIXELS]) {
        let row_lanes = self.input.div_ceil(LANE);
        let tile_lanes = row_lanes * TABLES * usize::from(self.bits) * (OUTPUTS / LANE);
        let indices = &self.indices[tile * tile_lanes..][..tile_lanes];
        let (tables, totals) = panel.split_at(panel.len() - 1);
        let top = (1_i32 << self.bits) - 1;
        form::sums(indices, tables, self.bits.into(), self.chunk, top, totals[0], sums);
    }
}

#[cfg(test)]
mod tests {
    use super::super::lane::bytes;
    use super::*;

    /// The form with relaxed SIMD gives anything for larger ones.
    #[test]
    fn indices_stay_below_the_length_of_a_table() {
        for bits in 1..=8 {
            for (output, input) in [(1, 1), (17, 33), (40, 100)] {
                let levels: Vec<u8> = (0..output * input).map(|i| (i * 151 % (1 << bits)) as u8).collect();
                let lookup = Lookup::pack(&levels, output, input, bits, ACTIVATION_BITS).unwrap();
                assert!(bytes(&lookup.indices).iter().all(|&index| index < 16), "{bits} bits, {output} x {input}");
            }
        }
    }
}
