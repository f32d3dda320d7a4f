//! Looking up in plain loops, for processors without a form of their own.

use super::super::lane::{LANE, Lane, bytes, bytes_mut, words};
use super::super::panel::PIXELS;
use super::TABLES;

/// Outputs of a tile.
pub(super) const OUTPUTS: usize = 16;

/// Makes the tables of each 16 activations of the rows, `[table][pixel]`.
pub(super) fn tables(rows: &[Lane], tables: &mut [Lane]) {
    let row_bytes = size_of_val(rows) / PIXELS;
    for (at, table) in bytes_mut(tables).as_chunks_mut::<LANE>().0.iter_mut().enumerate() {
        let (group, pixel) = (at / PIXELS, at % PIXELS);
        let values = &bytes(rows)[pixel * row_bytes + group * 4..][..4];
        for (taken, sum) in table.iter_mut().enumerate() {
            *sum = (0..4).filter(|i| taken >> i & 1 == 1).map(|i| values[i]).fold(0, u8::wrapping_add);
        }
    }
}

/// One tile: `2 * (sum of levels times activations) - top * totals`.
pub(super) fn sums(
    mut indices: &[Lane],
    tables: &[Lane],
    planes: usize,
    chunk: usize,
    top: i32,
    totals: Lane,
    sums: &mut [[i32; OUTPUTS]; PIXELS],
) {
    for (sums, total) in sums.iter_mut().zip(words(&[totals])[0]) {
        *sums = [-top * total; OUTPUTS];
    }
    for tables in tables.chunks(chunk * TABLES * PIXELS) {
        let count = tables.len() / PIXELS;
        for plane in (0..planes).rev() {
            let (plane_indices, rest) = indices.split_at(count);
            indices = rest;
            for (index, tables) in bytes(plane_indices).as_chunks::<LANE>().0.iter().zip(tables.chunks_exact(PIXELS)) {
                for (sums, table) in sums.iter_mut().zip(bytes(tables).as_chunks::<LANE>().0) {
                    for (at, &index) in index.iter().enumerate() {
                        let output = at % 2 * (OUTPUTS / 2) + at / 2;
                        sums[output] += i32::from(table[usize::from(index)]) << (plane + 1);
                    }
                }
            }
        }
    }
}
