//! What a teacher said of each picture before training began.

use super::loss::softened;
use crate::batches::Batch;
use crate::data::{Dataset, UNLABELLED, read_rows};
use crate::recipe::Recipe;
use std::path::Path;

/// Probabilities, softened already.
pub(super) struct Answers {
    /// `[epoch][row][class]`, or `[row][class]` where they are the same in every epoch.
    rows: Vec<f32>,
    classes: usize,
    /// Rows of an epoch where each has its own.
    of_epoch: Option<usize>,
    /// The row of each picture; none for those held out.
    row: Vec<Option<u32>>,
}

impl Answers {
    /// Reads logits `[pictures, classes]`, or `[epochs, pictures, classes]`, whose rows are the pictures that are learned
    /// from, ascending; or what is wrong with them.
    pub(super) fn load(path: &Path, recipe: &Recipe, dataset: &Dataset, temperature: f64) -> Result<Self, String> {
        let (logits, shape) = read_rows(path).map_err(|e| e.to_string())?;
        let learned = dataset.learned();
        let (count, classes) = (learned.len(), dataset.train.classes.len());
        let epochs = recipe.epochs();
        let of_epoch = match shape[..] {
            [pictures, of] if (pictures, of) == (count, classes) => None,
            [.., pictures, of] if shape.len() == 3 && (pictures, of) == (count, classes) => Some(count),
            _ => {
                return Err(format!(
                    "its shape is {shape:?}, allowed is [{count}, {classes}]: a row for each picture that `lsspq pictures` \
                     writes for this recipe; or [{epochs}, {count}, {classes}]: for each that it writes with --altered"
                ));
            }
        };
        if of_epoch.is_some() && shape[0] != epochs as usize {
            return Err(format!(
                "it answers on the pictures of {} epochs, and the run has {epochs}: write them anew by `lsspq pictures \
                 --altered`",
                shape[0]
            ));
        }
        if of_epoch.is_some() && recipe.training.patience.is_some() {
            return Err(
                "it answers on the pictures of each epoch, and with training.patience it is not known before which \
                        stage an epoch belongs to: leave patience out"
                    .into(),
            );
        }
        if let Some(at) = logits.iter().position(|l| !l.is_finite()) {
            return Err(format!("its row {} holds {}: allowed are numbers", at / classes, logits[at]));
        }
        let labels = learned.iter().map(|&i| dataset.train.labels[i as usize]).cycle();
        let told = logits.chunks_exact(classes).zip(labels).filter(|(_, label)| *label != UNLABELLED);
        let (right, labelled) = told.fold((0, 0), |(right, labelled), (row, label)| {
            (right + usize::from(largest(row) == usize::from(label)), labelled + 1)
        });
        let (share, chance) = (right as f64 / f64::from(labelled), 1.0 / classes as f64);
        if share < chance + (1.0 - chance) / 10.0 {
            return Err(format!(
                "only {:.1} % of its rows are the pictures' own classes, where guessing gives {:.1} %: rows or classes stand in \
                 another order than `lsspq pictures` writes, or the teacher has learned too little",
                100.0 * share,
                100.0 * chance
            ));
        }
        let mut row = vec![None; dataset.train.len()];
        for (number, &picture) in (0..).zip(&learned) {
            row[picture as usize] = Some(number);
        }
        Ok(Self { rows: softened(logits, classes, temperature), classes, of_epoch, row })
    }

    /// The answers on a batch of an epoch of the run, `[images][classes]`, blended where its pictures are.
    pub(super) fn blended(&self, batch: &Batch, epoch: u32) -> Vec<f32> {
        let first = self.of_epoch.map_or(0, |rows| rows * epoch as usize);
        let of = |pictures: &[u32]| -> Vec<f32> {
            let row = |&i: &u32| {
                first + self.row[i as usize].expect("the pictures that are learned from have answers") as usize
            };
            pictures.iter().map(row).flat_map(|i| &self.rows[i * self.classes..][..self.classes]).copied().collect()
        };
        let mut answers = of(&batch.pictures);
        if let Some(mixed) = &batch.mixed {
            let others = of(&mixed.pictures);
            answers.iter_mut().zip(others).for_each(|(own, other)| *own = mixed.own * *own + (1.0 - mixed.own) * other);
        }
        answers
    }
}

