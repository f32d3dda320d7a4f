//! The quantisers as differentiable tensor operations with straight-through gradients.
//!
//! Rounding has no useful derivative, so it is written as `x + constant`, the constant being what rounding added at
//! this very point: the value is the rounded one, the gradient passes as if nothing had been rounded.

use burn::tensor::Tensor;

/// Farthest a channel is shifted, in pixels, up, down, left and right.
pub const MAX_SHIFT: f32 = 3.0;

/// Value of `rounded`, gradient of `x`.
fn straight_through<const D: usize>(x: Tensor<D>, rounded: Tensor<D>) -> Tensor<D> {
    let step = (rounded - x.clone()).detach();
    x + step
}

/// Whole steps between the smallest and the largest value: `2^bits - 1`.
pub fn steps(bits: u8) -> f32 {
    ((1u32 << bits) - 1) as f32
}

/// Weights `[output, input]` rounded to that many bits; none leaves them as they are.
///
/// For two bits and more DoReFa (Zhou et al., 2016): `t = tanh(w) / max |tanh(w)|` over the layer,
/// `2 round((t + 1) / 2 * (2^k - 1)) / (2^k - 1) - 1`, the maximum counting as a constant. For one bit BWN (Rastegari et
/// al., 2016): `sign(w) mean |w|`, 0 counting as positive.
pub fn weights(w: Tensor<2>, bits: Option<u8>) -> Tensor<2> {
    match bits {
        None => w,
        Some(1) => {
            let binary = sign(w.clone().detach()) * w.clone().detach().abs().mean().unsqueeze();
            straight_through(w, binary)
        }
        Some(bits) => {
            let tanh = w.tanh();
            // A layer of zeros stays zeros instead of becoming NaN.
            let largest = tanh.clone().detach().abs().max().clamp_min(1e-12).unsqueeze();
            let unit = tanh / largest;
            let n = steps(bits);
            let rounded = (unit.clone().detach() * (n / 2.0) + n / 2.0).round() * (2.0 / n) - 1.0;
            straight_through(unit, rounded)
        }
    }
}

/// -1 below zero, else +1.
fn sign(w: Tensor<2>) -> Tensor<2> {
    w.greater_equal_elem(0.0).float() * 2.0 - 1.0
}

/// Activations clipped to [0, 1] and rounded to `2^k - 1` steps; none clips only.
pub fn activations<const D: usize>(x: Tensor<D>, bits: Option<u8>) -> Tensor<D> {
    let clipped = x.clamp(0.0, 1.0);
    match bits {
        None => clipped,
        Some(bits) => {
            let rounded = (clipped.clone() * steps(bits)).round() / steps(bits);
            straight_through(clipped, rounded)
        }
    }
}

/// Displacements `[channels, 2]`, held within [`MAX_SHIFT`] and rounded to whole pixels where asked.
pub fn shifts(d: Tensor<2>, round: bool) -> Tensor<2> {
    let held = d.clamp(-MAX_SHIFT, MAX_SHIFT);
    if round {
        let rounded = held.clone().round();
        straight_through(held, rounded)
    } else {
        held
    }
}
