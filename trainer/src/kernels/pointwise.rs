//! A 1x1 convolution, with the BatchNorm and quantised activation before it where there are some.

use super::buffer::{Buffer, Sums};
use super::matmul::Products;
use super::norm::{Norm, NormGradients, finish, total};
use super::{Levels, Map, activation, images_per_product, images_per_task, sum_parts};
use rayon::prelude::*;

/// What stands before the convolution.
#[derive(Clone, Copy, Debug)]
pub enum Before<'a> {
    /// The input is an activation already; every `stride`-th pixel of it is read.
    Activation {
        /// 1 reads all.
        stride: usize,
    },
    /// BatchNorm, clip, rounding.
    Norm(&'a Norm, Levels),
}

impl Before<'_> {
    fn stride(&self) -> usize {
        match *self {
            Self::Activation { stride } => stride,
            Self::Norm(..) => 1,
        }
    }

    /// Whether the product reads the input as it is.
    fn is_plain(&self) -> bool {
        matches!(self, Self::Activation { stride: 1 })
    }

    /// What the product reads of a few pictures: they themselves, or what is written to the scratch memory.
    fn read<'a>(&self, x: &'a [f32], map: Map, scratch: &'a mut [f32]) -> &'a [f32] {
        if self.is_plain() {
            return x;
        }
        let inner = map.strided(self.stride()).image();
        let scratch = &mut scratch[..x.len() / map.image() * inner];
        for (x, out) in x.chunks_exact(map.image()).zip(scratch.chunks_exact_mut(inner)) {
            match *self {
                Self::Activation { stride } => subsample(x, map, stride, out),
                Self::Norm(norm, levels) => activation::image(x, map, norm, levels, out),
            }
        }
        scratch
    }
}

/// `y[o] = sum_i w[o][i] u[i]` at every pixel, `u` being what `before` makes of `x`.
///
/// `x` has the shape `map`, `y` that of the strided map with `w.len() / map.channels` channels.
pub fn forward(x: &[f32], map: Map, before: Before<'_>, w: &[f32], y: &mut [f32]) {
    let inner = map.strided(before.stride());
    let (k, n) = (map.channels, inner.plane());
    let outputs = w.len() / k;
    let (per_task, pack) = (images_per_task(inner), images_per_product(inner));
    let tasks = y.par_chunks_mut(per_task * outputs * n).zip(x.par_chunks(per_task * map.image()));
    tasks.with_max_len(1).for_each(|(y, x)| {
        let mut scratch = Buffer::take(if before.is_plain() { 0 } else { pack * inner.image() });
        let mut products = Products::new([outputs, k, n], pack);
        for (y, x) in y.chunks_mut(pack * outputs * n).zip(x.chunks(pack * map.image())) {
            products.forward(w, before.read(x, map, &mut scratch), y);
        }
    });
}

/// Gradients of the weights into `dw`, of the input into `dx`, and of BatchNorm's parameters where there is one.
pub fn backward(
    dy: &[f32],
    x: &[f32],
    map: Map,
    before: Before<'_>,
    w: &[f32],
    dx: &mut [f32],
    dw: &mut [f32],
) -> Option<NormGradients> {
    let inner = map.strided(before.stride());
    let (k, n) = (map.channels, inner.plane());
    let outputs = w.len() / k;
    let (per_task, pack) = (images_per_task(inner), images_per_product(inner));
    let parts: Vec<_> = dx
        .par_chunks_mut(per_task * map.image())
        .zip(x.par_chunks(per_task * map.image()))
        .zip(dy.par_chunks(per_task * outputs * n))
        .with_max_len(1)
        .map(|((dx, x), dy)| {
            let mut dw = Buffer::zeros(w.len());
            let mut sums = Sums::zeros(k);
            let len = if before.is_plain() { 0 } else { pack * inner.image() };
            let (mut scratch, mut du) = (Buffer::take(len), Buffer::take(len));
            let mut products = Products::new([outputs, k, n], pack);
            let packs = dx.chunks_mut(pack * map.image()).zip(x.chunks(pack * map.image()));
            for ((dx, x), dy) in packs.zip(dy.chunks(pack * outputs * n)) {
                let u = before.read(x, map, &mut scratch);
                if before.is_plain() {
                    products.backward(w, u, dy, &mut dw, dx);
                    continue;
                }
                let du = &mut du[..u.len()];
                products.backward(w, u, dy, &mut dw, du);
                let images = dx.chunks_exact_mut(map.image()).zip(x.chunks_exact(map.image()));
                for ((dx, x), du) in images.zip(du.chunks_exact(inner.image())) {
                    match before {
                        Before::Activation { stride } => scatter(du, map, stride, dx),
                        Before::Norm(norm, _) => activation::image_backward(du, x, map, norm, dx, &mut sums),
                    }
                }
            }
            (dw, sums)
        })
        .collect();
    let (weights, sums): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    sum_parts(&weights, dw);
    match before {
        Before::Activation { .. } => None,
        Before::Norm(norm, _) => {
            let gradients = norm.gradients(&total(sums, k), map);
            finish(dx, x, map, norm, &gradients);
            Some(gradients)
        }
    }
}

/// Every `stride`-th row and column of each channel of one picture.
fn subsample(x: &[f32], map: Map, stride: usize, out: &mut [f32]) {
    let inner = map.strided(stride);
    for (out, x) in out.chunks_exact_mut(inner.plane()).zip(x.chunks_exact(map.plane())) {
        for (out, x) in out.chunks_exact_mut(inner.width).zip(x.chunks(map.width).step_by(stride)) {
            for (out, x) in out.iter_mut().zip(x.iter().step_by(stride)) {
                *out = *x;
            }
        }
    }
}

/// Gradient of [`subsample`]: zeros where nothing was read.
fn scatter(dy: &[f32], map: Map, stride: usize, dx: &mut [f32]) {
    let inner = map.strided(stride);
    dx.fill(0.0);
    for (dy, dx) in dy.chunks_exact(inner.plane()).zip(dx.chunks_exact_mut(map.plane())) {
        for (dy, dx) in dy.chunks_exact(inner.width).zip(dx.chunks_mut(map.width).step_by(stride)) {
            for (dy, dx) in dy.iter().zip(dx.iter_mut().step_by(stride)) {
                *dx = *dy;
            }
        }
    }
}
