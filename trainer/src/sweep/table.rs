//! What the cells came to, setting by setting, over the seeds.

use super::{Outcome, Plan, State, SweepFolder};
use crate::error::Error;
use crate::sweep::Cell;
use serde::Serialize;
use std::fmt::Write;

/// Mean and deviation over the seeds, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// How many seeds.
    pub seeds: usize,
    /// Mean.
    pub mean: f64,
    /// Standard deviation of a sample (n - 1); none of a single seed.
    pub deviation: Option<f64>,
}

/// One setting of the keys.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The values of the table's keys as TOML; empty where the recipe's own value stands.
    pub values: Vec<String>,
    /// Seeds, and what each came to; none where it has not ended.
    pub runs: Vec<(u64, Option<Outcome>)>,
    /// Top-1 on the validation split; none where nothing is held out or no run has ended.
    pub validation: Option<Spread>,
    /// Top-1 of the model files on the test split.
    pub test: Option<Spread>,
}

/// The table of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// The name of the recipe.
    pub recipe: String,
    /// The name of the data set.
    pub dataset: String,
    /// Number of classes.
    pub classes: usize,
    /// Keys that differ.
    pub keys: Vec<String>,
    /// One a setting, in the order of the sweep.
    pub rows: Vec<Row>,
    /// Runs that have ended.
    pub finished: usize,
    /// All runs.
    pub runs: usize,
}

impl Spread {
    /// None of no values.
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let deviation = (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
        (!values.is_empty()).then_some(Self { seeds: values.len(), mean, deviation })
    }

    /// `81.25 ± 0.40`.
    pub fn text(&self) -> String {
        self.deviation.map_or_else(|| format!("{:.2}", self.mean), |d| format!("{:.2} ± {d:.2}", self.mean))
    }
}

impl Table {
    /// Reads what the cells of the plan came to.
    ///
    /// # Errors
    /// As [`SweepFolder::outcome`].
    pub fn read(plan: &Plan, folder: &SweepFolder) -> Result<Self, Error> {
        let mut rows: Vec<Row> = Vec::new();
        for group in plan.cells.chunk_by(|a, b| a.settings == b.settings) {
            let runs = group.iter().map(|cell| Ok((cell.recipe.seed, folder.outcome(cell)?)));
            rows.push(Row::new(&plan.keys, &group[0], runs.collect::<Result<_, Error>>()?));
        }
        let recipe = &plan.cells[0].recipe;
        let states = plan.cells.iter().map(|cell| folder.state(cell)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            recipe: recipe.name.clone(),
            dataset: recipe.data.dataset.clone(),
            classes: recipe.network.classes,
            keys: plan.keys.clone(),
            rows,
            finished: states.iter().filter(|&&s| s == State::Finished).count(),
            runs: plan.cells.len(),
        })
    }

    /// Whether the rows are judged by the validation split; else by the test split, which then is no longer untouched.
    pub fn validated(&self) -> bool {
        self.rows.iter().any(|row| row.validation.is_some())
    }

    /// The number by which a row is judged.
    pub fn judged(&self, row: &Row) -> Option<Spread> {
        if self.validated() { row.validation } else { row.test }
    }

    /// The table as Markdown, the best row in bold.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "Sweep of `{}` on {} (guessing: {:.2} %): {} of {} runs have ended.\n\n",
            self.recipe,
            self.dataset,
            100.0 / self.classes as f64,
            self.finished,
            self.runs
        );
        let columns = self.keys.iter().map(|key| format!("`{key}`"));
        let columns: Vec<String> =
            columns.chain(["seeds", "validation top-1 %", "test top-1 %"].map(String::from)).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len()));
        let score = |row: &Row| self.judged(row).map_or(f64::NEG_INFINITY, |s| s.mean);
        let best = self.rows.iter().map(score).fold(f64::NEG_INFINITY, f64::max);
        for row in &self.rows {
            let spread = |s: Option<Spread>| s.map_or("–".into(), |s| s.text());
            let seeds = row.runs.iter().filter(|r| r.1.is_some()).count();
            let own = |value: &String| if value.is_empty() { "as in the recipe".into() } else { value.clone() };
            let cells = row.values.iter().map(own);
            let cells = cells.chain([seeds.to_string(), spread(row.validation), spread(row.test)]);
            let bold = best.is_finite() && score(row) == best;
            let cells: Vec<String> = cells.map(|c| if bold { format!("**{c}**") } else { c }).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text += "\nMean ± standard deviation over the seeds. Validation: the epoch of the last stage that is exported, \
                 the latest within one standard error of the best. ";
        text += if self.validated() {
            "Rows are judged by it; the test split stands beside it and chooses nothing.\n"
        } else {
            "Nothing was held out for it, so rows are judged by the test split: the best one looks better than it is.\n"
        };
        text
    }
}

