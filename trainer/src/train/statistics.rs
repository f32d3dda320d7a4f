//! BatchNorm statistics of an averaged network, measured anew.
//!
//! The average of many steps' weights is, once it is quantised, another network than any of theirs: statistics that were
//! gathered on the way do not belong to it, and a weight of two bits that hovers between two levels makes that worse. So
//! they are measured on the average itself, on pictures as they will be met: whole, at full size (Izmailov et al., 2018,
//! "Averaging Weights Leads to Wider Optima", section 3.2; Nagel et al., 2022, "Overcoming Oscillations in
//! Quantization-Aware Training", section 4).

use crate::augment::Normalise;
use crate::batches::Batches;
use crate::data::Dataset;
use crate::network::{Mode, Network};
use crate::recipe::Recipe;
use burn::tensor::{Tensor, TensorData};

/// Training pictures that are looked at after an epoch. Means and variances over a map need no more.
pub(super) const PICTURES: usize = 4096;

/// The network with the mean, over batches of `size` training pictures, of every batch's means and variances; it looks at
/// `pictures` of them at most.
pub(super) fn measured(
    network: &Network,
    recipe: &Recipe,
    mode: Mode,
    dataset: &Dataset,
    size: usize,
    pictures: usize,
) -> Network {
    let mut measured = network.clone();
    let (device, side) = (network.device(), recipe.network.input);
    let mode = Mode { batch_statistics: true, ..mode };
    let indices = spread(&dataset.training, pictures, size);
    for (number, batch) in
        Batches::evaluation(&dataset.train, &indices, size, &Normalise::from(&recipe.data)).enumerate()
    {
        let images = TensorData::new(batch.images, [batch.labels.len(), 3, side, side]);
        let output = network.forward(&recipe.network, Tensor::from_data(images, &device), mode);
        // The first replaces what was there.
        measured.absorb(&recipe.network, output, 1.0 / (number + 1) as f32);
    }
    measured
}

/// At most `most` of the indices, in whole batches, each of them from everywhere: pictures lie class by class.
fn spread(indices: &[u32], most: usize, size: usize) -> Vec<u32> {
    let batches = (indices.len().min(most) / size).max(1);
    let count = (batches * size).min(indices.len());
    let chosen = |i: usize| indices[i * indices.len() / count];
    (0..batches).flat_map(|batch| (batch..count).step_by(batches).map(chosen)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::network::Engine;
    use burn::tensor::Device;
    use std::sync::Arc;

    const RECIPE: &str = include_str!("../../tests/fixture/shapes.toml");

    /// On pictures that make one batch, the statistics measured are that batch's own.
    #[test]
    fn measured_statistics_do_what_those_of_the_batch_do() {
        let recipe = Recipe::parse(RECIPE, "shapes.toml").unwrap();
        let train = Arc::new(fixture::pictures(4, 0, recipe.network.input, 1));
        let training: Vec<u32> = (0..train.len() as u32).collect();
        let dataset = Dataset { test: Arc::clone(&train), train, training, validation: Vec::new() };
        let network = Network::new(&recipe.network, 1, &Device::flex());
        let mode = Mode { batch_statistics: false, activations: None, round_shifts: true, engine: Engine::Fused };
        let measured = measured(&network, &recipe, mode, &dataset, dataset.training.len(), PICTURES);

        let logits = |network: &Network, batch_statistics: bool| {
            let order = spread(&dataset.training, PICTURES, dataset.training.len());
            let batch = Batches::evaluation(&dataset.train, &order, order.len(), &Normalise::from(&recipe.data)).next();
            let images =
                TensorData::new(batch.unwrap().images, [order.len(), 3, recipe.network.input, recipe.network.input]);
            let images = Tensor::from_data(images, &network.device());
            let output = network.forward(&recipe.network, images, Mode { batch_statistics, ..mode });
            output.logits.into_data().iter::<f32>().collect::<Vec<_>>()
        };
        let far = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let own = logits(&network, true);
        assert!(far(&logits(&network, false), &own) > 0.1, "the statistics that it was made with would do as well");
        assert!(far(&logits(&measured, false), &own) < 1e-3);
    }

    #[test]
    fn every_batch_is_drawn_from_everywhere() {
        let indices: Vec<u32> = (100..200).collect();
        let spread = spread(&indices, 20, 5);
        assert_eq!(
            spread,
            [100, 120, 140, 160, 180, 105, 125, 145, 165, 185, 110, 130, 150, 170, 190, 115, 135, 155, 175, 195]
        );
    }

    #[test]
    fn what_is_too_few_for_a_batch_is_one() {
        assert_eq!(spread(&[3, 1, 2], 20, 5), [3, 1, 2]);
        assert_eq!(spread(&[3, 1, 2, 7, 9, 8, 4], 20, 5), [3, 1, 2, 9, 8]);
    }
}
