//! Two outputs in one in plain loops, for processors without a form of their own.

use super::super::lane::{Lane, bytes};
use super::super::panel::PIXELS;
use super::{Cut, OUTPUTS, PAIR_LANES};

/// The sums of a tile: `start + 2 * (low and high sums)`.
pub(super) fn sums(
    weights: &[[Lane; PAIR_LANES]],
    pairs: &[[i32; PIXELS]],
    cut: Cut,
    start: [[i32; 2]; PIXELS],
    sums: &mut [[i32; OUTPUTS]; PIXELS],
) {
    const HALF: usize = OUTPUTS / 2;
    for (pixel, sums) in sums.iter_mut().enumerate() {
        let (mut low, mut high) = ([0; HALF], [0; HALF]);
        for (weights, pairs) in weights.chunks(cut.run).zip(pairs.chunks(cut.run)) {
            let mut sum = [0_i32; HALF];
            for (weights, pair) in weights.iter().zip(pairs) {
                let (a, b) = (pair[pixel] & 0xffff, pair[pixel] >> 16);
                for (sum, weights) in sum.iter_mut().zip(bytes(weights).as_chunks::<4>().0) {
                    let [c, d, e, f] = *weights;
                    *sum += a * i32::from(i16::from_le_bytes([c, d])) + b * i32::from(i16::from_le_bytes([e, f]));
                }
            }
            for (i, sum) in sum.into_iter().enumerate() {
                low[i] += sum & ((1 << cut.field) - 1);
                high[i] += sum >> cut.field;
            }
        }
        for i in 0..HALF {
            sums[i] = start[pixel][0] + 2 * low[i];
            sums[HALF + i] = start[pixel][1] + 2 * high[i];
        }
    }
}
