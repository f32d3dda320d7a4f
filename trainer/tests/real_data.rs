//! The loaders on the real data sets, where the environment variable `LSSPQ_DATA` names the folder that holds them.

use lsspq_trainer::Recipe;
use lsspq_trainer::data::{Dataset, Part, Pictures};
use lsspq_trainer::recipe::{Data, Format};
use std::path::PathBuf;

/// The folder of a data set, or nothing and a word about it.
fn folder(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("LSSPQ_DATA").map(|base| PathBuf::from(base).join(name)).filter(|f| f.is_dir());
    if folder.is_none() {
        eprintln!("skipped: LSSPQ_DATA does not name a folder with {name}");
    }
    folder
}

fn recipe() -> Recipe {
    Recipe::parse(include_str!("../recipes/cifar10.toml"), "cifar10.toml").unwrap()
}

#[test]
fn cifar10_recipe_finds_all_of_its_pictures() {
    let Some(folder) = folder("cifar10-images") else { return };
    let data = Dataset::load(&recipe(), &folder).unwrap();
    assert_eq!(data.train.classes[3], "cat");
    assert_eq!(data.test.len(), 10_000);
    assert_eq!(data.training.len() + data.validation.len(), data.train.len());
    // The mean that the recipe normalises by is that of these pictures, to a hundredth.
    for (colour, mean) in recipe().data.mean.into_iter().enumerate() {
        let sum: u64 = data.train.pixels.iter().skip(colour).step_by(3).map(|&byte| u64::from(byte)).sum();
        let found = sum as f64 / (data.train.pixels.len() / 3) as f64 / 255.0;
        assert!((found - f64::from(mean)).abs() < 0.01, "colour {colour}: {found}, not {mean}");
    }
}

#[test]
fn tiny_imagenet_validation_split_loads() {
    let Some(folder) = folder("tiny-imagenet-200") else { return };
    let data = Data { format: Format::TinyImagenet, ..recipe().data };
    let test = Pictures::load(&data, &folder, Part::Test, 64).unwrap();
    assert_eq!((test.len(), test.classes.len()), (10_000, 200));
    let mut distinct = test.classes.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 200, "labels must be distinct");
    assert!(test.classes.iter().any(|class| class == "goldfish"));
}
