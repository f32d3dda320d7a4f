//! From pictures in memory to one row of a batch: windows, colours, mirrored, normalised, erased.

mod colour;
mod mix;
mod policy;
mod shrink;
mod warp;

pub use mix::Mixed;
pub(crate) use mix::mix;

use crate::random::{Purpose, stream};
use crate::recipe::{Augment, Data, Erasing, ResizedCrop};
use fast_image_resize::Resizer;
use rand::{Rng, RngExt};
use warp::Affine;

/// Brings bytes to the network's scale: `(byte / 255 - mean) / deviation`, per colour.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalise {
    // A look-up table by colour and byte: nothing to compute per pixel.
    table: Box<[[f32; 256]; 3]>,
    mean: [f32; 3],
    deviation: [f32; 3],
}

impl Normalise {
    /// From the mean and deviation of red, green and blue in [0, 1]; the mean is rounded to a whole byte, since the
    /// deployed stem computes in whole numbers.
    pub fn new(mean: [f32; 3], deviation: [f32; 3]) -> Self {
        let mean = mean.map(whole_pixel);
        let row = |c: usize| std::array::from_fn(|byte| (byte as f32 / 255.0 - mean[c]) / deviation[c]);
        Self { table: Box::new([row(0), row(1), row(2)]), mean, deviation }
    }

    /// The bytes, `[row][column][red, green, blue]`, that were brought to these planes, `[red, green, blue][row][column]`.
    pub(crate) fn bytes(&self, planes: &[f32]) -> Vec<u8> {
        let area = planes.len() / 3;
        let byte =
            |at: usize, c: usize| ((planes[c * area + at] * self.deviation[c] + self.mean[c]) * 255.0).round() as u8;
        (0..area).flat_map(|at| [0, 1, 2].map(|c| byte(at, c))).collect()
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
/// [column]`: as it is, or padded by `padding` pixels of the mean colour, cut out and mirrored.
///
/// The mean colour is 0 to the network, what its convolutions pad with themselves: the whole pictures that it will meet look
/// like those it was trained on. Black bars do not (docs/experiments.md).
pub fn write(picture: &[u8], side: usize, draw: Option<(Draw, usize)>, normalise: &Normalise, target: &mut [f32]) {
    let Some((draw, padding)) = draw else {
        for (at, pixel) in picture.chunks_exact(3).enumerate() {
            normalise.write(pixel, target, at);
        }
        return;
    };
    for y in 0..side {
        // Row and column in the picture are these less the padding; outside of it is the mean.
        let row = (y + draw.top).checked_sub(padding).filter(|&row| row < side);
        for x in 0..side {
            let from = if draw.flip { side - 1 - x } else { x };
            let column = (from + draw.left).checked_sub(padding).filter(|&column| column < side);
            let at = y * side + x;
            match (row, column) {
                (Some(row), Some(column)) => normalise.write(&picture[(row * side + column) * 3..][..3], target, at),
                _ => (0..3).for_each(|colour| target[colour * side * side + at] = 0.0),
            }
        }
    }
}

/// Makes training pictures; keeps what memory that takes from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Studio {
    pixels: Vec<u8>,
    spare: Vec<u8>,
    full: Vec<f32>,
    resizer: Resizer,
}

impl Studio {
    /// Writes picture `index` as `epoch` shows it into a batch, shrunk to the side that stands with `target`: a function of the
    /// arguments alone.
    pub(crate) fn write(
        &mut self,
        picture: &[u8],
        side: usize,
        augment: &Augment,
        (seed, epoch, index): (u64, u32, u32),
        normalise: &Normalise,
        (target, target_side): (&mut [f32], usize),
    ) {
        let mut full = std::mem::take(&mut self.full);
        let shrunk = target_side != side;
        full.resize(if shrunk { 3 * side * side } else { 0 }, 0.0);
        let made = if shrunk { &mut full[..] } else { &mut *target };
        let draw = Some((Draw::new(augment, seed, epoch, index), augment.crop_padding));
        // Numbers of their own: a recipe without all this sees the windows that it always saw.
        let mut random = stream(seed, Purpose::Enrich, epoch, index.into());
        let enriched = self.enrich(picture, side, augment, &mut random);
        write(enriched, side, draw, normalise, made);
        if let Some(erasing) = augment.erasing {
            erase(made, side, &erasing, &mut random);
        }
        if shrunk {
            shrink::planes(&full, side, target, target_side, &mut self.resizer);
        }
        self.full = full;
    }

