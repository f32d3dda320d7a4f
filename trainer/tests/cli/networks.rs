//! Networks that nobody trained: their files, their sizes, and the paper beside them.

use crate::place::{Place, printed};
use std::fs;

#[test]
fn network_before_training_is_exported_and_inspected() {
    let place = Place::new();
    let make = ["export", "--network", "l-sspq34-cifar100", "--weights", "2", "--out", "thirty-four.onnx"];
    printed(&place, &make);
    let shown = printed(&place, &["inspect", "thirty-four.onnx"]);
    assert!(shown.contains("l-sspq34-cifar100: 32 x 32 pixels, 100 classes"), "{shown}");
    assert!(shown.contains("top-1: not measured"), "{shown}");
    assert!(printed(&place, &["inspect", "l-sspq50"]).contains("11,601,088"));
    let other = ["export", "--network", "mobilenet-v2@cifar10@x0.25", "--out", "mobilenet.onnx"];
    printed(&place, &other);
    let shown = printed(&place, &["inspect", "mobilenet.onnx"]);
    assert!(shown.contains("mobilenet-v2-cifar10-x0.25: 32 x 32 pixels, 10 classes"), "{shown}");
    assert!(shown.contains("groups.1.blocks.0.depthwise"), "{shown}");
    place.refused(&["inspect", "l-sspq50@half"], 2, &["@half", "@cifar10", "@float"]);
    place.refused(&["export", "--network", "resnet20", "--weights", "2", "--out", "x.onnx"], 2, &["float weights"]);
    fs::write(place.path("mine.toml"), include_str!("../../networks/sspq50.toml")).unwrap();
    assert!(printed(&place, &["inspect", "mine.toml"]).contains("sspq50: 224 x 224 pixels"));
    place.refused(&make, 2, &["is there already", "--overwrite"]);
    place.refused(&["export", "--network", "l-sspq51", "--out", "x.onnx"], 2, &["l-sspq51", "l-sspq50", "sspq152"]);
    place.refused(&["export", "--network", "l-sspq50"], 2, &["--out"]);
    place.refused(&["export"], 2, &["RUN"]);
}

#[test]
fn paper_is_compared_with_a_model_and_drawn() {
    let place = Place::new();
    printed(&place, &["export", "--network", "l-sspq34-cifar100", "--out", "thirty-four.onnx"]);
    let text = printed(&place, &["compare", "--paper", "thirty-four.onnx", "--figure", "compare.svg"]);
    for part in ["L-SSPQ50", "1.319", "measured here", "l-sspq34-cifar100", "not measured"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    assert!(fs::read_to_string(place.path("compare.svg")).unwrap().starts_with("<svg"));
    place.refused(&["compare", "--paper", "nowhere.onnx"], 2, &["nowhere.onnx"]);
    place.refused(&["compare"], 2, &["MODELS"]);
    place.refused(&["compare", "thirty-four.onnx", "--figure", "x.svg"], 2, &["--paper"]);
}