/// The class of the largest logit.
fn largest(row: &[f32]) -> usize {
    (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::Mixed;
    use crate::data::Pictures;
    use crate::fixture;
    use std::sync::Arc;

    /// Eight pictures of four classes, of which the first and the last do not train.
    fn dataset() -> Dataset {
        let train = Arc::new(fixture::pictures(2, 0, 8, 1));
        Dataset {
            test: Arc::clone(&train),
            training: (1..7).collect(),
            validation: vec![0, 7],
            unlabelled: Vec::new(),
            train,
        }
    }

    /// Sure of each picture's own class, and a little more so from picture to picture.
    fn logits(dataset: &Dataset) -> Vec<f32> {
        let row = |&i: &u32| (0..4).map(move |c| (i, c));
        let of =
            |(i, class): (u32, u16)| f32::from(u8::from(dataset.train.labels[i as usize] == class)) * (1.0 + i as f32);
        dataset.training.iter().flat_map(row).map(of).collect()
    }

    /// Two stages of one epoch.
    fn recipe() -> Recipe {
        let mut recipe = Recipe::parse(include_str!("../../tests/fixture/shapes.toml"), "shapes.toml").unwrap();
        (recipe.stages[0].epochs, recipe.stages[1].epochs) = (1, 1);
        recipe.stages.truncate(2);
        recipe
    }

    fn load(values: &[f32], shape: &[u64]) -> Result<Answers, String> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("answers.npy");
        crate::data::write_rows(&path, values, shape);
        Answers::load(&path, &recipe(), &dataset(), 2.0)
    }

    #[test]
    fn each_picture_has_its_own_answer_and_mixed_ones_the_mixture() {
        let dataset = dataset();
        let answers = load(&logits(&dataset), &[6, 4]).unwrap();
        let sure = |picture: u32| {
            let own = ((1.0 + picture as f32) / 2.0).exp();
            let label = usize::from(dataset.train.labels[picture as usize]);
            (0..4).map(|c| if c == label { own / (own + 3.0) } else { 1.0 / (own + 3.0) }).collect::<Vec<f32>>()
        };
        let mut batch = Batch { images: Vec::new(), pictures: vec![6, 2, 1], labels: vec![0; 3], mixed: None };
        let near = |found: &[f32], wanted: &[f32]| found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(near(&answers.blended(&batch, 1), &[sure(6), sure(2), sure(1)].concat()));
        batch.mixed = Some(Mixed { pictures: vec![1, 2, 6], labels: vec![0; 3], own: 0.75 });
        let mean: Vec<f32> = sure(6).iter().zip(sure(1)).map(|(a, b)| 0.75 * a + 0.25 * b).collect();
        assert!(near(&answers.blended(&batch, 0)[..4], &mean));
    }

    #[test]
    fn pictures_without_labels_have_rows_that_are_neither_right_nor_wrong() {
        let mut dataset = dataset();
        let mut train = Pictures::clone(&dataset.train);
        train.labels[7] = UNLABELLED;
        (dataset.train, dataset.unlabelled, dataset.validation) = (Arc::new(train), vec![7], vec![0]);
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("answers.npy");
        let rows = [logits(&dataset), vec![0.0, 0.0, 9.0, 0.0]].concat();
        crate::data::write_rows(&path, &rows, &[7, 4]);
        let answers = Answers::load(&path, &recipe(), &dataset, 2.0).unwrap();
        let batch = Batch { images: Vec::new(), pictures: vec![7], labels: vec![UNLABELLED], mixed: None };
        assert!(answers.blended(&batch, 0)[2] > 0.9);
        crate::data::write_rows(&path, &rows[4..], &[6, 4]);
        assert!(Answers::load(&path, &recipe(), &dataset, 2.0).err().unwrap().contains("[6, 4], allowed is [7, 4]"));
    }

    #[test]
    fn each_epoch_has_its_own_answers() {
        let dataset = dataset();
        let first = logits(&dataset);
        let second: Vec<f32> = first.iter().map(|logit| 2.0 * logit).collect();
        let both = load(&[first.clone(), second.clone()].concat(), &[2, 6, 4]).unwrap();
        let batch = Batch { images: Vec::new(), pictures: vec![6, 2, 1], labels: vec![0; 3], mixed: None };
        for (epoch, alone) in [(0, first), (1, second)] {
            let alone = load(&alone, &[6, 4]).unwrap();
            assert_eq!(both.blended(&batch, epoch), alone.blended(&batch, epoch), "epoch {epoch}");
        }
    }

    #[test]
    fn answers_to_other_pictures_are_refused() {
        let good = logits(&dataset());
        let why = |values: &[f32], shape: &[u64]| load(values, shape).err().unwrap();
        assert!(why(&good, &[4, 6]).contains("[4, 6], allowed is [6, 4]"));
        assert!(why(&good[4..], &[5, 4]).contains("[5, 4], allowed is [6, 4]"));
        assert!(why(&good, &[2, 3, 4]).contains("or [2, 6, 4]"));
        assert!(why(&good, &[1, 6, 4]).contains("of 1 epochs, and the run has 2"));
        let mut broken = good.clone();
        broken[9] = f32::NAN;
        assert!(why(&broken, &[6, 4]).contains("row 2 holds NaN"));
        let turned: Vec<f32> = good.chunks(4).flat_map(|row| [row[1], row[2], row[3], row[0]]).collect();
        assert!(why(&turned, &[6, 4]).contains("another order"));
    }

    #[test]
    fn answers_of_each_epoch_and_patience_are_no_pair() {
        let place = tempfile::tempdir().unwrap();
        let (path, mut recipe) = (place.path().join("answers.npy"), recipe());
        recipe.training.patience = Some(3);
        crate::data::write_rows(&path, &logits(&dataset()).repeat(2), &[2, 6, 4]);
        assert!(Answers::load(&path, &recipe, &dataset(), 2.0).err().unwrap().contains("leave patience out"));
    }
}
