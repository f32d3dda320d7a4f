//! Pairs of products with simd128.

use super::super::lane::{Lane, words};
use super::super::panel::PIXELS;
use super::{OUTPUTS, PAIR_LANES};
use core::arch::wasm32::*;

/// The sums of a tile, half of its outputs at a time: eight accumulators are what V8 keeps in registers.
#[inline(never)]
pub(super) fn sums(weights: &[Lane], panel: &[Lane], sums: &mut [[i32; OUTPUTS]; PIXELS]) {
    const HALF: usize = PAIR_LANES / 2;
    for half in 0..2 {
        let mut all = [[i32x4_splat(0); HALF]; PIXELS];
        for (weights, pixels) in weights.as_chunks::<PAIR_LANES>().0.iter().zip(words(panel)) {
            for (all, pair) in all.iter_mut().zip(pixels) {
                let pair = i32x4_splat(*pair);
                for (i, sum) in all.iter_mut().enumerate() {
                    *sum = i32x4_add(*sum, i32x4_dot_i16x8(weights[half * HALF + i], pair));
                }
            }
        }
        for (vectors, sums) in all.iter().zip(&mut *sums) {
            for (i, &vector) in vectors.iter().enumerate() {
                let at = (half * HALF + i) * 4;
                let sums: &mut [i32; 4] = (&mut sums[at..at + 4]).try_into().expect("four of sixteen");
                // SAFETY: four i32 are the 16 bytes that are written; the store needs no alignment.
                unsafe { v128_store(sums.as_mut_ptr().cast(), vector) };
            }
        }
    }
}
