//! Loops over one channel of one picture, where BatchNorm's constants are scalars.
//!
//! Each is compiled twice, for the baseline and for AVX2, and chosen when the program runs.

use super::{Levels, clip};
use multiversion::multiversion;

/// Lanes of the partial sums: four AVX2 registers, so that additions need not wait for each other.
const LANES: usize = 32;

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

/// Sum.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn sum(x: &[f32]) -> f32 {
    // Half as many lanes as elsewhere: of the small maps that are summed, one of 4x4 is a single chunk.
    let mut sum = [0.0; LANES / 2];
    let chunks = x.chunks_exact(LANES / 2);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (sum, v) in sum.iter_mut().zip(chunk) {
            *sum += v;
        }
    }
    sum.iter().sum::<f32>() + rest.iter().sum::<f32>()
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

/// `out = factor * x`.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn scale(x: &[f32], factor: f32, out: &mut [f32]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = factor * x;
    }
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

/// The same, and sum and sum of squares of what came out.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn affine_add_moments(x: &[f32], scale: f32, bias: f32, rest: &[f32], out: &mut [f32]) -> [f64; 2] {
    let n = out.len();
    let (x, rest) = (&x[..n], &rest[..n]);
    let (mut sum, mut square) = ([0.0; LANES], [0.0; LANES]);
    let full = n - n % LANES;
    let chunks = x[..full].chunks_exact(LANES).zip(rest[..full].chunks_exact(LANES));
    for ((x, rest), out) in chunks.zip(out[..full].chunks_exact_mut(LANES)) {
        for i in 0..LANES {
            let value = scale * x[i] + bias + rest[i];
            out[i] = value;
            sum[i] += value;
            square[i] += value * value;
        }
    }
    for i in full..n {
        let value = scale * x[i] + bias + rest[i];
        out[i] = value;
        sum[i - full] += value;
        square[i - full] += value * value;
    }
    [total(sum), total(square)]
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

/// The same, plus what came by another way.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn norm_backward_add(g: &mut [f32], x: &[f32], mean: f32, factor: f32, a: f32, b: f32, rest: &[f32]) {
    for ((g, x), rest) in g.iter_mut().zip(x).zip(rest) {
        *g = factor * (*g - a - b * (x - mean)) + rest;
    }
}

/// Every `stride`-th row and column of a channel of that many columns.
pub(super) fn subsample(x: &[f32], width: usize, stride: usize, out: &mut [f32]) {
    for (out, x) in out.chunks_exact_mut(width.div_ceil(stride)).zip(x.chunks(width).step_by(stride)) {
        for (out, x) in out.iter_mut().zip(x.iter().step_by(stride)) {
            *out = *x;
        }
    }
}

/// Adds to every `stride`-th row and column of a channel: the gradient of [`subsample`].
pub(super) fn add_strided(dy: &[f32], width: usize, stride: usize, dx: &mut [f32]) {
    for (dy, dx) in dy.chunks_exact(width.div_ceil(stride)).zip(dx.chunks_mut(width).step_by(stride)) {
        for (dy, dx) in dy.iter().zip(dx.iter_mut().step_by(stride)) {
            *dx += *dy;
        }
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

/// As [`bilinear`] for a stride of 2: the four neighbours are the window's blocks of two by two.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn bilinear_halved(window: &[f32], columns: usize, [w00, w01, w10, w11]: [f32; 4], out: &mut [f32]) {
    for (rows, out) in window.chunks_exact(4 * columns).zip(out.chunks_exact_mut(columns)) {
        let (upper, lower) = rows.split_at(2 * columns);
        for ((out, x0), x1) in out.iter_mut().zip(upper.chunks_exact(2)).zip(lower.chunks_exact(2)) {
            *out = w00 * x0[0] + w01 * x0[1] + w10 * x1[0] + w11 * x1[1];
        }
    }
}

/// Sums over `g` times each of the four neighbours of [`bilinear_halved`]; the window becomes its own gradient.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn bilinear_halved_backward(g: &[f32], window: &mut [f32], columns: usize, w: [f32; 4]) -> [f64; 4] {
    const LANES: usize = 8;
    let mut sums = [[0.0f32; LANES]; 4];
    for (rows, g) in window.chunks_exact_mut(4 * columns).zip(g.chunks_exact(columns)) {
        let (upper, lower) = rows.split_at_mut(2 * columns);
        let pairs = upper.chunks_mut(2 * LANES).zip(lower.chunks_mut(2 * LANES));
        for ((upper, lower), g) in pairs.zip(g.chunks(LANES)) {
            for (i, ((x0, x1), g)) in upper.chunks_exact_mut(2).zip(lower.chunks_exact_mut(2)).zip(g).enumerate() {
                sums[0][i] += g * x0[0];
                sums[1][i] += g * x0[1];
                sums[2][i] += g * x1[0];
                sums[3][i] += g * x1[1];
                (x0[0], x0[1], x1[0], x1[1]) = (w[0] * g, w[1] * g, w[2] * g, w[3] * g);
            }
        }
    }
    sums.map(|lanes| lanes.iter().map(|&v| f64::from(v)).sum())
}
