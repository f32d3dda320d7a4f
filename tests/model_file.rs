//! What [`Model::load`] makes of files, good and bad.

mod common;

use lsspq::{ErrorKind, Model};
use prost::Message;
use tract_onnx::pb::{ModelProto, StringStringEntryProto};

/// The error of a changed colour network.
fn refused(change: impl FnOnce(&mut ModelProto)) -> (ErrorKind, String) {
    let mut proto = common::message(&common::card());
    change(&mut proto);
    let error = Model::load(&proto.encode_to_vec()).expect_err("the file is wrong");
    (error.kind(), error.to_string())
}

#[test]
fn a_good_file_gives_back_its_card_and_size() {
    let bytes = common::colours();
    let model = Model::load(&bytes).unwrap();
    assert_eq!(*model.card(), common::card());
    assert_eq!(model.bytes_len(), bytes.len());
    let metrics = model.metrics();
    assert_eq!(metrics.accuracy.unwrap().top1.percent, 90.0);
    assert_eq!(metrics.loss_points, Some(2.0));
    // Stem 9, two pointwise 9 each, linear 9 + 3; four BatchNorms and one shift of 3 channels, two floats each.
    assert_eq!(metrics.float_twin_bytes, 4 * (9 + 18 + 12 + 5 * 6));
    assert_eq!(metrics.weights_bytes, 4 * 9 + 2 * 5 + 4 * 9);
}

#[test]
fn an_empty_file_is_no_model() {
    let error = Model::load(&[]).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::NotAModel, "the file is empty (0 bytes)"));
}

#[test]
fn other_files_are_no_models() {
    for bytes in [&b"<!DOCTYPE html><title>404</title>"[..], b"\x89PNG\r\n\x1a\n", b"{}", &[0; 100], &[0xff; 100]] {
        let error = Model::load(bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotAModel, "{bytes:?}: {error}");
    }
}

#[test]
fn a_file_above_the_limit_is_refused_before_it_is_read() {
    let error = Model::load(&vec![0; Model::MAX_BYTES + 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[test]
fn a_file_cut_anywhere_is_refused_in_words() {
    let bytes = common::colours();
    for length in 0..bytes.len() {
        let error = Model::load(&bytes[..length]).expect_err("a part is no model");
        assert!(!error.to_string().is_empty(), "{length} of {} bytes", bytes.len());
    }
}

/// Every byte is somebody's name, number, weight or length: most flips are noticed, none may panic.
#[test]
fn flipped_bytes_never_panic() {
    let good = common::colours();
    let mut state = 11u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..600 {
        let mut bytes = good.clone();
        for _ in 0..=next(3) {
            let place = next(bytes.len());
            bytes[place] ^= 1 << next(8);
        }
        if let Ok(model) = Model::load(&bytes) {
            let side = model.card().spec.input;
            // It may run or fail, in words.
            let _ = model.run(&vec![0.5; 3 * side * side]);
        }
    }
}

#[test]
fn a_file_without_a_card_says_how_to_get_one() {
    let (kind, text) = refused(|m| m.metadata_props.clear());
    assert_eq!(kind, ErrorKind::NoCard);
    assert!(text.contains("no metadata") && text.contains("lsspq export"), "{text}");
}

#[test]
fn a_card_that_cannot_be_is_refused() {
    let set = |key: &'static str, value: &'static str| {
        refused(move |m| {
            m.metadata_props.retain(|p| p.key != key);
            m.metadata_props.push(StringStringEntryProto { key: key.into(), value: value.into() });
        })
    };
    for (key, value, wanted) in [
        ("lsspq.labels", "[\"one\"]", "1 labels for 3 classes"),
        ("lsspq.labels", "oops", "lsspq.labels is no JSON"),
        ("lsspq.format", "99", "format 99"),
        ("lsspq.calibration", "{\"threshold\":2,\"images\":10,\"answered\":9,\"right\":9}", "threshold is 2"),
        ("lsspq.accuracy", "{\"images\":10,\"top1\":11,\"top5\":12}", "11 and 12 right of 10"),
    ] {
        let (kind, text) = set(key, value);
        assert_eq!(kind, ErrorKind::Metadata, "{key}: {text}");
        assert!(text.contains(wanted), "{key}: {text}");
    }
}

#[test]
fn an_input_that_does_not_fit_the_card_is_named_with_both_shapes() {
    let shape = |dims: &[Option<i64>]| refused(|m| m.graph.as_mut().unwrap().input[0] = common::value("image", dims));
    for dims in [
        &[None, Some(3), Some(9), Some(8)][..],
        &[None, Some(1), Some(8), Some(8)],
        &[Some(2), Some(3), Some(8), Some(8)],
        &[Some(3), Some(8), Some(8)],
        &[None, Some(3), None, None],
    ] {
        let (kind, text) = shape(dims);
        assert_eq!(kind, ErrorKind::Unsupported, "{text}");
        assert!(text.contains("[N, 3, 8, 8]"), "{text}");
    }
    let (_, text) = refused(|m| m.graph.as_mut().unwrap().input[0].name = "picture".into());
    assert!(text.contains("`picture`") && text.contains("`image`"), "{text}");
}

#[test]
fn outputs_that_do_not_fit_the_card_are_refused() {
    let (kind, text) = refused(|m| m.graph.as_mut().unwrap().output.truncate(1));
    assert_eq!(kind, ErrorKind::Unsupported);
    assert!(text.contains("no output `embedding`"), "{text}");
    let (kind, text) = refused(|m| {
        let graph = m.graph.as_mut().unwrap();
        graph.initializer.retain(|t| !t.name.starts_with("linear"));
        graph.initializer.push(common::floats("linear.w", &[3, 5], &[0.0; 15]));
        graph.initializer.push(common::floats("linear.b", &[5], &[0.0; 5]));
    });
    assert_eq!(kind, ErrorKind::Unsupported);
    assert!(text.contains("logits") && text.contains("[N, 3]"), "{text}");
}

#[test]
fn a_graph_that_does_not_hang_together_is_refused() {
    type Damage = fn(&mut ModelProto);
    let cases: [(&str, Damage); 6] = [
        ("Frobnicate", |m| m.graph.as_mut().unwrap().node[0].op_type = "Frobnicate".into()),
        ("com.example.Conv", |m| m.graph.as_mut().unwrap().node[0].domain = "com.example".into()),
        ("reads `nowhere`", |m| m.graph.as_mut().unwrap().node[0].input[0] = "nowhere".into()),
        ("two values", |m| m.graph.as_mut().unwrap().node[0].output[0] = "logits".into()),
        ("impossible shape", |m| m.graph.as_mut().unwrap().initializer[0].dims = vec![i64::MAX, i64::MAX]),
        ("another file", |m| m.graph.as_mut().unwrap().initializer[0].data_location = Some(1)),
    ];
    for (wanted, change) in cases {
        let (kind, text) = refused(change);
        assert_eq!(kind, ErrorKind::Unsupported, "{text}");
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let (kind, text) = refused(|m| m.graph.as_mut().unwrap().initializer[0].raw_data.truncate(35));
    assert_eq!(kind, ErrorKind::Unsupported, "{text}");
    let (kind, text) = refused(|m| m.graph.as_mut().unwrap().initializer[0].raw_data.truncate(4));
    assert_eq!(kind, ErrorKind::NotAModel, "{text}");
}