    /// The picture cut out anew, its colours changed; the picture itself where the recipe asks for none of it.
    fn enrich<'a>(&'a mut self, picture: &'a [u8], side: usize, augment: &Augment, random: &mut impl Rng) -> &'a [u8] {
        if (augment.resized_crop, augment.colour_jitter, augment.rand_augment) == (None, None, None) {
            return picture;
        }
        self.pixels.clear();
        self.pixels.extend_from_slice(picture);
        if let Some(crop) = augment.resized_crop {
            window(&crop, side, random).apply(picture, side, &mut self.pixels);
        }
        if let Some(jitter) = augment.colour_jitter {
            colour::jitter(&mut self.pixels, side, &jitter, random);
        }
        if let Some(policy) = augment.rand_augment {
            policy::apply(&mut self.pixels, &mut self.spare, side, &policy, random);
        }
        &self.pixels
    }
}

/// A window of random area, aspect and place.
fn window(crop: &ResizedCrop, side: usize, random: &mut impl Rng) -> Affine {
    let area = random.random_range(crop.scale[0]..=crop.scale[1]);
    // Even in the logarithm, so that as many windows stand as lie.
    let aspect = random.random_range(crop.aspect[0].ln()..=crop.aspect[1].ln()).exp();
    let size = [(area * aspect).sqrt(), (area / aspect).sqrt()].map(|part| part.min(1.0) as f32 * side as f32);
    let corner = size.map(|size| random.random_range(0.0..=1.0) * (side as f32 - size));
    Affine::window(corner, size, side)
}

/// Blots a rectangle out of the three planes of a normalised picture, in which the mean colour is 0.
fn erase(target: &mut [f32], side: usize, erasing: &Erasing, random: &mut impl Rng) {
    if !random.random_bool(erasing.probability) {
        return;
    }
    let area = random.random_range(erasing.area[0]..=erasing.area[1]) * (side * side) as f64;
    let aspect = random.random_range(-1.2..=1.2f64).exp();
    let [width, height] = [area * aspect, area / aspect].map(|square| (square.sqrt().round() as usize).clamp(1, side));
    let [left, top] = [width, height].map(|size| random.random_range(0..=side - size));
    for (row, line) in target.chunks_exact_mut(side).enumerate() {
        // Lines of all three colours, one behind the other.
        if (top..top + height).contains(&(row % side)) {
            line[left..left + width].fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{ColourJitter, RandAugment};

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
    fn window_of_the_padded_picture_is_the_mean_colour_outside() {
        let corner = Draw { top: 0, left: 2, flip: false };
        let bytes_from_mean = Normalise::new([100.0 / 255.0; 3], [1.0 / 255.0; 3]);
        let mut target = vec![-1.0; 27];
        write(&numbered(), 3, Some((corner, 1)), &bytes_from_mean, &mut target);
        let red: Vec<i32> = target[..9].iter().map(|red| red.round() as i32).collect();
        assert_eq!(red, [0, 0, 0, -98, -97, 0, -88, -87, 0]);
    }

    #[test]
    fn window_in_the_middle_is_the_picture() {
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
        let augment = Augment { crop_padding: 2, flip: true, ..Augment::NONE };
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

    fn made(augment: &Augment, index: u32) -> Vec<f32> {
        let picture = crate::fixture::picture(0, 0, 16, 1);
        let mut target = vec![9.0; 3 * 256];
        Studio::default().write(&picture, 16, augment, (1, 0, index), &plain(), (&mut target, 16));
        target
    }

    #[test]
    fn nothing_asked_for_is_the_picture_itself() {
        let mut plainly = vec![9.0; 3 * 256];
        write(&crate::fixture::picture(0, 0, 16, 1), 16, None, &plain(), &mut plainly);
        assert_eq!(made(&Augment::NONE, 3), plainly);
    }

    #[test]
    fn a_smaller_side_is_the_same_picture_shrunk() {
        let picture = crate::fixture::picture(0, 0, 16, 1);
        let augment = Augment { flip: true, crop_padding: 2, ..Augment::NONE };
        let mut small = vec![9.0; 3 * 64];
        Studio::default().write(&picture, 16, &augment, (1, 0, 3), &plain(), (&mut small, 8));
        let mut wanted = vec![0.0; 3 * 64];
        shrink::planes(&made(&augment, 3), 16, &mut wanted, 8, &mut Resizer::new());
        assert_eq!(small, wanted);
    }

    #[test]
    fn each_kind_makes_other_pictures_and_the_same_ones_again() {
        let none = Augment::NONE;
        let crop = ResizedCrop { scale: [0.3, 0.8], aspect: [0.7, 1.4] };
        let jitter = ColourJitter { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 };
        for augment in [
            Augment { resized_crop: Some(crop), ..none },
            Augment { colour_jitter: Some(jitter), ..none },
            Augment { rand_augment: Some(RandAugment { operations: 4, magnitude: 9.0 }), ..none },
            Augment { erasing: Some(Erasing { probability: 1.0, area: [0.1, 0.3] }), ..none },
        ] {
            assert_eq!(made(&augment, 1), made(&augment, 1));
            assert_ne!(made(&augment, 1), made(&augment, 2), "{augment:?}");
            assert_ne!(made(&augment, 1), made(&none, 1), "{augment:?}");
        }
    }

    #[test]
    fn windows_lie_inside_the_picture_and_have_the_area_asked_for() {
        let crop = ResizedCrop { scale: [0.25, 0.5], aspect: [0.75, 1.25] };
        let mut random = stream(1, Purpose::Enrich, 0, 0);
        for _ in 0..500 {
            let Affine([[x, _, left], [_, y, top]]) = window(&crop, 64, &mut random);
            let (left, top) = (left + 0.5 - 0.5 * x, top + 0.5 - 0.5 * y);
            assert!(left >= -1e-3 && top >= -1e-3 && left + 64.0 * x <= 64.01 && top + 64.0 * y <= 64.01);
            assert!((0.249..0.501).contains(&(x * y)), "{}", x * y);
        }
    }

    #[test]
    fn erased_area_is_as_asked_for_in_all_colours() {
        let erasing = Erasing { probability: 1.0, area: [0.2, 0.2] };
        let mut random = stream(1, Purpose::Enrich, 0, 0);
        let mut areas = 0;
        for _ in 0..200 {
            let mut target = vec![1.0; 3 * 400];
            erase(&mut target, 20, &erasing, &mut random);
            let gone: Vec<usize> = target.chunks(400).map(|p| p.iter().filter(|&&v| v == 0.0).count()).collect();
            assert!(gone[0] > 0 && gone.iter().all(|&g| g == gone[0]));
            areas += gone[0];
        }
        assert!((12_000..18_000).contains(&areas), "{areas}: a fifth of 200 x 400 is 16,000");
    }
}
