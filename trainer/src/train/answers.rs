//! What a teacher said of each picture before training began.

use super::loss::softened;
use crate::batches::Batch;
use crate::data::{Dataset, read_rows};
use std::path::Path;

/// Probabilities, softened already.
pub(super) struct Answers {
    /// `[row][class]`.
    rows: Vec<f32>,
    classes: usize,
    /// The row of each picture of the training split; none for those held out.
    row: Vec<Option<u32>>,
}

impl Answers {
    /// Reads logits `[pictures, classes]` whose rows are the pictures that train, ascending; or what is wrong with them.
    pub(super) fn load(path: &Path, dataset: &Dataset, temperature: f64) -> Result<Self, String> {
        let (logits, classes) = read_rows(path).map_err(|e| e.to_string())?;
        let (count, wanted) = (dataset.training.len(), dataset.train.classes.len());
        if classes != wanted || logits.len() != count * wanted {
            return Err(format!(
                "its shape is [{}, {classes}], allowed is [{count}, {wanted}]: a row for each picture that `lsspq pictures` \
                 writes for this recipe",
                logits.len() / classes.max(1)
            ));
        }
        if let Some(at) = logits.iter().position(|l| !l.is_finite()) {
            return Err(format!("its row {} holds {}: allowed are numbers", at / classes, logits[at]));
        }
        let labels = dataset.training.iter().map(|&i| usize::from(dataset.train.labels[i as usize]));
        let right = logits.chunks_exact(classes).zip(labels).filter(|(row, label)| largest(row) == *label).count();
        let (share, chance) = (right as f64 / count as f64, 1.0 / classes as f64);
        if share < chance + (1.0 - chance) / 10.0 {
            return Err(format!(
                "only {:.1} % of its rows are the pictures' own classes, where guessing gives {:.1} %: rows or classes stand in \
                 another order than `lsspq pictures` writes, or the teacher has learned too little",
                100.0 * share,
                100.0 * chance
            ));
        }
        let mut row = vec![None; dataset.train.len()];
        for (number, &picture) in (0..).zip(&dataset.training) {
            row[picture as usize] = Some(number);
        }
        Ok(Self { rows: softened(logits, classes, temperature), classes, row })
    }

    /// The answers on a batch, `[images][classes]`, blended where its pictures are.
    pub(super) fn blended(&self, batch: &Batch) -> Vec<f32> {
        let of = |pictures: &[u32]| -> Vec<f32> {
            let row = |&i: &u32| self.row[i as usize].expect("the pictures that train have answers") as usize;
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
    use crate::fixture;
    use std::sync::Arc;

    /// Eight pictures of four classes, of which the first and the last do not train.
    fn dataset() -> Dataset {
        let train = Arc::new(fixture::pictures(2, 0, 8, 1));
        Dataset { test: Arc::clone(&train), training: (1..7).collect(), validation: vec![0, 7], train }
    }

    /// Sure of each picture's own class, and a little more so from picture to picture.
    fn logits(dataset: &Dataset) -> Vec<f32> {
        let row = |&i: &u32| (0..4).map(move |c| (i, c));
        let of =
            |(i, class): (u32, u16)| f32::from(u8::from(dataset.train.labels[i as usize] == class)) * (1.0 + i as f32);
        dataset.training.iter().flat_map(row).map(of).collect()
    }

    fn load(values: Vec<f32>, columns: usize) -> Result<Answers, String> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("answers.npy");
        crate::data::write_rows(&path, &values, columns);
        Answers::load(&path, &dataset(), 2.0)
    }

    #[test]
    fn each_picture_has_its_own_answer_and_mixed_ones_the_mixture() {
        let dataset = dataset();
        let answers = load(logits(&dataset), 4).unwrap();
        let sure = |picture: u32| {
            let own = ((1.0 + picture as f32) / 2.0).exp();
            let label = usize::from(dataset.train.labels[picture as usize]);
            (0..4).map(|c| if c == label { own / (own + 3.0) } else { 1.0 / (own + 3.0) }).collect::<Vec<f32>>()
        };
        let mut batch = Batch { images: Vec::new(), pictures: vec![6, 2, 1], labels: vec![0; 3], mixed: None };
        let near = |found: &[f32], wanted: &[f32]| found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(near(&answers.blended(&batch), &[sure(6), sure(2), sure(1)].concat()));
        batch.mixed = Some(Mixed { pictures: vec![1, 2, 6], labels: vec![0; 3], own: 0.75 });
        let mean: Vec<f32> = sure(6).iter().zip(sure(1)).map(|(a, b)| 0.75 * a + 0.25 * b).collect();
        assert!(near(&answers.blended(&batch)[..4], &mean));
    }

    #[test]
    fn answers_to_other_pictures_are_refused() {
        let good = logits(&dataset());
        let why = |values: Vec<f32>, columns| load(values, columns).err().unwrap();
        assert!(why(good.clone(), 6).contains("[4, 6], allowed is [6, 4]"));
        assert!(why(good[4..].to_vec(), 4).contains("[5, 4], allowed is [6, 4]"));
        let mut broken = good.clone();
        broken[9] = f32::NAN;
        assert!(why(broken, 4).contains("row 2 holds NaN"));
        let turned = good.chunks(4).flat_map(|row| [row[1], row[2], row[3], row[0]]).collect();
        assert!(why(turned, 4).contains("another order"));
    }
}
