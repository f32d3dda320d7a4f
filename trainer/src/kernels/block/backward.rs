//! A block from the gradient of its output to those of its input, weights and displacements.

use super::{Before, Block, planes};
use crate::kernels::buffer::{Buffer, Sums};
use crate::kernels::matmul::{Strides, matmul};
use crate::kernels::norm::{Norm, NormGradients, add, total};
use crate::kernels::outer::add_outer;
use crate::kernels::shift::Window;
use crate::kernels::{images_per_task, one_by_one, plane, side_by_side, sum_parts};
use rayon::prelude::*;

/// What a backward pass gives beside the gradients it writes.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// Of the BatchNorm before the first convolution, where there is one.
    pub before: Option<NormGradients>,
    /// Of the BatchNorm between the convolutions.
    pub middle: NormGradients,
    /// Of the displacements.
    pub shifts: Vec<[f32; 2]>,
    /// Of the last BatchNorm.
    pub last: NormGradients,
}

/// Gradients of the weights.
pub struct WeightGradients<'a> {
    /// As [`Block::reduce`].
    pub reduce: &'a mut [f32],
    /// As [`Block::expand`].
    pub expand: &'a mut [f32],
    /// As [`Block::shortcut`]; empty where that is none.
    pub shortcut: &'a mut [f32],
}

/// Writes the gradient of the input to `dx` and those of the weights to `dw`.
pub fn backward(
    dy: &[f32],
    [x, r, e]: [&[f32]; 3],
    block: &Block<'_>,
    middle: &Norm,
    last: &Norm,
    dx: &mut [f32],
    dw: WeightGradients<'_>,
) -> Gradients {
    let of_last = block.last_gradients(dy, e, last);
    let mut g = Buffer::take(r.len());
    let (of_middle, shifts) = block.expand_backward(dy, [r, e], (last, &of_last), middle, &mut g, dw.expand);
    let sums = block.reduce_backward(dy, [x, r, &g], (middle, &of_middle), dx, dw.reduce, dw.shortcut);
    let before = block.before.norm().map(|norm| {
        let gradients = norm.gradients(&sums, block.map);
        block.input_backward(dy, x, norm, &gradients, dx);
        gradients
    });
    Gradients { before, middle: of_middle, shifts, last: of_last }
}

