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
    let mut network = unfold(&deployed, drawn, target).valid();
    // Statistics of a norm are right once those of all before it are, so each round mends one more at the least.
    for _ in 0..network.norms(&recipe.network) {
        let measured = statistics::measured(&network, recipe, mode, dataset, recipe.stages[0].batch, PICTURES);
        let distance;
        (network, distance) = network.rebased(&recipe.network, measured);
        if distance < NEAR {
            break;
        }
    }
    Ok(network.train())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::fast::Fast;
    use crate::network::{Engine, fold};
    use crate::{export, fixture};
    use burn::tensor::{Device, Tensor, TensorData};
    use lsspq::ModelCard;
    use std::path::Path;
    use std::sync::Arc;

    const RECIPE: &str = include_str!("../../tests/fixture/shapes.toml");

    fn dataset(side: usize) -> Dataset {
        let train = Arc::new(fixture::pictures(16, 0, side, 1));
        let training: Vec<u32> = (0..train.len() as u32).collect();
        Dataset { test: Arc::clone(&train), train, training, validation: Vec::new() }
    }

    /// Writes the file of a network that was never trained but has the statistics of the pictures; the start by it, and its
    /// logits on them.
    fn file(folder: &Path, recipe: &Recipe, dataset: &Dataset, mode: Mode) -> (Start, Vec<f32>) {
        let drawn = Network::new(&recipe.network, 5, &Device::flex()).with_quantiser(&recipe.network, recipe.quantiser);
        let network = statistics::measured(&drawn, recipe, mode, dataset, dataset.training.len(), PICTURES);
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
        (Start { from, sha256: None }, logits)
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

        let mut other = recipe.clone();
        other.network.groups[1].width += 8;
        let error =
            begun(&start, Network::new(&other.network, 6, &Device::flex()), &other, &dataset, mode).unwrap_err();
        assert!(error.to_string().contains("other groups than the recipe's"), "{error}");
    }
}
