//! What holds of the JavaScript class wherever it runs, with the shipped model.

mod teach;

use crate::golden::Golden;
use crate::pictures;
use js_sys::{Reflect, Uint8Array, Uint8ClampedArray};
use lsspq::Model;
use lsspq::wasm::{Classifier, PlainClassifier, parse_labels};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

const MODEL: &[u8] = include_bytes!("../../www/models/cifar10.onnx");
const GOLDEN: &str = include_str!("../golden/cifar10.json");

fn classifier() -> Classifier {
    Classifier::load(&Uint8Array::from(MODEL)).expect("the shipped model loads")
}

/// A property, by a path with dots.
fn get(object: &JsValue, path: &str) -> JsValue {
    path.split('.').fold(object.clone(), |o, key| Reflect::get(&o, &key.into()).expect("an object"))
}

fn number(object: &JsValue, path: &str) -> f64 {
    get(object, path).as_f64().unwrap_or_else(|| panic!("{path} is no number"))
}

/// The code of what was thrown, which must be an `Error` with words.
fn code<T>(result: Result<T, JsValue>) -> String {
    let thrown = result.err().expect("an error");
    assert!(thrown.is_instance_of::<js_sys::Error>(), "{thrown:?}");
    assert!(get(&thrown, "message").as_string().is_some_and(|m| m.len() > 10), "{thrown:?}");
    get(&thrown, "code").as_string().expect("a code")
}

#[wasm_bindgen_test]
fn every_picture_gets_the_answer_of_the_native_library() {
    let golden: Golden = serde_json::from_str(GOLDEN).expect("golden answers are JSON");
    let model = Model::load(MODEL).expect("the shipped model loads");
    golden.assert_matches(&Golden::of(&model, &pictures::all()));
}

#[wasm_bindgen_test]
fn a_photograph_is_classified_with_labels_and_milliseconds() {
    let golden: Golden = serde_json::from_str(GOLDEN).expect("golden answers are JSON");
    let classifier = classifier();
    let labels = get(&classifier.card().unwrap(), "labels");
    for (picture, answer) in pictures::all().iter().zip(&golden.answers).take(3) {
        let rgba = Uint8ClampedArray::from(&picture.rgba[..]).into();
        let (width, height) = (f64::from(picture.width), f64::from(picture.height));
        let answered = classifier.classify(&rgba, width, height, Some(3), None).unwrap();
        assert_eq!(number(&answered, "predictions.length"), 3.0);
        let first = number(&answered, "predictions.0.index");
        assert_eq!(first, answer.first as f64, "{}", picture.name);
        assert_eq!(get(&answered, "predictions.0.label"), get(&labels, &answer.first.to_string()));
        let probability = |i: u32| number(&answered, &format!("predictions.{i}.probability"));
        assert!(1.0 >= probability(0) && probability(0) >= probability(1) && probability(1) >= probability(2));
        let [preprocess, inference, total] =
            ["preprocess", "inference", "total"].map(|part| number(&answered, &format!("milliseconds.{part}")));
        assert!(inference > 0.0 && (preprocess + inference - total).abs() < 1e-6);
        let five = classifier.classify(&rgba, width, height, None, None).unwrap();
        assert_eq!(number(&five, "predictions.length"), 5.0);
    }
}

#[wasm_bindgen_test]
fn arrays_have_the_lengths_of_the_card() {
    let classifier = classifier();
    let card = classifier.card().unwrap();
    let (side, classes) = (number(&card, "spec.input"), number(&card, "spec.classes"));
    let picture = pictures::generated(2);
    // A plain `Uint8Array` is taken as well.
    let rgba = Uint8Array::from(&picture.rgba[..]).into();
    let (width, height) = (f64::from(picture.width), f64::from(picture.height));
    assert_eq!(f64::from(classifier.input(&rgba, width, height).unwrap().length()), 3.0 * side * side);
    assert_eq!(f64::from(classifier.logits(&rgba, width, height).unwrap().length()), classes);
    let embedding = classifier.embed(&rgba, width, height).unwrap();
    let model = Model::load(MODEL).unwrap();
    assert_eq!(embedding.to_vec(), model.embed(&picture.rgba, picture.width, picture.height).unwrap());
}

#[wasm_bindgen_test]
fn card_metrics_and_layers_are_plain_objects() {
    let classifier = classifier();
    let card = classifier.card().unwrap();
    assert_eq!(number(&card, "labels.length"), number(&card, "spec.classes"));
    assert!(get(&card, "dataset").is_string());
    let metrics = classifier.metrics().unwrap();
    assert_eq!(number(&metrics, "sizeBytes"), MODEL.len() as f64);
    assert_eq!(number(&metrics, "chancePercent"), 100.0 / number(&card, "spec.classes"));
    let accuracy = get(&metrics, "accuracy");
    assert!(accuracy.is_null() || number(&accuracy, "top1.low") < number(&accuracy, "top1.high"));
    let layers = js_sys::Array::from(&classifier.layers().unwrap());
    let sum: f64 = layers.iter().map(|layer| number(&layer, "multiplyAdds")).sum();
    assert_eq!(sum, number(&metrics, "multiplyAdds"));
    assert_eq!(get(&layers.get(0), "kind"), "stem");
}

