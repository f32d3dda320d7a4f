//! The deployed form computes what the trained network computes.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use lsspq::spec::{Activation, Bits, BlockKind, Group, Head, NetworkSpec, Stem};
use lsspq_trainer::deploy::fast::Fast;
use lsspq_trainer::fixture;
use lsspq_trainer::network::{Engine, Mode, Network, fold};
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

/// The largest difference of logits between the trained and the folded network, over the spread of the logits.
fn difference(spec: &NetworkSpec, move_biases: bool, quantiser: Quantiser) -> f32 {
    let device = Device::flex();
    let images = pictures();
    let normal = |(i, v): (usize, &f32)| {
        let colour = i / (SIDE * SIDE) % 3;
        (v - MEAN[colour]) / DEVIATION[colour]
    };
    let normalised: Vec<f32> = images.iter().enumerate().map(normal).collect();
    let input = Tensor::<4>::from_data(TensorData::new(normalised, [PICTURES, 3, SIDE, SIDE]), &device);
    let mut mode = Mode {
        batch_statistics: true,
        activations: spec.bits.activations,
        round_shifts: true,
        engine: Engine::Composed,
    };
    let mut network = Network::new(spec, 7, &device).with_quantiser(spec, quantiser).map(&mut Move(0));
    // Running statistics that are those of some pictures, not the first values.
    let output = network.forward(spec, input.clone(), mode);
    network.absorb(spec, output, 1.0);
    mode.batch_statistics = false;
    let trained: Vec<f32> = network.forward(spec, input, mode).logits.into_data().iter::<f32>().collect();
    let mut folded = fold(&network, spec, mode, MEAN, DEVIATION);
    if move_biases {
        folded.move_biases();
    }
    let deployed = Fast::new(&folded).unwrap().evaluate(&images).unwrap().logits;
    let range = |values: &[f32]| values.iter().fold(0_f32, |r, v| r.max(v.abs()));
    let differences: Vec<f32> = trained.iter().zip(&deployed).map(|(a, b)| a - b).collect();
    range(&differences) / range(&trained)
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
