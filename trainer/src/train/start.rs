//! The weights of a model file as the first ones of a run.

use super::statistics;
use crate::data::Dataset;
use crate::error::Error;
use crate::network::{Mode, Network, Target, unfold};
use crate::recipe::{Recipe, Start};
use burn::module::Module;

/// Pictures on which the statistics of BatchNorms are found that the file no longer has.
const PICTURES: usize = 1024;

/// How far, in deviations, statistics may be from those of those pictures.
const NEAR: f32 = 0.01;

/// A network that was drawn for the recipe, with the weights of the file that it names. `mode` is that of evaluation in the
/// first stage.
///
/// # Errors
/// [`Recipe`](crate::ErrorKind::Recipe) where the file is none of ours, or of another network.
pub(super) fn begun(
    start: &Start,
    drawn: Network,
    recipe: &Recipe,
    dataset: &Dataset,
    mode: Mode,
) -> Result<Network, Error> {
    let (deployed, labels) = start.load(&recipe.network)?;
    let target = Target {
        spec: &recipe.network,
        quantiser: recipe.quantiser,
        mean: recipe.data.mean,
        deviation: recipe.data.deviation,
        same_classes: labels == dataset.train.classes,
    };
    let unfolded = unfold(&deployed, drawn, target).valid();
    let mut network = unfolded.clone();
    // Statistics of a norm are right once those of all before it are, so each round mends one more at the least.
    for _ in 0..network.norms(&recipe.network) {
        let measured = statistics::measured(
            &network,
            recipe,
            mode,
            statistics::whole(recipe, dataset, recipe.stages[0].batch, PICTURES),
        );
        let distance;
        (network, distance) = network.rebased(&recipe.network, measured);
        if distance < NEAR {
            break;
        }
    }
    // A new block has nothing to keep up, and wants the norms that it was drawn with.
    let network =
        network.with_blocks(&recipe.network, unfolded, |shape| shape.index >= deployed.groups[shape.group].len());
    Ok(network.train())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::fast::Fast;
    use crate::network::{AnyBlock, Engine, fold};
    use crate::{export, fixture};
    use burn::tensor::{Device, Tensor, TensorData};
    use lsspq::ModelCard;
    use std::path::Path;
    use std::sync::Arc;

    const RECIPE: &str = include_str!("../../tests/fixture/shapes.toml");

    fn dataset(side: usize) -> Dataset {
        let train = Arc::new(fixture::pictures(16, 0, side, 1));
        let training: Vec<u32> = (0..train.len() as u32).collect();
        Dataset { test: Arc::clone(&train), train, training, validation: Vec::new(), unlabelled: Vec::new() }
    }

    /// Writes the file of a network that was never trained but has the statistics of the pictures; the start by it, and its
    /// logits on them.
    fn file(folder: &Path, recipe: &Recipe, dataset: &Dataset, mode: Mode) -> (Start, Vec<f32>) {
        let drawn = Network::new(&recipe.network, 5, &Device::flex()).with_quantiser(&recipe.network, recipe.quantiser);
        let network = statistics::measured(
            &drawn,
            recipe,
            mode,
            statistics::whole(recipe, dataset, dataset.training.len(), PICTURES),
        );
        let folded = fold(&network, &recipe.network, mode, recipe.data.mean, recipe.data.deviation);
        let card = ModelCard::new(folded.spec.clone(), dataset.train.classes.clone(), "shapes");
        let from = folder.join("file.onnx");
        std::fs::write(&from, export::to_onnx(&folded, &card).unwrap()).unwrap();
        let planes: Vec<f32> = (0..dataset.train.len())
            .flat_map(|i| {
                let rgb = dataset.train.picture(i);
                (0..3).flat_map(move |c| rgb.iter().skip(c).step_by(3).map(|&v| f32::from(v) / 255.0))
            })
            .collect();
        let logits = Fast::new(&folded).unwrap().evaluate(&planes).unwrap().logits;
        (Start::new(from), logits)
    }

    /// The normalised pictures' logits.
    fn logits(network: &Network, recipe: &Recipe, dataset: &Dataset, mode: Mode) -> Vec<f32> {
        let (count, side) = (dataset.train.len(), recipe.network.input);
        let normalise = crate::augment::Normalise::from(&recipe.data);
        let mut batches = crate::batches::Batches::evaluation(&dataset.train, &dataset.training, count, &normalise);
        let images = TensorData::new(batches.next().unwrap().images, [count, 3, side, side]);
        let output = network.forward(&recipe.network, Tensor::from_data(images, &Device::flex()), mode);
        output.logits.into_data().iter::<f32>().collect()
    }

    /// With its own statistics as well as with those of the batch, the network says what the file says.
    #[test]
    fn run_begins_where_the_file_ended() {
        let place = tempfile::tempdir().unwrap();
        let mut recipe = Recipe::parse(RECIPE, "shapes.toml").unwrap();
        recipe.network.bits.activations = Some(8);
        recipe.stages[0].batch = 64;
        let dataset = dataset(recipe.network.input);
        let mode = Mode { batch_statistics: false, activations: Some(8), round_shifts: true, engine: Engine::Fused };
        let (start, wanted) = file(place.path(), &recipe, &dataset, mode);
        let drawn = Network::new(&recipe.network, 6, &Device::flex().autodiff());
        let begun = begun(&start, drawn, &recipe, &dataset, mode).unwrap().valid();
        let largest = wanted.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        for batch_statistics in [false, true] {
            let found = logits(&begun, &recipe, &dataset, Mode { batch_statistics, ..mode });
            let apart = found.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart < 0.06 * largest, "{batch_statistics}: {apart} of {largest}");
        }
    }

    #[test]
    fn other_classes_get_a_linear_layer_of_their_own_and_other_networks_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let recipe = Recipe::parse(RECIPE, "shapes.toml").unwrap();
        let mut dataset = dataset(recipe.network.input);
        let mode = Mode { batch_statistics: false, activations: Some(4), round_shifts: true, engine: Engine::Fused };
        let (start, _) = file(place.path(), &recipe, &dataset, mode);
        let values = |tensor: Tensor<2>| tensor.into_data().iter::<f32>().collect::<Vec<_>>();
        let drawn = || Network::new(&recipe.network, 6, &Device::flex().autodiff());
        let linear = |network: Network| values(network.linear.val());
        let same = linear(begun(&start, drawn(), &recipe, &dataset, mode).unwrap());
        assert_ne!(same, linear(drawn()));

        let mut renamed = (*dataset.train).clone();
        renamed.classes.reverse();
        dataset.train = Arc::new(renamed);
        assert_eq!(linear(begun(&start, drawn(), &recipe, &dataset, mode).unwrap()), linear(drawn()));

        // Of the same weights another network is made where its maps are larger.
        let mut larger = recipe.clone();
        larger.network.groups[1].stride = 1;
        let drawn_larger = Network::new(&larger.network, 6, &Device::flex().autodiff());
        let begun_larger = begun(&start, drawn_larger, &larger, &dataset, mode).unwrap().valid();
        let stem = |network: &Network| network.stem.val().into_data().iter::<f32>().collect::<Vec<_>>();
        assert_eq!(stem(&begun_larger), stem(&begun(&start, drawn(), &recipe, &dataset, mode).unwrap().valid()));
        assert_ne!(recipe.network.groups[1].stride, 1);

        let refused = |change: fn(&mut lsspq::spec::Group), why: &str| {
            let mut other = recipe.clone();
            change(&mut other.network.groups[1]);
            let drawn = Network::new(&other.network, 6, &Device::flex());
            let error = begun(&start, drawn, &other, &dataset, mode).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        };
        refused(|group| group.width += 8, "other groups than the recipe's");
        refused(|group| group.blocks -= 1, "more blocks than the recipe's");
    }

    #[test]
    fn further_blocks_change_nothing_at_first_and_learn() {
        let place = tempfile::tempdir().unwrap();
        let mut recipe = Recipe::parse(RECIPE, "shapes.toml").unwrap();
        recipe.stages[0].batch = 64;
        let dataset = dataset(recipe.network.input);
        let mode = Mode { batch_statistics: false, activations: Some(4), round_shifts: true, engine: Engine::Fused };
        let (start, _) = file(place.path(), &recipe, &dataset, mode);
        let network = |recipe: &Recipe| {
            let drawn = Network::new(&recipe.network, 6, &Device::flex().autodiff());
            begun(&start, drawn, recipe, &dataset, mode).unwrap()
        };
        let as_filed = logits(&network(&recipe).valid(), &recipe, &dataset, mode);
        let mut deeper = recipe.clone();
        deeper.network.groups[0].blocks += 2;
        let begun = network(&deeper);
        let apart = |found: &[f32]| found.iter().zip(&as_filed).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let largest = as_filed.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        let found = logits(&begun.clone().valid(), &deeper, &dataset, mode);
        // Statistics are found in other numbers of rounds, so a value that is just between two levels may take the other one.
        assert!(apart(&found) < 0.02 * largest, "{} of {largest}", apart(&found));

        // The scale at the end of a new block has a gradient, by which the block begins to count.
        let side = deeper.network.input;
        let images =
            Tensor::<4>::random([8, 3, side, side], burn::tensor::Distribution::Default, &Device::flex().autodiff());
        let training = Mode { batch_statistics: true, ..mode };
        let logits = begun.forward(&deeper.network, images, training).logits;
        let gradients = (logits.clone() * logits).sum().backward();
        let new =
            deeper.network.blocks().iter().position(|shape| shape.index == recipe.network.groups[0].blocks).unwrap();
        let AnyBlock::Shift(block) = &begun.blocks[new] else { panic!("a block that shifts") };
        let last = block.last.gamma.val().grad(&gradients).unwrap();
        let values: Vec<f32> = last.into_data().iter::<f32>().collect();
        assert!(values.iter().any(|v| v.abs() > 0.0) && values.iter().all(|v| v.is_finite()), "{values:?}");
    }

    #[test]
    fn another_head_is_drawn_with_the_linear_layer_behind_it() {
        let place = tempfile::tempdir().unwrap();
        let recipe = Recipe::parse(RECIPE, "shapes.toml").unwrap();
        let dataset = dataset(recipe.network.input);
        let mode = Mode { batch_statistics: false, activations: Some(4), round_shifts: true, engine: Engine::Fused };
        let (start, _) = file(place.path(), &recipe, &dataset, mode);
        let values = |tensor: Tensor<2>| tensor.into_data().iter::<f32>().collect::<Vec<_>>();
        assert!(recipe.network.head.is_some());
        for head in [None, Some(lsspq::spec::Head { channels: 24, features: None })] {
            let mut other = recipe.clone();
            other.network.head = head;
            let drawn = || Network::new(&other.network, 6, &Device::flex().autodiff());
            let begun = begun(&start, drawn(), &other, &dataset, mode).unwrap();
            let head = |network: Network| network.head.map(|weight| values(weight.val()));
            assert_eq!(head(begun.clone()), head(drawn()));
            assert_eq!(values(begun.linear.val()), values(drawn().linear.val()));
            assert_ne!(values(begun.stem.val()), values(drawn().stem.val()));
        }
    }
}
