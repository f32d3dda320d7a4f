//! The active shift of one channel: bilinear reading at a displaced place (Jeon and Kim, *Constructing Fast Network
//! through Deconstruction of Convolution*, NeurIPS 2018), zero outside the picture.
//!
//! `out(y, x) = in(y * stride + dy, x * stride + dx)`. With whole-number displacements it is a copy.

use super::plane;
use std::ops::Range;

/// A displacement in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Displacement {
    /// Down.
    pub dy: f32,
    /// Right.
    pub dx: f32,
}

/// One of the four pixels a bilinear reading mixes.
struct Tap {
    row: isize,
    column: isize,
    weight: f32,
}

impl Displacement {
    /// Upper left, upper right, lower left, lower right.
    fn taps(self) -> [Tap; 4] {
        let (row, column) = (self.dy.floor(), self.dx.floor());
        let (v, h) = (self.dy - row, self.dx - column);
        let tap = |r: isize, c: isize, weight| Tap { row: row as isize + r, column: column as isize + c, weight };
        [tap(0, 0, (1.0 - v) * (1.0 - h)), tap(0, 1, (1.0 - v) * h), tap(1, 0, v * (1.0 - h)), tap(1, 1, v * h)]
    }
}

/// Output positions `p` for which `p * stride + offset` lies inside `0..size`.
fn inside(offset: isize, stride: usize, size: usize) -> Range<usize> {
    let outputs = size.div_ceil(stride) as isize;
    let stride = stride as isize;
    let first = if offset < 0 { (-offset + stride - 1) / stride } else { 0 };
    let end = ((size as isize - 1 - offset).div_euclid(stride) + 1).clamp(0, outputs);
    first.min(end) as usize..end as usize
}

/// Shifts one channel of `height` rows and `width` columns into `out`.
pub fn forward(x: &[f32], [height, width]: [usize; 2], shift: Displacement, stride: usize, out: &mut [f32]) {
    let out_width = width.div_ceil(stride);
    out.fill(0.0);
    for tap in shift.taps().iter().filter(|t| t.weight != 0.0) {
        each_row(tap, [height, width], stride, |row, columns, input| {
            let out = &mut out[row * out_width..][columns.clone()];
            if stride == 1 {
                plane::add_scaled(tap.weight, &x[input..][..columns.len()], out);
            } else {
                for (out, x) in out.iter_mut().zip(x[input..].iter().step_by(stride)) {
                    *out += tap.weight * x;
                }
            }
        });
    }
}

/// Adds to `dx` the gradient of the channel, and returns that of the displacement `(dy, dx)`.
pub fn backward(
    g: &[f32],
    x: &[f32],
    [height, width]: [usize; 2],
    shift: Displacement,
    stride: usize,
    dx: &mut [f32],
) -> [f64; 2] {
    let out_width = width.div_ceil(stride);
    let mut sums = [0.0; 4];
    for (tap, sum) in shift.taps().iter().zip(&mut sums) {
        each_row(tap, [height, width], stride, |row, columns, input| {
            let g = &g[row * out_width..][columns.clone()];
            if stride == 1 {
                *sum += plane::dot(g, &x[input..][..columns.len()]);
                if tap.weight != 0.0 {
                    plane::add_scaled(tap.weight, g, &mut dx[input..][..columns.len()]);
                }
            } else {
                for (g, (x, dx)) in
                    g.iter().zip(x[input..].iter().step_by(stride).zip(dx[input..].iter_mut().step_by(stride)))
                {
                    *sum += f64::from(g * x);
                    *dx += tap.weight * g;
                }
            }
        });
    }
    // The derivative of the four bilinear weights; at a whole number it is the difference to the next pixel.
    let (v, h) = (f64::from(shift.dy - shift.dy.floor()), f64::from(shift.dx - shift.dx.floor()));
    let [s00, s01, s10, s11] = sums;
    [(1.0 - h) * (s10 - s00) + h * (s11 - s01), (1.0 - v) * (s01 - s00) + v * (s11 - s10)]
}

/// Calls with the output row, its columns, and the index of the input pixel under the first of them.
fn each_row(tap: &Tap, [height, width]: [usize; 2], stride: usize, mut f: impl FnMut(usize, &Range<usize>, usize)) {
    let columns = inside(tap.column, stride, width);
    if columns.is_empty() {
        return;
    }
    let first = (columns.start * stride) as isize + tap.column;
    for row in inside(tap.row, stride, height) {
        let input = ((row * stride) as isize + tap.row) * width as isize + first;
        f(row, &columns, input as usize);
    }
}
