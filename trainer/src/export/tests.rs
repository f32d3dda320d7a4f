//! The file that is written, run by tract and compared with the plain evaluator.

use super::*;
use crate::deploy::{fits_half, plain, random};
use lsspq::spec::{Activation, Bits, BlockKind, Group, Head, NetworkSpec, Stem};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::prelude::*;

fn spec(weights: Option<u8>, activations: Option<u8>) -> NetworkSpec {
    let group = |width, blocks, stride, expansion| Group {
        width,
        blocks,
        stride,
        expansion,
        weight_bits: None,
        block: BlockKind::Shift {},
    };
    NetworkSpec {
        name: "test".into(),
        input: 11,
        classes: 5,
        stem: Stem { kernel: 3, channels: 16, stride: 1, pool: false },
        groups: vec![group(8, 2, 1, 2), group(9, 1, 2, 3)],
        head: Some(Head { channels: 18, features: None }),
        bits: Bits { weights, linear: weights, activations },
        activation: Activation::Clip,
        mirrored: false,
    }
}

pub(crate) fn card(spec: &NetworkSpec) -> ModelCard {
    let labels = (0..spec.classes).map(|c| format!("class {c}")).collect();
    ModelCard::new(spec.clone(), labels, "generated")
}

fn model(bytes: &[u8]) -> ModelProto {
    ModelProto::decode(bytes).unwrap()
}

/// Logits and embedding of each picture by tract's own operators.
pub(super) fn tract(bytes: &[u8], side: usize, images: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let count = images.len() / (3 * side * side);
    let plan = tract_onnx::onnx()
        .model_for_read(&mut &bytes[..])
        .unwrap()
        .with_input_fact(0, f32::fact([count, 3, side, side]).into())
        .unwrap()
        .into_optimized()
        .unwrap()
        .into_runnable()
        .unwrap();
    let input = Tensor::from_shape(&[count, 3, side, side], images).unwrap();
    let outputs = plan.run(tvec![input.into()]).unwrap();
    let floats = |i: usize| outputs[i].to_plain_array_view::<f32>().unwrap().iter().copied().collect();
    (floats(0), floats(1))
}

fn pictures(spec: &NetworkSpec) -> Vec<f32> {
    (0..2 * 3 * spec.input * spec.input).map(|i| ((i * 7919) % 256) as f32 / 255.0).collect()
}

/// The largest difference of logits between tract on the file and the plain evaluator.
fn difference(network: &Network) -> f32 {
    let spec = &network.spec;
    let images = pictures(spec);
    let (logits, embedding) = tract(&to_onnx(network, &card(spec)).unwrap(), spec.input, &images);
    let mut largest = 0_f32;
    for (i, image) in images.chunks(images.len() / 2).enumerate() {
        let plain = plain::evaluate(network, image).unwrap();
        let pairs = plain.logits.iter().zip(&logits[i * spec.classes..]);
        let more = plain.embedding.iter().zip(&embedding[i * spec.embedding()..]);
        largest = pairs.chain(more).fold(largest, |d, (a, b)| d.max((a - b).abs()));
    }
    largest
}

#[test]
fn every_weight_width_runs_in_tract_as_the_plain_evaluator_says() {
    for bits in 1..=8 {
        let network = random(&spec(Some(bits), Some(4)), u64::from(bits)).unwrap();
        assert!(difference(&network) < 1e-5, "{bits} bits: {}", difference(&network));
    }
}

#[test]
fn every_shape_runs_in_tract_as_the_plain_evaluator_says() {
    let mut specs = Vec::new();
    for activations in [Some(2), Some(5), Some(8), None] {
        specs.push(spec(Some(2), activations));
        specs.push(spec(None, activations));
    }
    let mut pooled = spec(Some(4), Some(4));
    pooled.stem = Stem { kernel: 7, channels: 6, stride: 2, pool: true };
    pooled.input = 37;
    specs.push(pooled);
    let mut headless = spec(Some(3), Some(4));
    (headless.head, headless.bits.linear) = (None, None);
    specs.push(headless);
    let mut mixed = spec(Some(2), Some(4));
    mixed.groups[1] =
        Group { width: 5, blocks: 2, stride: 3, expansion: 1, weight_bits: Some(7), block: BlockKind::Shift {} };
    mixed.bits.linear = Some(8);
    specs.push(mixed);
    for activations in [Some(4), None] {
        specs.push(NetworkSpec { mirrored: true, ..spec(Some(2), activations) });
    }
    for (seed, spec) in specs.iter().enumerate() {
        let network = random(spec, seed as u64).unwrap();
        // Float sums in another order may round to the next level, and the layers behind see that.
        let sums_are_exact = spec.bits.weights.is_some() || spec.bits.activations.is_none();
        let tolerance = if sums_are_exact { 2e-4 } else { 0.1 };
        assert!(difference(&network) < tolerance, "{spec:?}: {}", difference(&network));
    }
}

