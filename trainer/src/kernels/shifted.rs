//! The second half of a block's branch: BatchNorm, quantised activation, shift, 1x1 convolution.

use super::buffer::{Buffer, Sums};
use super::matmul::Products;
use super::norm::{Norm, NormGradients, finish, total};
use super::shift::{Displacement, Window};
use super::{Levels, Map, activation, images_per_product, images_per_task, sum_parts};
use rayon::prelude::*;

/// What stands before the convolution.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// BatchNorm of the input.
    pub norm: &'a Norm,
    /// Rounding of the activation.
    pub levels: Levels,
    /// One displacement a channel.
    pub shifts: &'a [Displacement],
    /// Stride of the shift.
    pub stride: usize,
}

impl Before<'_> {
    /// Activates one picture into `a` and shifts it into `u`.
    fn apply(&self, x: &[f32], map: Map, window: &mut Window, a: &mut [f32], u: &mut [f32]) {
        activation::image(x, map, self.norm, self.levels, a);
        let out = map.strided(self.stride).plane();
        for ((a, u), shift) in a.chunks_exact(map.plane()).zip(u.chunks_exact_mut(out)).zip(self.shifts) {
            window.forward(a, *shift, u);
        }
    }
}

/// `y[o] = sum_i w[o][i] shift(quantise(norm(x)))[i]` at every pixel of the strided map.
pub fn forward(x: &[f32], map: Map, before: Before<'_>, w: &[f32], y: &mut [f32]) {
    let inner = map.strided(before.stride);
    let (k, n) = (map.channels, inner.plane());
    let outputs = w.len() / k;
    let (per_task, pack) = (images_per_task(inner), images_per_product(inner));
    let tasks = y.par_chunks_mut(per_task * outputs * n).zip(x.par_chunks(per_task * map.image()));
    tasks.with_max_len(1).for_each(|(y, x)| {
        let (mut a, mut u) = (Buffer::take(map.image()), Buffer::take(pack * inner.image()));
        let mut window = Window::new([map.height, map.width], before.stride);
        let mut products = Products::new([outputs, k, n], pack);
        for (y, x) in y.chunks_mut(pack * outputs * n).zip(x.chunks(pack * map.image())) {
            let u = &mut u[..y.len() / outputs * k];
            for (x, u) in x.chunks_exact(map.image()).zip(u.chunks_exact_mut(inner.image())) {
                before.apply(x, map, &mut window, &mut a, u);
            }
            products.forward(w, u, y);
        }
    });
}

/// Gradients of BatchNorm's parameters and of the displacements, `(dy, dx)` a channel.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// Those of gamma and beta.
    pub norm: NormGradients,
    /// Those of the displacements.
    pub shifts: Vec<[f32; 2]>,
}

/// Gradients of the weights into `dw` and of the input into `dx`, and the others.
pub fn backward(
    dy: &[f32],
    x: &[f32],
    map: Map,
    before: Before<'_>,
    w: &[f32],
    dx: &mut [f32],
    dw: &mut [f32],
) -> Gradients {
    let inner = map.strided(before.stride);
    let (k, n) = (map.channels, inner.plane());
    let outputs = w.len() / k;
    let (per_task, pack) = (images_per_task(inner), images_per_product(inner));
    let size = [map.height, map.width];
    let parts: Vec<_> = dx
        .par_chunks_mut(per_task * map.image())
        .zip(x.par_chunks(per_task * map.image()))
        .zip(dy.par_chunks(per_task * outputs * n))
        .with_max_len(1)
        .map(|((dx, x), dy)| {
            let mut dw = Buffer::zeros(w.len());
            let (mut sums, mut moves) = (Sums::zeros(k), Sums::zeros(k));
            let (mut a, mut da) = (Buffer::take(pack * map.image()), Buffer::take(map.image()));
            let (mut u, mut du) = (Buffer::take(pack * inner.image()), Buffer::take(pack * inner.image()));
            let mut window = Window::new(size, before.stride);
            let mut products = Products::new([outputs, k, n], pack);
            let packs = dx.chunks_mut(pack * map.image()).zip(x.chunks(pack * map.image()));
            for ((dx, x), dy) in packs.zip(dy.chunks(pack * outputs * n)) {
                let (u, du) = (&mut u[..dy.len() / outputs * k], &mut du[..dy.len() / outputs * k]);
                let images = x.chunks_exact(map.image()).zip(a.chunks_exact_mut(map.image()));
                for ((x, a), u) in images.zip(u.chunks_exact_mut(inner.image())) {
                    before.apply(x, map, &mut window, a, u);
                }
                products.backward(w, u, dy, &mut dw, du);
                let images = dx.chunks_exact_mut(map.image()).zip(x.chunks_exact(map.image()));
                for (((dx, x), a), du) in images.zip(a.chunks_exact(map.image())).zip(du.chunks_exact(inner.image())) {
                    for (c, moves) in moves.iter_mut().enumerate() {
                        let input = c * map.plane()..(c + 1) * map.plane();
                        let (g, a, da) = (&du[c * n..(c + 1) * n], &a[input.clone()], &mut da[input]);
                        let d = window.backward(g, a, before.shifts[c], da);
                        moves[0] += d[0];
                        moves[1] += d[1];
                    }
                    activation::image_backward(&da, x, map, before.norm, dx, &mut sums);
                }
            }
            (dw, sums, moves)
        })
        .collect();
    let mut shifts = vec![[0.0f64; 2]; k];
    let (mut weights, mut sums) = (Vec::new(), Vec::new());
    for (part, sum, moves) in parts {
        for (total, part) in shifts.iter_mut().zip(moves.iter()) {
            total[0] += part[0];
            total[1] += part[1];
        }
        weights.push(part);
        sums.push(sum);
    }
    sum_parts(&weights, dw);
    let norm = before.norm.gradients(&total(sums, k), map);
    finish(dx, x, map, before.norm, &norm);
    Gradients { norm, shifts: shifts.iter().map(|s| [s[0] as f32, s[1] as f32]).collect() }
}
