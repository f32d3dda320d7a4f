//! Pictures in, labels out, with a network whose answers can be worked out by hand.

mod common;

use lsspq::{ErrorKind, Model};

fn model() -> Model {
    Model::load(&common::colours()).unwrap()
}

fn filled(colour: [u8; 4], width: u32, height: u32) -> Vec<u8> {
    colour.repeat((width * height) as usize)
}

#[test]
fn a_picture_of_one_colour_gets_its_name() {
    let model = model();
    for (index, colour) in [[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]].into_iter().enumerate() {
        for (width, height) in [(8, 8), (1, 1), (640, 480), (33, 70)] {
            let first = &model.classify(&filled(colour, width, height), width, height, 1).unwrap()[0];
            assert_eq!((first.index, &first.label), (index, &model.card().labels[index]), "{width} x {height}");
            assert!(first.probability > 0.99);
        }
    }
}

#[test]
fn the_network_is_computed_exactly() {
    let model = model();
    let input = model.input(&filled([255, 0, 0, 255], 8, 8), 8, 8).unwrap();
    let output = model.run(&input).unwrap();
    assert_eq!(output.embedding, [15.0, 0.0, 0.0]);
    assert_eq!(output.logits, [15.0, 0.0, 0.0]);
    // Red 102 is level 6: 6 x 15 - 0 over 15, and once more, plus the shortcut, halved.
    let output = model.run(&model.input(&filled([102, 0, 0, 255], 8, 8), 8, 8).unwrap()).unwrap();
    assert_eq!(output.embedding, [6.0, 0.0, 0.0]);
}

#[test]
fn predictions_are_ranked_and_sum_to_one() {
    let model = model();
    let all = model.classify(&filled([255, 136, 0, 255], 8, 8), 8, 8, 100).unwrap();
    let labels: Vec<&str> = all.iter().map(|p| &*p.label).collect();
    assert_eq!(labels, ["red", "green", "blue"]);
    assert!(all.windows(2).all(|p| p[0].probability >= p[1].probability));
    assert!((all.iter().map(|p| p.probability).sum::<f32>() - 1.0).abs() < 1e-6);
    assert_eq!(model.classify(&filled([0; 4], 8, 8), 8, 8, 0).unwrap(), []);
}

#[test]
fn equal_classes_come_in_the_order_of_the_labels() {
    let model = model();
    let grey = model.classify(&filled([90, 90, 90, 255], 8, 8), 8, 8, 3).unwrap();
    assert_eq!(grey.iter().map(|p| p.index).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(grey[0].probability, grey[2].probability);
}

#[test]
fn the_embedding_is_the_pooled_vector() {
    // The left half is red, the right half blue.
    let rgba: Vec<u8> = (0..64).flat_map(|i| if i % 8 < 4 { [255, 0, 0, 255] } else { [0, 0, 255, 255] }).collect();
    assert_eq!(model().embed(&rgba, 8, 8).unwrap(), [7.5, 0.0, 7.5]);
}

#[test]
fn pictures_that_cannot_be_are_refused_as_pictures() {
    let model = model();
    assert_eq!(model.classify(&[], 0, 0, 5).unwrap_err().kind(), ErrorKind::Picture);
    assert_eq!(model.classify(&[0; 7], 1, 2, 5).unwrap_err().kind(), ErrorKind::Picture);
    let error = model.run(&[0.0; 10]).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Picture, "an input [3, 8, 8] has 192 values, got 10")
    );
}

#[test]
fn an_input_that_is_no_number_gives_no_answer_that_is_none() {
    // Whether NaN outlives the clipping is up to the processor's minimum: an error or finite logits, never NaN.
    match model().run(&[f32::NAN; 192]) {
        Ok(output) => assert!(output.logits.iter().all(|v| v.is_finite()), "{output:?}"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Inference),
    }
}
