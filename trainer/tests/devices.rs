//! Runs on other devices than the CPU with its fused operations: the numbers are the same but for rounding, and a run
//! that was begun on one device goes on on another.
//!
//! Without a GPU, plain operations on the CPU stand in for one. With one, the ignored test runs there:
//! `cargo test -p lsspq-trainer --features wgpu --test devices -- --ignored --nocapture`. With the feature `remote`, devices that this
//! machine lends to itself are tested as well.

use burn::tensor::Device;
use lsspq_trainer::compute::{Compute, Place};
use lsspq_trainer::data::Dataset;
use lsspq_trainer::fixture::{self, Plan};
use lsspq_trainer::recipe::Recipe;
use lsspq_trainer::train::{Existing, Folder, Outcome, Position, train_on};
use std::cell::RefCell;
use tempfile::TempDir;

/// Everything on that keeps numbers of its own: an average, clipping, the optimiser's momentum.
fn recipe() -> Recipe {
    let text = include_str!("fixture/shapes.toml")
        .replace("[network]\n", "[training]\nlabel_smoothing = 0.1\nema_decay = 0.95\nclip_norm = 1.0\n\n[network]\n");
    Recipe::parse(&text, "shapes.toml").unwrap()
}

/// The same with 4-bit activations and whole-pixel shifts from the first stage on.
#[cfg(feature = "libtorch")]
fn whole_pixels() -> Recipe {
    let mut recipe = recipe();
    recipe.stages[0].activations = recipe.stages[1].activations;
    recipe.stages[0].round_shifts = true;
    recipe
}

struct Ground {
    folder: TempDir,
    recipe: Recipe,
    dataset: Dataset,
}

impl Ground {
    fn new(recipe: Recipe) -> Self {
        let folder = TempDir::new().unwrap();
        let plan = Plan { train: 40, test: 4, side: recipe.network.input, seed: 1 };
        fixture::write(&folder.path().join("shapes"), plan).unwrap();
        let dataset = Dataset::load(&recipe, &folder.path().join("shapes")).unwrap();
        Self { folder, recipe, dataset }
    }

    /// Trains until it has done that many steps of that epoch; gives the mean loss so far before every step.
    fn losses(&self, run: &str, existing: Existing, compute: &Compute, until: (u32, usize)) -> Vec<f64> {
        let folder = Folder::open(&self.folder.path().join(run), &self.recipe, existing).unwrap();
        let losses = RefCell::new(Vec::new());
        let stop = |position: &Position| {
            losses.borrow_mut().extend(position.loss());
            (position.epoch, position.step) == until
        };
        let outcome = train_on(compute, &self.recipe, &self.dataset, &folder, &stop).unwrap();
        assert_eq!(outcome, Outcome::Interrupted);
        losses.into_inner()
    }

    /// Copies a run, so that it can go on in two ways.
    fn copy(&self, from: &str, to: &str) {
        std::fs::create_dir(self.folder.path().join(to)).unwrap();
        for name in ["recipe.toml", "log.jsonl", "last.checkpoint", "labels.json"] {
            let [from, to] = [from, to].map(|run| self.folder.path().join(run).join(name));
            if from.is_file() {
                std::fs::copy(from, to).unwrap();
            }
        }
    }
}

/// Rounding adds up from step to step.
fn assert_near(found: &[f64], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len());
    assert!(!found.is_empty());
    for (i, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        println!("step {}: {found:.6} and {wanted:.6}", i + 1);
        assert!((found - wanted).abs() < 0.01 * wanted, "step {}: {found} is not {wanted}", i + 1);
    }
}

/// Begins a run on one device and goes on on another and on the first; all the while both have the same losses.
fn goes_on_elsewhere(first: &Compute, second: &Compute) {
    recipe_goes_on_elsewhere(recipe(), first, second);
}

fn recipe_goes_on_elsewhere(recipe: Recipe, first: &Compute, second: &Compute) {
    let place = Ground::new(recipe);
    let begun = place.losses("first", Existing::Keep, first, (1, 2));
    assert_near(&begun, &place.losses("second", Existing::Keep, second, (1, 2)));
    place.copy("first", "moved");
    let stayed = place.losses("first", Existing::Resume, first, (2, 2));
    assert_near(&place.losses("moved", Existing::Resume, second, (2, 2)), &stayed);
}

