//! Looking up with simd128, or with relaxed SIMD where the feature `relaxed-simd` is on.

use super::super::lane::Lane;
use super::super::panel::PIXELS;
use super::TABLES;
#[cfg(feature = "relaxed-simd")]
use super::relaxed::look_up;
use core::arch::wasm32::*;

/// Outputs of a tile: bytes of a vector.
pub(super) const OUTPUTS: usize = 16;

/// Look-up of 16 indices below 16.
#[cfg(not(feature = "relaxed-simd"))]
#[inline(always)]
fn look_up(table: v128, indices: v128) -> v128 {
    u8x16_swizzle(table, indices)
}

/// Makes the tables of each 16 activations of the rows, `[table][pixel]`.
///
/// The sums of pairs come first, `0, a, b, a + b` for each of eight pairs; a table is the sums of two pairs.
#[inline]
pub(super) fn tables(rows: &[Lane], tables: &mut [Lane]) {
    const NO: u8 = 0x80;
    let row_lanes = rows.len() / PIXELS;
    let pairs = |a: v128, first: v128, second: v128| u8x16_add(u8x16_swizzle(a, first), u8x16_swizzle(a, second));
    for (at, tables) in tables.as_chunks_mut::<{ TABLES * PIXELS }>().0.iter_mut().enumerate() {
        for pixel in 0..PIXELS {
            let a = rows[pixel * row_lanes + at];
            let low = pairs(
                a,
                u8x16(NO, 0, NO, 0, NO, 2, NO, 2, NO, 4, NO, 4, NO, 6, NO, 6),
                u8x16(NO, NO, 1, 1, NO, NO, 3, 3, NO, NO, 5, 5, NO, NO, 7, 7),
            );
            let high = pairs(
                a,
                u8x16(NO, 8, NO, 8, NO, 10, NO, 10, NO, 12, NO, 12, NO, 14, NO, 14),
                u8x16(NO, NO, 9, 9, NO, NO, 11, 11, NO, NO, 13, 13, NO, NO, 15, 15),
            );
            let first = u8x16(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3);
            let second = u8x16(4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7);
            let third = u8x16(8, 9, 10, 11, 8, 9, 10, 11, 8, 9, 10, 11, 8, 9, 10, 11);
            let fourth = u8x16(12, 12, 12, 12, 13, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 15);
            tables[pixel] = pairs(low, first, second);
            tables[PIXELS + pixel] = pairs(low, third, fourth);
            tables[2 * PIXELS + pixel] = pairs(high, first, second);
            tables[3 * PIXELS + pixel] = pairs(high, third, fourth);
        }
    }
}

/// One tile: `2 * (sum of levels times activations) - top * totals`.
///
/// A function of its own: inside a larger one V8 keeps the accumulators in memory, at two thirds of the speed.
#[inline(never)]
#[cfg_attr(feature = "relaxed-simd", target_feature(enable = "relaxed-simd"))]
pub(super) fn sums(
    mut indices: &[Lane],
    tables: &[Lane],
    planes: usize,
    chunk: usize,
    top: i32,
    totals: Lane,
    sums: &mut [[i32; OUTPUTS]; PIXELS],
) {
    let totals = i32x4_mul(totals, i32x4_splat(-top));
    let totals = [
        i32x4_extract_lane::<0>(totals),
        i32x4_extract_lane::<1>(totals),
        i32x4_extract_lane::<2>(totals),
        i32x4_extract_lane::<3>(totals),
    ];
    let mut all = totals.map(|total| [i32x4_splat(total); 4]);
    for tables in tables.as_chunks::<{ TABLES * PIXELS }>().0.chunks(chunk) {
        let (mut even, mut odd) = ([u16x8_splat(0); PIXELS], [u16x8_splat(0); PIXELS]);
        for _ in 0..planes {
            for pixel in 0..PIXELS {
                even[pixel] = u16x8_shl(even[pixel], 1);
                odd[pixel] = u16x8_shl(odd[pixel], 1);
            }
            let (plane, rest) = indices.split_at(tables.len() * TABLES);
            indices = rest;
            for (index, tables) in plane.as_chunks::<TABLES>().0.iter().zip(tables) {
                for pixel in 0..PIXELS {
                    let at = |table: usize| look_up(tables[table * PIXELS + pixel], index[table]);
                    let sum = u8x16_add(u8x16_add(at(0), at(1)), u8x16_add(at(2), at(3)));
                    // The even bytes' sums carry into the odd ones' 256s, which are taken off at the end.
                    even[pixel] = u16x8_add(even[pixel], sum);
                    odd[pixel] = u16x8_add(odd[pixel], u16x8_shr(sum, 8));
                }
            }
        }
        for (pixel, all) in all.iter_mut().enumerate() {
            let even = u16x8_sub(even[pixel], u16x8_shl(odd[pixel], 8));
            let odd = odd[pixel];
            let parts = [
                u32x4_extend_low_u16x8(even),
                u32x4_extend_high_u16x8(even),
                u32x4_extend_low_u16x8(odd),
                u32x4_extend_high_u16x8(odd),
            ];
            for (sum, part) in all.iter_mut().zip(parts) {
                *sum = i32x4_add(*sum, i32x4_shl(part, 1));
            }
        }
    }
    store(&all, sums);
}

/// Vectors as numbers in memory.
#[inline(always)]
fn store(vectors: &[[v128; 4]; PIXELS], sums: &mut [[i32; OUTPUTS]; PIXELS]) {
    for (vectors, sums) in vectors.iter().zip(sums) {
        for (&vector, sums) in vectors.iter().zip(sums.as_chunks_mut::<4>().0) {
            // SAFETY: four i32 are the 16 bytes that are written; the store needs no alignment.
            unsafe { v128_store(sums.as_mut_ptr().cast(), vector) };
        }
    }
}
