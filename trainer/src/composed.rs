//! The parts of a block in plain tensor operations: the form for every backend but the CPU, and the one the fused form
//! of [`crate::fused`] is proven equal to.

use crate::fused::{NormConfig, NormTensors, StemConfig};
use crate::kernels::norm::EPSILON;
use crate::quantise;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Int, Tensor, TensorData};

/// See [`crate::fused::FusedOps::stem`].
pub fn stem(input: Tensor<4>, weight: Tensor<2>, config: StemConfig) -> Tensor<4> {
    let [outputs, _] = weight.dims();
    let channels = input.dims()[1];
    let weight = weight.reshape([outputs, channels, config.kernel, config.kernel]);
    convolve(input, weight, config.stride, config.kernel / 2)
}

/// See [`crate::fused::FusedOps::pointwise`]. A matrix product for each picture: backends have fast ones, while a
/// convolution reaches theirs by copies in another order.
pub fn pointwise(input: Tensor<4>, weight: Tensor<2>, stride: usize) -> Tensor<4> {
    let input = if stride == 1 { input } else { every(every(input, 2, stride), 3, stride) };
    let [count, channels, height, width] = input.dims();
    let outputs = weight.dims()[0];
    let y = weight.unsqueeze::<3>().matmul(input.reshape([count, channels, height * width]));
    y.reshape([count, outputs, height, width])
}

/// Each `stride`-th row or column, from the first on.
fn every(input: Tensor<4>, dim: usize, stride: usize) -> Tensor<4> {
    let places: Vec<i64> = (0..input.dims()[dim] as i64).step_by(stride).collect();
    let places = Tensor::<1, Int>::from_data(places.as_slice(), &input.device());
    input.select(dim, places)
}

/// See [`crate::fused::FusedOps::pooled`].
pub fn pooled(input: Tensor<4>) -> Tensor<2> {
    input.mean_dim(3).mean_dim(2).flatten(1, 3)
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

/// The active shift, along one axis and then along the other: a matrix product each, by a matrix for each channel that
/// holds two bilinear weights a column. A depthwise convolution says the same, but its gradient takes backends a
/// product for each channel.
pub fn shift(input: Tensor<4>, shifts: Tensor<2>, stride: usize) -> Tensor<4> {
    let [_, _, height, width] = input.dims();
    let rows = moves(shifts.clone().narrow(1, 0, 1), height, stride).swap_dims(2, 3);
    let columns = moves(shifts.narrow(1, 1, 1), width, stride);
    rows.matmul(input.matmul(columns))
}

/// What takes `side` pixels of a row to `ceil(side / stride)`, `[1, channels, from, to]`: pixel `to` is read
/// `distances`, `[channels, 1]`, beyond the pixel that it stands on; beyond the edge is nothing.
fn moves(distances: Tensor<2>, side: usize, stride: usize) -> Tensor<4> {
    let channels = distances.dims()[0];
    let outputs = side.div_ceil(stride);
    let beyond: Vec<f32> =
        (0..side).flat_map(|from| (0..outputs).map(move |to| from as f32 - (stride * to) as f32)).collect();
    let beyond = Tensor::<4>::from_data(TensorData::new(beyond, [1, 1, side, outputs]), &distances.device());
    let low = distances.clone().detach().floor().reshape([1, channels, 1, 1]);
    let part = distances.reshape([1, channels, 1, 1]) - low.clone();
    let at = |target: Tensor<4>| (beyond.clone() - target).equal_elem(0.0).float();
    // At a whole number the second pixel has weight 0, but a gradient.
    at(low.clone()) * (-part.clone() + 1.0) + at(low + 1.0) * part
}

fn convolve(input: Tensor<4>, weight: Tensor<4>, stride: usize, padding: usize) -> Tensor<4> {
    let options = ConvOptions::new([stride; 2], [padding; 2], [1; 2], 1);
    conv2d(input, weight, None, options)
}

/// BatchNorm alone.
pub(crate) fn norm(input: Tensor<4>, tensors: NormTensors, config: NormConfig) -> (Tensor<4>, Tensor<2>) {
    let channels = input.dims()[1];
    let per_channel = |t: Tensor<1>| t.reshape([1, channels, 1, 1]);
    let mean_of = |x: Tensor<4>| x.mean_dim(0).mean_dim(2).mean_dim(3);
    // Each operation on a map is a pass over memory, and several more for its gradient: factors of a channel meet first.
    let (mean, variance, centred) = if config.batch_statistics {
        let mean = mean_of(input.clone());
        let centred = input - mean.clone();
        (mean, mean_of(centred.clone() * centred.clone()), centred)
    } else {
        let row = |i| tensors.running.clone().narrow(0, i, 1).reshape([1, channels, 1, 1]);
        (row(0), row(1), input - row(0))
    };
    let statistics =
        Tensor::cat(vec![mean.reshape([1, channels]), variance.clone().reshape([1, channels])], 0).detach();
    let scale = per_channel(tensors.gamma) / (variance + EPSILON).sqrt();
    (centred * scale + per_channel(tensors.beta), statistics)
}
