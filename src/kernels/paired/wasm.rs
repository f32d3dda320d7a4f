//! Two outputs in one with simd128.

use super::super::lane::Lane;
use super::super::panel::PIXELS;
use super::{Cut, OUTPUTS, PAIR_LANES};
use core::arch::wasm32::*;

/// The sums of a tile: `start + 2 * (low and high sums)`.
///
/// A function of its own: inside a larger one V8 keeps the accumulators in memory.
#[inline(never)]
pub(super) fn sums(
    weights: &[[Lane; PAIR_LANES]],
    pairs: &[[i32; PIXELS]],
    cut: Cut,
    start: [[i32; 2]; PIXELS],
    sums: &mut [[i32; OUTPUTS]; PIXELS],
) {
    let zero = i32x4_splat(0);
    let mask = i32x4_splat((1 << cut.field) - 1);
    let mut all = start.map(|start| start.map(|start| [i32x4_splat(start); PAIR_LANES]));
    for (weights, pairs) in weights.chunks(cut.run * cut.runs).zip(pairs.chunks(cut.run * cut.runs)) {
        let (mut low, mut total) = ([[zero; PAIR_LANES]; PIXELS], [[zero; PAIR_LANES]; PIXELS]);
        for (weights, pairs) in weights.chunks(cut.run).zip(pairs.chunks(cut.run)) {
            let mut sum = [[zero; PAIR_LANES]; PIXELS];
            // One pair a turn: V8 keeps the accumulators of a longer body in memory.
            for (weights, pair) in weights.iter().zip(pairs) {
                for pixel in 0..PIXELS {
                    let pair = i32x4_splat(pair[pixel]);
                    for vector in 0..PAIR_LANES {
                        let product = i32x4_dot_i16x8(weights[vector], pair);
                        sum[pixel][vector] = i32x4_add(sum[pixel][vector], product);
                    }
                }
            }
            for pixel in 0..PIXELS {
                for vector in 0..PAIR_LANES {
                    let sum = sum[pixel][vector];
                    low[pixel][vector] = i32x4_add(low[pixel][vector], v128_and(sum, mask));
                    total[pixel][vector] = i32x4_add(total[pixel][vector], sum);
                }
            }
        }
        for pixel in 0..PIXELS {
            for vector in 0..PAIR_LANES {
                let low = low[pixel][vector];
                let high = i32x4_shr(i32x4_sub(total[pixel][vector], low), cut.field);
                let [of_low, of_high] = &mut all[pixel];
                of_low[vector] = i32x4_add(of_low[vector], i32x4_shl(low, 1));
                of_high[vector] = i32x4_add(of_high[vector], i32x4_shl(high, 1));
            }
        }
    }
    for (all, sums) in all.iter().zip(sums) {
        for (&vector, sums) in all.as_flattened().iter().zip(sums.as_chunks_mut::<4>().0) {
            // SAFETY: four i32 are the 16 bytes that are written; the store needs no alignment.
            unsafe { v128_store(sums.as_mut_ptr().cast(), vector) };
        }
    }
}
