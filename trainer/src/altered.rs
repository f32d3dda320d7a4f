//! Training pictures as the epochs of a run will show them, for a teacher in another program.

use crate::augment::{Normalise, Studio};
use crate::data::{Dataset, write_labels, write_pixels};
use crate::error::Error;
use crate::recipe::{Augment, Recipe};
use std::path::Path;

/// Writes into a folder, which is made where it is not there: `pictures.npy` (uint8, `[epochs, pictures, rows, columns, 3]`, at full
/// size, before any are mixed), `labels.npy` (uint16, `[pictures]`) and `classes.txt`. Pictures are those that are
/// learned from, ascending, in every epoch; those without a label have the label 65535. Returns the number of epochs.
///
/// # Errors
/// [`Storage`](crate::ErrorKind::Storage) where a file cannot be written.
pub fn write_altered(folder: &Path, recipe: &Recipe, dataset: &Dataset) -> Result<u64, Error> {
    let (train, learned) = (&dataset.train, dataset.learned());
    let epochs: Vec<Augment> = recipe
        .stages
        .iter()
        .flat_map(|stage| std::iter::repeat_n(stage.augment.unwrap_or(recipe.augment), stage.epochs as usize))
        .collect();
    let side = train.side;
    let normalise = Normalise::from(&recipe.data);
    let mut studio = Studio::default();
    let mut planes = vec![0.0; 3 * side * side];
    let shown =
        (0..).zip(&epochs).flat_map(|(epoch, augment)| learned.iter().map(move |&index| (epoch, augment, index)));
    let bytes = shown.flat_map(|(epoch, augment, index)| {
        let (picture, draw) = (train.picture(index as usize), (recipe.seed, epoch, index));
        studio.write(picture, side, augment, draw, &normalise, (&mut planes, side));
        normalise.bytes(&planes)
    });
    let (count, side) = (learned.len() as u64, side as u64);
    write_pixels(folder, &[epochs.len() as u64, count, side, side, 3], bytes)?;
    write_labels(folder, train, &learned)?;
    Ok(epochs.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batches::Batches;
    use crate::fixture;
    use npyz::NpyFile;
    use std::sync::Arc;

    #[test]
    fn an_epoch_is_written_as_the_run_shows_it() {
        let more = "flip = true\ncolour_jitter = { brightness = 0.3 }";
        let text = include_str!("../tests/fixture/shapes.toml").replacen("flip = true", more, 1);
        let recipe = Recipe::parse(&text, "shapes.toml").unwrap();
        let train = Arc::new(fixture::pictures(4, 0, 32, 1));
        let training: Vec<u32> = (1..train.len() as u32).collect();
        let dataset =
            Dataset { test: Arc::clone(&train), validation: vec![0], training, unlabelled: Vec::new(), train };
        let place = tempfile::tempdir().unwrap();
        let epochs = write_altered(place.path(), &recipe, &dataset).unwrap();
        assert_eq!(epochs, u64::from(recipe.epochs()));
        let bytes = std::fs::read(place.path().join("pictures.npy")).unwrap();
        let file = NpyFile::new(&bytes[..]).unwrap();
        let count = dataset.training.len();
        assert_eq!(file.shape(), [epochs, count as u64, 32, 32, 3]);
        let pixels = file.into_vec::<u8>().unwrap();
        let normalise = Normalise::from(&recipe.data);
        let (all, size) = (&dataset.training, 3 * 32 * 32);
        // The first epoch, and the last of all, which is of the last stage.
        for (epoch, stage) in [(0, &recipe.stages[0]), (epochs as u32 - 1, recipe.stages.last().unwrap())] {
            let augment = Augment { mixup: None, cutmix: None, ..stage.augment.unwrap_or(recipe.augment) };
            let draw = (recipe.seed, epoch);
            let batch = Batches::training(&dataset.train, all, count, &normalise, augment, draw, 32, 0).next().unwrap();
            let shown = &pixels[epoch as usize * count * size..][..count * size];
            for (picture, planes) in batch.pictures.iter().zip(batch.images.chunks_exact(size)) {
                let row = all.binary_search(picture).unwrap();
                assert_eq!(shown[row * size..][..size], normalise.bytes(planes), "epoch {epoch}, picture {picture}");
                let back: Vec<f32> = {
                    let mut target = vec![0.0; size];
                    crate::augment::write(&shown[row * size..][..size], 32, None, &normalise, &mut target);
                    target
                };
                assert_eq!(back, planes, "epoch {epoch}, picture {picture}: nothing is lost");
            }
        }
    }
}
