//! Runs and model files side by side.

use crate::error::Error;
use crate::inspect::{compressed, table, thousands};
use crate::recipe::Recipe;
use crate::train::{EpochRecord, Folder, kept};
use lsspq::card::Accuracy;
use lsspq::metrics::{Metrics, Rates};
use lsspq::{Model, ModelCard};
use std::path::Path;

/// One column: a run, a model file, or both.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What it was called on the command line.
    pub name: String,
    /// Of its model file; none where a run has not ended.
    file: Option<(ModelCard, Metrics, u64)>,
    /// Of its log, and the recipe; none of a bare file.
    run: Option<(Recipe, Vec<EpochRecord>)>,
}

impl Subject {
    /// A model file.
    ///
    /// # Errors
    /// Those of [`Model::load`].
    pub fn of_file(name: &str, bytes: &[u8]) -> Result<Self, lsspq::Error> {
        let model = Model::load(bytes)?;
        let file = Some((model.card().clone(), model.metrics(), compressed(bytes)));
        Ok(Self { name: name.into(), file, run: None })
    }

    /// A run, ended or not.
    ///
    /// # Errors
    /// A folder without a run, or a model file or log in it that cannot be read.
    pub fn of_run(path: &Path) -> Result<Self, Error> {
        let (folder, recipe) = Folder::existing(path)?;
        let model = folder.model(&recipe);
        let name = path.display().to_string();
        let mut subject = Self { name: name.clone(), file: None, run: None };
        if let Ok(bytes) = std::fs::read(&model) {
            subject = Self::of_file(&name, &bytes).map_err(|e| Error::data(format!("{}: {e}", model.display())))?;
        }
        subject.run = Some((recipe, folder.records()?));
        Ok(subject)
    }

    fn dataset(&self) -> &str {
        let of_run = self.run.as_ref().map(|(recipe, _)| recipe.data.dataset.as_str());
        self.file.as_ref().map(|(card, ..)| card.dataset.as_str()).or(of_run).unwrap_or_default()
    }

    /// On the validation split, of that epoch of the last stage reached which is kept.
    fn validation(&self) -> Option<Accuracy> {
        let (_, records) = self.run.as_ref()?;
        let last = records.last()?.stage;
        kept(records.iter().filter(|r| r.stage == last).filter_map(|r| r.validation))
    }
}

/// A line a figure, a column a subject.
pub fn side_by_side(subjects: &[Subject]) -> String {
    let file = |of: &dyn Fn(&ModelCard, &Metrics, u64) -> String| -> Vec<String> {
        subjects.iter().map(|s| s.file.as_ref().map_or("-".into(), |(c, m, z)| of(c, m, *z))).collect()
    };
    let run = |of: &dyn Fn(&Recipe, &[EpochRecord]) -> Option<String>| -> Vec<String> {
        let one = |s: &Subject| s.run.as_ref().and_then(|(recipe, records)| of(recipe, records));
        subjects.iter().map(|s| one(s).unwrap_or("-".into())).collect()
    };
    let percent = |rates: Option<Rates>| {
        rates.map_or("not measured".into(), |r| {
            format!("{:.2} ({:.2} to {:.2})", r.top1.percent, r.top1.low, r.top1.high)
        })
    };
    let bits = |bits: Option<u8>| bits.map_or("float".into(), |b: u8| b.to_string());
    let mut lines: Vec<(&str, Vec<String>)> = vec![
        ("", subjects.iter().map(|s| s.name.clone()).collect()),
        ("network", file(&|card, _, _| card.spec.name.clone())),
        ("data set", subjects.iter().map(|s| s.dataset().to_owned()).collect()),
        ("guessing %", file(&|_, m, _| format!("{:.2}", m.chance_percent))),
        ("test top-1 % (95 %)", file(&|_, m, _| percent(m.accuracy))),
        ("test pictures", file(&|_, m, _| m.accuracy.map_or("-".into(), |a| thousands(a.images)))),
        (
            "validation top-1 %",
            subjects
                .iter()
                .map(|s| {
                    s.validation()
                        .map_or("-".into(), |v| format!("{:.2}", 100.0 * v.top1 as f64 / v.images.max(1) as f64))
                })
                .collect(),
        ),
        ("file, bytes", file(&|_, m, _| thousands(m.size_bytes))),
        ("sent compressed, bytes", file(&|_, _, compressed| thousands(compressed))),
        ("packed weights, bytes", file(&|_, m, _| thousands(m.weights_bytes))),
        ("float twin, times larger", file(&|_, m, _| format!("{:.1}", m.float_twin_ratio))),
        ("information density", file(&|_, m, _| m.information_density.map_or("-".into(), |d| format!("{d:.3}")))),
        ("multiply-adds", file(&|_, m, _| thousands(m.multiply_adds))),
        ("weights, bits", file(&|card, _, _| bits(card.spec.bits.weights))),
        ("activations, bits", file(&|card, _, _| bits(card.spec.bits.activations))),
        (
            "seed",
            subjects
                .iter()
                .map(|s| {
                    let of_run = s.run.as_ref().map(|(recipe, _)| recipe.seed);
                    s.file.as_ref().map(|(card, ..)| card.seed).or(of_run).map_or("-".into(), |seed| seed.to_string())
                })
                .collect(),
        ),
        ("epochs logged", run(&|_, records| Some(records.len().to_string()))),
        ("last loss", run(&|_, records| records.last().map(|r| format!("{:.4}", r.loss)))),
        ("minutes", run(&|_, records| Some(format!("{:.1}", records.iter().map(|r| r.seconds).sum::<f64>() / 60.0)))),
    ];
    lines.retain(|(_, cells)| cells.iter().any(|cell| cell != "-"));
    // The table is of fixed width, so every figure goes into one text of columns as wide as their widest cell.
    let widths: Vec<usize> = (0..subjects.len())
        .map(|i| lines.iter().map(|(_, cells)| cells[i].chars().count()).max().unwrap_or(0))
        .collect();
    let rows: Vec<[String; 2]> = lines
        .iter()
        .map(|(name, cells)| {
            let cells = cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:>width$}"));
            [(*name).to_owned(), cells.collect::<Vec<_>>().join("  ")]
        })
        .collect();
    let mut text = table(&rows, &[0]);
    if subjects.iter().any(|s| s.dataset() != subjects[0].dataset()) {
        text += "\nThe data sets differ: accuracies and densities cannot be compared with each other.\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::random;
    use crate::deploy::random::tests::spec;
    use crate::export::tests::card;
    use crate::export::to_onnx;

    #[test]
    fn figures_stand_in_the_column_of_their_file() {
        let spec = spec(2, 4);
        let mut card = card(&spec);
        let subject = |name: &str, card: &ModelCard| {
            Subject::of_file(name, &to_onnx(&random(&spec, 1).unwrap(), card).unwrap()).unwrap()
        };
        let first = subject("first.onnx", &card);
        card.accuracy = Some(Accuracy { images: 1000, top1: 850, top5: 990 });
        let second = subject("second.onnx", &card);
        let text = side_by_side(&[first.clone(), second]);
        let line = |name: &str| text.lines().find(|l| l.starts_with(name)).unwrap_or_else(|| panic!("{name}: {text}"));
        assert!(line("test top-1").trim_end().ends_with("not measured  85.00 (82.65 to 87.08)"), "{text}");
        assert!(line(" ").contains("first.onnx") && !text.contains("epochs logged") && !text.contains("differ"));
        card.dataset = "another".into();
        assert!(side_by_side(&[first, subject("third.onnx", &card)]).contains("cannot be compared"));
    }
}
