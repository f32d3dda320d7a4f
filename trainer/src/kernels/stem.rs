//! The stem: a small float convolution on the picture, zero-padded by half its kernel.

use super::buffer::Buffer;
use super::matmul::{Strides, matmul};
use super::outer::add_outer;
use super::{Map, images_per_task, sum_parts};
use rayon::prelude::*;

/// Side of the square kernel, odd, and stride.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Side in pixels.
    pub size: usize,
    /// Step in pixels.
    pub stride: usize,
}

/// `w` is `[output][channel][row][column]`.
pub fn forward(x: &[f32], map: Map, kernel: Kernel, w: &[f32], y: &mut [f32]) {
    let n = map.strided(kernel.stride).plane();
    let k = map.channels * kernel.size * kernel.size;
    let outputs = w.len() / k;
    let per_task = images_per_task(map);
    let tasks = y.par_chunks_mut(per_task * outputs * n).zip(x.par_chunks(per_task * map.image()));
    tasks.with_max_len(1).for_each(|(y, x)| {
        let mut columns = Buffer::take(k * n);
        for (y, x) in y.chunks_exact_mut(outputs * n).zip(x.chunks_exact(map.image())) {
            unfold(x, map, kernel, &mut columns);
            matmul([outputs, k, n], (w, Strides::rows(k)), (&columns, Strides::rows(n)), y, false);
        }
    });
}

/// Gradient of the weights into `dw`; the picture has none.
pub fn backward(dy: &[f32], x: &[f32], map: Map, kernel: Kernel, dw: &mut [f32]) {
    let n = map.strided(kernel.stride).plane();
    let k = map.channels * kernel.size * kernel.size;
    let outputs = dw.len() / k;
    let per_task = images_per_task(map);
    let parts: Vec<_> = x
        .par_chunks(per_task * map.image())
        .zip(dy.par_chunks(per_task * outputs * n))
        .with_max_len(1)
        .map(|(x, dy)| {
            let mut columns = Buffer::take(k * n);
            let mut dw = Buffer::zeros(outputs * k);
            for (x, dy) in x.chunks_exact(map.image()).zip(dy.chunks_exact(outputs * n)) {
                unfold(x, map, kernel, &mut columns);
                add_outer([outputs, n, k], dy, &columns, &mut dw);
            }
            dw
        })
        .collect();
    sum_parts(&parts, dw);
}

/// One row for each channel and place in the kernel, one column for each output pixel.
fn unfold(x: &[f32], map: Map, Kernel { size, stride }: Kernel, columns: &mut [f32]) {
    let out = map.strided(stride);
    let pad = (size / 2) as isize;
    for (i, row) in columns.chunks_exact_mut(out.plane()).enumerate() {
        let channel = &x[i / (size * size) * map.plane()..][..map.plane()];
        let (dy, dx) = ((i / size % size) as isize - pad, (i % size) as isize - pad);
        for (oy, row) in row.chunks_exact_mut(out.width).enumerate() {
            let y = (oy * stride) as isize + dy;
            if y < 0 || y >= map.height as isize {
                row.fill(0.0);
                continue;
            }
            let line = &channel[y as usize * map.width..][..map.width];
            for (ox, value) in row.iter_mut().enumerate() {
                let x = (ox * stride) as isize + dx;
                *value = usize::try_from(x).ok().and_then(|x| line.get(x)).copied().unwrap_or(0.0);
            }
        }
    }
}
