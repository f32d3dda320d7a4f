//! What it says of itself, and of arguments that it cannot take.

use crate::place::Place;

#[test]
fn help_shows_verbs_and_examples() {
    let place = Place::new();
    let help = place.run(&["--help"]);
    let text = String::from_utf8_lossy(&help.stdout);
    assert_eq!(help.status.code(), Some(0));
    const VERBS: [&str; 11] =
        ["train", "eval", "export", "inspect", "compare", "fixture", "pictures", "report", "sweep", "publish", "lend"];
    for part in VERBS.iter().chain(&["Examples:", "LSSPQ_DATA", "Exit codes:"]) {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    for verb in VERBS {
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
    place.refused(&["train", "shapes.toml", "--device", "gpu"], 2, &["gpu is no device", "cuda:NUMBER"]);
    place.refused(&["train", "shapes.toml", "--device", "cuda:99"], 2, &["--device cuda:99: ", "leave --device out"]);
    place.refused(&["lend", "--device", "ws://gpu:3000"], 2, &["--device ws://gpu:3000: ", "on its own machine"]);
    #[cfg(not(feature = "remote"))]
    place.refused(&["lend"], 2, &["lending needs the feature", "--features remote"]);
    place.refused(&["train", "shapes.toml", "--epochs", "3"], 2, &["--epochs", "one per stage: 2"]);
    place.refused(&["train", "nowhere.toml"], 2, &["nowhere.toml", "cannot be read"]);
    place.refused(&["eval", "nowhere.onnx"], 2, &["no file nowhere.onnx"]);
    place.refused(&["inspect", "nowhere.onnx"], 2, &["no file nowhere.onnx"]);
    place.refused(&["fixture", "shapes"], 2, &["shapes is not empty"]);
}
