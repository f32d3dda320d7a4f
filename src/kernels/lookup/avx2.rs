//! Looking up with AVX2: the table in both halves of a vector, 32 outputs at once.

use super::super::lane::Lane;
use super::super::panel::PIXELS;
use super::TABLES;
use core::arch::x86_64::*;

/// Outputs of a tile: bytes of a vector.
pub(super) const OUTPUTS: usize = 32;

/// Makes the tables of each 16 activations of the rows, `[table][pixel]`.
pub(super) fn tables(rows: &[Lane], tables: &mut [Lane]) {
    // SAFETY: this kernel is chosen only where AVX2 is (see `Kernel::is_available`).
    unsafe { tables_avx2(rows, tables) }
}

/// The sums of pairs come first, `0, a, b, a + b` for each of eight pairs; a table is the sums of two pairs.
#[target_feature(enable = "avx2")]
fn tables_avx2(rows: &[Lane], tables: &mut [Lane]) {
    const NO: i8 = -1;
    let row_lanes = rows.len() / PIXELS;
    let pairs =
        |a: Lane, first: Lane, second: Lane| _mm_add_epi8(_mm_shuffle_epi8(a, first), _mm_shuffle_epi8(a, second));
    for (at, tables) in tables.as_chunks_mut::<{ TABLES * PIXELS }>().0.iter_mut().enumerate() {
        for pixel in 0..PIXELS {
            let a = rows[pixel * row_lanes + at];
            let low = pairs(
                a,
                _mm_setr_epi8(NO, 0, NO, 0, NO, 2, NO, 2, NO, 4, NO, 4, NO, 6, NO, 6),
                _mm_setr_epi8(NO, NO, 1, 1, NO, NO, 3, 3, NO, NO, 5, 5, NO, NO, 7, 7),
            );
            let high = pairs(
                a,
                _mm_setr_epi8(NO, 8, NO, 8, NO, 10, NO, 10, NO, 12, NO, 12, NO, 14, NO, 14),
                _mm_setr_epi8(NO, NO, 9, 9, NO, NO, 11, 11, NO, NO, 13, 13, NO, NO, 15, 15),
            );
            let first = _mm_setr_epi8(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3);
            let second = _mm_setr_epi8(4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7);
            let third = _mm_setr_epi8(8, 9, 10, 11, 8, 9, 10, 11, 8, 9, 10, 11, 8, 9, 10, 11);
            let fourth = _mm_setr_epi8(12, 12, 12, 12, 13, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 15);
            tables[pixel] = pairs(low, first, second);
            tables[PIXELS + pixel] = pairs(low, third, fourth);
            tables[2 * PIXELS + pixel] = pairs(high, first, second);
            tables[3 * PIXELS + pixel] = pairs(high, third, fourth);
        }
    }
}

/// One tile: `2 * (sum of levels times activations) - top * totals`.
#[inline]
pub(super) fn sums(
    indices: &[Lane],
    tables: &[Lane],
    planes: usize,
    chunk: usize,
    top: i32,
    totals: Lane,
    sums: &mut [[i32; OUTPUTS]; PIXELS],
) {
    // SAFETY: this kernel is chosen only where AVX2 is (see `Kernel::is_available`).
    unsafe { sums_avx2(indices, tables, planes, chunk, top, totals, sums) }
}

#[target_feature(enable = "avx2")]
fn sums_avx2(
    mut indices: &[Lane],
    tables: &[Lane],
    planes: usize,
    chunk: usize,
    top: i32,
    totals: Lane,
    sums: &mut [[i32; OUTPUTS]; PIXELS],
) {
    let totals = _mm_mullo_epi32(totals, _mm_set1_epi32(-top));
    let totals = [
        _mm_extract_epi32::<0>(totals),
        _mm_extract_epi32::<1>(totals),
        _mm_extract_epi32::<2>(totals),
        _mm_extract_epi32::<3>(totals),
    ];
    let mut all = totals.map(|total| [_mm256_set1_epi32(total); 4]);
    for tables in tables.as_chunks::<{ TABLES * PIXELS }>().0.chunks(chunk) {
        let (mut even, mut odd) = ([_mm256_setzero_si256(); PIXELS], [_mm256_setzero_si256(); PIXELS]);
        for _ in 0..planes {
            for pixel in 0..PIXELS {
                even[pixel] = _mm256_add_epi16(even[pixel], even[pixel]);
                odd[pixel] = _mm256_add_epi16(odd[pixel], odd[pixel]);
            }
            let (plane, rest) = indices.split_at(tables.len() * TABLES * 2);
            indices = rest;
            for (index, tables) in plane.as_chunks::<{ 2 * TABLES }>().0.iter().zip(tables) {
                for pixel in 0..PIXELS {
                    let at = |table: usize| {
                        let index = _mm256_set_m128i(index[2 * table + 1], index[2 * table]);
                        _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(tables[table * PIXELS + pixel]), index)
                    };
                    let sum = _mm256_add_epi8(_mm256_add_epi8(at(0), at(1)), _mm256_add_epi8(at(2), at(3)));
                    // The even bytes' sums carry into the odd ones' 256s, which are taken off at the end.
                    even[pixel] = _mm256_add_epi16(even[pixel], sum);
                    odd[pixel] = _mm256_add_epi16(odd[pixel], _mm256_srli_epi16::<8>(sum));
                }
            }
        }
        for (pixel, all) in all.iter_mut().enumerate() {
            let even = _mm256_sub_epi16(even[pixel], _mm256_slli_epi16::<8>(odd[pixel]));
            let odd = odd[pixel];
            let parts = [
                _mm256_castsi256_si128(even),
                _mm256_extracti128_si256::<1>(even),
                _mm256_castsi256_si128(odd),
                _mm256_extracti128_si256::<1>(odd),
            ];
            for (sum, part) in all.iter_mut().zip(parts) {
                *sum = _mm256_add_epi32(*sum, _mm256_slli_epi32::<1>(_mm256_cvtepu16_epi32(part)));
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
