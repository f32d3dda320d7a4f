//! Step sizes that are learned: LSQ, after Esser, McKinstry, Bablani, Appuswamy and Modha, *Learned Step Size
//! Quantization*, ICLR 2020.
//!
//! Weights have a step per layer. Activations have a range per layer, which is their step times `2^k - 1`: a value `x` is
//! clipped and rounded as `range * q(x / range)`, `q` being the quantiser between 0 and 1. The division goes into the
//! BatchNorm before it and the product into the weights behind it, so the fused operations stay as they are, and the
//! deployed network has nothing but other scales.

use super::{AnyBlock, Block, Mode, Network, Norm};
use crate::fused::NormTensors;
use crate::quantise;
use crate::recipe::{ActivationQuantiser, Quantiser, WeightQuantiser};
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use lsspq::spec::NetworkSpec;

impl Network {
    /// Gives the quantisers that learn their steps the parameters to do so. A range is 1 at first, which is the plain
    /// quantiser.
    pub fn with_quantiser(mut self, spec: &NetworkSpec, quantiser: Quantiser) -> Self {
        let device = self.bias.val().device();
        if quantiser.weights == WeightQuantiser::Lsq {
            let bits: Vec<Option<u8>> = spec.blocks().iter().map(|shape| shape.weight_bits).collect();
            let blocks = self.blocks.iter_mut().map(AnyBlock::as_shift_mut).zip(bits);
            for (block, bits) in blocks.filter_map(|(block, bits)| Some((block?, bits))) {
                let layers = [Some(&block.reduce), Some(&block.expand), block.shortcut.as_ref()];
                block.steps = Some(first_steps(layers.map(|layer| (layer, bits)), &device));
            }
            let layers = [(self.head.as_ref(), spec.bits.weights), (Some(&self.linear), spec.bits.linear)];
            self.steps = Some(first_steps(layers, &device));
        }
        if quantiser.activations == ActivationQuantiser::Lsq {
            let blocks = self.blocks.iter_mut().filter_map(AnyBlock::as_shift_mut);
            let blocks = blocks.flat_map(|b| b.pre.iter_mut().chain([&mut b.middle]));
            let others = [&mut self.stem_norm].into_iter().chain(&mut self.closes).chain(&mut self.head_norm);
            for norm in others.chain(blocks) {
                norm.range = Some(Param::from_data(TensorData::new(vec![1.0f32], [1]), &device));
            }
        }
        self
    }
}

/// The paper's first step, `2 mean |w| / sqrt(Q)`, the levels reaching from -Q to Q steps; for one bit the two levels
/// lie at the mean. A layer that is missing or float has a step that nothing uses.
fn first_steps<const N: usize>(
    layers: [(Option<&Param<Tensor<2>>>, Option<u8>); N],
    device: &Device,
) -> Param<Tensor<1>> {
    let steps = layers.map(|(layer, bits)| match (layer, bits) {
        (Some(layer), Some(bits)) => {
            let mean = layer.val().abs().mean().into_scalar::<f32>();
            let reach = if bits == 1 { 1.0 } else { quantise::steps(bits) / 2.0 };
            2.0 * mean / reach.sqrt()
        }
        _ => 1.0,
    });
    Param::from_data(TensorData::new(steps.to_vec(), [N]), device)
}

impl Block {
    /// Quantised weights of the layer in that place of `steps`: reduce, expand, shortcut.
    pub(super) fn quantised(&self, place: usize, weight: &Param<Tensor<2>>, bits: Option<u8>) -> Tensor<2> {
        quantised(weight, bits, self.steps.as_ref(), place)
    }
}

impl Network {
    /// Quantised weights of the head, place 0, or the linear layer, place 1.
    pub(super) fn quantised(&self, place: usize, weight: &Param<Tensor<2>>, bits: Option<u8>) -> Tensor<2> {
        quantised(weight, bits, self.steps.as_ref(), place)
    }
}

fn quantised(weight: &Param<Tensor<2>>, bits: Option<u8>, steps: Option<&Param<Tensor<1>>>, place: usize) -> Tensor<2> {
    match steps {
        None => quantise::weights(weight.val(), bits),
        Some(steps) => quantise::learned_weights(weight.val(), bits, steps.val().narrow(0, place, 1)),
    }
}