#[wasm_bindgen_test]
fn every_layer_of_the_shipped_model_runs_in_whole_numbers_and_is_timed() {
    let classifier = classifier();
    let plan = js_sys::Array::from(&classifier.plan().unwrap());
    assert!(plan.length() > 5);
    for layer in plan.iter() {
        assert!(get(&layer, "kernel").is_string() && get(&layer, "reason").is_null(), "{layer:?}");
    }
    let pixels: JsValue = Uint8ClampedArray::new_with_length(16).into();
    let times = classifier.profile(&pixels, 2.0, 2.0).unwrap();
    assert_eq!(times.length(), plan.length());
}

#[wasm_bindgen_test]
fn broken_files_are_thrown_with_a_code() {
    let load = |bytes: &[u8]| code(Classifier::load(&Uint8Array::from(bytes)));
    assert_eq!(load(b""), "not-a-model");
    assert_eq!(load(b"<!DOCTYPE html><title>404</title>"), "not-a-model");
    assert_eq!(load(&MODEL[..MODEL.len() / 2]), "not-a-model");
    // Half a gigabyte of zeros, which is never copied.
    assert_eq!(code(Classifier::load(&Uint8Array::new_with_length(500_000_000))), "too-large");
}

#[wasm_bindgen_test]
fn pictures_that_cannot_be_are_thrown_as_pictures() {
    let classifier = classifier();
    let pixels: JsValue = Uint8ClampedArray::new_with_length(16).into();
    for (width, height) in [(0.0, 0.0), (0.0, 4.0), (3.0, 2.0), (-2.0, -2.0), (f64::NAN, 4.0), (1.5, 1.0), (1e300, 1.0)]
    {
        assert_eq!(code(classifier.classify(&pixels, width, height, None, None)), "picture", "{width} x {height}");
    }
    for other in [JsValue::NULL, JsValue::UNDEFINED, "pixels".into(), js_sys::Array::new().into()] {
        assert_eq!(code(classifier.logits(&other, 2.0, 2.0)), "picture", "{other:?}");
    }
    classifier.classify(&pixels, 2.0, 2.0, None, None).expect("the class still works");
}

#[wasm_bindgen_test]
fn what_the_network_saw_comes_with_the_answer_where_it_is_asked_for() {
    let classifier = classifier();
    let picture = pictures::generated(2);
    let rgba = Uint8Array::from(&picture.rgba[..]).into();
    let (width, height) = (f64::from(picture.width), f64::from(picture.height));
    let answered = classifier.classify(&rgba, width, height, None, Some(true)).unwrap();
    let input: js_sys::Float32Array = get(&answered, "input").dyn_into().expect("an array");
    assert_eq!(input.to_vec(), classifier.input(&rgba, width, height).unwrap().to_vec());
    let without = classifier.classify(&rgba, width, height, None, None).unwrap();
    assert!(get(&without, "input").is_undefined());
}

#[wasm_bindgen_test]
fn layers_state_their_bytes_and_shifts_their_displacements() {
    let classifier = classifier();
    let layers: js_sys::Array = classifier.layers().unwrap().into();
    let bytes: f64 = layers.iter().map(|layer| number(&layer, "weightsBytes")).sum();
    assert_eq!(bytes, number(&classifier.metrics().unwrap(), "weightsBytes"));
    assert_eq!(get(&layers.get(0), "kind"), "stem");
    let shifts: js_sys::Array = classifier.shifts().unwrap().into();
    let layers_that_shift = layers.iter().filter(|layer| get(layer, "kind") == "shift").count();
    assert_eq!(shifts.length() as usize, layers_that_shift);
    assert!(number(&shifts.get(0), "displacements.length") > 0.0);
}

#[wasm_bindgen_test]
fn a_plain_classifier_and_labels_say_what_is_wrong_by_code() {
    let bytes = Uint8Array::from(&b"GIF89a"[..]);
    assert_eq!(code(PlainClassifier::load(&bytes, None, None)), "not-a-model");
    let model = Uint8Array::from(MODEL);
    assert_eq!(code(PlainClassifier::load(&model, Some(vec!["one".into()]), None)), "labels");
    assert_eq!(code(PlainClassifier::load(&model, None, Some("grey".into()))), "unsupported");
    // A model of this project is a classifier like any other: its output `logits` is found.
    let plain = PlainClassifier::load(&model, None, None).unwrap();
    assert_eq!(number(&plain.info().unwrap(), "classes"), 10.0);
    assert_eq!(code(parse_labels("one")), "labels");
    assert_eq!(parse_labels("one\ntwo").unwrap(), ["one", "two"]);
}
