//! Matrix products on slices, by the `gemm` crate, on the calling thread.

use super::buffer::Buffer;
use super::outer::add_outer;
use super::{one_by_one, side_by_side};

/// A matrix in a slice: element `(i, j)` is at `i * row + j * column`.
#[derive(Clone, Copy)]
pub(super) struct Strides {
    pub(super) row: usize,
    pub(super) column: usize,
}

impl Strides {
    /// Rows one after the other, each of that many columns.
    pub(super) fn rows(columns: usize) -> Self {
        Self { row: columns, column: 1 }
    }

    /// The transpose.
    pub(super) fn t(self) -> Self {
        Self { row: self.column, column: self.row }
    }

    fn reach(self, rows: usize, columns: usize) -> usize {
        (rows - 1) * self.row + (columns - 1) * self.column + 1
    }
}

/// `c = a b`, or `c += a b`; a is `[m][k]`, b `[k][n]`, c `[m][n]` with rows one after the other.
///
/// # Panics
/// Where a slice is too short for its shape.
pub(super) fn matmul(
    [m, k, n]: [usize; 3],
    (a, a_strides): (&[f32], Strides),
    (b, b_strides): (&[f32], Strides),
    c: &mut [f32],
    accumulate: bool,
) {
    assert!(m > 0 && k > 0 && n > 0, "a matrix product of {m}x{k}x{n}");
    assert!(a_strides.reach(m, k) <= a.len() && b_strides.reach(k, n) <= b.len() && m * n <= c.len());
    // SAFETY: the assertion above keeps every element the product touches inside its slice, and c does not overlap
    // a or b since it is borrowed mutably.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            n as isize,
            accumulate,
            a.as_ptr(),
            a_strides.column as isize,
            a_strides.row as isize,
            b.as_ptr(),
            b_strides.column as isize,
            b_strides.row as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// The three products of a 1x1 convolution over a few pictures, `[picture][channel][pixel]`, and the memory to put small
/// ones side by side.
pub(super) struct Products {
    inputs: usize,
    outputs: usize,
    plane: usize,
    input: Buffer,
    output: Buffer,
}

impl Products {
    /// For products of up to that many pictures.
    pub(super) fn new([outputs, inputs, plane]: [usize; 3], pictures: usize) -> Self {
        let len = |channels| if pictures > 1 { pictures * channels * plane } else { 0 };
        Self { inputs, outputs, plane, input: Buffer::take(len(inputs)), output: Buffer::take(len(outputs)) }
    }

    /// `y = w u`.
    pub(super) fn forward(&mut self, w: &[f32], u: &[f32], y: &mut [f32]) {
        let columns = u.len() / self.inputs;
        let [m, k] = [self.outputs, self.inputs];
        if columns == self.plane {
            return matmul([m, k, columns], (w, Strides::rows(k)), (u, Strides::rows(columns)), y, false);
        }
        let (input, output) = (&mut self.input[..u.len()], &mut self.output[..m * columns]);
        side_by_side(u, k, self.plane, input);
        matmul([m, k, columns], (w, Strides::rows(k)), (input, Strides::rows(columns)), output, false);
        one_by_one(output, m, self.plane, y);
    }

    /// `dw += dy u^T` and `du = w^T dy`.
    pub(super) fn backward(&mut self, w: &[f32], u: &[f32], dy: &[f32], dw: &mut [f32], du: &mut [f32]) {
        let columns = u.len() / self.inputs;
        let [m, k] = [self.outputs, self.inputs];
        let (rows, weights) = (Strides::rows(columns), (w, Strides::rows(k).t()));
        if columns == self.plane {
            add_outer([m, columns, k], dy, u, dw);
            return matmul([k, m, columns], weights, (dy, rows), du, false);
        }
        let (input, output) = (&mut self.input[..u.len()], &mut self.output[..m * columns]);
        side_by_side(u, k, self.plane, input);
        side_by_side(dy, m, self.plane, output);
        add_outer([m, columns, k], output, input, dw);
        // The activations are not needed any more: their place takes the gradient.
        matmul([k, m, columns], weights, (output, rows), input, false);
        one_by_one(input, k, self.plane, du);
    }
}
