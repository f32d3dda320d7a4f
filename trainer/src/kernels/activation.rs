//! BatchNorm and quantised activation alone, as they close a group.

use super::buffer::Sums;
use super::norm::{Norm, NormGradients, add, finish, total};
use super::{Levels, Map, images_per_task, plane};
use rayon::prelude::*;

/// `y = quantise(norm(x))`.
pub fn forward(x: &[f32], map: Map, norm: &Norm, levels: Levels, y: &mut [f32]) {
    let task = images_per_task(map) * map.image();
    y.par_chunks_mut(task).zip(x.par_chunks(task)).with_max_len(1).for_each(|(y, x)| {
        for (y, x) in y.chunks_exact_mut(map.image()).zip(x.chunks_exact(map.image())) {
            image(x, map, norm, levels, y);
        }
    });
}

/// The same for one picture.
pub(super) fn image(x: &[f32], map: Map, norm: &Norm, levels: Levels, y: &mut [f32]) {
    for (c, (y, x)) in y.chunks_exact_mut(map.plane()).zip(x.chunks_exact(map.plane())).enumerate() {
        plane::activate(x, norm.scale[c], norm.bias[c], levels, y);
    }
}

/// Gradient through clip and rounding of one picture; adds to the sums of each channel.
pub(super) fn image_backward(dy: &[f32], x: &[f32], map: Map, norm: &Norm, g: &mut [f32], sums: &mut [[f64; 2]]) {
    let n = map.plane();
    for (c, sum) in sums.iter_mut().enumerate() {
        let at = c * n..(c + 1) * n;
        let (scale, bias, mean) = (norm.scale[c], norm.bias[c], norm.mean[c]);
        add(sum, plane::activate_backward(&dy[at.clone()], &x[at.clone()], scale, bias, mean, &mut g[at]));
    }
}

/// Gradient of `x` into `dx`, and those of gamma and beta.
pub fn backward(dy: &[f32], x: &[f32], map: Map, norm: &Norm, dx: &mut [f32]) -> NormGradients {
    let task = images_per_task(map) * map.image();
    let parts: Vec<_> = dx
        .par_chunks_mut(task)
        .zip(x.par_chunks(task))
        .zip(dy.par_chunks(task))
        .with_max_len(1)
        .map(|((g, x), dy)| {
            let mut sums = Sums::zeros(map.channels);
            let images = g.chunks_exact_mut(map.image()).zip(x.chunks_exact(map.image()));
            for ((g, x), dy) in images.zip(dy.chunks_exact(map.image())) {
                image_backward(dy, x, map, norm, g, &mut sums);
            }
            sums
        })
        .collect();
    let gradients = norm.gradients(&total(parts, map.channels), map);
    finish(dx, x, map, norm, &gradients);
    gradients
}
