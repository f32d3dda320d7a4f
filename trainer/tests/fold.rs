//! The deployed form computes what the trained network computes.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use lsspq::spec::{Activation, Bits, BlockKind, Group, Head, NetworkSpec, Stem};
use lsspq_trainer::deploy::fast::Fast;
use lsspq_trainer::deploy::{Block, Pointwise, Weights};
use lsspq_trainer::fixture;
use lsspq_trainer::network::{Engine, Mode, Network, Target, fold, unfold};
use lsspq_trainer::recipe::{ActivationQuantiser, Quantiser, WeightQuantiser};

const PICTURES: usize = 16;
const SIDE: usize = 16;
const MEAN: [f32; 3] = [115.0 / 255.0, 102.0 / 255.0, 128.0 / 255.0];
const DEVIATION: [f32; 3] = [0.25, 0.2, 0.3];

/// The first group begins with an identity shortcut, the second with a projection.
fn spec(weights: Option<u8>, activations: Option<u8>) -> NetworkSpec {
    let group = |width, stride, expansion| Group {
        width,
        blocks: 2,
        stride,
        expansion,
        weight_bits: None,
        block: BlockKind::Shift {},
    };
    NetworkSpec {
        name: "folded".into(),
        input: SIDE,
        classes: 4,
        stem: Stem { kernel: 3, channels: 16, stride: 1, pool: false },
        groups: vec![group(16, 1, 1), group(12, 2, 2)],
        head: Some(Head { channels: 20, features: None }),
        bits: Bits { weights, linear: weights, activations },
        activation: Activation::Clip,
        mirrored: false,
    }
}

/// Pictures in [0, 1], `[picture][3][side][side]`.
fn pictures() -> Vec<f32> {
    let mut planes = Vec::new();
    for number in 0..PICTURES {
        let rgb = fixture::picture(number % 4, number as u32, SIDE, 3);
        for colour in 0..3 {
            planes.extend(rgb.iter().skip(colour).step_by(3).map(|&byte| f32::from(byte) / 255.0));
        }
    }
    planes
}

/// Moves every learned range, each by another factor; nothing else has one value.
struct Move(u32);

impl ModuleMapper for Move {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if param.val().dims().iter().product::<usize>() > 1 {
            return param;
        }
        self.0 += 1;
        let factor = 0.7 + 0.17 * f64::from(self.0 % 5);
        param.map(|range| range * factor)
    }
}

/// The pictures normalised for training.
fn input(images: &[f32], mean: [f32; 3], deviation: [f32; 3]) -> Tensor<4> {
    let normal = |(i, v): (usize, &f32)| {
        let colour = i / (SIDE * SIDE) % 3;
        (v - mean[colour]) / deviation[colour]
    };
    let normalised: Vec<f32> = images.iter().enumerate().map(normal).collect();
    Tensor::from_data(TensorData::new(normalised, [PICTURES, 3, SIDE, SIDE]), &Device::flex())
}

fn mode(spec: &NetworkSpec, batch_statistics: bool) -> Mode {
    let activations = spec.bits.activations;
    Mode { batch_statistics, activations, round_shifts: true, engine: Engine::Composed }
}

/// A network with running statistics that are those of some pictures, not the first values.
fn trained(spec: &NetworkSpec, quantiser: Quantiser, images: &[f32]) -> Network {
    let mut network = Network::new(spec, 7, &Device::flex()).with_quantiser(spec, quantiser).map(&mut Move(0));
    let output = network.forward(spec, input(images, MEAN, DEVIATION), mode(spec, true));
    network.absorb(spec, output, 1.0);
    network
}

fn logits(network: &Network, spec: &NetworkSpec, input: Tensor<4>) -> Vec<f32> {
    network.forward(spec, input, mode(spec, false)).logits.into_data().iter::<f32>().collect()
}

/// The largest difference of logits between the trained and the folded network, over the spread of the logits.
fn difference(spec: &NetworkSpec, move_biases: bool, quantiser: Quantiser) -> f32 {
    let images = pictures();
    let network = trained(spec, quantiser, &images);
    let mut folded = fold(&network, spec, mode(spec, false), MEAN, DEVIATION);
    if move_biases {
        folded.move_biases();
    }
    let deployed = Fast::new(&folded).unwrap().evaluate(&images).unwrap().logits;
    apart(&logits(&network, spec, input(&images, MEAN, DEVIATION)), &deployed)
}

/// The largest difference over the largest value.
fn apart(trained: &[f32], deployed: &[f32]) -> f32 {
    let range = |values: &[f32]| values.iter().fold(0_f32, |r, v| r.max(v.abs()));
    let differences: Vec<f32> = trained.iter().zip(deployed).map(|(a, b)| a - b).collect();
    range(&differences) / range(trained)
}

#[test]
fn float_networks_fold_to_the_rounding_of_float16() {
    let found = difference(&spec(None, None), false, Quantiser::default());
    assert!(found < 5e-3, "{found}");
}

#[test]
fn quantised_networks_fold_to_a_few_levels_that_fall_on_the_other_side() {
    for weights in [1, 2, 4] {
        for move_biases in [false, true] {
            let found = difference(&spec(Some(weights), Some(8)), move_biases, Quantiser::default());
            assert!(found < 0.05, "{weights} bits: {found}");
        }
    }
}

