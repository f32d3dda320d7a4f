//! Pairs of products with AVX2.

use super::super::lane::{Lane, words};
use super::super::panel::PIXELS;
use super::{OUTPUTS, PAIR_LANES};
use core::arch::x86_64::*;

/// The sums of a tile.
#[target_feature(enable = "avx2")]
pub(super) fn sums(weights: &[Lane], panel: &[Lane], sums: &mut [[i32; OUTPUTS]; PIXELS]) {
    let mut all = [[_mm256_setzero_si256(); PAIR_LANES / 2]; PIXELS];
    for (weights, pixels) in weights.as_chunks::<PAIR_LANES>().0.iter().zip(words(panel)) {
        let weights = [_mm256_set_m128i(weights[1], weights[0]), _mm256_set_m128i(weights[3], weights[2])];
        for (all, pair) in all.iter_mut().zip(pixels) {
            let pair = _mm256_set1_epi32(*pair);
            for (sum, weights) in all.iter_mut().zip(weights) {
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(weights, pair));
            }
        }
    }
    for (vectors, sums) in all.iter().zip(sums) {
        for (&vector, sums) in vectors.iter().zip(sums.as_chunks_mut::<8>().0) {
            // SAFETY: eight i32 are the 32 bytes that are written; the store needs no alignment.
            unsafe { _mm256_storeu_si256(sums.as_mut_ptr().cast(), vector) };
        }
    }
}
