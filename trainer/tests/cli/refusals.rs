//! Recipes, pictures and files that are refused by name, before anything is lost.

use crate::place::{Place, RECIPE, first_file, printed};
use std::fs;

#[test]
fn unknown_recipe_key_is_named_with_file_and_line() {
    let place = Place::new();
    place.recipe(&RECIPE.replace("flip = true", "flop = true"));
    place.refused_before_training(2, &["shapes.toml", "line 19", "flop", "`crop_padding`, `flip`"]);
}

#[test]
fn impossible_recipe_value_is_named_with_file_and_what_is_allowed() {
    let place = Place::new();
    place.recipe(&RECIPE.replace("weights = 2", "weights = 9"));
    place.refused_before_training(2, &["shapes.toml", "network.bits.weights = 9", "allowed is 1 to 8"]);
}

#[test]
fn missing_data_folder_is_named() {
    let place = Place::new();
    fs::rename(place.path("shapes"), place.path("elsewhere")).unwrap();
    place.refused_before_training(3, &["generated shapes", "--data", "LSSPQ_DATA"]);
    fs::create_dir(place.path("shapes")).unwrap();
    place.refused_before_training(3, &["no folder", "train"]);
}

#[test]
fn empty_class_is_named() {
    let place = Place::new();
    fs::create_dir(place.path("shapes/test/hexagon")).unwrap();
    place.refused_before_training(3, &["test", "hexagon"]);
}

#[test]
fn broken_picture_is_named_and_counted() {
    let place = Place::new();
    let file = first_file(&place.path("shapes/train/disc"));
    fs::write(&file, "no picture").unwrap();
    place.refused_before_training(3, &["1 of 160", file.file_name().unwrap().to_str().unwrap()]);
}

#[test]
fn existing_run_is_kept_unless_told_otherwise() {
    let place = Place::new();
    fs::create_dir_all(place.path("runs/shapes")).unwrap();
    fs::write(place.path("runs/shapes/recipe.toml"), "mine").unwrap();
    place.refused(&["train", "shapes.toml"], 2, &["runs/shapes", "--resume", "--overwrite", "--out"]);
    assert_eq!(fs::read_to_string(place.path("runs/shapes/recipe.toml")).unwrap(), "mine");
    place.refused(&["train", "shapes.toml", "--out", "other", "--resume"], 2, &["other holds no run to resume"]);
}

#[test]
fn run_that_was_refused_before_its_first_step_is_not_in_the_way() {
    let place = Place::new();
    place.recipe(&RECIPE.replacen("[network]", "[distill]\nteacher = \"none.npy\"\n\n[network]", 1));
    let train = ["train", "shapes.toml", "--epochs", "1,1", "--plain"];
    place.refused(&train, 2, &["none.npy cannot be read"]);
    assert!(place.path("runs/shapes/recipe.toml").is_file());
    place.recipe(RECIPE);
    assert!(place.run(&train).status.success());
    place.refused(&train, 2, &["holds a run already"]);
}

#[test]
fn folder_with_other_things_is_never_taken_for_a_run() {
    let place = Place::new();
    for flags in
        [&["train", "shapes.toml", "--out", "shapes"][..], &["train", "shapes.toml", "--out", "shapes", "--overwrite"]]
    {
        place.refused(flags, 2, &["shapes is there and holds other things"]);
    }
    assert!(place.path("shapes/train/disc").is_dir());
}

#[test]
fn broken_model_files_are_named() {
    let place = Place::new();
    fs::write(place.path("empty.onnx"), "").unwrap();
    fs::write(place.path("text.onnx"), "no model").unwrap();
    fs::File::create(place.path("huge.onnx")).unwrap().set_len(500 << 20).unwrap();
    for verb in ["eval", "inspect"] {
        place.refused(&[verb, "empty.onnx"], 3, &["empty.onnx"]);
        place.refused(&[verb, "text.onnx"], 3, &["text.onnx"]);
        place.refused(&[verb, "huge.onnx"], 3, &["huge.onnx", "500 MiB"]);
    }
}

#[test]
fn model_whose_card_is_incomplete_is_not_published() {
    let place = Place::new();
    printed(&place, &["export", "--network", "l-sspq34-cifar100", "--out", "untrained.onnx"]);
    place.refused(&["publish", "untrained.onnx"], 3, &["no accuracy", "no licence", "no recipe"]);
    place.refused(&["publish", "nowhere"], 2, &["no file or run nowhere"]);
    assert!(!place.path("www").exists());
}