#[test]
fn far_and_absent_shifts_run() {
    let mut network = random(&spec(Some(2), Some(4)), 3).unwrap();
    network.groups[0][0].shift.fill((0, 0));
    network.groups[0][1].shift[0] = (-9, 2);
    network.groups[1][0].shift.fill((0, 0));
    assert!(difference(&network) < 1e-5);
}

#[test]
fn weights_take_the_bits_they_claim() {
    let graph = |bits| {
        model(&to_onnx(&random(&spec(Some(bits), Some(4)), 1).unwrap(), &card(&spec(Some(bits), Some(4)))).unwrap())
    };
    for bits in 1..=8 {
        let weights = spec(Some(bits), Some(4))
            .blocks()
            .iter()
            .map(|b| b.input * b.width + b.width * b.output + if b.projects() { b.input * b.output } else { 0 })
            .sum::<usize>()
            + 27 * 18
            + 18 * 5;
        let graph = graph(bits).graph.unwrap();
        let uint8 = graph.initializer.iter().filter(|t| t.data_type == 2).map(|t| t.raw_data.len()).sum::<usize>();
        let slack = 80;
        assert!((0..slack).contains(&(uint8 - weights * usize::from(bits) / 8)), "{bits} bits: {uint8} bytes");
    }
}

#[test]
fn no_constant_is_unused_or_there_twice() {
    let spec = spec(Some(3), Some(4));
    let graph = model(&to_onnx(&random(&spec, 1).unwrap(), &card(&spec)).unwrap()).graph.unwrap();
    let mut seen = std::collections::HashSet::new();
    for constant in &graph.initializer {
        assert!(graph.node.iter().any(|n| n.input.contains(&constant.name)), "{} is unused", constant.name);
        assert!(seen.insert((constant.data_type, &constant.dims, &constant.raw_data)), "{} is twice", constant.name);
    }
}

#[test]
fn floats_are_halved_only_where_nothing_moves() {
    let spec = spec(Some(4), Some(4));
    let mut network = random(&spec, 1).unwrap();
    let floats = |network: &Network, data_type: DataType| {
        let graph = model(&to_onnx(network, &card(&spec)).unwrap()).graph.unwrap();
        let tensors = graph.initializer.iter().filter(|t| t.data_type == data_type as i32 && t.dims.len() == 3);
        tensors.map(|t| t.dims[0]).collect::<Vec<_>>()
    };
    let channels = floats(&network, DataType::Float16)[0];
    assert_eq!(floats(&network, DataType::Float), [3, 3], "mean and gain");
    network.stem.affine.scale[2] = 1e6;
    assert_eq!(floats(&network, DataType::Float16), [channels - 16]);
    assert_eq!(floats(&network, DataType::Float), [3, 3, 16]);
    network.stem.affine.bias[2] = 1e-9;
    assert_eq!(floats(&network, DataType::Float16), [channels - 32]);
    assert!(!fits_half(1e-9) && !fits_half(1e6) && !fits_half(0.1) && fits_half(0.0) && fits_half(-1.5));
    assert!(difference(&network) < 1e-5);
}

