//! A map times one number, the learned range of its activation.

use super::plane;
use rayon::prelude::*;

/// Values of a task: small enough to share a map out, large enough to be worth handing over. It is fixed, so that sums do not
/// depend on the number of threads.
const TASK: usize = 1 << 16;

/// `y = factor * x`.
pub fn forward(x: &[f32], factor: f32, y: &mut [f32]) {
    y.par_chunks_mut(TASK).zip(x.par_chunks(TASK)).with_max_len(1).for_each(|(y, x)| plane::scale(x, factor, y));
}

/// Gradient of `x` into `dx`; returns that of the factor, the sum over `dy * x`.
pub fn backward(dy: &[f32], x: &[f32], factor: f32, dx: &mut [f32]) -> f32 {
    let tasks = dx.par_chunks_mut(TASK).zip(dy.par_chunks(TASK)).zip(x.par_chunks(TASK));
    let parts: Vec<f64> = tasks
        .with_max_len(1)
        .map(|((dx, dy), x)| {
            plane::scale(dy, factor, dx);
            // In pieces of a few thousand, as a sum of f32 loses what is small beside it.
            dy.chunks(1 << 12).zip(x.chunks(1 << 12)).map(|(dy, x)| plane::dot(dy, x)).sum()
        })
        .collect();
    parts.iter().sum::<f64>() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_gradients_are_those_of_plain_loops() {
        let number = |i: usize, step: usize| ((i * step) % 101) as f32 / 50.0 - 1.0;
        for len in [1, 31, TASK - 1, TASK, 2 * TASK + 77] {
            let x: Vec<f32> = (0..len).map(|i| number(i, 7)).collect();
            let dy: Vec<f32> = (0..len).map(|i| number(i, 13)).collect();
            let (mut y, mut dx) = (vec![9.0; len], vec![9.0; len]);
            forward(&x, 1.25, &mut y);
            let found = backward(&dy, &x, 1.25, &mut dx);
            assert!(y.iter().zip(&x).all(|(y, x)| *y == 1.25 * x), "{len}");
            assert!(dx.iter().zip(&dy).all(|(dx, dy)| *dx == 1.25 * dy), "{len}");
            let wanted: f64 = dy.iter().zip(&x).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
            let size: f64 = dy.iter().zip(&x).map(|(&a, &b)| f64::from(a * b).abs()).sum();
            assert!((f64::from(found) - wanted).abs() <= 1e-5 * size, "{len}: {found} instead of {wanted}");
        }
    }

    #[test]
    fn any_number_of_threads_gives_the_same_sum() {
        let x: Vec<f32> = (0..5 * TASK + 3).map(|i| (i as f32).sin()).collect();
        let sum = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| backward(&x, &x, 0.5, &mut vec![0.0; x.len()])).to_bits()
        };
        assert_eq!(sum(1), sum(4));
    }
}
