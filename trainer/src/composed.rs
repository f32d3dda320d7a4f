//! The parts of a block in plain tensor operations: the form for every backend but the CPU, and the one the fused form
//! of [`crate::fused`] is proven equal to.

use crate::fused::{NormConfig, NormTensors, StemConfig};
use crate::kernels::norm::EPSILON;
use crate::quantise::{self, MAX_SHIFT};
use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

/// See [`crate::fused::FusedOps::stem`].
pub fn stem(input: Tensor<4>, weight: Tensor<2>, config: StemConfig) -> Tensor<4> {
    let [outputs, _] = weight.dims();
    let channels = input.dims()[1];
    let weight = weight.reshape([outputs, channels, config.kernel, config.kernel]);
    convolve(input, weight, config.stride, config.kernel / 2, 1)
}

/// See [`crate::fused::FusedOps::pointwise`].
pub fn pointwise(input: Tensor<4>, weight: Tensor<2>, stride: usize) -> Tensor<4> {
    let [outputs, inputs] = weight.dims();
    convolve(input, weight.reshape([outputs, inputs, 1, 1]), stride, 0, 1)
}

/// See [`crate::fused::FusedOps::normed_pointwise`].
pub fn normed_pointwise(
    input: Tensor<4>,
    tensors: NormTensors,
    weight: Tensor<2>,
    config: NormConfig,
) -> (Tensor<4>, Tensor<2>) {
    let (y, statistics) = normed_activation(input, tensors, config);
    (pointwise(y, weight, 1), statistics)
}

/// See [`crate::fused::FusedOps::shifted_pointwise`].
pub fn shifted_pointwise(
    input: Tensor<4>,
    tensors: NormTensors,
    shifts: Tensor<2>,
    weight: Tensor<2>,
    config: NormConfig,
) -> (Tensor<4>, Tensor<2>) {
    let (y, statistics) = normed_activation(input, tensors, config);
    (pointwise(shift(y, shifts, config.stride), weight, 1), statistics)
}

/// See [`crate::fused::FusedOps::normed_add`].
pub fn normed_add(
    input: Tensor<4>,
    tensors: NormTensors,
    shortcut: Tensor<4>,
    config: NormConfig,
) -> (Tensor<4>, Tensor<2>) {
    let (y, statistics) = norm(input, tensors, config);
    (y + shortcut, statistics)
}

/// See [`crate::fused::FusedOps::normed_activation`].
pub fn normed_activation(input: Tensor<4>, tensors: NormTensors, config: NormConfig) -> (Tensor<4>, Tensor<2>) {
    let (y, statistics) = norm(input, tensors, config);
    (quantise::activations(y, config.bits), statistics)
}

/// The active shift as a depthwise convolution whose kernels hold the four bilinear weights.
pub fn shift(input: Tensor<4>, shifts: Tensor<2>, stride: usize) -> Tensor<4> {
    let channels = input.dims()[1];
    // One more than the farthest shift: at a whole number the second pixel has weight 0, but a gradient.
    let radius = MAX_SHIFT as usize + 1;
    let side = 2 * radius + 1;
    let axis = |i: usize| {
        let d = shifts.clone().narrow(1, i, 1);
        let low = d.clone().detach().floor();
        let part = d - low.clone();
        let places = Tensor::<1>::arange_like(side, radius, &low);
        let at = |target: Tensor<2>| {
            places.clone().unsqueeze::<2>().repeat_dim(0, channels).equal(target.repeat_dim(1, side)).float()
        };
        at(low.clone()) * (-part.clone() + 1.0) + at(low + 1.0) * part
    };
    let kernel = axis(0).reshape([channels, 1, side, 1]) * axis(1).reshape([channels, 1, 1, side]);
    convolve(input, kernel, stride, radius, channels)
}

/// `-radius ..` as floats on the device of another tensor.
trait ArangeLike {
    fn arange_like(side: usize, radius: usize, like: &Tensor<2>) -> Tensor<1>;
}

impl ArangeLike for Tensor<1> {
    fn arange_like(side: usize, radius: usize, like: &Tensor<2>) -> Tensor<1> {
        let places: Vec<f32> = (0..side).map(|i| i as f32 - radius as f32).collect();
        Tensor::from_data(places.as_slice(), &like.device())
    }
}

fn convolve(input: Tensor<4>, weight: Tensor<4>, stride: usize, padding: usize, groups: usize) -> Tensor<4> {
    let options = ConvOptions::new([stride; 2], [padding; 2], [1; 2], groups);
    conv2d(input, weight, None, options)
}

/// BatchNorm alone.
pub(crate) fn norm(input: Tensor<4>, tensors: NormTensors, config: NormConfig) -> (Tensor<4>, Tensor<2>) {
    let channels = input.dims()[1];
    let per_channel = |t: Tensor<1>| t.reshape([1, channels, 1, 1]);
    let mean_of = |x: Tensor<4>| x.mean_dim(0).mean_dim(2).mean_dim(3);
    let (mean, variance) = if config.batch_statistics {
        let mean = mean_of(input.clone());
        let centred = input.clone() - mean.clone();
        (mean, mean_of(centred.clone() * centred))
    } else {
        let row = |i| tensors.running.clone().narrow(0, i, 1).reshape([1, channels, 1, 1]);
        (row(0), row(1))
    };
    let statistics =
        Tensor::cat(vec![mean.clone().reshape([1, channels]), variance.clone().reshape([1, channels])], 0).detach();
    let unit = (input - mean) / (variance + EPSILON).sqrt();
    (unit * per_channel(tensors.gamma) + per_channel(tensors.beta), statistics)
}
