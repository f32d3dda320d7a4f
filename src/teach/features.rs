//! Embeddings made comparable: centred, and every feature over its own spread.

/// What is taken off an embedding and what it is multiplied by, feature by feature.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Features {
    pub(super) centre: Vec<f32>,
    pub(super) factor: Vec<f32>,
}

impl Features {
    /// From `rows` of one length, each a picture's embedding; `weights` sum to 1.
    ///
    /// A feature's variance is taken half way to the mean variance of all features, since a few pictures tell little
    /// about one alone; over the root of their number, so that a typical picture has length 1. A feature that never
    /// varies counts for nothing.
    pub(super) fn of(rows: &[&[f32]], weights: &[f32]) -> Self {
        let length = rows.first().map_or(0, |row| row.len());
        let mut centre = vec![0.0; length];
        for (row, weight) in rows.iter().zip(weights) {
            super::linear::add_scaled(&mut centre, *weight, row);
        }
        let mut variance = vec![0.0; length];
        for (row, weight) in rows.iter().zip(weights) {
            for ((sum, value), mean) in variance.iter_mut().zip(*row).zip(&centre) {
                *sum += weight * (value - mean) * (value - mean);
            }
        }
        let typical = variance.iter().sum::<f32>() / length.max(1) as f32;
        let factor = |v: &f32| match 0.5 * (v + typical) * length as f32 {
            spread if *v > 0.0 && spread.sqrt().recip().is_finite() => spread.sqrt().recip(),
            _ => 0.0,
        };
        let factor = variance.iter().map(factor).collect();
        Self { centre, factor }
    }

    /// An embedding in these terms.
    pub(super) fn apply(&self, row: &[f32]) -> Vec<f32> {
        row.iter()
            .zip(&self.centre)
            .zip(&self.factor)
            .map(|((value, centre), factor)| (value - centre) * factor)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typical_pictures_get_length_one_and_dead_features_none() {
        let rows = [[1.0, 5.0, -200.0], [3.0, 5.0, 200.0], [2.0, 5.0, 0.0], [2.0, 5.0, 0.0]];
        let rows: Vec<&[f32]> = rows.iter().map(|row| &row[..]).collect();
        let features = Features::of(&rows, &[0.25; 4]);
        assert_eq!(features.centre, [2.0, 5.0, 0.0]);
        assert_eq!(features.factor[1], 0.0);
        let lengths: f32 = rows.iter().map(|row| features.apply(row).iter().map(|v| v * v).sum::<f32>()).sum();
        assert!(lengths / 4.0 > 0.3 && lengths / 4.0 < 1.1, "{lengths}");
        let one = Features::of(&rows[..1], &[1.0]);
        assert_eq!(one.apply(rows[1]), [0.0; 3], "a single picture has no spread");
    }
}
