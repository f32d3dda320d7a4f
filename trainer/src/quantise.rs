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

/// Weights `[output, input]` rounded to that many bits by a learned step (LSQ, Esser et al., 2020), one number; none
/// leaves them as they are. The levels are the odd multiples of half a step up to `(2^k - 1) / 2` steps, so that there are
/// as many below zero as above and a file can hold them as it holds those of [`weights`].
///
/// The gradient of the step is scaled by `1 / sqrt(weights * (2^k - 1) / 2)`, as the paper does.
pub fn learned_weights(w: Tensor<2>, bits: Option<u8>, step: Tensor<1>) -> Tensor<2> {
    let Some(bits) = bits else { return w };
    let reach = steps(bits) / 2.0;
    let count = w.dims().iter().product::<usize>() as f32;
    let step = scale_gradient(positive(step), 1.0 / (count * reach).sqrt()).reshape([1, 1]);
    let held = (w / step.clone()).clamp(-reach, reach);
    let rounded = (held.clone().detach() + reach).round() - reach;
    straight_through(held, rounded) * step
}

/// The upper end of the levels of activations, one number that is learned by the rule of LSQ; `features` are the values
/// of one picture that share it.
///
/// The paper learns the step, which is the range over `n = 2^k - 1`, its gradient scaled by `1 / sqrt(features n)`. For
/// the range to move by the same parts of itself its gradient is scaled by `n^2` times that.
pub fn learned_range(range: Tensor<1>, bits: Option<u8>, features: usize) -> Tensor<1> {
    let n = bits.map_or(1.0, steps);
    scale_gradient(positive(range), n.powf(1.5) / (features as f32).sqrt())
}

/// What the parameter of a step or range stands for: it may cross zero by a large step of training.
pub(crate) fn positive(step: Tensor<1>) -> Tensor<1> {
    step.abs().clamp_min(1e-6)
}

/// The value of `x`, its gradient times `factor`.
fn scale_gradient<const D: usize>(x: Tensor<D>, factor: f32) -> Tensor<D> {
    let scaled = x.clone() * factor;
    straight_through(scaled, x)
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
