//! Labelled pictures for tests: drawn by rule, different every time, learnable by a tiny network in seconds.
//!
//! The four classes are a disc, a square, a cross and stripes, each in a range of colours of its own on a dark ground,
//! at a random place and size, under noise.

use crate::data::Pictures;
use crate::error::{Error, ErrorKind};
use crate::random::{Purpose, stream};
use image::{ImageFormat, RgbImage};
use rand::RngExt;
use std::path::Path;

/// Names of the classes, in the order of their labels.
pub const CLASSES: [&str; 4] = ["cross", "disc", "square", "stripes"];

/// Draws picture `index` of a class: `[row][column][red, green, blue]`, `side` x `side`.
pub fn picture(class: usize, index: u32, side: usize, seed: u64) -> Vec<u8> {
    let mut rng = stream(seed, Purpose::Fixture, class as u32, index.into());
    let mut range = |low: f32, high: f32| low + (high - low) * rng.random::<f32>();
    let size = side as f32;
    let (cy, cx, radius) = (range(0.4, 0.6) * size, range(0.4, 0.6) * size, range(0.22, 0.34) * size);
    let (period, phase) = (range(0.18, 0.26) * size, range(0.0, 1.0));
    let ground = [range(10.0, 90.0), range(10.0, 90.0), range(10.0, 90.0)];
    // One strong colour each; stripes are pale.
    let colour = match CLASSES[class] {
        "cross" => [range(170.0, 250.0), range(60.0, 140.0), range(30.0, 110.0)],
        "disc" => [range(30.0, 110.0), range(170.0, 250.0), range(60.0, 140.0)],
        "square" => [range(60.0, 140.0), range(30.0, 110.0), range(170.0, 250.0)],
        _ => [range(170.0, 250.0), range(170.0, 250.0), range(150.0, 230.0)],
    };
    let mut pixels = Vec::with_capacity(side * side * 3);
    for y in 0..side {
        for x in 0..side {
            let (dy, dx) = (y as f32 + 0.5 - cy, x as f32 + 0.5 - cx);
            let inside = match CLASSES[class] {
                "cross" => dy.abs().max(dx.abs()) < 1.2 * radius && dy.abs().min(dx.abs()) < 0.35 * radius,
                "disc" => dy * dy + dx * dx < radius * radius,
                "square" => dy.abs().max(dx.abs()) < 0.9 * radius,
                _ => (y as f32 / period + phase).fract() < 0.5,
            };
            for c in 0..3 {
                let value = if inside { colour[c] } else { ground[c] } + range(-20.0, 20.0);
                pixels.push(value.round().clamp(0.0, 255.0) as u8);
            }
        }
    }
    pixels
}

/// Draws `per_class` pictures of each class, class after class, the first of them at `from`.
pub fn pictures(per_class: u32, from: u32, side: usize, seed: u64) -> Pictures {
    let each = || (0..CLASSES.len()).flat_map(|class| (from..from + per_class).map(move |index| (class, index)));
    Pictures {
        side,
        pixels: each().flat_map(|(class, index)| picture(class, index, side, seed)).collect(),
        labels: each().map(|(class, _)| class as u16).collect(),
        classes: CLASSES.map(str::to_owned).to_vec(),
    }
}

/// How many pictures [`write()`] draws, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Pictures of each class in `train`.
    pub train: u32,
    /// Pictures of each class in `test`.
    pub test: u32,
    /// Height and width in pixels.
    pub side: usize,
    /// Seed of everything drawn.
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self { train: 100, test: 50, side: 32, seed: 1 }
    }
}

/// Writes `train/CLASS/*` and `test/CLASS/*` into `folder`, PNG and JPEG by turns. No picture is in both splits.
///
/// # Errors
/// [`ErrorKind::Internal`] where a file cannot be written, [`ErrorKind::Recipe`] where `folder` is there already and not
/// empty.
pub fn write(folder: &Path, plan: Plan) -> Result<(), Error> {
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::recipe(format!("{} is not empty: name a new folder", folder.display())));
    }
    for (split, indices) in [("train", 0..plan.train), ("test", plan.train..plan.train + plan.test)] {
        for (class, name) in CLASSES.iter().enumerate() {
            let folder = folder.join(split).join(name);
            std::fs::create_dir_all(&folder).map_err(|e| failed(&folder, &e))?;
            for index in indices.clone() {
                let pixels = picture(class, index, plan.side, plan.seed);
                let image = RgbImage::from_raw(plan.side as u32, plan.side as u32, pixels)
                    .ok_or_else(|| Error::recipe(format!("no pictures of side {}", plan.side)))?;
                let (format, extension) =
                    if index % 2 == 0 { (ImageFormat::Png, "png") } else { (ImageFormat::Jpeg, "jpg") };
                let path = folder.join(format!("{index:05}.{extension}"));
                image.save_with_format(&path, format).map_err(|e| failed(&path, &e))?;
            }
        }
    }
    Ok(())
}

fn failed(path: &Path, error: &dyn std::error::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("{} cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_a_function_of_the_seed_and_no_two_are_alike() {
        let all = pictures(20, 0, 16, 1);
        assert_eq!(all, pictures(20, 0, 16, 1));
        let mut distinct: Vec<&[u8]> = (0..all.len()).map(|i| all.picture(i)).collect();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 80);
        assert_ne!(all.pixels, pictures(20, 0, 16, 2).pixels);
    }

    #[test]
    fn written_pictures_are_those_drawn() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), Plan { train: 2, test: 1, side: 32, seed: 5 }).unwrap();
        let png = std::fs::read(folder.path().join("train/disc/00000.png")).unwrap();
        assert_eq!(crate::data::decode(&png, 32).unwrap(), picture(1, 0, 32, 5));
        let jpeg = std::fs::read(folder.path().join("train/disc/00001.jpg")).unwrap();
        let (read, drawn) = (crate::data::decode(&jpeg, 32).unwrap(), picture(1, 1, 32, 5));
        let difference: i32 = read.iter().zip(&drawn).map(|(&a, &b)| (i32::from(a) - i32::from(b)).abs()).sum();
        assert!(difference < 32 * 32 * 3 * 20, "{difference}");
        assert!(folder.path().join("test/stripes/00002.png").is_file());
        assert!(write(folder.path(), Plan::default()).unwrap_err().to_string().contains("not empty"));
    }
}
