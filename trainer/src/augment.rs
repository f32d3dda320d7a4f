//! From pictures in memory to one row of a batch: cut out, mirrored, normalised.

use crate::random::{Purpose, stream};
use crate::recipe::{Augment, Data};
use rand::RngExt;

/// Brings bytes to the network's scale: `(byte / 255 - mean) / deviation`, per colour.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalise {
    // A look-up table by colour and byte: nothing to compute per pixel.
    table: Box<[[f32; 256]; 3]>,
}

impl Normalise {
    /// From the mean and deviation of red, green and blue in [0, 1]; the mean is rounded to a whole byte, since the
    /// deployed stem computes in whole numbers.
    pub fn new(mean: [f32; 3], deviation: [f32; 3]) -> Self {
        let mean = mean.map(whole_pixel);
        let row = |c: usize| std::array::from_fn(|byte| (byte as f32 / 255.0 - mean[c]) / deviation[c]);
        Self { table: Box::new([row(0), row(1), row(2)]) }
    }

    /// Writes the bytes of one pixel into the three planes of a picture.
    #[inline]
    fn write(&self, pixel: &[u8], planes: &mut [f32], at: usize) {
        let plane = planes.len() / 3;
        for colour in 0..3 {
            planes[colour * plane + at] = self.table[colour][usize::from(pixel[colour])];
        }
    }
}

/// The nearest value in [0, 1] that a byte of a picture stands for.
pub fn whole_pixel(value: f32) -> f32 {
    (value * 255.0).round() / 255.0
}

impl From<&Data> for Normalise {
    fn from(data: &Data) -> Self {
        Self::new(data.mean, data.deviation)
    }
}

/// What is done to one picture in one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Row of the padded picture at which the window begins, 0 to twice the padding.
    pub top: usize,
    /// Column of the padded picture at which the window begins.
    pub left: usize,
    /// Whether the window is mirrored, left to right.
    pub flip: bool,
}

impl Draw {
    /// What is done to picture `index` in `epoch`: a function of the arguments alone.
    pub fn new(augment: &Augment, seed: u64, epoch: u32, index: u32) -> Self {
        let mut rng = stream(seed, Purpose::Augment, epoch, index.into());
        // Every number is drawn whether it is used or not: switching one kind off leaves the others as they were.
        let (top, left) =
            (rng.random_range(0..=2 * augment.crop_padding), rng.random_range(0..=2 * augment.crop_padding));
        Self { top, left, flip: rng.random_bool(0.5) && augment.flip }
    }
}

/// Writes one picture of `side` x `side`, `[row][column][red, green, blue]`, into a batch, `[red, green, blue][row]
/// [column]`: as it is, or padded by `padding` black pixels, cut out and mirrored.
pub fn write(picture: &[u8], side: usize, draw: Option<(Draw, usize)>, normalise: &Normalise, target: &mut [f32]) {
    let Some((draw, padding)) = draw else {
        for (at, pixel) in picture.chunks_exact(3).enumerate() {
            normalise.write(pixel, target, at);
        }
        return;
    };
    for y in 0..side {
        // Row and column in the picture are these less the padding; outside of it is black.
        let row = (y + draw.top).checked_sub(padding).filter(|&row| row < side);
        for x in 0..side {
            let from = if draw.flip { side - 1 - x } else { x };
            let column = (from + draw.left).checked_sub(padding).filter(|&column| column < side);
            let pixel = match (row, column) {
                (Some(row), Some(column)) => &picture[(row * side + column) * 3..][..3],
                _ => &[0; 3],
            };
            normalise.write(pixel, target, y * side + x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Leaves a byte's value as it is, over 255.
    fn plain() -> Normalise {
        Normalise::new([0.0; 3], [1.0 / 255.0; 3])
    }

    /// A 3x3 picture whose red is 10 * row + column + 1, green and blue 0.
    fn numbered() -> Vec<u8> {
        (0..3).flat_map(|row| (0..3).flat_map(move |column| [10 * row + column + 1, 0, 0])).collect()
    }

    fn red(draw: Option<(Draw, usize)>) -> Vec<i32> {
        let mut target = vec![-1.0; 27];
        write(&numbered(), 3, draw, &plain(), &mut target);
        target[..9].iter().map(|red| red.round() as i32).collect()
    }

    #[test]
    fn normalised_is_byte_less_mean_over_deviation() {
        let normalise = Normalise::new([0.0, 51.0 / 255.0, 102.0 / 255.0], [0.5, 0.2, 0.4]);
        let mut target = [0.0; 6];
        normalise.write(&[255, 255, 255], &mut target, 0);
        normalise.write(&[0, 0, 0], &mut target, 1);
        assert_eq!(target, [2.0, 0.0, 4.0, -1.0, 1.5, -1.0]);
    }

    #[test]
    fn picture_without_augmentation_passes_as_it_is() {
        assert_eq!(red(None), [1, 2, 3, 11, 12, 13, 21, 22, 23]);
    }

    #[test]
    fn window_of_the_padded_picture_is_black_outside() {
        let corner = Draw { top: 0, left: 2, flip: false };
        assert_eq!(red(Some((corner, 1))), [0, 0, 0, 2, 3, 0, 12, 13, 0]);
        let middle = Draw { top: 1, left: 1, flip: false };
        assert_eq!(red(Some((middle, 1))), red(None));
    }

    #[test]
    fn flip_mirrors_left_to_right() {
        let flip = Draw { top: 1, left: 1, flip: true };
        assert_eq!(red(Some((flip, 1))), [3, 2, 1, 13, 12, 11, 23, 22, 21]);
    }

    #[test]
    fn draws_cover_every_window_and_both_directions() {
        let augment = Augment { crop_padding: 2, flip: true };
        let draws: Vec<Draw> = (0..2000).map(|index| Draw::new(&augment, 1, 0, index)).collect();
        for position in 0..=4 {
            for flip in [false, true] {
                assert!(draws.iter().any(|d| d.top == position && d.flip == flip));
                assert!(draws.iter().any(|d| d.left == position && d.flip == flip));
            }
        }
        let flipped = draws.iter().filter(|d| d.flip).count();
        assert!((900..1100).contains(&flipped), "{flipped}");
        assert_ne!(draws[0..50], (0..50).map(|i| Draw::new(&augment, 1, 1, i)).collect::<Vec<_>>()[..]);
    }
}