#[test]
fn plain_operations_learn_the_same_and_their_run_goes_on_with_the_fused_ones() {
    goes_on_elsewhere(&Compute::composed(vec![Device::flex()]), &Compute::cpu());
}

/// Parts of a batch are normalised by themselves, so that losses differ by more than rounding.
#[test]
fn run_on_two_devices_learns_and_goes_on_on_one() {
    shares_and_goes_on_alone(&Compute::composed(vec![Device::flex(); 2]));
}

fn shares_and_goes_on_alone(two: &Compute) {
    let place = Ground::new(recipe());
    let begun = place.losses("run", Existing::Keep, two, (2, 2));
    let more = place.losses("run", Existing::Resume, &Compute::cpu(), (3, 2));
    let (first, last) = (begun[0], more[more.len() - 1]);
    assert!(last < 0.9 * first, "from {first} to {last}");
}

/// A CPU lent on a free port of this machine, for as long as the tests run.
#[cfg(feature = "remote")]
fn lent() -> Place {
    let (sender, receiver) = std::sync::mpsc::channel();
    let began = move |address| sender.send(address).unwrap();
    std::thread::spawn(move || lsspq_trainer::lend::lend(&Compute::cpu(), ([127, 0, 0, 1], 0).into(), began).unwrap());
    Place::Remote(format!("ws://{}", receiver.recv().unwrap()))
}

#[cfg(feature = "remote")]
#[test]
fn lent_device_learns_the_same_and_its_run_goes_on_here() {
    goes_on_elsewhere(&Compute::open(&[lent()]).unwrap(), &Compute::composed(vec![Device::flex()]));
}

#[cfg(feature = "remote")]
#[test]
fn run_on_two_lent_devices_learns_and_goes_on_here() {
    shares_and_goes_on_alone(&Compute::open(&[lent(), lent()]).unwrap());
}

/// What Burn does where a device is gone is to panic.
#[test]
fn device_that_fails_is_an_error_and_its_run_goes_on_elsewhere() {
    let place = Ground::new(recipe());
    let folder = |existing| Folder::open(&place.folder.path().join("run"), &place.recipe, existing).unwrap();
    let fails = |position: &Position| -> bool { if position.epoch == 1 { panic!("out of reach") } else { false } };
    let there = Compute::composed(vec![Device::flex()]);
    let error = train_on(&there, &place.recipe, &place.dataset, &folder(Existing::Keep), &fails).unwrap_err();
    assert_eq!(error.kind(), lsspq_trainer::ErrorKind::Training);
    for part in ["a device failed: out of reach", "last checkpoint", "--resume"] {
        assert!(error.to_string().contains(part), "{part} is not in: {error}");
    }
    assert!(!place.losses("run", Existing::Resume, &Compute::cpu(), (1, 2)).is_empty());
}

#[cfg(feature = "libtorch")]
#[test]
fn libtorch_learns_the_same_and_its_run_goes_on_here() {
    let (there, here) = (Compute::open(&[Place::LibTorchCpu]).unwrap(), Compute::composed(vec![Device::flex()]));
    goes_on_elsewhere(&there, &here);
    recipe_goes_on_elsewhere(whole_pixels(), &there, &here);
}

#[test]
#[ignore = "needs a GPU, and the program built for it"]
fn gpu_learns_the_same_as_the_cpu_and_its_run_goes_on_there() {
    let places = [
        (cfg!(feature = "wgpu"), Place::Wgpu(None)),
        (cfg!(feature = "cuda"), Place::Cuda(0)),
        (cfg!(feature = "libtorch"), Place::LibTorchCuda(0)),
    ];
    for (_, place) in places.into_iter().filter(|(built, _)| *built) {
        println!("{place}");
        let gpu = Compute::open(&[place]).unwrap();
        goes_on_elsewhere(&gpu, &Compute::composed(vec![Device::flex()]));
    }
}
