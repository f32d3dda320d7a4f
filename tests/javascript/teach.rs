//! The class `Teacher`.

use super::{MODEL, classifier, code, get, number};
use crate::pictures;
use js_sys::{Float32Array, Uint8Array};
use lsspq::wasm::Teacher;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

/// A generated picture as JavaScript hands it over: pixels, width, height.
fn picture(number: u32) -> (JsValue, f64, f64) {
    let picture = pictures::generated(number);
    (Uint8Array::from(&picture.rgba[..]).into(), f64::from(picture.width), f64::from(picture.height))
}

#[wasm_bindgen_test]
fn two_classes_are_taught_saved_and_loaded() {
    let classifier = classifier();
    let mut teacher = Teacher::new(&classifier);
    for (class, numbers) in [("one", [8, 16, 24]), ("other", [9, 17, 25])] {
        let index = teacher.add_class(class).unwrap();
        for (i, picture_number) in numbers.into_iter().enumerate() {
            let (rgba, width, height) = picture(picture_number);
            let embedding = classifier.embed(&rgba, width, height).unwrap();
            teacher.add(index, &embedding, Some(i > 0)).unwrap();
        }
    }
    let (rgba, width, height) = picture(16);
    let before = teacher.classify(&classifier, &rgba, width, height, None, None).unwrap();
    assert_eq!(number(&before, "taught.length"), 0.0, "nothing is trained yet");
    teacher.train();
    let state = teacher.state().unwrap();
    assert_eq!(get(&state, "head"), "nearest-mean");
    assert_eq!(number(&state, "heldOut.pictures"), 6.0);
    assert_eq!(get(&state, "labels.1"), "other");
    assert_eq!(number(&state, "classes.1.examples.0"), 3.0);
    assert_eq!(get(&state, "canUndo"), true);
    let answer = teacher.classify(&classifier, &rgba, width, height, None, Some(true)).unwrap();
    assert_eq!(get(&answer, "taught.0.label"), "one", "a picture that was taught");
    assert_eq!(number(&answer, "taught.length"), 2.0);
    // Beside the answer of the network itself, which is what it is without a teacher.
    let plain = classifier.classify(&rgba, width, height, None, Some(true)).unwrap();
    for path in ["predictions.0.index", "predictions.0.probability", "predictions.length"] {
        assert_eq!(number(&answer, path), number(&plain, path), "{path}");
    }
    let input: Float32Array = get(&answer, "input").dyn_into().expect("an array");
    assert_eq!(input.to_vec(), classifier.input(&rgba, width, height).unwrap().to_vec());

    let loaded = Teacher::load(&classifier, &teacher.save()).unwrap();
    let again = loaded.classify(&classifier, &rgba, width, height, None, None).unwrap();
    assert_eq!(number(&again, "taught.0.probability"), number(&answer, "taught.0.probability"));
    assert!(teacher.undo(), "three pictures together");
    assert_eq!(number(&teacher.state().unwrap(), "classes.1.examples.length"), 0.0);
}

#[wasm_bindgen_test]
fn what_cannot_be_taught_is_thrown_with_a_code() {
    let classifier = classifier();
    let mut teacher = Teacher::new(&classifier);
    teacher.add_class("one").unwrap();
    assert_eq!(code(teacher.add_class("One")), "classes");
    assert_eq!(code(teacher.rename_class(0, "")), "classes");
    assert_eq!(code(teacher.remove_class(1)), "classes");
    assert_eq!(code(teacher.remove(0)), "classes");
    assert_eq!(code(teacher.add(0, &Float32Array::new_with_length(3), None)), "inference");
    let bytes = teacher.save();
    assert_eq!(code(Teacher::load(&classifier, &bytes.subarray(0, 40))), "taught");
    assert_eq!(code(Teacher::load(&classifier, &Uint8Array::from(b"GIF89a".as_slice()))), "taught");
    // The same network in another file: its metadata are one entry longer.
    let other = [MODEL, &[0x72, 6, 0x0a, 1, b'k', 0x12, 1, b'v']].concat();
    let other = lsspq::wasm::Classifier::load(&Uint8Array::from(&other[..])).unwrap();
    assert_eq!(code(Teacher::load(&other, &bytes)), "other-model");
}
