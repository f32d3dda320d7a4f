//! ResNet-50 (He et al., CVPR 2016).

use super::Parts;
use super::count::{conv_norm, linear};

pub(super) fn resnet50() -> Parts {
    let mut total = conv_norm(3, 64, 7);
    let mut input = 64;
    for (width, blocks) in [(64, 3), (128, 4), (256, 6), (512, 3)] {
        for block in 0..blocks {
            total += conv_norm(input, width, 1) + conv_norm(width, width, 3) + conv_norm(width, 4 * width, 1);
            if block == 0 {
                total += conv_norm(input, 4 * width, 1);
            }
            input = 4 * width;
        }
    }
    total += linear(input, 1000);
    Parts::new("all parameters in float; two per BatchNorm channel", vec![("all", total, 32)])
}