impl Row {
    fn new(keys: &[String], cell: &Cell, runs: Vec<(u64, Option<Outcome>)>) -> Self {
        let value = |key: &String| cell.settings.iter().find(|s| s.key == *key);
        let percent = |a: lsspq::card::Accuracy| 100.0 * a.top1 as f64 / a.images.max(1) as f64;
        let over = |of: &dyn Fn(&Outcome) -> Option<f64>| {
            Spread::of(&runs.iter().filter_map(|(_, o)| of(o.as_ref()?)).collect::<Vec<_>>())
        };
        Self {
            values: keys.iter().map(|key| value(key).map_or_else(String::new, |s| s.value.to_string())).collect(),
            validation: over(&|o| o.validation.map(percent)),
            test: over(&|o| Some(percent(o.test))),
            runs,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A table of two keys with made-up means; the cell (2, 5) has not ended.
    pub(in crate::sweep) fn table() -> Table {
        let mut rows = Vec::new();
        for w in [0, 2] {
            for s in [1, 5] {
                let spread = |mean| Some(Spread { seeds: 2, mean, deviation: Some(0.5) });
                let ended = (w, s) != (2, 5);
                let mean = 70.0 + f64::from(w) + f64::from(s);
                rows.push(Row {
                    values: vec![w.to_string(), s.to_string()],
                    runs: vec![(1, None), (2, None)],
                    validation: spread(mean).filter(|_| ended),
                    test: spread(mean - 1.0).filter(|_| ended),
                });
            }
        }
        let keys = ["stages.0.schedule.warmup_interval", "stages.0.schedule.step_size"].map(String::from).to_vec();
        Table { recipe: "shapes".into(), dataset: "drawn".into(), classes: 4, keys, rows, finished: 6, runs: 8 }
    }

    #[test]
    fn deviation_is_that_of_a_sample() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[80.0]).unwrap().text(), "80.00");
        // Two values deviate by their half distance times the root of two.
        assert_eq!(Spread::of(&[79.0, 81.0]).unwrap().text(), "80.00 ± 1.41");
    }

    #[test]
    fn the_best_row_is_bold_and_what_has_not_ended_is_a_dash() {
        let text = table().markdown();
        assert!(text.contains("6 of 8 runs have ended") && text.contains("guessing: 25.00 %"), "{text}");
        assert!(text.contains("| **0** | **5** | **0** | **75.00 ± 0.50** | **74.00 ± 0.50** |"), "{text}");
        assert!(text.contains("| 2 | 5 | 0 | – | – |"), "{text}");
        assert_eq!(text.matches("**").count(), 10);
        assert!(text.contains("chooses nothing"));
    }

    #[test]
    fn without_validation_the_table_says_what_its_best_row_is_worth() {
        let mut table = table();
        table.rows.iter_mut().for_each(|row| row.validation = None);
        assert!(table.markdown().contains("better than it is"));
        assert_eq!(table.judged(&table.rows[0]), table.rows[0].test);
    }
}
