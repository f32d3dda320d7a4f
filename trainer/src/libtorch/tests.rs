//! LibTorch's own operations against the plain ones on LibTorch's CPU.

use crate::composed;
use crate::fused::{NormConfig, NormTensors};
use crate::random::{Purpose, stream};
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;

const CHANNELS: usize = 3;
const IMAGES: usize = 2;

fn numbers(draw: u64, count: usize, low: f32, high: f32) -> Vec<f32> {
    let mut random = stream(7, Purpose::Fixture, 0, draw);
    (0..count).map(|_| random.random_range(low..high)).collect()
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn assert_near(what: &str, found: &[f32], wanted: &[f32]) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    let largest = wanted.iter().fold(1e-3f32, |m, v| m.max(v.abs()));
    for (i, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        assert!((found - wanted).abs() <= 2e-5 * largest, "{what}, {i}: {found} is not {wanted}");
    }
}

type Normalising = fn(Tensor<4>, NormTensors, NormConfig) -> (Tensor<4>, Tensor<2>);

/// Values, statistics and gradients of a BatchNorm, with what is behind it.
fn normalised(operation: Normalising, config: NormConfig) -> Vec<(&'static str, Vec<f32>)> {
    let device = Device::libtorch().autodiff();
    let map = [IMAGES, CHANNELS, 5, 4];
    let x = tensor(numbers(1, 120, -2.0, 3.0), map, &device).require_grad();
    let gamma = tensor(vec![0.7, -0.5, 1.2], [CHANNELS], &device).require_grad();
    let beta = tensor(vec![0.3, 0.4, 0.1], [CHANNELS], &device).require_grad();
    let running = tensor(vec![0.5, 0.2, -0.3, 1.5, 0.7, 2.0], [2, CHANNELS], &device);
    let tensors = NormTensors { gamma: gamma.clone(), beta: beta.clone(), running };
    let (y, statistics) = operation(x.clone(), tensors, config);
    let grads = (y.clone() * tensor(numbers(2, 120, -1.0, 1.0), map, &device)).sum().backward();
    vec![
        ("result", host(y)),
        ("statistics", host(statistics)),
        ("gradient of the map", host(x.grad(&grads).unwrap())),
        ("gradient of gamma", host(gamma.grad(&grads).unwrap())),
        ("gradient of beta", host(beta.grad(&grads).unwrap())),
    ]
}

fn assert_all_near(found: &[(&str, Vec<f32>)], wanted: &[(&str, Vec<f32>)]) {
    assert_eq!(found.len(), wanted.len());
    for ((what, found), (_, wanted)) in found.iter().zip(wanted) {
        assert_near(what, found, wanted);
    }
}

#[test]
fn normed_maps_and_their_gradients_are_those_of_the_plain_operations() {
    for batch_statistics in [true, false] {
        for bits in [None, Some(1), Some(4)] {
            let config = NormConfig { batch_statistics, bits, stride: 1 };
            let found = normalised(super::normed_activation, config);
            assert_all_near(&found, &normalised(composed::normed_activation, config));
        }
        let config = NormConfig { batch_statistics, bits: None, stride: 1 };
        assert_all_near(&normalised(super::norm, config), &normalised(composed::norm, config));
    }
}

type Shifting = fn(Tensor<4>, Tensor<2>, usize) -> Tensor<4>;

/// The shifted map and the gradients of the map and, where they learn, of the displacements.
fn shifted(
    operation: Shifting,
    [height, width]: [usize; 2],
    stride: usize,
    learn: bool,
) -> Vec<(&'static str, Vec<f32>)> {
    let device = Device::libtorch().autodiff();
    let x =
        tensor(numbers(3, IMAGES * CHANNELS * height * width, -1.0, 1.0), [IMAGES, CHANNELS, height, width], &device);
    let x = x.require_grad();
    let shifts = tensor(vec![1.0, -3.0, 0.0, 2.0, -1.0, 0.0], [CHANNELS, 2], &device);
    let shifts = if learn { shifts.require_grad() } else { shifts };
    let y = operation(x.clone(), shifts.clone(), stride);
    let direction = tensor(numbers(4, y.dims().iter().product(), -1.0, 1.0), y.dims(), &device);
    let grads = (y.clone() * direction).sum().backward();
    let mut all = vec![("result", host(y)), ("gradient of the map", host(x.grad(&grads).unwrap()))];
    all.extend(shifts.grad(&grads).map(|g| ("gradient of the displacements", host(g))));
    assert_eq!(all.len(), if learn { 3 } else { 2 });
    all
}

#[test]
fn shifted_maps_and_their_gradients_are_those_of_the_plain_operations() {
    for side in [[5, 4], [4, 7], [2, 2]] {
        for stride in [1, 2] {
            for learn in [true, false] {
                let found = shifted(|x, d, stride| super::shift(x, d, stride, true), side, stride, learn);
                assert_all_near(&found, &shifted(composed::shift, side, stride, learn));
            }
        }
    }
}

#[test]
fn shift_by_parts_of_a_pixel_is_left_to_the_plain_operations() {
    let device = Device::libtorch();
    let x = tensor(numbers(5, 40, -1.0, 1.0), [1, 2, 5, 4], &device);
    let shifts = tensor(vec![0.5, -0.25, 1.5, 0.0], [2, 2], &device);
    let found = host(super::shift(x.clone(), shifts.clone(), 1, false));
    assert_eq!(found, host(composed::shift(x, shifts, 1)));
}
