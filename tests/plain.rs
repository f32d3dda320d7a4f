//! Classifiers of other programs, and what can be read of a network's shifts.

mod common;

use lsspq::plain::Normalisation;
use lsspq::{ErrorKind, Model, PlainClassifier};
use prost::Message;
use tract_onnx::pb::{ModelProto, StringStringEntryProto};

/// The colour network without its card: red, green or blue.
fn plain(change: impl FnOnce(&mut ModelProto)) -> Vec<u8> {
    let mut proto = common::message(&common::card());
    proto.metadata_props.clear();
    change(&mut proto);
    proto.encode_to_vec()
}

fn load(change: impl FnOnce(&mut ModelProto)) -> Result<PlainClassifier, lsspq::Error> {
    PlainClassifier::load(&plain(change), None, Normalisation::Unit)
}

/// The single output `logits`, as most exporters write it.
fn one_output(proto: &mut ModelProto) {
    proto.graph.as_mut().unwrap().output.truncate(1);
}

#[test]
fn a_file_without_a_card_gives_the_answers_of_the_same_network_with_one() {
    let model = Model::load(&common::colours()).unwrap();
    let classifier = load(one_output).unwrap();
    for colour in [[255, 0, 0], [10, 200, 30], [0, 0, 255]] {
        let rgba: Vec<u8> = [colour[0], colour[1], colour[2], 255].repeat(20 * 10);
        let wanted = model.classify(&rgba, 20, 10, 3).unwrap();
        let output = classifier.run(&classifier.input(&rgba, 20, 10).unwrap()).unwrap();
        let given = classifier.predictions(&output, 3);
        let pair = |p: &lsspq::Prediction| (p.index, p.probability);
        assert_eq!(given.iter().map(pair).collect::<Vec<_>>(), wanted.iter().map(pair).collect::<Vec<_>>());
        assert_eq!(given[0].label, format!("class {}", wanted[0].index));
    }
    let info = classifier.info();
    assert_eq!((info.side, info.classes, info.named, info.softmax), (8, 3, false, false));
}

#[test]
fn labels_come_from_the_caller_or_else_from_the_metadata() {
    let named = |proto: &mut ModelProto| {
        let entry = |key: &str, value: &str| StringStringEntryProto { key: key.into(), value: value.into() };
        proto.metadata_props.push(entry("names", "{0: 'rot', 1: 'gelb', 2: 'blau'}"));
    };
    assert_eq!(load(named).unwrap().info().labels, ["rot", "gelb", "blau"]);
    let own = |names: &[&str]| {
        let labels = names.iter().map(|&n| n.to_owned()).collect();
        PlainClassifier::load(&plain(named), Some(labels), Normalisation::Unit)
    };
    assert_eq!(own(&["a", "b", "c"]).unwrap().info().labels, ["a", "b", "c"]);
    let error = own(&["a", "b"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Labels);
    assert_eq!(error.to_string(), "the list has 2 labels, the network 3 classes");
}

#[test]
fn imagenet_scaling_takes_mean_and_deviation_off() {
    // The first node adds nothing but shows its input: logits are the pooled picture of one pixel's colour.
    let show = |proto: &mut ModelProto| {
        let graph = proto.graph.as_mut().unwrap();
        graph.initializer.clear();
        graph.node = vec![
            common::node("GlobalAveragePool", &["image"], "pooled", vec![]),
            common::node("Flatten", &["pooled"], "logits", vec![]),
        ];
        graph.output.truncate(1);
    };
    let bytes = plain(show);
    let output = |normalisation| {
        let classifier = PlainClassifier::load(&bytes, None, normalisation).unwrap();
        let rgba = [255, 0, 51, 255].repeat(64);
        classifier.run(&classifier.input(&rgba, 8, 8).unwrap()).unwrap()
    };
    let near = |a: &[f32], b: [f32; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(near(&output(Normalisation::Unit), [1.0, 0.0, 0.2]));
    let scaled = [(1.0 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225];
    assert!(near(&output(Normalisation::ImageNet), scaled), "{:?}", output(Normalisation::ImageNet));
}

#[test]
fn a_softmax_at_the_end_is_not_applied_twice() {
    let classifier = load(|proto| {
        let graph = proto.graph.as_mut().unwrap();
        graph.node.push(common::node("Softmax", &["logits"], "probabilities", vec![]));
        graph.output = vec![common::value("probabilities", &[None, Some(3)])];
    })
    .unwrap();
    assert!(classifier.info().softmax);
    let output = classifier.run(&[0.5; 3 * 64]).unwrap();
    assert!(classifier.predictions(&output, 3).iter().all(|p| (p.probability - 1.0 / 3.0).abs() < 1e-6));
}

#[test]
fn what_is_no_classifier_with_a_fixed_square_input_is_refused_in_words() {
    let input = |dims: &'static [Option<i64>]| {
        load(move |p| p.graph.as_mut().unwrap().input[0] = common::value("image", dims)).unwrap_err()
    };
    for dims in [
        &[None, Some(3), None, None][..],
        &[None, Some(3), Some(8), Some(9)],
        &[None, Some(1), Some(8), Some(8)],
        &[Some(4), Some(3), Some(8), Some(8)],
        &[None, Some(3), Some(4096), Some(4096)],
        &[None, Some(12)],
    ] {
        let error = input(dims);
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains("[N, 3, S, S]"), "{error}");
    }
    let error = load(|p| p.graph.as_mut().unwrap().output[0].name = "embedding".into()).unwrap_err();
    assert!(error.to_string().contains("2 outputs"), "{error}");
    let error = load(|p| {
        let graph = p.graph.as_mut().unwrap();
        graph.output = vec![common::value("a3", &[None, Some(3), Some(8), Some(8)])];
    })
    .unwrap_err();
    assert!(error.to_string().contains("[N, classes]"), "{error}");
    assert_eq!(PlainClassifier::load(b"GIF89a", None, Normalisation::Unit).unwrap_err().kind(), ErrorKind::NotAModel);
}

#[test]
fn displacements_are_read_from_the_kernels() {
    let shifts = |positions: &[u8]| {
        let mut proto = common::message(&common::card());
        let tensors = &mut proto.graph.as_mut().unwrap().initializer;
        tensors.iter_mut().find(|t| t.name == "shift.k").unwrap().raw_data = positions.to_vec();
        Model::load(&proto.encode_to_vec()).unwrap().shifts().to_vec()
    };
    let read = shifts(&[4, 0, 5]);
    assert_eq!(read.len(), 1);
    assert_eq!((read[0].name.as_str(), read[0].reach), ("a2", 1));
    assert_eq!(read[0].displacements, [(0, 0), (-1, -1), (0, 1)]);
    // A position outside the kernel is nobody's displacement; the network itself still runs.
    assert_eq!(shifts(&[4, 9, 5]), []);
}

#[test]
fn the_shipped_network_has_a_shift_in_every_block() {
    let model = Model::load(include_bytes!("../www/models/cifar10.onnx")).unwrap();
    let blocks = model.card().spec.blocks();
    assert_eq!(model.shifts().len(), blocks.len());
    for (shift, block) in model.shifts().iter().zip(&blocks) {
        assert_eq!(shift.displacements.len(), block.width, "{}", shift.name);
    }
    let moved = model.shifts().iter().flat_map(|s| &s.displacements).filter(|&&d| d != (0, 0)).count();
    assert!(moved > 0, "no channel moves");
}
