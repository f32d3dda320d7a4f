//! A whole block with batch statistics, forward and backward.
//!
//! The parts of [`super::pointwise`], [`super::shifted`] and [`super::join`] in one, and equal to them. A map of the
//! wide channels is larger than any cache, so what counts is how often one is read or written: BatchNorm's statistics
//! are taken while a product's result is in cache, the shortcut's product is never stored, and the gradients between the
//! parts of the block exist for a few pictures at a time.

mod backward;
mod forward;

pub use backward::{Gradients, WeightGradients, backward};
pub use forward::{Taken, forward};

use super::matmul::{Strides, matmul};
use super::norm::{Norm, add};
use super::shift::{Displacement, Window};
use super::{Levels, Map, images_per_product, images_per_task, one_by_one, plane, side_by_side};

/// What stands before the first convolution.
#[derive(Clone, Copy, Debug)]
pub enum Before<'a> {
    /// Nothing: the input is an activation.
    Nothing,
    /// BatchNorm, clip, rounding on the way into the branch; the shortcut takes the input as it is.
    Branch(&'a Norm),
    /// BatchNorm, clip, rounding on the way into branch and shortcut: what closes the group before.
    Both(&'a Norm),
}

impl Before<'_> {
    fn norm(&self) -> Option<&Norm> {
        match self {
            Self::Nothing => None,
            Self::Branch(norm) | Self::Both(norm) => Some(norm),
        }
    }
}

/// What a block is made of, apart from its BatchNorms.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Shape of its input.
    pub map: Map,
    /// What stands before the first convolution.
    pub before: Before<'a>,
    /// `[width][input]`.
    pub reduce: &'a [f32],
    /// One displacement for each of the channels between the convolutions.
    pub shifts: &'a [Displacement],
    /// `[output][width]`.
    pub expand: &'a [f32],
    /// `[output][input]`; none where the shortcut is the identity.
    pub shortcut: Option<&'a [f32]>,
    /// Stride of shift and shortcut.
    pub stride: usize,
    /// Rounding of the activations.
    pub levels: Levels,
}

impl Block<'_> {
    /// Shape of the map between the convolutions, before the shift.
    pub fn middle(&self) -> Map {
        self.map.with_channels(self.shifts.len())
    }

    /// Shape of the output.
    pub fn output(&self) -> Map {
        self.middle().strided(self.stride).with_channels(self.expand.len() / self.shifts.len())
    }
}

/// Gamma and beta of a BatchNorm.
pub type Affine<'a> = (&'a [f32], &'a [f32]);

impl Block<'_> {
    /// Pictures of a task, and of a product over maps of that shape.
    fn portions(&self, map: Map) -> [usize; 2] {
        [images_per_task(map), images_per_product(map)]
    }

    /// What the first convolution reads of a few pictures, side by side.
    fn read<'a>(&self, x: &'a [f32], scratch: &'a mut [f32]) -> &'a [f32] {
        let map = self.map;
        match self.before.norm() {
            None if x.len() == map.image() => x,
            None => {
                let scratch = &mut scratch[..x.len()];
                side_by_side(x, map.channels, map.plane(), scratch);
                scratch
            }
            Some(norm) => {
                let scratch = &mut scratch[..x.len()];
                for (place, c, x) in planes(x, map) {
                    plane::activate(x, norm.scale[c], norm.bias[c], self.levels, &mut scratch[place..][..x.len()]);
                }
                scratch
            }
        }
    }

    /// Activates and shifts a few pictures: the activations into `a`, picture by picture, the shifted ones into `u`, side
    /// by side.
    fn shift(&self, r: &[f32], norm: &Norm, window: &mut Window, a: &mut [f32], u: &mut [f32]) {
        let (map, n) = (self.middle(), self.output().plane());
        let columns = r.len() / map.image() * n;
        for (i, (r, a)) in r.chunks_exact(map.plane()).zip(a.chunks_exact_mut(map.plane())).enumerate() {
            let (image, c) = (i / map.channels, i % map.channels);
            plane::activate(r, norm.scale[c], norm.bias[c], self.levels, a);
            window.forward(a, self.shifts[c], &mut u[c * columns + image * n..][..n]);
        }
    }

    /// What the shortcut's product reads: every `stride`-th pixel of what [`Self::read`] gave.
    fn subsample<'a>(&self, a: &'a [f32], scratch: &'a mut [f32]) -> &'a [f32] {
        if self.stride == 1 {
            return a;
        }
        let (map, out) = (self.map, self.output());
        let scratch = &mut scratch[..a.len() / map.plane() * out.plane()];
        for (a, out) in a.chunks_exact(map.plane()).zip(scratch.chunks_exact_mut(out.plane())) {
            plane::subsample(a, map.width, self.stride, out);
        }
        scratch
    }
}

/// `y = w u`, u side by side, y picture by picture; `result` is memory for a product of several pictures.
fn product(w: &[f32], u: &[f32], out: Map, result: &mut [f32], y: &mut [f32]) {
    let (m, columns) = (out.channels, y.len() / out.channels);
    let k = w.len() / m;
    let (w, u) = ((w, Strides::rows(k)), (u, Strides::rows(columns)));
    if columns == out.plane() {
        return matmul([m, k, columns], w, u, y, false);
    }
    let result = &mut result[..y.len()];
    matmul([m, k, columns], w, u, result, false);
    one_by_one(result, m, out.plane(), y);
}

/// Adds the sums over each channel of a few pictures.
fn take_moments(x: &[f32], map: Map, sums: &mut [[f64; 2]]) {
    for (_, c, x) in planes(x, map) {
        add(&mut sums[c], plane::moments(x));
    }
}

/// The channels of a few pictures: where each lies when they are put side by side, its number, its pixels.
fn planes(x: &[f32], map: Map) -> impl Iterator<Item = (usize, usize, &[f32])> {
    let (n, columns) = (map.plane(), x.len() / map.channels);
    x.chunks_exact(n).enumerate().map(move |(i, x)| {
        let (image, c) = (i / map.channels, i % map.channels);
        (c * columns + image * n, c, x)
    })
}
