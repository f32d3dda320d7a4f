//! Two outputs in one with AVX2.

use super::super::lane::Lane;
use super::super::panel::PIXELS;
use super::{Cut, OUTPUTS, PAIR_LANES};
use core::arch::x86_64::*;

/// The sums of a tile: `start + 2 * (low and high sums)`.
#[inline]
pub(super) fn sums(
    weights: &[[Lane; PAIR_LANES]],
    pairs: &[[i32; PIXELS]],
    cut: Cut,
    start: [[i32; 2]; PIXELS],
    sums: &mut [[i32; OUTPUTS]; PIXELS],
) {
    // SAFETY: this kernel is chosen only where AVX2 is (see `Kernel::is_available`).
    unsafe { sums_avx2(weights, pairs, cut, start, sums) }
}

#[target_feature(enable = "avx2")]
fn sums_avx2(
    weights: &[[Lane; PAIR_LANES]],
    pairs: &[[i32; PIXELS]],
    cut: Cut,
    start: [[i32; 2]; PIXELS],
    sums: &mut [[i32; OUTPUTS]; PIXELS],
) {
    let zero = _mm256_setzero_si256();
    let mask = _mm256_set1_epi32((1 << cut.field) - 1);
    let field = _mm_cvtsi32_si128(cut.field as i32);
    let mut all = start.map(|start| start.map(|start| _mm256_set1_epi32(start)));
    for (weights, pairs) in weights.chunks(cut.run * cut.runs).zip(pairs.chunks(cut.run * cut.runs)) {
        let (mut low, mut total) = ([zero; PIXELS], [zero; PIXELS]);
        for (weights, pairs) in weights.chunks(cut.run).zip(pairs.chunks(cut.run)) {
            let mut sum = [zero; PIXELS];
            for (weights, pair) in weights.iter().zip(pairs) {
                let weights = _mm256_set_m128i(weights[1], weights[0]);
                for pixel in 0..PIXELS {
                    let product = _mm256_madd_epi16(weights, _mm256_set1_epi32(pair[pixel]));
                    sum[pixel] = _mm256_add_epi32(sum[pixel], product);
                }
            }
            for pixel in 0..PIXELS {
                low[pixel] = _mm256_add_epi32(low[pixel], _mm256_and_si256(sum[pixel], mask));
                total[pixel] = _mm256_add_epi32(total[pixel], sum[pixel]);
            }
        }
        for pixel in 0..PIXELS {
            let high = _mm256_sra_epi32(_mm256_sub_epi32(total[pixel], low[pixel]), field);
            all[pixel][0] = _mm256_add_epi32(all[pixel][0], _mm256_slli_epi32::<1>(low[pixel]));
            all[pixel][1] = _mm256_add_epi32(all[pixel][1], _mm256_slli_epi32::<1>(high));
        }
    }
    for (all, sums) in all.iter().zip(sums) {
        for (&half, sums) in all.iter().zip(sums.as_chunks_mut::<8>().0) {
            // SAFETY: eight i32 are the 32 bytes that are written; the store needs no alignment.
            unsafe { _mm256_storeu_si256(sums.as_mut_ptr().cast(), half) };
        }
    }
}
