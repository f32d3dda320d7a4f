//! One line of a benchmark's result, the same for every subject.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// One quantity of one engine on one network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The network.
    pub(crate) network: String,
    /// Who ran it, and how.
    pub(crate) engine: String,
    /// What was measured.
    pub(crate) metric: String,
    /// Half of the repetitions were below.
    pub(crate) median: f64,
    /// One in twenty was below.
    pub(crate) p5: f64,
    /// One in twenty was above.
    pub(crate) p95: f64,
    /// The unit of the three numbers.
    pub(crate) unit: String,
}

impl Row {
    /// Sums up repetitions; one value is its own percentiles.
    ///
    /// # Panics
    /// Without any value.
    pub(crate) fn of([network, engine, metric, unit]: [&str; 4], values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        assert!(!values.is_empty(), "{metric} of {engine} was not measured");
        values.sort_by(f64::total_cmp);
        let at = |part| percentile(&values, part);
        Self {
            network: network.into(),
            engine: engine.into(),
            metric: metric.into(),
            median: at(0.5),
            p5: at(0.05),
            p95: at(0.95),
            unit: unit.into(),
        }
    }
}

/// The value below which that part of the sorted values lies, between two neighbours where it falls between them.
fn percentile(sorted: &[f64], part: f64) -> f64 {
    let place = part * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

/// Writes the rows as a JSON array.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(rows: &[Row], path: &Path) -> Result<()> {
    let mut text = serde_json::to_string_pretty(rows)?;
    text.push('\n');
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The rows as a table in Markdown.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text =
        String::from("| network | engine | metric | median | p5 | p95 | unit |\n|---|---|---|---|---|---|---|\n");
    for row in rows {
        let Row { network, engine, metric, unit, .. } = row;
        let [median, p5, p95] = [row.median, row.p5, row.p95].map(digits);
        text.push_str(&format!("| {network} | {engine} | {metric} | {median} | {p5} | {p95} | {unit} |\n"));
    }
    text
}

/// Three digits, or all before the point.
fn digits(value: f64) -> String {
    let decimals = (2.0 - value.abs().max(1e-9).log10().floor()).clamp(0.0, 4.0);
    format!("{value:.*}", decimals as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[f64]) -> Row {
        Row::of(["net", "engine", "step", "ms"], values.iter().copied())
    }

    #[test]
    fn percentiles_lie_between_neighbours() {
        let hundred: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        assert_eq!((row(&hundred).p5, row(&hundred).median, row(&hundred).p95), (5.0, 50.0, 95.0));
        assert_eq!(row(&[1.0, 2.0]).median, 1.5);
        assert_eq!((row(&[3.0]).p5, row(&[3.0]).p95), (3.0, 3.0));
    }

    #[test]
    fn table_shows_three_digits() {
        assert_eq!([0.01234, 1.5, 15.25, 1234.5].map(digits), ["0.0123", "1.50", "15.2", "1234"]);
        assert!(table(&[row(&[2.0])]).ends_with("| net | engine | step | 2.00 | 2.00 | 2.00 | ms |\n"));
    }

    #[test]
    fn json_comes_back_as_it_went() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.json");
        let rows = vec![row(&[1.0, 2.0, 4.0])];
        write(&rows, &path).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Row>>(&fs::read_to_string(path).unwrap()).unwrap(), rows);
    }
}
