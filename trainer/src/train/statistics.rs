//! BatchNorm statistics, measured anew after every epoch.
//!
//! Those that were gathered on the way are of weights that have moved since, and a weight of two bits that hovers between two
//! levels makes that worse; an average of weights is, once it is quantised, another network than any of theirs. So they are
//! measured on the weights, and on the average, as they are (Izmailov et al., 2018, "Averaging Weights Leads to Wider
//! Optima", section 3.2; Nagel et al., 2022, "Overcoming Oscillations in Quantization-Aware Training", section 4).
//!
//! On which pictures is no matter of principle. Whole ones are what will be met; but what a network makes of a whole picture
//! in training, it makes of it beside altered ones, by the statistics of all. A network of 4-bit weights that had seen windows
//! of other scale had 1.5 points more right by those of whole pictures, one of 2-bit weights that had seen cropped ones 2.4
//! points less (docs/experiments.md). So both are tried.

use super::evaluate;
use crate::augment::Normalise;
use crate::batches::{Batch, Batches};
use crate::data::Dataset;
use crate::network::{Mode, Network};
use crate::recipe::{Augment, Recipe, Stage};
use burn::module::Module;
use burn::tensor::{Tensor, TensorData};

/// Training pictures that are looked at after an epoch, for each purpose. Means and variances over a map need no more; where it
/// mattered, half a picture to two of a hundred decided (docs/experiments.md).
const PICTURES: usize = 2048;

/// The network with the statistics of altered or of whole training pictures, by whichever it gets more of the whole ones right;
/// where both do as well, of altered ones, which the weights have learned by.
pub(super) fn fitted(
    network: &Network,
    recipe: &Recipe,
    stage: &Stage,
    mode: Mode,
    dataset: &Dataset,
    epoch: u32,
) -> Network {
    let by_altered = measured(network, recipe, mode, altered(recipe, stage, dataset, epoch));
    if stage.augment.unwrap_or(recipe.augment) == Augment::NONE {
        return by_altered;
    }
    let by_whole = measured(network, recipe, mode, whole(recipe, dataset, stage.batch, PICTURES));
    let indices = spread(&dataset.training, PICTURES, stage.batch);
    let [altered, whole] =
        [&by_altered, &by_whole].map(|network| evaluate(network, recipe, mode, &dataset.train, &indices).top1);
    if whole > altered { by_whole } else { by_altered }
}

/// The network with the mean, over the batches, of every batch's means and variances. The pictures are of its full size.
pub(super) fn measured(
    network: &Network,
    recipe: &Recipe,
    mode: Mode,
    batches: impl Iterator<Item = Batch>,
) -> Network {
    // A batch's own statistics do not depend on the running ones, nor is there anything to learn.
    let still = network.valid();
    let mut measured = network.clone();
    let (device, side) = (still.device(), recipe.network.input);
    let mode = Mode { batch_statistics: true, ..mode };
    for (number, batch) in batches.enumerate() {
        let images = TensorData::new(batch.images, [batch.labels.len(), 3, side, side]);
        let output = still.forward(&recipe.network, Tensor::from_data(images, &device), mode);
        // The first replaces what was there.
        measured.absorb(&recipe.network, output, 1.0 / (number + 1) as f32);
    }
    measured
}

/// Training pictures at full size, altered as the stage alters them; another draw for every epoch.
fn altered(recipe: &Recipe, stage: &Stage, dataset: &Dataset, epoch: u32) -> impl Iterator<Item = Batch> {
    Batches::training(
        &dataset.train,
        &dataset.training,
        stage.batch,
        &Normalise::from(&recipe.data),
        stage.augment.unwrap_or(recipe.augment),
        (recipe.seed, epoch),
        recipe.network.input,
        0,
    )
    .take(PICTURES.div_ceil(stage.batch))
}

/// At most `pictures` training pictures as they are, in batches of `size`.
pub(super) fn whole(recipe: &Recipe, dataset: &Dataset, size: usize, pictures: usize) -> Batches {
    let indices = spread(&dataset.training, pictures, size);
    Batches::evaluation(&dataset.train, &indices, size, &Normalise::from(&recipe.data))
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
        let dataset =
            Dataset { test: Arc::clone(&train), train, training, validation: Vec::new(), unlabelled: Vec::new() };
        let network = Network::new(&recipe.network, 1, &Device::flex());
        let mode = Mode { batch_statistics: false, activations: None, round_shifts: true, engine: Engine::Fused };
        let measured = measured(&network, &recipe, mode, whole(&recipe, &dataset, dataset.training.len(), PICTURES));

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
    fn the_statistics_that_do_better_are_kept() {
        let recipe = Recipe::parse(RECIPE, "shapes.toml").unwrap();
        let stage = &recipe.stages[0];
        let train = Arc::new(fixture::pictures(stage.batch as u32, 0, recipe.network.input, 1));
        let training: Vec<u32> = (0..train.len() as u32).collect();
        let dataset =
            Dataset { test: Arc::clone(&train), train, training, validation: Vec::new(), unlabelled: Vec::new() };
        let mode = Mode { batch_statistics: false, activations: None, round_shifts: true, engine: Engine::Fused };
        let right = |network: &Network| evaluate(network, &recipe, mode, &dataset.train, &dataset.training).top1;
        let mut chosen = [false; 2];
        for seed in 0..8 {
            let network = Network::new(&recipe.network, seed, &Device::flex());
            let by_altered = right(&measured(&network, &recipe, mode, altered(&recipe, stage, &dataset, 0)));
            let by_whole = whole(&recipe, &dataset, stage.batch, PICTURES);
            let by_whole = right(&measured(&network, &recipe, mode, by_whole));
            let kept = right(&fitted(&network, &recipe, stage, mode, &dataset, 0));
            assert_eq!(kept, by_altered.max(by_whole), "seed {seed}: {by_altered} {by_whole}");
            chosen = [chosen[0] || by_altered > by_whole, chosen[1] || by_whole > by_altered];
        }
        assert_eq!(chosen, [true; 2], "the one or the other never did better");
    }

    /// By statistics of whole ones a network makes something else of a picture than it does in training.
    #[test]
    fn pictures_are_altered_as_in_training_but_of_full_size() {
        let recipe = Recipe::parse(RECIPE, "shapes.toml").unwrap();
        let stage = Stage { batch: 3, input: Some(24), ..recipe.stages[0].clone() };
        let train = Arc::new(fixture::pictures(8, 0, recipe.network.input, 1));
        let training: Vec<u32> = (0..train.len() as u32).collect();
        let dataset =
            Dataset { test: Arc::clone(&train), train, training, validation: Vec::new(), unlabelled: Vec::new() };
        let images = |recipe: &Recipe, stage: &Stage, epoch| {
            altered(recipe, stage, &dataset, epoch).map(|batch| batch.images).collect::<Vec<_>>()
        };
        let (cropped, plain) = (images(&recipe, &stage, 1), Recipe { augment: Augment::NONE, ..recipe.clone() });
        assert_eq!(cropped.len(), dataset.training.len() / 3, "whole batches of what there is");
        assert!(cropped.iter().all(|images| images.len() == 3 * 3 * recipe.network.input.pow(2)));
        assert_ne!(cropped, images(&plain, &stage, 1), "as they are in the files");
        assert_ne!(cropped, images(&recipe, &stage, 2), "the same in every epoch");
        let own = Stage { augment: Some(Augment::NONE), ..stage };
        assert_eq!(images(&recipe, &own, 1), images(&plain, &own, 1), "the stage's own way is not taken");
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
