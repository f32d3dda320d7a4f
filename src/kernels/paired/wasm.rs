//! Two outputs in one with simd128.

use super::super::lane::Lane;
use super::super::panel::PIXELS;
use super::{Cut, OUTPUTS, PAIR_LANES};
use core::arch::wasm32::*;

/// The sums of a tile: `start + 2 * (sum of levels times activations)`.
#[inline]
pub(super) fn sums(
    weights: &[[Lane; PAIR_LANES]],
    pairs: &[[i32; 4]],
    cut: Cut,
    start: [i32; PIXELS],
    sums: &mut [[i32; OUTPUTS]; PIXELS],
) {
    for vector in 0..PAIR_LANES {
        let mut all = start.map(|start| [i32x4_splat(start); 2]);
        let mask = i32x4_splat((1 << cut.field) - 1);
        for (weights, pairs) in weights.chunks(cut.run * cut.runs).zip(pairs.chunks(cut.run * cut.runs)) {
            let mut low = [i32x4_splat(0); PIXELS];
            let mut total = [i32x4_splat(0); PIXELS];
            for (weights, pairs) in weights.chunks(cut.run).zip(pairs.chunks(cut.run)) {
                let mut sum = [i32x4_splat(0); PIXELS];
                for (weights, pair) in weights.iter().zip(pairs) {
                    for pixel in 0..PIXELS {
                        let product = i32x4_dot_i16x8(weights[vector], i32x4_splat(pair[pixel]));
                        sum[pixel] = i32x4_add(sum[pixel], product);
                    }
                }
                for pixel in 0..PIXELS {
                    low[pixel] = i32x4_add(low[pixel], v128_and(sum[pixel], mask));
                    total[pixel] = i32x4_add(total[pixel], sum[pixel]);
                }
            }
            for pixel in 0..PIXELS {
                let high = i32x4_shr(i32x4_sub(total[pixel], low[pixel]), cut.field);
                all[pixel][0] = i32x4_add(all[pixel][0], i32x4_shl(low[pixel], 1));
                all[pixel][1] = i32x4_add(all[pixel][1], i32x4_shl(high, 1));
            }
        }
        for (all, sums) in all.iter().zip(&mut *sums) {
            for (half, &all) in all.iter().enumerate() {
                let at = half * OUTPUTS / 2 + vector * 4;
                let sums: &mut [i32; 4] = (&mut sums[at..at + 4]).try_into().expect("four of sixteen");
                // SAFETY: four i32 are the 16 bytes that are written; the store needs no alignment.
                unsafe { v128_store(sums.as_mut_ptr().cast(), all) };
            }
        }
    }
}
