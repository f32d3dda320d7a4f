//! Blocks whose convolutions see and hold signs: [`lsspq::spec::BlockKind::React`] and
//! [`lsspq::spec::BlockKind::Fractional`].

use super::convolution::{Convolution, Window, average, convolve};
use super::{Keep, Mode, Norm};
use crate::quantise;
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use lsspq::spec::{BlockKind, BlockShape};

/// Two binary convolutions, each beside a shortcut of its own.
#[derive(Module, Debug)]
pub struct Binary {
    /// First to last.
    pub(crate) parts: Vec<BinaryPart>,
}

/// Sign, binary convolution, BatchNorm, shortcut, PReLU.
#[derive(Module, Debug)]
pub(crate) struct BinaryPart {
    /// What is taken off an input channel before its sign, `[input]`.
    pub(crate) offset: Param<Tensor<1>>,
    /// Trained in float; the signs of its weights are used.
    pub(crate) convolution: Convolution,
    /// Of each output: how large the sum of the upper bits must be for the lower ones to count, `[output]`; none where
    /// activations have one bit.
    pub(crate) gate: Option<Param<Tensor<1>>>,
    /// `[3, output]`: what is taken off before the PReLU, its slope below zero, what is added behind it.
    pub(crate) prelu: Param<Tensor<2>>,
}

/// Inputs, outputs and windows of the parts of a block.
pub(crate) fn plan(shape: &BlockShape) -> [(usize, usize, Window); 2] {
    let &BlockShape { input, output, stride, .. } = shape;
    if shape.kind == (BlockKind::React {}) {
        [(input, input, Window::three(stride)), (input, output, Window::pointwise(1))]
    } else {
        [(input, output, Window::three(stride)), (output, output, Window::three(1))]
    }
}

impl Binary {
    pub(super) fn forward(&self, x: Tensor<4>, shape: &BlockShape, mode: Mode, keep: &mut Keep<'_>) -> Tensor<4> {
        self.parts.iter().zip(plan(shape)).fold(x, |x, (part, (_, _, window))| part.forward(x, window, mode, keep))
    }

    pub(super) fn norms_mut(&mut self) -> Vec<&mut Norm> {
        self.parts.iter_mut().map(|p| &mut p.convolution.norm).collect()
    }

    pub(super) fn weights(&self) -> Vec<&Param<Tensor<2>>> {
        self.parts.iter().map(|p| &p.convolution.weight).collect()
    }
}

impl BinaryPart {
    fn forward(&self, x: Tensor<4>, window: Window, mode: Mode, keep: &mut Keep<'_>) -> Tensor<4> {
        let [outputs, _] = self.convolution.weight.val().dims();
        let inputs = x.dims()[1];
        let shortcut = average(x.clone(), window.stride).repeat_dim(1, outputs / inputs);
        let weight = quantise::weights(self.convolution.weight.val(), Some(1));
        let sums = |x: Tensor<4>| convolve(x, weight.clone(), window, mode.engine);
        let moved = x - per_channel(self.offset.val());
        let signs = sign(moved.clone());
        let y = match &self.gate {
            None => sums(signs),
            Some(gate) => {
                let upper = signs * (2.0 / 3.0);
                let lower = two_bits(moved) - upper.clone();
                let coarse = sums(upper);
                let open = step(coarse.clone() - per_channel(gate.val()));
                coarse + open * sums(lower)
            }
        };
        let y = keep(mode.engine.normed_add(y, &self.convolution.norm, shortcut, mode));
        let row = |i| per_channel(self.prelu.val().narrow(0, i, 1).reshape([outputs]));
        let moved = y - row(0);
        relu(moved.clone()) - relu(-moved) * row(1) + row(2)
    }
}

fn per_channel(values: Tensor<1>) -> Tensor<4> {
    let channels = values.dims()[0];
    values.reshape([1, channels, 1, 1])
}

/// -1 below zero, else +1; the gradient passes where |x| <= 1.
fn sign(x: Tensor<4>) -> Tensor<4> {
    let soft = x.clone().clamp(-1.0, 1.0);
    let hard = x.detach().greater_equal_elem(0.0).float() * 2.0 - 1.0;
    soft.clone() + (hard - soft.detach())
}

/// The nearest of -1, -1/3, 1/3, 1; the gradient passes where |x| <= 1.
fn two_bits(x: Tensor<4>) -> Tensor<4> {
    let soft = x.clamp(-1.0, 1.0);
    // Halves are rounded up, as a comparison with 0 does it.
    let hard = ((soft.clone().detach() + 1.0) * 1.5 + 0.5).floor() * (2.0 / 3.0) - 1.0;
    soft.clone() + (hard - soft.detach())
}

/// 1 from zero on, else 0; the gradient is that of a sigmoid five times as steep as usual.
fn step(x: Tensor<4>) -> Tensor<4> {
    let soft = burn::tensor::activation::sigmoid(x.clone() * 5.0);
    let hard = x.detach().greater_equal_elem(0.0).float();
    soft.clone() + (hard - soft.detach())
}
