//! Global average pooling: the mean of each channel of each picture.

use super::{Map, images_per_task, plane};
use rayon::prelude::*;

/// Means into `y`, `[images][channels]`.
pub fn forward(x: &[f32], map: Map, y: &mut [f32]) {
    let (images, n) = (images_per_task(map), map.plane());
    let tasks = y.par_chunks_mut(images * map.channels).zip(x.par_chunks(images * map.image()));
    tasks.with_max_len(1).for_each(|(y, x)| {
        for (y, x) in y.iter_mut().zip(x.chunks_exact(n)) {
            *y = plane::sum(x) * (1.0 / n as f32);
        }
    });
}

/// Gradient of `x` into `dx`: each mean's gradient in equal parts on its pixels.
pub fn backward(dy: &[f32], map: Map, dx: &mut [f32]) {
    let (images, n) = (images_per_task(map), map.plane());
    let tasks = dx.par_chunks_mut(images * map.image()).zip(dy.par_chunks(images * map.channels));
    tasks.with_max_len(1).for_each(|(dx, dy)| {
        for (dx, dy) in dx.chunks_exact_mut(n).zip(dy) {
            dx.fill(dy * (1.0 / n as f32));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_their_gradients_are_those_of_plain_loops() {
        for (images, channels, height, width) in [(1, 1, 1, 1), (3, 5, 4, 4), (70, 3, 7, 5), (2, 4, 16, 16)] {
            let map = Map { images, channels, height, width };
            let number = |i: usize, step: usize| ((i * step) % 101) as f32 / 50.0 - 1.0;
            let x: Vec<f32> = (0..map.len()).map(|i| number(i, 7)).collect();
            let dy: Vec<f32> = (0..images * channels).map(|i| number(i, 13)).collect();
            let (mut y, mut dx) = (vec![9.0; dy.len()], vec![9.0; x.len()]);
            forward(&x, map, &mut y);
            backward(&dy, map, &mut dx);
            for (i, plane) in x.chunks_exact(map.plane()).enumerate() {
                let wanted = plane.iter().map(|&x| f64::from(x)).sum::<f64>() / map.plane() as f64;
                assert!((f64::from(y[i]) - wanted).abs() < 1e-6, "{map:?}: {} instead of {wanted}", y[i]);
                let wanted = f64::from(dy[i]) / map.plane() as f64;
                let parts = &dx[i * map.plane()..][..map.plane()];
                assert!(parts.iter().all(|&dx| (f64::from(dx) - wanted).abs() < 1e-6), "{map:?}: {parts:?}");
            }
        }
    }
}