impl Block<'_> {
    /// Gradients of the last BatchNorm.
    fn last_gradients(&self, dy: &[f32], e: &[f32], last: &Norm) -> NormGradients {
        let out = self.output();
        let task = images_per_task(out) * out.image();
        let parts: Vec<_> = e
            .par_chunks(task)
            .zip(dy.par_chunks(task))
            .with_max_len(1)
            .map(|(e, dy)| {
                let mut sums = Sums::zeros(out.channels);
                for (i, (e, dy)) in e.chunks_exact(out.plane()).zip(dy.chunks_exact(out.plane())).enumerate() {
                    let c = i % out.channels;
                    add(&mut sums[c], plane::moments_with(dy, e, last.mean[c]));
                }
                sums
            })
            .collect();
        last.gradients(&total(parts, out.channels), out)
    }

    /// Through the last BatchNorm, the second convolution, the shift and the activation: what is left of the gradient
    /// before the middle BatchNorm into `g`, that of the weights into `dw`.
    fn expand_backward(
        &self,
        dy: &[f32],
        [r, e]: [&[f32]; 2],
        (last, of_last): (&Norm, &NormGradients),
        middle: &Norm,
        g: &mut [f32],
        dw: &mut [f32],
    ) -> (NormGradients, Vec<[f32; 2]>) {
        let (map, out) = (self.middle(), self.output());
        let inner = out.with_channels(map.channels);
        let [per_task, pack] = self.portions(out);
        let [m, k] = [out.channels, map.channels];
        let parts: Vec<_> = g
            .par_chunks_mut(per_task * map.image())
            .zip(r.par_chunks(per_task * map.image()))
            .zip(e.par_chunks(per_task * out.image()))
            .zip(dy.par_chunks(per_task * out.image()))
            .with_max_len(1)
            .map(|(((g, r), e), dy)| {
                let mut dw = Buffer::zeros(m * k);
                let (mut sums, mut moves) = (Sums::zeros(k), Sums::zeros(k));
                let (mut a, mut da) = (Buffer::take(pack * map.image()), Buffer::take(map.plane()));
                let (mut u, mut du) = (Buffer::take(pack * inner.image()), Buffer::take(pack * inner.image()));
                let mut de = Buffer::take(pack * out.image());
                let mut window = Window::new([map.height, map.width], self.stride);
                let packs = g.chunks_mut(pack * map.image()).zip(r.chunks(pack * map.image()));
                let packs = packs.zip(e.chunks(pack * out.image()).zip(dy.chunks(pack * out.image())));
                for ((g, r), (e, dy)) in packs {
                    let (u, du) = (&mut u[..e.len() / m * k], &mut du[..e.len() / m * k]);
                    let (de, columns) = (&mut de[..e.len()], e.len() / m);
                    for ((place, c, e), dy) in planes(e, out).zip(dy.chunks_exact(out.plane())) {
                        let (offset, slope) = (of_last.offset[c], of_last.slope[c]);
                        let de = &mut de[place..][..out.plane()];
                        plane::norm_backward(dy, e, last.mean[c], last.scale[c], offset, slope, de);
                    }
                    self.shift(r, middle, &mut window, &mut a, u);
                    add_outer([m, columns, k], de, u, &mut dw);
                    let weights = (self.expand, Strides::rows(k).t());
                    matmul([k, m, columns], weights, (de, Strides::rows(columns)), du, false);
                    let channels = r.chunks_exact(map.plane()).zip(a.chunks_exact(map.plane()));
                    for (i, ((r, a), g)) in channels.zip(g.chunks_exact_mut(map.plane())).enumerate() {
                        let (image, c) = (i / k, i % k);
                        let du = &du[c * columns + image * out.plane()..][..out.plane()];
                        add(&mut moves[c], window.backward(du, a, self.shifts[c], &mut da));
                        let (scale, bias, mean) = (middle.scale[c], middle.bias[c], middle.mean[c]);
                        add(&mut sums[c], plane::activate_backward(&da, r, scale, bias, mean, g));
                    }
                }
                (dw, sums, moves)
            })
            .collect();
        let mut shifts = vec![[0.0; 2]; k];
        let (mut weights, mut sums) = (Vec::new(), Vec::new());
        for (part, sum, moves) in parts {
            shifts.iter_mut().zip(moves.iter()).for_each(|(total, part)| add(total, *part));
            weights.push(part);
            sums.push(sum);
        }
        sum_parts(&weights, dw);
        let shifts = shifts.iter().map(|s| [s[0] as f32, s[1] as f32]).collect();
        (middle.gradients(&total(sums, k), map), shifts)
    }

    /// Through the middle BatchNorm, the first convolution, the shortcut's product and the activation before them.
    ///
    /// Returns the sums that the gradients of the BatchNorm before need.
    fn reduce_backward(
        &self,
        dy: &[f32],
        [x, r, g]: [&[f32]; 3],
        (middle, of_middle): (&Norm, &NormGradients),
        dx: &mut [f32],
        dw: &mut [f32],
        dw_shortcut: &mut [f32],
    ) -> Sums {
        let (map, mid, out) = (self.map, self.middle(), self.output());
        let inner = out.with_channels(map.channels);
        let [per_task, pack] = self.portions(if self.shortcut.is_some() { out } else { map });
        let k = map.channels;
        let parts: Vec<_> = dx
            .par_chunks_mut(per_task * map.image())
            .zip(x.par_chunks(per_task * map.image()))
            .zip(r.par_chunks(per_task * mid.image()).zip(g.par_chunks(per_task * mid.image())))
            .zip(dy.par_chunks(per_task * out.image()))
            .with_max_len(1)
            .map(|(((dx, x), (r, g)), dy)| {
                let mut dw = Buffer::zeros(self.reduce.len());
                let mut dw_shortcut = Buffer::zeros(self.shortcut.map_or(0, <[f32]>::len));
                let mut sums = Sums::zeros(k);
                let (mut scratch, mut da) = (Buffer::take(pack * map.image()), Buffer::take(pack * map.image()));
                let mut dr = Buffer::take(pack * mid.image());
                let mut strided = [(); 2].map(|()| Buffer::take(pack * inner.image()));
                let mut beside = Buffer::take(if pack > 1 { pack * out.image() } else { 0 });
                let packs = dx.chunks_mut(pack * map.image()).zip(x.chunks(pack * map.image()));
                let packs = packs.zip(r.chunks(pack * mid.image()).zip(g.chunks(pack * mid.image())));
                for (((dx, x), (r, g)), dy) in packs.zip(dy.chunks(pack * out.image())) {
                    let columns = x.len() / k;
                    let (dr, da) = (&mut dr[..r.len()], &mut da[..x.len()]);
                    for ((place, c, r), g) in planes(r, mid).zip(g.chunks_exact(mid.plane())) {
                        let (offset, slope) = (of_middle.offset[c], of_middle.slope[c]);
                        let dr = &mut dr[place..][..mid.plane()];
                        plane::norm_backward(g, r, middle.mean[c], middle.scale[c], offset, slope, dr);
                    }
                    let a = self.read(x, &mut scratch);
                    add_outer([mid.channels, columns, k], dr, a, &mut dw);
                    let weights = (self.reduce, Strides::rows(k).t());
                    matmul([k, mid.channels, columns], weights, (dr, Strides::rows(columns)), da, false);
                    if let Some(weights) = self.shortcut {
                        let dy = if dy.len() == out.image() {
                            dy
                        } else {
                            side_by_side(dy, out.channels, out.plane(), &mut beside[..dy.len()]);
                            &beside[..dy.len()]
                        };
                        let columns = dy.len() / out.channels;
                        let [picked, back] = &mut strided;
                        let a = self.subsample(a, picked);
                        add_outer([out.channels, columns, k], dy, a, &mut dw_shortcut);
                        let weights = (weights, Strides::rows(k).t());
                        let dy = (dy, Strides::rows(columns));
                        if self.stride == 1 {
                            matmul([k, out.channels, columns], weights, dy, da, true);
                        } else {
                            let back = &mut back[..a.len()];
                            matmul([k, out.channels, columns], weights, dy, back, false);
                            for (back, da) in back.chunks_exact(out.plane()).zip(da.chunks_exact_mut(map.plane())) {
                                plane::add_strided(back, map.width, self.stride, da);
                            }
                        }
                    } else if !matches!(self.before, Before::Branch(_)) {
                        for (place, _, dy) in planes(dy, out) {
                            plane::add_scaled(1.0, dy, &mut da[place..][..dy.len()]);
                        }
                    }
                    match self.before.norm() {
                        None => one_by_one(da, k, map.plane(), dx),
                        Some(norm) => {
                            for ((place, c, x), dx) in planes(x, map).zip(dx.chunks_exact_mut(map.plane())) {
                                let (scale, bias, mean) = (norm.scale[c], norm.bias[c], norm.mean[c]);
                                let da = &da[place..][..map.plane()];
                                add(&mut sums[c], plane::activate_backward(da, x, scale, bias, mean, dx));
                            }
                        }
                    }
                }
                (dw, dw_shortcut, sums)
            })
            .collect();
        let (mut weights, mut shortcuts, mut sums) = (Vec::new(), Vec::new(), Vec::new());
        for (dw, dw_shortcut, sum) in parts {
            weights.push(dw);
            shortcuts.push(dw_shortcut);
            sums.push(sum);
        }
        sum_parts(&weights, dw);
        sum_parts(&shortcuts, dw_shortcut);
        total(sums, k)
    }

    /// Through the BatchNorm before, in place; the shortcut's gradient is added where it takes the input as it is.
    fn input_backward(&self, dy: &[f32], x: &[f32], norm: &Norm, gradients: &NormGradients, dx: &mut [f32]) {
        let map = self.map;
        let task = images_per_task(map) * map.image();
        if !matches!(self.before, Before::Branch(_)) {
            return crate::kernels::norm::finish(dx, x, map, norm, gradients);
        }
        let tasks = dx.par_chunks_mut(task).zip(x.par_chunks(task)).zip(dy.par_chunks(task));
        tasks.with_max_len(1).for_each(|((dx, x), dy)| {
            let channels = dx.chunks_exact_mut(map.plane()).zip(x.chunks_exact(map.plane()));
            for (i, ((dx, x), dy)) in channels.zip(dy.chunks_exact(map.plane())).enumerate() {
                let c = i % map.channels;
                let (offset, slope) = (gradients.offset[c], gradients.slope[c]);
                plane::norm_backward_add(dx, x, norm.mean[c], norm.scale[c], offset, slope, dy);
            }
        });
    }
}
