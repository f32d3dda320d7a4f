//! What the stages of a recipe will do.

use crate::recipe::{Activations, Recipe};
use std::fmt::Write;

/// A line a stage: epochs, batch, precision, and the rate at a few of its epochs.
pub fn stages(recipe: &Recipe) -> String {
    let mut text = String::new();
    for (number, stage) in recipe.stages.iter().enumerate() {
        let shifts = if stage.round_shifts { "whole-pixel" } else { "sub-pixel" };
        let activations = Activations::from_bits(stage.activation_bits());
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "stage {}: {} epochs, batches of {}, activations {activations}, {shifts} shifts; rate {}",
            number + 1,
            stage.epochs,
            stage.batch,
            rates(stage.epochs, |epoch| stage.rate(epoch))
        );
    }
    text
}

/// The rate at the first and last epoch and at three between.
fn rates(epochs: u32, rate: impl Fn(u32) -> f64) -> String {
    let mut shown: Vec<u32> = (0..=4).map(|part| (epochs - 1) * part / 4).collect();
    shown.dedup();
    let words: Vec<String> = shown.iter().map(|&epoch| format!("{:.5} (epoch {})", rate(epoch), epoch + 1)).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_a_line_with_its_first_and_last_rate() {
        let recipe = Recipe::parse(include_str!("../../tests/fixture/shapes.toml"), "shapes.toml").unwrap();
        let text = stages(&recipe);
        assert_eq!(text.lines().count(), 2);
        for part in ["stage 1: 4 epochs, batches of 32, activations \"float\"", "0.10000 (epoch 1)", "(epoch 4)"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}
