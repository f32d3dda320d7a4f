//! The end of a block: BatchNorm of the branch, plus the shortcut.

use super::buffer::Sums;
use super::norm::{Norm, NormGradients, add, total};
use super::{Map, images_per_task, plane};
use rayon::prelude::*;

/// `y = norm(x) + shortcut`.
pub fn forward(x: &[f32], shortcut: &[f32], map: Map, norm: &Norm, y: &mut [f32]) {
    let task = images_per_task(map) * map.image();
    let n = map.plane();
    let tasks = y.par_chunks_mut(task).zip(x.par_chunks(task)).zip(shortcut.par_chunks(task));
    tasks.with_max_len(1).for_each(|((y, x), rest)| {
        for (i, ((y, x), rest)) in y.chunks_exact_mut(n).zip(x.chunks_exact(n)).zip(rest.chunks_exact(n)).enumerate() {
            let c = i % map.channels;
            plane::affine_add(x, norm.scale[c], norm.bias[c], rest, y);
        }
    });
}

/// Gradient of `x` into `dx`, and those of gamma and beta; that of the shortcut is `dy` itself.
pub fn backward(dy: &[f32], x: &[f32], map: Map, norm: &Norm, dx: &mut [f32]) -> NormGradients {
    let task = images_per_task(map) * map.image();
    let n = map.plane();
    let parts: Vec<_> = x
        .par_chunks(task)
        .zip(dy.par_chunks(task))
        .with_max_len(1)
        .map(|(x, dy)| {
            let mut sums = Sums::zeros(map.channels);
            for (i, (x, dy)) in x.chunks_exact(n).zip(dy.chunks_exact(n)).enumerate() {
                let c = i % map.channels;
                add(&mut sums[c], plane::moments_with(dy, x, norm.mean[c]));
            }
            sums
        })
        .collect();
    let gradients = norm.gradients(&total(parts, map.channels), map);
    let tasks = dx.par_chunks_mut(task).zip(x.par_chunks(task)).zip(dy.par_chunks(task));
    tasks.with_max_len(1).for_each(|((dx, x), dy)| {
        for (i, ((dx, x), dy)) in dx.chunks_exact_mut(n).zip(x.chunks_exact(n)).zip(dy.chunks_exact(n)).enumerate() {
            let c = i % map.channels;
            let (offset, slope) = (gradients.offset[c], gradients.slope[c]);
            plane::norm_backward(dy, x, norm.mean[c], norm.scale[c], offset, slope, dx);
        }
    });
    gradients
}
