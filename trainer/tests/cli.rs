//! The real binary in a folder of its own: what it says and how it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const RECIPE: &str = include_str!("fixture/shapes.toml");

/// A folder in which the program runs, with a recipe and generated pictures.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        place.recipe(RECIPE);
        let made = place.run(&["fixture", "shapes", "--train", "40", "--test", "4"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn recipe(&self, text: &str) {
        fs::write(self.path("shapes.toml"), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_lsspq"))
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("LSSPQ_DATA")
            .output()
            .unwrap()
    }

    /// Runs what must fail with that exit code and those words, and must leave no run behind.
    fn refused(&self, arguments: &[&str], code: i32, parts: &[&str]) {
        let output = self.run(arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{message}");
        for part in parts {
            assert!(message.contains(part), "{part} is not in: {message}");
        }
    }

    fn refused_before_training(&self, code: i32, parts: &[&str]) {
        self.refused(&["train", "shapes.toml"], code, parts);
        assert!(!self.path("runs").exists(), "a refused run left a folder");
    }
}

/// The first file in a folder, by name.
fn first_file(folder: &Path) -> PathBuf {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).min().unwrap()
}

#[test]
fn help_shows_verbs_and_examples() {
    let place = Place::new();
    let help = place.run(&["--help"]);
    let text = String::from_utf8_lossy(&help.stdout);
    assert_eq!(help.status.code(), Some(0));
    for part in ["train", "eval", "export", "inspect", "compare", "fixture", "Examples:", "LSSPQ_DATA", "Exit codes:"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    for verb in ["train", "eval", "export", "inspect", "compare", "fixture"] {
        let help = place.run(&[verb, "--help"]);
        assert!(String::from_utf8_lossy(&help.stdout).contains("Example"), "{verb}");
        assert_eq!(help.status.code(), Some(0));
    }
}

#[test]
fn misspelt_arguments_are_usage_errors() {
    let place = Place::new();
    place.refused(&[], 2, &["Usage"]);
    place.refused(&["trian"], 2, &["trian"]);
    place.refused(&["train", "shapes.toml", "--sed", "1"], 2, &["--sed"]);
    place.refused(&["train", "shapes.toml", "--threads", "0"], 2, &["--threads"]);
    place.refused(&["train", "shapes.toml", "--resume", "--overwrite"], 2, &["--overwrite"]);
    place.refused(&["train", "shapes.toml", "--epochs", "3"], 2, &["--epochs", "one per stage: 2"]);
    place.refused(&["train", "nowhere.toml"], 2, &["nowhere.toml", "cannot be read"]);
    place.refused(&["eval", "nowhere.onnx"], 2, &["no file nowhere.onnx"]);
    place.refused(&["inspect", "nowhere.onnx"], 2, &["no file nowhere.onnx"]);
    place.refused(&["fixture", "shapes"], 2, &["shapes is not empty"]);
}

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
fn inspected_recipe_is_shown_with_its_defaults() {
    let place = Place::new();
    let shown = place.run(&["inspect", "shapes.toml"]);
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.status.success());
    assert!(text.contains("weight_decay = 0.0001") && text.contains("train = \"train\""), "{text}");
}

#[test]
fn generated_pictures_are_the_same_every_time() {
    let (one, two) = (Place::new(), Place::new());
    for name in ["shapes/train/cross/00001.jpg", "shapes/test/stripes/00040.png"] {
        assert_eq!(fs::read(one.path(name)).unwrap(), fs::read(two.path(name)).unwrap());
    }
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

/// Runs what must succeed and gives what it printed.
fn printed(place: &Place, arguments: &[&str]) -> String {
    let output = place.run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn network_before_training_is_exported_and_inspected() {
    let place = Place::new();
    let make = ["export", "--network", "l-sspq34-cifar100", "--weights", "2", "--out", "thirty-four.onnx"];
    printed(&place, &make);
    let shown = printed(&place, &["inspect", "thirty-four.onnx"]);
    assert!(shown.contains("l-sspq34-cifar100: 32 x 32 pixels, 100 classes"), "{shown}");
    assert!(shown.contains("top-1: not measured"), "{shown}");
    assert!(printed(&place, &["inspect", "l-sspq50"]).contains("11,601,088"));
    fs::write(place.path("mine.toml"), include_str!("../networks/sspq50.toml")).unwrap();
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
    place.refused(&["compare"], 2, &["--paper"]);
}
