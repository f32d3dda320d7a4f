//! The recipes that are shipped: all of them can be followed, and keep what they promise.

use super::*;
use crate::{deploy, export};
use lsspq::card::{ClassAccuracy, ModelCard};
use std::f64::consts::PI;

/// Every file of the folder, with its name.
fn shipped() -> Vec<(String, Recipe)> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/recipes"));
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut recipes: Vec<(String, Recipe)> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            // Where it begins with a file, that counts from the folder of the whole project.
            let from = toml::from_str::<toml::Table>(&text).unwrap().get("start").map(|start| start["from"].clone());
            let from = from.map(|from| folder.join("../..").join(from.as_str().unwrap()));
            let text = start::complete(&text, from.as_deref()).unwrap();
            // Where a recipe leaves the number of classes to the pictures, there are four.
            let text = with_classes(&text, |_| Ok(4)).unwrap();
            let recipe = Recipe::parse(&text, &name).unwrap();
            (name, recipe)
        })
        .collect();
    recipes.sort_by(|a, b| a.0.cmp(&b.0));
    recipes
}

fn named(name: &str) -> Recipe {
    shipped().into_iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no recipe {name}")).1
}

#[test]
fn every_recipe_bears_the_name_of_its_file_and_reads_back_as_itself() {
    let recipes = shipped();
    assert!(recipes.len() >= 6, "{} recipes", recipes.len());
    for (name, recipe) in recipes {
        assert_eq!(recipe.name, name);
        assert_eq!(Recipe::parse(&recipe.to_toml(), &name).unwrap(), recipe);
    }
}

/// The rate of every epoch, by the loop or the formula of the schedule's kind, written out again.
fn rates(stage: &Stage) -> Vec<f64> {
    let s = &stage.schedule;
    let (w, eta, total) = (f64::from(s.warmup_interval), s.floor, f64::from(stage.epochs));
    let factor = |e: u32| eta + (1.0 - eta) * (1.0 + (PI * (f64::from(e) - w) / (total - w)).cos()) / 2.0;
    let mut multiple = 1.0;
    (0..stage.epochs)
        .map(|e| {
            if e > s.warmup_interval && e % s.step_size == 0 {
                multiple = match s.kind {
                    ScheduleKind::SteppedCosineCompounding => multiple * factor(e),
                    ScheduleKind::CosineStepped => factor(e),
                };
            }
            let ramp = if e < s.ramp_epochs { f64::from(e + 1) / f64::from(s.ramp_epochs) } else { 1.0 };
            s.base_rate * multiple.max(eta) * ramp
        })
        .collect()
}

#[test]
fn every_schedule_is_the_formula_of_its_kind() {
    for (name, recipe) in shipped() {
        for (i, stage) in recipe.stages.iter().enumerate() {
            for (epoch, wanted) in rates(stage).into_iter().enumerate() {
                let found = stage.rate(epoch as u32);
                assert!((found - wanted).abs() <= 1e-9 * wanted, "{name}, stage {i}, epoch {epoch}: {found} {wanted}");
            }
        }
    }
}

#[test]
fn published_settings_are_those_of_the_publication() {
    let settings = |stage: &Stage| {
        let s = &stage.schedule;
        assert_eq!((s.kind, s.floor), (ScheduleKind::SteppedCosineCompounding, 1e-5));
        assert_eq!((stage.optimiser.kind, stage.optimiser.momentum), (OptimiserKind::Sgd, 0.9));
        (stage.epochs, s.warmup_interval, s.step_size, stage.activation_bits())
    };
    let all = |recipe: &Recipe| recipe.stages.iter().map(settings).collect::<Vec<_>>();
    let imagenet = named("imagenet-l-sspq50");
    assert_eq!(all(&imagenet), [(105, 5, 10, None), (1, 1, 1, Some(8))]);
    let published = crate::paper::networks::find("l-sspq50".as_ref()).unwrap();
    assert_eq!((imagenet.network.groups, imagenet.network.head), (published.groups, published.head));
    assert_eq!(imagenet.network.bits.weights, Some(4));

    let cifar = named("cifar100-34");
    assert_eq!(all(&cifar), [(200, 30, 30, None), (10, 1, 1, Some(8))]);
    let published = crate::paper::networks::find("l-sspq34-cifar100".as_ref()).unwrap();
    assert_eq!((cifar.network.groups, cifar.network.bits), (published.groups, published.bits));
}

/// Bytes of the file that a recipe ends in, with random weights and the longest labels there may be.
fn file_bytes(recipe: &Recipe) -> usize {
    let network = deploy::random(&recipe.network, 1).unwrap();
    let classes = recipe.network.classes;
    let labels = (0..classes).map(|class| format!("a rather long name {class}")).collect();
    let card = ModelCard {
        accuracy: Some(lsspq::card::Accuracy { images: 10_000, top1: 9_000, top5: 9_900 }),
        classes: vec![ClassAccuracy { images: 1000, top1: 900 }; classes],
        recipe: recipe.to_toml(),
        seed: recipe.seed,
        licence: recipe.licence.clone(),
        limits: recipe.limits.clone(),
        provenance: "a program of some version; pictures: somewhere".into(),
        ..ModelCard::new(recipe.network.clone(), labels, recipe.data.dataset.clone())
    };
    export::to_onnx(&network, &card).unwrap().len()
}

#[test]
fn files_are_as_small_as_the_recipes_promise() {
    for (name, kib) in [
        ("cifar10-100k", 100),
        ("cifar10-100k-deeper", 100),
        ("cifar10-100k-finer", 100),
        ("cifar10-100k-altered", 100),
        ("cifar10-100k-settled", 100),
        ("cifar10-100k-taught", 100),
        ("cifar10-100k-unlabelled", 100),
        ("cifar10-dense", 34),
        ("everyday200", 1024),
        ("everyday200-deeper", 1024),
    ] {
        let bytes = file_bytes(&named(name));
        assert!(bytes <= kib << 10, "{name}: {bytes} bytes are more than {kib} KiB");
        // Room that is not used could have been a wider network.
        assert!(bytes * 10 >= (kib << 10) * 8, "{name}: {bytes} bytes are far below {kib} KiB");
    }
}
