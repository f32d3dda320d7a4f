//! What it finds in folders and makes of them.

use crate::place::{Place, RECIPE, first_file, printed};
use std::fs;

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
fn dry_run_reads_everything_and_writes_nothing() {
    let place = Place::new();
    let text = printed(&place, &["train", "shapes.toml", "--dry-run", "--epochs", "8,1"]);
    for part in ["epochs = 8", "file as it is served", "float twin", "stage 1: 8 epochs", "144 pictures to train on"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    assert!(!place.path("runs").exists());
    fs::write(first_file(&place.path("shapes/train/disc")), "no picture").unwrap();
    place.refused(&["train", "shapes.toml", "--dry-run"], 3, &["1 of 160"]);
}

#[test]
fn folder_without_splits_is_trained_on_and_a_fifth_is_kept_for_the_test() {
    let place = Place::new();
    let own = RECIPE.replace("\"class-folder\"", "\"pictures\"").replace("classes = 4\n", "");
    place.recipe(&own.replace("path = \"shapes\"", "path = \"shapes/train\""));
    let text = printed(&place, &["train", "shapes.toml", "--dry-run"]);
    assert!(text.contains("116 pictures to train on, 12 to validate, 32 to test, 4 classes"), "{text}");
    assert!(printed(&place, &["inspect", "shapes.toml"]).contains("classes = 4"));
}