#[test]
fn both_views_fold_as_one_does() {
    let spec = NetworkSpec { mirrored: true, ..spec(None, None) };
    let found = difference(&spec, false, Quantiser::default());
    assert!(found < 5e-3, "{found}");
    let images = pictures();
    let network = trained(&spec, Quantiser::default(), &images);
    let once = NetworkSpec { mirrored: false, ..spec.clone() };
    let seen = |spec| logits(&network, spec, input(&images, MEAN, DEVIATION));
    assert!(apart(&seen(&spec), &seen(&once)) > 0.01, "the mirror image made no difference");
}

#[test]
fn learned_steps_and_ranges_fold_into_scales() {
    let (lsq, dorefa) = (WeightQuantiser::Lsq, WeightQuantiser::Dorefa);
    for weights in [1, 2, 4] {
        for quantiser in [
            Quantiser { weights: lsq, activations: ActivationQuantiser::Unit },
            Quantiser { weights: dorefa, activations: ActivationQuantiser::Lsq },
            Quantiser { weights: lsq, activations: ActivationQuantiser::Lsq },
        ] {
            let found = difference(&spec(Some(weights), Some(8)), true, quantiser);
            assert!(found < 0.05, "{weights} bits, {quantiser:?}: {found}");
        }
    }
    let ranges = Quantiser { weights: dorefa, activations: ActivationQuantiser::Lsq };
    let found = difference(&spec(None, None), false, ranges);
    assert!(found < 5e-3, "float: {found}");
}

const QUANTISERS: [Quantiser; 3] = [
    Quantiser { weights: WeightQuantiser::Dorefa, activations: ActivationQuantiser::Unit },
    Quantiser { weights: WeightQuantiser::Lsq, activations: ActivationQuantiser::Unit },
    Quantiser { weights: WeightQuantiser::Lsq, activations: ActivationQuantiser::Lsq },
];

fn products(network: &lsspq_trainer::deploy::Network) -> Vec<&Pointwise> {
    fn of_block(block: &Block) -> [Option<&Pointwise>; 3] {
        let Block { reduce, expand, shortcut, .. } = block;
        [Some(reduce), Some(expand), shortcut.as_ref()]
    }
    let blocks = network.groups.iter().flatten().flat_map(of_block).flatten();
    blocks.chain(&network.head).chain([&network.linear]).collect()
}

#[test]
fn unfolded_networks_fold_back_and_compute_the_same() {
    let images = pictures();
    for (weights, activations) in [(None, None), (Some(1), Some(8)), (Some(2), Some(8)), (Some(4), Some(8))] {
        let spec = spec(weights, activations);
        for (from, to) in QUANTISERS.iter().flat_map(|from| QUANTISERS.map(|to| (*from, to))) {
            let lsq = |q: Quantiser| q.weights == WeightQuantiser::Lsq;
            if lsq(from) && !lsq(to) && weights == Some(4) {
                // No weight lies on the outermost of so many levels, where DoReFa would move the largest.
                continue;
            }
            let what = format!("{weights:?} bits, {from:?} to {to:?}");
            let folded = fold(&trained(&spec, from, &images), &spec, mode(&spec, false), MEAN, DEVIATION);
            let deviation = [0.3, 0.25, 0.2];
            let target = Target { spec: &spec, quantiser: to, mean: MEAN, deviation, same_classes: true };
            let unfolded = unfold(&folded, Network::new(&spec, 8, &Device::flex()), target);
            let again = fold(&unfolded, &spec, mode(&spec, false), MEAN, deviation);
            for (one, other) in products(&folded).into_iter().zip(products(&again)) {
                if let Weights::Levels { .. } = one.weights {
                    assert_eq!(one.weights, other.weights, "{what}");
                }
            }
            let shifts = |n: &lsspq_trainer::deploy::Network| -> Vec<_> {
                n.groups.iter().flatten().map(|b| b.shift.clone()).collect()
            };
            assert_eq!(shifts(&folded), shifts(&again), "{what}");
            let deployed = Fast::new(&folded).unwrap().evaluate(&images).unwrap().logits;
            let mut found = logits(&unfolded, &spec, input(&images, MEAN, deviation));
            if lsq(from) && !lsq(to) && weights.is_some_and(|w| w > 1) {
                // DoReFa's weights have no step: all logits are larger by one factor.
                let range = |values: &[f32]| values.iter().fold(0_f32, |r, v| r.max(v.abs()));
                let factor = range(&deployed) / range(&found);
                found.iter_mut().for_each(|logit| *logit *= factor);
            }
            let apart = apart(&found, &deployed);
            assert!(apart < 0.05, "{what}: {apart}");
        }
    }
}

/// Pixels less another mean are as much smaller everywhere but outside the picture, where they are zero all the same.
#[test]
fn other_means_are_made_up_for() {
    let images = pictures();
    let spec = spec(Some(4), Some(8));
    let folded = fold(&trained(&spec, QUANTISERS[2], &images), &spec, mode(&spec, false), MEAN, DEVIATION);
    let deployed = Fast::new(&folded).unwrap().evaluate(&images).unwrap().logits;
    let found = [0.0, 40.0].map(|moved| {
        let mean = MEAN.map(|mean| mean + moved / 255.0);
        let target = Target { spec: &spec, quantiser: QUANTISERS[2], mean, deviation: DEVIATION, same_classes: true };
        let unfolded = unfold(&folded, Network::new(&spec, 8, &Device::flex()), target);
        apart(&logits(&unfolded, &spec, input(&images, mean, DEVIATION)), &deployed)
    });
    assert!(found[0] < 0.05 && found[1] < 0.2, "{found:?}");
}
