//! The active shift of one channel: bilinear reading at a displaced place (Jeon and Kim, *Constructing Fast Network
//! through Deconstruction of Convolution*, NeurIPS 2018), zero outside the picture.
//!
//! `out(y, x) = in(y * stride + dy, x * stride + dx)`. With whole-number displacements it is a copy.
//!
//! [`forward`] and [`backward`] are the plain form, for every stride. [`Window`] is the fast one for strides 1 and 2: it
//! lays the channel out with a border of zeros, so that every output row is one loop over whole registers.

use super::buffer::Buffer;
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
    /// Whole pixels below the displacement, down and right, and the parts of a pixel that remain.
    fn split(self) -> ([isize; 2], [f32; 2]) {
        // Nothing is left of a channel that far away, and the sums below cannot overflow.
        const FAR: f32 = 1e6;
        let (row, column) = (self.dy.floor().clamp(-FAR, FAR), self.dx.floor().clamp(-FAR, FAR));
        ([row as isize, column as isize], [self.dy - row, self.dx - column])
    }

    /// Upper left, upper right, lower left, lower right.
    fn taps(self) -> [Tap; 4] {
        let ([row, column], _) = self.split();
        let [w00, w01, w10, w11] = self.weights();
        let tap = |r: isize, c: isize, weight| Tap { row: row + r, column: column + c, weight };
        [tap(0, 0, w00), tap(0, 1, w01), tap(1, 0, w10), tap(1, 1, w11)]
    }

    /// Weights of the four, in that order.
    fn weights(self) -> [f32; 4] {
        let (_, [v, h]) = self.split();
        [(1.0 - v) * (1.0 - h), (1.0 - v) * h, v * (1.0 - h), v * h]
    }

    /// The gradient of the displacement from the sums over `gradient * pixel` of the four taps: the derivative of the
    /// bilinear weights; at a whole number it is the difference to the next pixel.
    fn gradient(self, [s00, s01, s10, s11]: [f64; 4]) -> [f64; 2] {
        let (_, [v, h]) = self.split();
        let (v, h) = (f64::from(v), f64::from(h));
        [(1.0 - h) * (s10 - s00) + h * (s11 - s01), (1.0 - v) * (s01 - s00) + v * (s11 - s10)]
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
    shift.gradient(sums)
}

/// The shift over maps of one size, with memory for a channel and its border.
pub struct Window {
    size: [usize; 2],
    stride: usize,
    memory: Buffer,
}

impl Window {
    /// For channels of `height` rows and `width` columns.
    pub fn new([height, width]: [usize; 2], stride: usize) -> Self {
        let len = match stride {
            1 => (height + 1) * (width + 1),
            2 => 4 * height.div_ceil(2) * width.div_ceil(2),
            _ => 0,
        };
        Self { size: [height, width], stride, memory: Buffer::take(len) }
    }

    /// Shifts one channel into `out`, which has its size divided by the stride.
    pub fn forward(&mut self, x: &[f32], shift: Displacement, out: &mut [f32]) {
        let [_, width] = self.size;
        let (whole, part) = shift.split();
        match self.stride {
            1 if part == [0.0; 2] => displace(x, self.size, whole, out, width),
            1 => {
                displace(x, self.size, whole, &mut self.memory, width + 1);
                plane::bilinear(&self.memory, width, shift.weights(), out);
            }
            2 => {
                let columns = width.div_ceil(2);
                displace(x, self.size, whole, &mut self.memory, 2 * columns);
                plane::bilinear_halved(&self.memory, columns, shift.weights(), out);
            }
            stride => forward(x, self.size, shift, stride, out),
        }
    }

