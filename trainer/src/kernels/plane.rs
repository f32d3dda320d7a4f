//! Loops over one channel of one picture, where BatchNorm's constants are scalars.
//!
//! Each is compiled twice, for the baseline and for AVX2, and chosen when the program runs.

use super::{Levels, clip};
use multiversion::multiversion;

/// Lanes of the partial sums: two AVX2 registers.
const LANES: usize = 16;

#[inline(always)]
fn total(lanes: [f32; LANES]) -> f64 {
    lanes.iter().map(|&v| f64::from(v)).sum()
}

/// Sum and sum of squares.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn moments(x: &[f32]) -> [f64; 2] {
    let (mut sum, mut square) = ([0.0; LANES], [0.0; LANES]);
    let chunks = x.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for i in 0..LANES {
            sum[i] += chunk[i];
            square[i] += chunk[i] * chunk[i];
        }
    }
    for (i, &v) in rest.iter().enumerate() {
        sum[i] += v;
        square[i] += v * v;
    }
    [total(sum), total(square)]
}

/// Sum of products.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn dot(x: &[f32], y: &[f32]) -> f64 {
    let n = x.len().min(y.len());
    let (x, y) = (&x[..n], &y[..n]);
    let mut sum = [0.0; LANES];
    let full = n - n % LANES;
    for (a, b) in x[..full].chunks_exact(LANES).zip(y[..full].chunks_exact(LANES)) {
        for i in 0..LANES {
            sum[i] += a[i] * b[i];
        }
    }
    for i in full..n {
        sum[i - full] += x[i] * y[i];
    }
    total(sum)
}

/// `y += factor * x`.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn add_scaled(factor: f32, x: &[f32], y: &mut [f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

/// `out = quantise(scale * x + bias)`.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn activate(x: &[f32], scale: f32, bias: f32, levels: Levels, out: &mut [f32]) {
    // One loop a case: the branch inside would keep the compiler from vectorising.
    match levels.0 {
        None => {
            for (out, x) in out.iter_mut().zip(x) {
                *out = clip(scale * x + bias);
            }
        }
        Some(_) => {
            for (out, x) in out.iter_mut().zip(x) {
                *out = levels.quantise(scale * x + bias);
            }
        }
    }
}

/// `out = scale * x + bias + rest`.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn affine_add(x: &[f32], scale: f32, bias: f32, rest: &[f32], out: &mut [f32]) {
    for ((out, x), rest) in out.iter_mut().zip(x).zip(rest) {
        *out = scale * x + bias + rest;
    }
}

/// Gradient through clip and rounding: `g = dy` where `scale * x + bias` lies in [0, 1], else 0.
///
/// Returns the sums over g and over `g * (x - mean)`, which BatchNorm's gradient needs.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn activate_backward(dy: &[f32], x: &[f32], scale: f32, bias: f32, mean: f32, g: &mut [f32]) -> [f64; 2] {
    let n = g.len();
    let (dy, x) = (&dy[..n], &x[..n]);
    let (mut sum, mut product) = ([0.0; LANES], [0.0; LANES]);
    let full = n - n % LANES;
    for ((dy, x), g) in
        dy[..full].chunks_exact(LANES).zip(x[..full].chunks_exact(LANES)).zip(g[..full].chunks_exact_mut(LANES))
    {
        for i in 0..LANES {
            let value = scale * x[i] + bias;
            #[allow(clippy::manual_range_contains, reason = "`contains` branches, and the loop would not vectorise")]
            let inside = (value >= 0.0) & (value <= 1.0);
            let d = if inside { dy[i] } else { 0.0 };
            g[i] = d;
            sum[i] += d;
            product[i] += d * (x[i] - mean);
        }
    }
    for i in full..n {
        let value = scale * x[i] + bias;
        let d = if (0.0..=1.0).contains(&value) { dy[i] } else { 0.0 };
        g[i] = d;
        sum[i - full] += d;
        product[i - full] += d * (x[i] - mean);
    }
    [total(sum), total(product)]
}

/// Sums over g and over `g * (x - mean)`.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn moments_with(g: &[f32], x: &[f32], mean: f32) -> [f64; 2] {
    let n = g.len().min(x.len());
    let (g, x) = (&g[..n], &x[..n]);
    let (mut sum, mut product) = ([0.0; LANES], [0.0; LANES]);
    let full = n - n % LANES;
    for (g, x) in g[..full].chunks_exact(LANES).zip(x[..full].chunks_exact(LANES)) {
        for i in 0..LANES {
            sum[i] += g[i];
            product[i] += g[i] * (x[i] - mean);
        }
    }
    for i in full..n {
        sum[i - full] += g[i];
        product[i - full] += g[i] * (x[i] - mean);
    }
    [total(sum), total(product)]
}

/// `dx = factor * (g - a - b * (x - mean))`: BatchNorm's gradient once its sums are known.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn norm_backward(g: &[f32], x: &[f32], mean: f32, factor: f32, a: f32, b: f32, dx: &mut [f32]) {
    for ((dx, g), x) in dx.iter_mut().zip(g).zip(x) {
        *dx = factor * (g - a - b * (x - mean));
    }
}

/// The same where g is overwritten.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn norm_backward_inplace(g: &mut [f32], x: &[f32], mean: f32, factor: f32, a: f32, b: f32) {
    for (g, x) in g.iter_mut().zip(x) {
        *g = factor * (*g - a - b * (x - mean));
    }
}

/// Mixes each four neighbours of a window, which has one row and one column more than `out` of `width` columns.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn bilinear(window: &[f32], width: usize, [w00, w01, w10, w11]: [f32; 4], out: &mut [f32]) {
    let pitch = width + 1;
    for (r, out) in out.chunks_exact_mut(width).enumerate() {
        let (upper, lower) = window[r * pitch..][..2 * pitch].split_at(pitch);
        let taps = upper.iter().zip(&upper[1..]).zip(lower.iter().zip(&lower[1..]));
        for (out, ((x00, x01), (x10, x11))) in out.iter_mut().zip(taps) {
            *out = w00 * x00 + w01 * x01 + w10 * x10 + w11 * x11;
        }
    }
}

/// Sums over `g` times each of the four neighbours, in the order of [`bilinear`]'s weights.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn bilinear_dots(g: &[f32], window: &[f32], width: usize) -> [f64; 4] {
    const LANES: usize = 8;
    let (pitch, full) = (width + 1, width - width % LANES);
    let mut sums = [[0.0f32; LANES]; 4];
    for (r, g) in g.chunks_exact(width).enumerate() {
        let (upper, lower) = window[r * pitch..][..2 * pitch].split_at(pitch);
        let taps = [upper, &upper[1..], lower, &lower[1..]];
        for c in (0..full).step_by(LANES) {
            let g = &g[c..c + LANES];
            for (sum, tap) in sums.iter_mut().zip(taps) {
                let tap = &tap[c..c + LANES];
                for i in 0..LANES {
                    sum[i] += g[i] * tap[i];
                }
            }
        }
        for c in full..width {
            for (sum, tap) in sums.iter_mut().zip(taps) {
                sum[c - full] += g[c] * tap[c];
            }
        }
    }
    sums.map(|lanes| lanes.iter().map(|&v| f64::from(v)).sum())
}
