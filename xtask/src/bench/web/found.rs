//! From what the browser measured to the rows of the table.

use super::super::Row;
use serde::Deserialize;

/// What benches/web/bench.js writes.
#[derive(Deserialize)]
pub(super) struct Found {
    samples: Vec<Sample>,
    series: Vec<Series>,
    /// What is worth knowing beside the figures.
    pub(super) notes: Vec<String>,
}

/// Repetitions of one quantity. Where engines took turns, the same position is the same turn.
#[derive(Deserialize)]
struct Sample {
    network: String,
    engine: String,
    metric: String,
    unit: String,
    values: Vec<f64>,
}

/// One quantity over time: minutes and values.
#[derive(Deserialize)]
struct Series {
    network: String,
    engine: String,
    metric: String,
    unit: String,
    points: Vec<[f64; 2]>,
}

/// Our engine, as benches/web/lib/candidates.js names it.
const OURS: &str = "lsspq";

impl Found {
    /// A row a sample, the ratios to ours of all who took turns with it, and three rows a series.
    pub(super) fn rows(&self) -> Vec<Row> {
        let samples = self.samples.iter().flat_map(|sample| {
            let Sample { network, engine, metric, unit, values } = sample;
            let row = Row::of([network, engine, metric, unit], values.iter().copied());
            std::iter::once(row).chain(self.ratio(sample))
        });
        samples.chain(self.series.iter().flat_map(Series::rows)).collect()
    }

    /// How many times longer another engine takes than ours, turn by turn.
    fn ratio(&self, theirs: &Sample) -> Option<Row> {
        if theirs.unit != "ms" || theirs.engine == OURS {
            return None;
        }
        let alike = |s: &&Sample| s.engine == OURS && s.network == theirs.network && s.metric == theirs.metric;
        let ours = self.samples.iter().find(alike)?;
        let ratios = theirs.values.iter().zip(&ours.values).map(|(theirs, ours)| theirs / ours);
        let metric = format!("{}: ours is faster", theirs.metric);
        Some(Row::of([&theirs.network, &theirs.engine, &metric, "times"], ratios))
    }
}

impl Series {
    /// The first minute, the last one, and the straight line through all points. Less than two minutes count by halves.
    fn rows(&self) -> Vec<Row> {
        let Self { network, engine, metric, unit, points } = self;
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
        let span = ((last[0] - first[0]) / 2.0).min(1.0);
        let part = |name: &str, inside: &dyn Fn(f64) -> bool| {
            let values = points.iter().filter(|point| inside(point[0])).map(|point| point[1]);
            Row::of([network, engine, &format!("{metric}, {name}"), unit], values)
        };
        let slope = slope(points);
        vec![
            part("first minute", &|minute| minute <= first[0] + span),
            part("last minute", &|minute| minute >= last[0] - span),
            Row::of([network, engine, &format!("{metric}, slope"), &format!("{unit}/min")], [slope]),
        ]
    }
}

/// The slope of the line with the least squares; 0 for a single point.
fn slope(points: &[[f64; 2]]) -> f64 {
    let count = points.len() as f64;
    let mean = |axis: usize| points.iter().map(|point| point[axis]).sum::<f64>() / count;
    let (x, y) = (mean(0), mean(1));
    let covariance: f64 = points.iter().map(|point| (point[0] - x) * (point[1] - y)).sum();
    let variance: f64 = points.iter().map(|point| (point[0] - x).powi(2)).sum();
    if variance > 0.0 { covariance / variance } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Found {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn ratios_are_of_the_same_turn_network_and_metric() {
        let sample = |engine: &str, metric: &str, values: &str| {
            format!(r#"{{"network":"n","engine":"{engine}","metric":"{metric}","unit":"ms","values":{values}}}"#)
        };
        let samples = [
            sample(OURS, "inference", "[10, 20, 40]"),
            sample("theirs", "inference", "[30, 80, 80]"),
            sample("theirs", "first", "[1]"),
        ];
        let rows = found(&format!(r#"{{"samples":[{}],"series":[],"notes":[]}}"#, samples.join(","))).rows();
        let ratios: Vec<_> = rows.iter().filter(|row| row.unit == "times").collect();
        assert_eq!(rows.len(), 4);
        assert_eq!((ratios.len(), ratios[0].median, &*ratios[0].engine), (1, 3.0, "theirs"));
    }

    #[test]
    fn a_series_is_its_ends_and_its_slope() {
        let points: Vec<String> = (0..=40).map(|i| format!("[{}, {}]", f64::from(i) / 4.0, 50 + i)).collect();
        let series =
            format!(r#"{{"network":"n","engine":"e","metric":"frame","unit":"ms","points":[{}]}}"#, points.join(","));
        let rows = found(&format!(r#"{{"samples":[],"series":[{series}],"notes":[]}}"#)).rows();
        let medians: Vec<_> = rows.iter().map(|row| (row.median, &*row.unit)).collect();
        assert_eq!(medians, [(52.0, "ms"), (88.0, "ms"), (4.0, "ms/min")]);
    }

    #[test]
    fn a_short_series_still_has_rows() {
        let series = r#"{"network":"n","engine":"e","metric":"m","unit":"MiB","points":[[0.0, 7.0]]}"#;
        let rows = found(&format!(r#"{{"samples":[],"series":[{series}],"notes":[]}}"#)).rows();
        assert_eq!(rows.iter().map(|row| row.median).collect::<Vec<_>>(), [7.0, 7.0, 0.0]);
    }
}
