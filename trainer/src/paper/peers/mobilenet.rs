//! MobileNet v2 (Sandler et al., CVPR 2018) and v3 (Howard et al., ICCV 2019).

use super::Parts;
use super::count::{conv_norm, depthwise_norm, linear};

fn float(total: u64) -> Parts {
    Parts::new("all parameters in float; two per BatchNorm channel", vec![("all", total, 32)])
}

/// An inverted residual: widen, depthwise, optional squeeze-and-excitation, narrow.
fn inverted_residual(input: u64, wide: u64, output: u64, kernel: u64, squeeze: bool) -> u64 {
    let widen = if wide == input { 0 } else { conv_norm(input, wide, 1) };
    let inner = divisible(wide / 4);
    let excite = if squeeze { linear(wide, inner) + linear(inner, wide) } else { 0 };
    widen + depthwise_norm(wide, kernel) + excite + conv_norm(wide, output, 1)
}

/// The nearest multiple of 8 that is not more than a tenth below.
fn divisible(channels: u64) -> u64 {
    let rounded = ((channels + 4) / 8 * 8).max(8);
    if rounded * 10 < channels * 9 { rounded + 8 } else { rounded }
}

pub(super) fn v2() -> Parts {
    // Expansion, output channels, blocks.
    let groups = [(1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1)];
    let mut total = conv_norm(3, 32, 3);
    let mut input = 32;
    for (expansion, output, blocks) in groups {
        for _ in 0..blocks {
            total += inverted_residual(input, expansion * input, output, 3, false);
            input = output;
        }
    }
    float(total + conv_norm(input, 1280, 1) + linear(1280, 1000))
}

/// Kernel, wide channels, output channels, squeeze-and-excitation.
type Row = (u64, u64, u64, bool);

fn v3(rows: &[Row], last: u64, features: u64) -> Parts {
    let mut total = conv_norm(3, 16, 3);
    let mut input = 16;
    for &(kernel, wide, output, squeeze) in rows {
        total += inverted_residual(input, wide, output, kernel, squeeze);
        input = output;
    }
    float(total + conv_norm(input, last, 1) + linear(last, features) + linear(features, 1000))
}

pub(super) fn v3_large() -> Parts {
    let rows = [
        (3, 16, 16, false),
        (3, 64, 24, false),
        (3, 72, 24, false),
        (5, 72, 40, true),
        (5, 120, 40, true),
        (5, 120, 40, true),
        (3, 240, 80, false),
        (3, 200, 80, false),
        (3, 184, 80, false),
        (3, 184, 80, false),
        (3, 480, 112, true),
        (3, 672, 112, true),
        (5, 672, 160, true),
        (5, 960, 160, true),
        (5, 960, 160, true),
    ];
    v3(&rows, 960, 1280)
}

pub(super) fn v3_small() -> Parts {
    let rows = [
        (3, 16, 16, true),
        (3, 72, 24, false),
        (3, 88, 24, false),
        (5, 96, 40, true),
        (5, 240, 40, true),
        (5, 240, 40, true),
        (5, 120, 48, true),
        (5, 144, 48, true),
        (5, 288, 96, true),
        (5, 576, 96, true),
        (5, 576, 96, true),
    ];
    v3(&rows, 576, 1024)
}