#[test]
fn a_scale_that_all_channels_share_is_stored_once() {
    let spec = spec(Some(4), Some(4));
    let mut network = random(&spec, 1).unwrap();
    let channels = network.groups[1][0].shortcut.as_ref().unwrap().output;
    let size = |network: &Network| to_onnx(network, &card(&spec)).unwrap().len();
    let before = size(&network);
    network.groups[1][0].shortcut.as_mut().unwrap().affine.scale.fill(0.125);
    network.linear.affine.scale.fill(0.0625);
    assert!(before - size(&network) >= 2 * channels);
    assert!(difference(&network) < 1e-5);
    assert_eq!(from_onnx(&to_onnx(&network, &card(&spec)).unwrap()).unwrap().0.groups, network.groups);
}

#[test]
fn a_second_view_takes_a_few_hundred_bytes() {
    let mut network = random(&spec(Some(2), Some(4)), 1).unwrap();
    let size = |network: &Network| to_onnx(network, &card(&network.spec)).unwrap().len();
    let once = size(&network);
    network.spec.mirrored = true;
    assert!((once..once + 300).contains(&size(&network)), "{once} and {} bytes", size(&network));
}

#[test]
fn a_bias_of_zeros_takes_no_place() {
    let spec = spec(Some(4), Some(4));
    let mut network = random(&spec, 1).unwrap();
    let with = to_onnx(&network, &card(&spec)).unwrap();
    network.groups.iter_mut().flatten().for_each(|b| b.expand.affine.bias.fill(0.0));
    let without = to_onnx(&network, &card(&spec)).unwrap();
    let channels = spec.blocks().iter().map(|b| b.output).sum::<usize>();
    assert!(with.len() - without.len() > 2 * channels);
    assert!(difference(&network) < 1e-5);
    assert_eq!(from_onnx(&without).unwrap().0.groups, network.groups);
}

#[test]
fn the_card_comes_back_from_the_metadata() {
    let spec = spec(Some(4), Some(4));
    let model = model(&to_onnx(&random(&spec, 1).unwrap(), &card(&spec)).unwrap());
    let entries = model.metadata_props.iter().map(|e| (e.key.as_str(), e.value.as_str()));
    assert_eq!(ModelCard::from_metadata(entries).unwrap(), card(&spec));
}

#[test]
fn a_card_of_another_network_is_refused() {
    let spec = spec(Some(4), Some(4));
    let network = random(&spec, 1).unwrap();
    let mut other = card(&spec);
    other.spec.input = 12;
    assert!(to_onnx(&network, &other).unwrap_err().to_string().contains("another network"));
    let mut short = card(&spec);
    short.labels.pop();
    assert!(to_onnx(&network, &short).unwrap_err().to_string().contains("4 labels for 5 classes"));
}

#[test]
fn what_is_written_is_read_back() {
    for bits in [Some(1), Some(2), Some(3), Some(6), Some(7), Some(8), None] {
        for activations in [Some(4), None] {
            let mut spec = spec(bits, activations);
            spec.stem.pool = bits == Some(2);
            spec.mirrored = bits == Some(3);
            let mut network = random(&spec, 9).unwrap();
            network.groups[1][0].shift[3] = (-8, 2);
            let bytes = to_onnx(&network, &card(&spec)).unwrap();
            let (mut read, read_card) = from_onnx(&bytes).unwrap();
            assert_eq!(read.gain(), network.gain());
            read.deviation = network.deviation;
            assert_eq!(read, network, "{bits:?} bits");
            assert_eq!(read_card, card(&spec));
        }
    }
}

#[test]
fn a_damaged_file_is_an_error() {
    let spec = spec(Some(3), Some(4));
    let bytes = to_onnx(&random(&spec, 1).unwrap(), &card(&spec)).unwrap();
    for length in (0..bytes.len()).step_by(61) {
        assert!(from_onnx(&bytes[..length]).is_err(), "{length} bytes");
    }
    // One byte changed may give another valid network, but never a panic.
    for place in (0..bytes.len()).step_by(7) {
        let mut spoiled = bytes.clone();
        spoiled[place] ^= 0x55;
        let _ = from_onnx(&spoiled);
    }
    let mut other = model(&bytes);
    other
        .graph
        .as_mut()
        .unwrap()
        .node
        .iter_mut()
        .filter(|n| n.op_type == "Round")
        .for_each(|n| n.op_type = "Floor".into());
    let error = from_onnx(&other.encode_to_vec()).unwrap_err();
    assert!(error.to_string().contains("Round was expected, the file has Floor"), "{error}");
}
