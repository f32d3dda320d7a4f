//! A block from its input to its output.

use super::{Affine, Before, Block, planes, product, take_moments};
use crate::kernels::buffer::{Buffer, Sums};
use crate::kernels::matmul::{Strides, matmul};
use crate::kernels::norm::{Norm, Statistics, add, total};
use crate::kernels::plane;
use crate::kernels::shift::Window;
use rayon::prelude::*;

/// Statistics that a forward pass took of its maps.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Of the map between the convolutions.
    pub middle: Statistics,
    /// Of the second convolution's result.
    pub last: Statistics,
    /// Of the output, for whatever normalises it next.
    pub output: Statistics,
}

/// Writes the first convolution's result to `r`, the second's to `e`, and the output to `y`.
pub fn forward(
    x: &[f32],
    block: &Block<'_>,
    middle: Affine<'_>,
    last: Affine<'_>,
    r: &mut [f32],
    e: &mut [f32],
    y: &mut [f32],
) -> Taken {
    let of_middle = block.reduce_forward(x, r);
    let norm = Norm::new(middle.0, middle.1, &of_middle);
    let of_last = block.expand_forward(r, &norm, e);
    let norm = Norm::new(last.0, last.1, &of_last);
    let of_output = block.join_forward(x, e, &norm, y);
    Taken { middle: of_middle, last: of_last, output: of_output }
}

impl Block<'_> {
    fn reduce_forward(&self, x: &[f32], r: &mut [f32]) -> Statistics {
        let (map, out) = (self.map, self.middle());
        let [per_task, pack] = self.portions(map);
        let parts: Vec<_> = r
            .par_chunks_mut(per_task * out.image())
            .zip(x.par_chunks(per_task * map.image()))
            .with_max_len(1)
            .map(|(r, x)| {
                let mut scratch = Buffer::take(pack * map.image());
                let mut result = Buffer::take(pack * out.image());
                let mut sums = Sums::zeros(out.channels);
                for (r, x) in r.chunks_mut(pack * out.image()).zip(x.chunks(pack * map.image())) {
                    product(self.reduce, self.read(x, &mut scratch), out, &mut result, r);
                    take_moments(r, out, &mut sums);
                }
                sums
            })
            .collect();
        Statistics::from_sums(&total(parts, out.channels), out)
    }

    fn expand_forward(&self, r: &[f32], norm: &Norm, e: &mut [f32]) -> Statistics {
        let (map, out) = (self.middle(), self.output());
        let inner = out.with_channels(map.channels);
        let [per_task, pack] = self.portions(out);
        let parts: Vec<_> = e
            .par_chunks_mut(per_task * out.image())
            .zip(r.par_chunks(per_task * map.image()))
            .with_max_len(1)
            .map(|(e, r)| {
                let (mut a, mut u) = (Buffer::take(pack * map.image()), Buffer::take(pack * inner.image()));
                let mut result = Buffer::take(pack * out.image());
                let mut window = Window::new([map.height, map.width], self.stride);
                let mut sums = Sums::zeros(out.channels);
                for (e, r) in e.chunks_mut(pack * out.image()).zip(r.chunks(pack * map.image())) {
                    let u = &mut u[..e.len() / out.channels * map.channels];
                    self.shift(r, norm, &mut window, &mut a, u);
                    product(self.expand, u, out, &mut result, e);
                    take_moments(e, out, &mut sums);
                }
                sums
            })
            .collect();
        Statistics::from_sums(&total(parts, out.channels), out)
    }

    fn join_forward(&self, x: &[f32], e: &[f32], norm: &Norm, y: &mut [f32]) -> Statistics {
        let (map, out) = (self.map, self.output());
        let inner = out.with_channels(map.channels);
        let [per_task, pack] = self.portions(out);
        let parts: Vec<_> = y
            .par_chunks_mut(per_task * out.image())
            .zip(e.par_chunks(per_task * out.image()))
            .zip(x.par_chunks(per_task * map.image()))
            .with_max_len(1)
            .map(|((y, e), x)| {
                let mut scratch = Buffer::take(pack * map.image());
                let mut picked = Buffer::take(pack * inner.image());
                let mut result = Buffer::take(pack * out.image());
                let mut sums = Sums::zeros(out.channels);
                let packs = y.chunks_mut(pack * out.image()).zip(e.chunks(pack * out.image()));
                for ((y, e), x) in packs.zip(x.chunks(pack * map.image())) {
                    let branch_alone = matches!(self.before, Before::Branch(_));
                    let rest = match self.shortcut {
                        None if branch_alone => None,
                        None => Some(self.read(x, &mut scratch)),
                        Some(weights) => {
                            let a = if branch_alone { x } else { self.read(x, &mut scratch) };
                            let a = self.subsample(a, &mut picked);
                            let columns = e.len() / out.channels;
                            let result = &mut result[..e.len()];
                            let [m, k] = [out.channels, map.channels];
                            matmul(
                                [m, k, columns],
                                (weights, Strides::rows(k)),
                                (a, Strides::rows(columns)),
                                result,
                                false,
                            );
                            Some(&*result)
                        }
                    };
                    let n = out.plane();
                    for (i, ((place, c, e), y)) in planes(e, out).zip(y.chunks_exact_mut(n)).enumerate() {
                        let rest = rest.map_or_else(|| &x[i * n..][..n], |rest| &rest[place..][..n]);
                        add(&mut sums[c], plane::affine_add_moments(e, norm.scale[c], norm.bias[c], rest, y));
                    }
                }
                sums
            })
            .collect();
        Statistics::from_sums(&total(parts, out.channels), out)
    }
}