impl Norm {
    /// BatchNorm in units of the range of the activation behind it, and that range; `features` are the values of one
    /// picture.
    pub(super) fn in_range(&self, features: usize, mode: Mode) -> (NormTensors, Option<Tensor<1>>) {
        let mut tensors = self.tensors();
        let range = self.range(features, mode);
        if let Some(range) = &range {
            tensors.gamma = tensors.gamma / range.clone();
            tensors.beta = tensors.beta / range.clone();
        }
        (tensors, range)
    }

    /// The mean of the activation behind it, `[images, channels]`, quantised once more: it has that activation's range.
    pub(super) fn quantised(&self, mean: Tensor<2>, mode: Mode) -> Tensor<2> {
        match self.range(mean.dims()[1], mode) {
            None => quantise::activations(mean, mode.activations),
            Some(range) => {
                let range = range.reshape([1, 1]);
                quantise::activations(mean / range.clone(), mode.activations) * range
            }
        }
    }

    /// The learned range of the activation behind it, one number.
    pub(super) fn range(&self, features: usize, mode: Mode) -> Option<Tensor<1>> {
        self.range.as_ref().map(|range| quantise::learned_range(range.val(), mode.activations, features))
    }
}

/// Multiplies by a range, where there is one.
pub(super) fn times<const D: usize>(x: Tensor<D>, range: Option<Tensor<1>>) -> Tensor<D> {
    match range {
        None => x,
        Some(range) => x * range.reshape([1; D]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Engine;
    use crate::random::{Purpose, stream};
    use rand::RngExt;

    fn numbers(part: u64, len: usize, low: f64, high: f64) -> Vec<f64> {
        let mut random = stream(5, Purpose::Fixture, 0, part);
        (0..len).map(|_| f64::from(random.random_range(low..high) as f32)).collect()
    }

    fn tensor<const D: usize>(values: &[f64], shape: [usize; D]) -> Tensor<D> {
        let values: Vec<f32> = values.iter().map(|&v| v as f32).collect();
        Tensor::from_data(TensorData::new(values, shape), &Device::flex().autodiff())
    }

    fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
        tensor.into_data().iter::<f32>().map(f64::from).collect()
    }

    /// Rounded once, then a constant: what straight-through gradients are the derivative of.
    struct Frozen(Vec<f64>);

    /// `s * (clip(w / s) + constant)` with levels at odd multiples of half a step.
    fn weights(w: &[f64], step: f64, bits: u8, frozen: Option<&Frozen>) -> (Vec<f64>, Frozen) {
        let reach = f64::from((1u32 << bits) - 1) / 2.0;
        let clipped: Vec<f64> = w.iter().map(|w| (w / step).clamp(-reach, reach)).collect();
        let constants = match frozen {
            Some(frozen) => frozen.0.clone(),
            None => clipped.iter().map(|v| (v + reach).round_ties_even() - reach - v).collect(),
        };
        (clipped.iter().zip(&constants).map(|(v, c)| step * (v + c)).collect(), Frozen(constants))
    }

    #[test]
    fn weights_and_their_gradients_are_those_of_the_reference() {
        for bits in 1..=8u8 {
            let (w, direction) = (numbers(1, 30, -1.5, 1.5), numbers(2, 30, -1.0, 1.0));
            let reach = f64::from((1u32 << bits) - 1) / 2.0;
            // The outermost fifth is clipped.
            let step = f64::from((1.2 / reach) as f32);
            let (expected, frozen) = weights(&w, step, bits, None);
            let (tw, ts) = (tensor(&w, [5, 6]).require_grad(), tensor(&[step], [1]).require_grad());
            let q = quantise::learned_weights(tw.clone(), Some(bits), ts.clone());
            let grads = (q.clone() * tensor(&direction, [5, 6])).sum().backward();
            for (a, b) in host(q).iter().zip(&expected) {
                assert!((a - b).abs() < 1e-5, "{bits} bits: {a} instead of {b}");
            }
            let loss = |w: &[f64], step: f64| -> f64 {
                weights(w, step, bits, Some(&frozen)).0.iter().zip(&direction).map(|(q, d)| q * d).sum()
            };
            let h = 1e-6 * step;
            let slope = (loss(&w, step + h) - loss(&w, step - h)) / (2.0 * h);
            let scaled = slope / (30.0 * reach).sqrt();
            let found = host(ts.grad(&grads).unwrap())[0];
            assert!((found - scaled).abs() < 1e-4 * scaled.abs().max(1.0), "{bits} bits: {found} instead of {scaled}");
            for (i, found) in host(tw.grad(&grads).unwrap()).into_iter().enumerate() {
                let moved = |h: f64| {
                    loss(&w.iter().enumerate().map(|(j, w)| if i == j { w + h } else { *w }).collect::<Vec<_>>(), step)
                };
                let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!((found - slope).abs() < 1e-4, "{bits} bits: gradient {i} is {found} instead of {slope}");
            }
        }
    }

    const IMAGES: usize = 3;
    const CHANNELS: usize = 2;
    const PLANE: usize = 9;

    /// `range * q(norm(x) / range)`, and the constants of rounding.
    fn activation(x: &[f64], range: f64, bits: Option<u8>, frozen: Option<&Frozen>) -> (Vec<f64>, Frozen) {
        let (gamma, beta) = ([0.7, 0.5], [0.3, 0.4]);
        let mut normed = x.to_vec();
        for c in 0..CHANNELS {
            let places: Vec<usize> =
                (0..IMAGES).flat_map(|i| (0..PLANE).map(move |p| (i * CHANNELS + c) * PLANE + p)).collect();
            let mean = places.iter().map(|&p| x[p]).sum::<f64>() / places.len() as f64;
            let variance = places.iter().map(|&p| (x[p] - mean).powi(2)).sum::<f64>() / places.len() as f64;
            places.iter().for_each(|&p| normed[p] = (x[p] - mean) / (variance + 1e-5).sqrt() * gamma[c] + beta[c]);
        }
        let clipped: Vec<f64> = normed.iter().map(|v| (v / range).clamp(0.0, 1.0)).collect();
        let constants = match (frozen, bits) {
            (Some(frozen), _) => frozen.0.clone(),
            (None, None) => vec![0.0; clipped.len()],
            (None, Some(bits)) => {
                let n = f64::from((1u32 << bits) - 1);
                clipped.iter().map(|v| (v * n).round_ties_even() / n - v).collect()
            }
        };
        (clipped.iter().zip(&constants).map(|(v, c)| range * (v + c)).collect(), Frozen(constants))
    }

    #[test]
    fn activations_and_the_gradient_of_their_range_are_those_of_the_reference() {
        let (x, direction) = (numbers(3, 54, -1.0, 1.5), numbers(4, 54, -1.0, 1.0));
        let shape = [IMAGES, CHANNELS, 3, 3];
        for engine in [Engine::Fused, Engine::Composed] {
            for bits in [None, Some(2), Some(4), Some(8)] {
                let range = f64::from(0.8f32);
                let (expected, frozen) = activation(&x, range, bits, None);
                let mut norm = Norm::new(CHANNELS, 1.0, 0.0, &Device::flex().autodiff());
                norm.gamma = Param::from_tensor(tensor(&[0.7, 0.5], [2]));
                norm.beta = Param::from_tensor(tensor(&[0.3, 0.4], [2]));
                norm.range = Some(Param::from_tensor(tensor(&[range], [1])));
                let mode = Mode { batch_statistics: true, activations: bits, round_shifts: false, engine };
                let (y, _) = engine.normed_activation(tensor(&x, shape).require_grad(), &norm, mode);
                let grads = (y.clone() * tensor(&direction, shape)).sum().backward();
                for (a, b) in host(y).iter().zip(&expected) {
                    assert!((a - b).abs() < 1e-4, "{engine:?} {bits:?}: {a} instead of {b}");
                }
                let loss = |range: f64| -> f64 {
                    activation(&x, range, bits, Some(&frozen)).0.iter().zip(&direction).map(|(y, d)| y * d).sum()
                };
                let slope = (loss(range + 1e-6) - loss(range - 1e-6)) / 2e-6;
                let n = bits.map_or(1.0, |bits| f64::from((1u32 << bits) - 1));
                let wanted = slope * n.powf(1.5) / ((CHANNELS * PLANE) as f64).sqrt();
                let found = host(norm.range.unwrap().val().grad(&grads).unwrap())[0];
                let error = (found - wanted).abs() / wanted.abs().max(1.0);
                assert!(error < 2e-3, "{engine:?} {bits:?}: {found} instead of {wanted}");
            }
        }
    }
}