    /// Writes the gradient of the channel to `dx`, and returns that of the displacement `(dy, dx)`.
    pub fn backward(&mut self, g: &[f32], x: &[f32], shift: Displacement, dx: &mut [f32]) -> [f64; 2] {
        let [height, width] = self.size;
        let (whole, _) = shift.split();
        match self.stride {
            1 => {
                displace(x, self.size, whole, &mut self.memory, width + 1);
                let sums = plane::bilinear_dots(g, &self.memory, width);
                // What was read at a displacement is given back at its negative.
                self.forward(g, Displacement { dy: -shift.dy, dx: -shift.dx }, dx);
                shift.gradient(sums)
            }
            2 => {
                let (rows, columns) = (height.div_ceil(2), width.div_ceil(2));
                displace(x, self.size, whole, &mut self.memory, 2 * columns);
                let sums = plane::bilinear_halved_backward(g, &mut self.memory, columns, shift.weights());
                displace(&self.memory, [2 * rows, 2 * columns], whole.map(|d| -d), dx, width);
                shift.gradient(sums)
            }
            stride => {
                dx.fill(0.0);
                backward(g, x, self.size, shift, stride, dx)
            }
        }
    }
}

/// Fills `out`, of `pitch` columns, with the channel from `(row, column)` on; zero where that is outside.
fn displace(x: &[f32], [height, width]: [usize; 2], [row, column]: [isize; 2], out: &mut [f32], pitch: usize) {
    let start = (-column).clamp(0, pitch as isize) as usize;
    let end = (width as isize - column).clamp(start as isize, pitch as isize) as usize;
    let first = (start as isize + column).max(0) as usize;
    for (r, out) in out.chunks_exact_mut(pitch).enumerate() {
        let source = r as isize + row;
        if source < 0 || source >= height as isize || start == end {
            out.fill(0.0);
            continue;
        }
        out[..start].fill(0.0);
        out[start..end].copy_from_slice(&x[source as usize * width + first..][..end - start]);
        out[end..].fill(0.0);
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};
    use rand::RngExt;

    fn close(got: &[f32], wanted: &[f32], what: &str) {
        for (i, (g, w)) in got.iter().zip(wanted).enumerate() {
            assert!((g - w).abs() <= 1e-5, "{what}: {g} at {i}, not {w}");
        }
    }

    /// Every size around the width of a register, whole and broken displacements, some of them beyond the channel.
    #[test]
    fn window_shifts_as_the_plain_form_does() {
        let mut rng = stream(1, Purpose::Fixture, 0, 0);
        let sizes = [[1, 1], [3, 5], [4, 4], [7, 9], [8, 8], [16, 16], [17, 33]];
        for (size, stride) in sizes.into_iter().flat_map(|size| [1, 2, 3].map(|stride| (size, stride))) {
            let mut window = Window::new(size, stride);
            let outputs = size[0].div_ceil(stride) * size[1].div_ceil(stride);
            let mut channel = || (0..size[0] * size[1]).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f32>>();
            for dy in [-5.0, -2.25, -1.0, -0.5, 0.0, 0.75, 1.0, 3.5] {
                for dx in [-20.0, -3.0, -1.25, 0.0, 0.5, 1.0, 2.75, 40.5] {
                    let (shift, x, mut g) = (Displacement { dy, dx }, channel(), channel());
                    g.truncate(outputs);
                    let what = format!("{size:?} by {shift:?}, stride {stride}");
                    let (mut got, mut wanted) = (vec![7.0; outputs], vec![0.0; outputs]);
                    window.forward(&x, shift, &mut got);
                    forward(&x, size, shift, stride, &mut wanted);
                    close(&got, &wanted, &what);
                    let (mut got, mut wanted) = (vec![7.0; x.len()], vec![0.0; x.len()]);
                    let move_got = window.backward(&g, &x, shift, &mut got);
                    let move_wanted = backward(&g, &x, size, shift, stride, &mut wanted);
                    close(&got, &wanted, &what);
                    for (got, wanted) in move_got.iter().zip(move_wanted) {
                        assert!((got - wanted).abs() <= 1e-4, "{what}: {got}, not {wanted}");
                    }
                }
            }
        }
    }
}
