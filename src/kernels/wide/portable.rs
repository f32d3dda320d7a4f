//! Pairs of products in plain loops, which compilers turn into what vector instructions there are.

use super::super::lane::{LANE, Lane, bytes};
use super::super::panel::PIXELS;
use super::OUTPUTS;

/// The sums of a tile.
#[cfg_attr(target_arch = "wasm32", allow(dead_code))]
pub(super) fn sums(weights: &[Lane], panel: &[Lane], sums: &mut [[i32; OUTPUTS]; PIXELS]) {
    let number = |bytes: &[u8; 4]| {
        let [a, b, c, d] = *bytes;
        [i32::from(i16::from_le_bytes([a, b])), i32::from(i16::from_le_bytes([c, d]))]
    };
    *sums = [[0; OUTPUTS]; PIXELS];
    let weights = bytes(weights).as_chunks::<{ OUTPUTS * 4 }>().0;
    for (weights, pixels) in weights.iter().zip(bytes(panel).as_chunks::<LANE>().0) {
        for (sums, pair) in sums.iter_mut().zip(pixels.as_chunks::<4>().0) {
            let [a, b] = number(pair);
            for (sum, weights) in sums.iter_mut().zip(weights.as_chunks::<4>().0) {
                let [v, w] = number(weights);
                *sum += a * v + b * w;
            }
        }
    }
}
