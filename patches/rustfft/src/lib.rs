//! Takes the place of the crate `rustfft` below tract, which computes the operators DFT and STFT with it.
//!
//! No image classifier has such an operator, but the crate's planner, butterflies and vector forms were a twelfth of
//! what a visitor of the page downloads. This is the same interface, as far as tract uses it, over the definition of the
//! transform: n^2 multiplications instead of n log n.

use num_complex::Complex;
use num_traits::{FromPrimitive, Signed};
use std::f64::consts::TAU;
use std::fmt::Debug;
use std::marker::PhantomData;

pub use num_complex;
pub use num_traits;

/// Numbers that can be transformed: `f32` and `f64`.
pub trait FftNum: Copy + FromPrimitive + Signed + Sync + Send + Debug + 'static {}

impl<T: Copy + FromPrimitive + Signed + Sync + Send + Debug + 'static> FftNum for T {}

/// The sign of the exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FftDirection {
    /// `exp(-2 pi i j k / n)`
    Forward,
    /// `exp(2 pi i j k / n)`, without a division by `n`
    Inverse,
}

/// Makes transforms.
#[derive(Clone, Debug, Default)]
pub struct FftPlanner<T> {
    number: PhantomData<T>,
}

impl<T: FftNum> FftPlanner<T> {
    /// One that has planned nothing yet.
    pub fn new() -> Self {
        Self { number: PhantomData }
    }

    /// A transform of that length.
    pub fn plan_fft(&mut self, length: usize, direction: FftDirection) -> Fft<T> {
        Fft::new(length, direction)
    }

    /// A forward transform of that length.
    pub fn plan_fft_forward(&mut self, length: usize) -> Fft<T> {
        Fft::new(length, FftDirection::Forward)
    }
}

/// A transform of one length.
#[derive(Clone, Debug)]
pub struct Fft<T> {
    /// The powers of the root of unity, `exp(+-2 pi i k / n)` for `k` from 0 to `n - 1`.
    roots: Vec<Complex<T>>,
}

impl<T: FftNum> Fft<T> {
    fn new(length: usize, direction: FftDirection) -> Self {
        let turn = match direction {
            FftDirection::Forward => -TAU / length as f64,
            FftDirection::Inverse => TAU / length as f64,
        };
        let number = |value: f64| T::from_f64(value).unwrap_or_else(T::zero);
        let root = |k: usize| {
            let (sine, cosine) = (turn * k as f64).sin_cos();
            Complex::new(number(cosine), number(sine))
        };
        Self { roots: (0..length).map(root).collect() }
    }

    /// Replaces each whole run of the transform's length in `buffer` by its transform,
    /// `sum over j of x[j] exp(-+2 pi i j k / n)`.
    pub fn process(&self, buffer: &mut [Complex<T>]) {
        let length = self.roots.len();
        if length == 0 {
            return;
        }
        for run in buffer.chunks_exact_mut(length) {
            let values = run.to_vec();
            for (k, out) in run.iter_mut().enumerate() {
                let zero = Complex::new(T::zero(), T::zero());
                let turned = values.iter().enumerate().map(|(j, &value)| value * self.roots[j * k % length]);
                *out = turned.fold(zero, |sum, term| sum + term);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transformed(values: &[(f32, f32)], direction: FftDirection) -> Vec<Complex<f32>> {
        let mut buffer: Vec<_> = values.iter().map(|&(re, im)| Complex::new(re, im)).collect();
        FftPlanner::new().plan_fft(values.len(), direction).process(&mut buffer);
        buffer
    }

    fn assert_near(given: &[Complex<f32>], wanted: &[(f32, f32)]) {
        assert_eq!(given.len(), wanted.len());
        for (a, &(re, im)) in given.iter().zip(wanted) {
            assert!((a.re - re).abs() < 1e-5 && (a.im - im).abs() < 1e-5, "{given:?} instead of {wanted:?}");
        }
    }

    #[test]
    fn an_impulse_has_all_frequencies_and_one_turn_has_one() {
        assert_near(&transformed(&[(1.0, 0.0), (0.0, 0.0), (0.0, 0.0)], FftDirection::Forward), &[(1.0, 0.0); 3]);
        let turn = [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)];
        assert_near(&transformed(&turn, FftDirection::Forward), &[(0.0, 0.0), (4.0, 0.0), (0.0, 0.0), (0.0, 0.0)]);
        assert_near(&transformed(&turn, FftDirection::Inverse), &[(0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (4.0, 0.0)]);
    }

    #[test]
    fn there_and_back_is_n_times_the_values() {
        let values = [(0.5, -1.0), (2.0, 0.25), (-3.0, 0.0), (0.0, 4.0), (1.0, 1.0)];
        let mut buffer = transformed(&values, FftDirection::Forward);
        FftPlanner::new().plan_fft(5, FftDirection::Inverse).process(&mut buffer);
        assert_near(&buffer, &values.map(|(re, im)| (5.0 * re, 5.0 * im)));
    }

    #[test]
    fn every_whole_run_is_transformed_alone() {
        let mut buffer = [1.0, 2.0, 5.0, 7.0, 9.0].map(|re| Complex::new(re, 0.0));
        FftPlanner::<f64>::new().plan_fft_forward(2).process(&mut buffer);
        assert_eq!(buffer.map(|c| c.re), [3.0, -1.0, 12.0, -2.0, 9.0]);
    }
}
