//! ReActNet-A (Liu et al., ECCV 2020) and FracBNN (Zhang et al., FPGA 2021): MobileNet v1's plan with binary convolutions.

use super::Parts;
use super::count::{conv, linear};

/// Output channels of the 13 blocks; the stem gives 32.
const WIDTHS: [u64; 13] = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024];

/// A 3x3 convolution that keeps the channels; then a 1x1 convolution that keeps them, or two beside each other that double
/// them.
fn blocks() -> u64 {
    let mut input = 32;
    let mut total = 0;
    for output in WIDTHS {
        total += conv(input, input, 3) + output / input * conv(input, input, 1);
        input = output;
    }
    total
}

/// Channels of all BatchNorms in the blocks: one behind each convolution.
fn norm_channels() -> u64 {
    WIDTHS.iter().scan(32, |input, &output| Some(std::mem::replace(input, output) + output)).sum()
}

pub(super) fn reactnet_a() -> Parts {
    Parts::new(
        "binary convolutions at 1 bit; stem, linear layer and BatchNorm (two per channel) in float; learned thresholds left out",
        vec![
            ("binary convolutions", blocks(), 1),
            ("stem", conv(3, 32, 3), 32),
            ("BatchNorm", 2 * (32 + norm_channels()), 32),
            ("linear", linear(1024, 1000), 32),
        ],
    )
}

pub(super) fn fracbnn() -> Parts {
    // The picture enters as 32 thermometer levels of each colour, so that the stem is binary as well.
    Parts::new(
        "binary convolutions with a binary stem at 1 bit, linear layer at 8; BatchNorm left out, as published",
        vec![("binary convolutions", blocks() + conv(96, 32, 3), 1), ("linear", linear(1024, 1000), 8)],
    )
}
