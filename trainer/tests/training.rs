//! Whole runs on generated pictures: both stages, interruption and resumption, export.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Tensor};
use lsspq::Model;
use lsspq::preprocess::rgba_from_rgb;
use lsspq_trainer::ErrorKind;
use lsspq_trainer::data::Dataset;
use lsspq_trainer::deploy::fast::Fast;
use lsspq_trainer::fixture::{self, Plan};
use lsspq_trainer::network::{Engine, Mode, Network};
use lsspq_trainer::paper::networks;
use lsspq_trainer::recipe::{
    ActivationQuantiser, Augment, Distill, Quantiser, Recipe, Stage, Validation, WeightQuantiser,
};
use lsspq_trainer::train::{EpochRecord, Existing, Folder, Outcome, Position, deployed, evaluate, finish, train};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

fn recipe() -> Recipe {
    Recipe::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/shapes.toml"))).unwrap()
}

fn dataset(recipe: &Recipe, folder: &Path) -> Dataset {
    let plan = Plan { train: 96, test: 50, side: recipe.network.input, seed: 1 };
    fixture::write(&folder.join("shapes"), plan).unwrap();
    Dataset::load(recipe, &folder.join("shapes")).unwrap()
}

/// What an epoch came to, without what the clock says.
fn numbers(records: &[EpochRecord]) -> Vec<(usize, u32, u64, u64, Option<u64>)> {
    let number =
        |r: &EpochRecord| (r.stage, r.epoch, r.loss.to_bits(), r.accuracy.to_bits(), r.validation.map(|v| v.top1));
    records.iter().map(number).collect()
}

#[test]
fn a_run_learns_the_shapes_and_its_file_says_the_same_everywhere() {
    let temporary = TempDir::new().unwrap();
    let recipe = recipe();
    let dataset = dataset(&recipe, temporary.path());
    let folder = Folder::open(&temporary.path().join("run"), &recipe, Existing::Keep).unwrap();
    assert_eq!(train(&recipe, &dataset, &folder, &|_| false).unwrap(), Outcome::Finished);
    let (finished, _) = finish(&recipe, &dataset, &folder).unwrap();
    let accuracy = finished.test.top1 as f64 / finished.test.images as f64;
    assert!(accuracy > 0.6, "only {accuracy} of the generated pictures; a quarter is chance");

    let bytes = std::fs::read(&finished.model).unwrap();
    let model = Model::load(&bytes).unwrap();
    assert_eq!(model.card().accuracy, Some(finished.test));
    assert_eq!(model.card().stages.len(), 2);
    assert_eq!(model.card().stages[1].activations, Some(4));
    assert!(model.card().stages.iter().all(|s| s.validation.is_some_and(|v| v.images > 0)));
    let calibration = model.card().calibration.unwrap();
    assert_eq!(calibration.images, dataset.validation.len() as u64);
    assert!(calibration.right as f64 >= 0.9 * calibration.answered as f64, "{calibration:?}");
    assert_eq!(Recipe::parse(&model.card().recipe, "the file").unwrap(), recipe);

    let network = deployed(&recipe, &folder, &dataset.test.classes).unwrap().network;
    let evaluator = Fast::new(&network).unwrap();
    let side = dataset.test.side as u32;
    for i in 0..dataset.test.len() {
        let input = model.input(&rgba_from_rgb(dataset.test.picture(i)), side, side).unwrap();
        let library = model.run(&input).unwrap().logits;
        let trainer = evaluator.evaluate(&input).unwrap().logits;
        let best = |l: &[f32]| (0..l.len()).max_by(|&a, &b| l[a].total_cmp(&l[b]));
        assert_eq!(best(&library), best(&trainer), "picture {i}");
    }
}

/// Networks of other kinds of blocks go through the same loop, and their files say what the trained network says.
#[test]
fn peers_train_and_their_files_agree_with_them() {
    let temporary = TempDir::new().unwrap();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/shapes.toml")).unwrap();
    let mut recipe = Recipe::parse(&text, "shapes.toml").unwrap();
    let plan = Plan { train: 24, test: 12, side: 32, seed: 1 };
    fixture::write(&temporary.path().join("shapes"), plan).unwrap();
    recipe.stages.truncate(1);
    recipe.stages[0].epochs = 1;
    for name in ["resnet20", "mobilenet-v2", "asl50", "fracbnn20"] {
        recipe.network = networks::changed(&format!("{name}@cifar10@x0.25")).unwrap().unwrap();
        recipe.network.classes = fixture::CLASSES.len();
        recipe.network.groups.iter_mut().for_each(|g| g.blocks = 1);
        recipe.stages[0].round_shifts = true;
        let dataset = Dataset::load(&recipe, &temporary.path().join("shapes")).unwrap();
        let folder = Folder::open(&temporary.path().join(name), &recipe, Existing::Keep).unwrap();
        assert_eq!(train(&recipe, &dataset, &folder, &|_| false).unwrap(), Outcome::Finished);
        let (finished, _) = finish(&recipe, &dataset, &folder).unwrap();
        let network = folder.last().unwrap().unwrap().network(&recipe, &Device::flex()).unwrap();
        let mode = Mode { batch_statistics: false, activations: None, round_shifts: true, engine: Engine::Fused };
        let indices: Vec<u32> = (0..dataset.test.len() as u32).collect();
        let trained = evaluate(&network, &recipe, mode, &dataset.test, &indices);
        assert_eq!(trained.images, finished.test.images);
        // A picture on the border of two classes may fall to either side.
        assert!(trained.top1.abs_diff(finished.test.top1) <= 1, "{name}: {trained:?} and {:?}", finished.test);
        let message = deployed(&recipe, &folder, &[]).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(message.contains("whole numbers"), "{name}: {message}");
    }
}

/// Longer than an epoch of the little recipe.
const LONG: Duration = Duration::from_secs(1);

#[test]
fn a_run_stopped_at_any_step_and_resumed_gives_the_same_numbers() {
    let temporary = TempDir::new().unwrap();
    let recipe = recipe();
    let dataset = dataset(&recipe, temporary.path());
    let whole = Folder::open(&temporary.path().join("whole"), &recipe, Existing::Keep).unwrap();
    train(&recipe, &dataset, &whole, &|_| false).unwrap();

    let parts = temporary.path().join("parts");
    let mut existing = Existing::Keep;
    // In the middle of an epoch, at its very beginning, and in the second stage.
    for (epoch, step) in [(0, 5), (2, 0), (4, 3), (5, 7)] {
        let folder = Folder::open(&parts, &recipe, existing).unwrap();
        let stop = |p: &Position| {
            let now = (p.epoch, p.step) == (epoch, step);
            std::thread::sleep(if now && step > 0 { LONG } else { Duration::ZERO });
            now
        };
        assert_eq!(train(&recipe, &dataset, &folder, &stop).unwrap(), Outcome::Interrupted);
        existing = Existing::Resume;
    }
    let folder = Folder::open(&parts, &recipe, Existing::Resume).unwrap();
    assert_eq!(train(&recipe, &dataset, &folder, &|_| false).unwrap(), Outcome::Finished);

    let records = folder.records().unwrap();
    assert_eq!(numbers(&records), numbers(&whole.records().unwrap()));
    for epoch in [0, 4, 5] {
        assert!(
            records[epoch].seconds >= LONG.as_secs_f64(),
            "what came before the stop is lost: {:?}",
            records[epoch]
        );
    }
    let network = |folder: &Folder| deployed(&recipe, folder, &dataset.test.classes).unwrap().network;
    assert_eq!(network(&folder), network(&whole));
}

#[test]
fn a_run_that_ended_goes_on_with_stages_added_as_if_they_had_been_there() {
    let temporary = TempDir::new().unwrap();
    let mut recipe = recipe();
    recipe.training.ema_decay = Some(0.9);
    recipe.stages.push(Stage { epochs: 2, ..recipe.stages[1].clone() });
    let dataset = dataset(&recipe, temporary.path());
    let whole = Folder::open(&temporary.path().join("whole"), &recipe, Existing::Keep).unwrap();
    train(&recipe, &dataset, &whole, &|_| false).unwrap();

    let mut first = recipe.clone();
    first.stages.pop();
    let path = temporary.path().join("longer");
    let folder = Folder::open(&path, &first, Existing::Keep).unwrap();
    train(&first, &dataset, &folder, &|_| false).unwrap();
    finish(&first, &dataset, &folder).unwrap();
    assert!(folder.result().is_file());
    drop(folder);
    let folder = Folder::open(&path, &recipe, Existing::Resume).unwrap();
    assert!(!folder.result().is_file(), "it counts as a run that has not ended");
    assert_eq!(Folder::existing(&path).unwrap().1, recipe);
    assert_eq!(train(&recipe, &dataset, &folder, &|_| false).unwrap(), Outcome::Finished);

    assert_eq!(numbers(&folder.records().unwrap()), numbers(&whole.records().unwrap()));
    let network = |folder: &Folder| deployed(&recipe, folder, &dataset.test.classes).unwrap().network;
    assert_eq!(network(&folder), network(&whole));
}

#[test]
fn of_weights_and_average_goes_on_what_did_better_on_pictures_held_out() {
    let temporary = TempDir::new().unwrap();
    let mut recipe = recipe();
    recipe.training.ema_decay = Some(0.99);
    recipe.data.validation = Validation::PerClass(10);
    // Steps enough for the two to part.
    recipe.stages.iter_mut().for_each(|stage| stage.batch = 8);
    recipe.stages[0].schedule.base_rate = 0.003;
    let dataset = dataset(&recipe, temporary.path());
    let path = temporary.path().join("run");
    let folder = Folder::open(&path, &recipe, Existing::Keep).unwrap();
    let mut preferred = Vec::new();
    for epoch in 1..=6 {
        train(&recipe, &dataset, &folder, &|p| p.epoch == epoch).unwrap();
        let record = folder.records().unwrap().pop().unwrap();
        let [kept, average, weights] = [record.validation, record.average, record.weights].map(Option::unwrap);
        assert_eq!(kept.top1, average.top1.max(weights.top1), "{record:?}");
        preferred.push(weights.top1 > average.top1);
        // What is saved, handed on or exported after it is that very network.
        let stage = &recipe.stages[record.stage];
        let mode = Mode {
            batch_statistics: false,
            activations: stage.activation_bits(),
            round_shifts: stage.round_shifts,
            engine: Engine::Fused,
        };
        let saved = folder.last().unwrap().unwrap().deployed(&recipe, &Device::flex()).unwrap();
        assert_eq!(evaluate(&saved, &recipe, mode, &dataset.train, &dataset.validation), kept, "{record:?}");
    }
    assert!(preferred.contains(&true) && preferred.contains(&false), "one of the two was never chosen: {preferred:?}");
}

#[test]
fn a_stage_with_an_augmentation_of_its_own_takes_no_other() {
    let temporary = TempDir::new().unwrap();
    let mut recipe = recipe();
    recipe.stages.remove(0);
    let dataset = dataset(&recipe, temporary.path());
    let run = |name: &str, augment, own: [Option<Augment>; 2]| {
        let stages = own.map(|augment| Stage { augment, ..recipe.stages[0].clone() }).into();
        let recipe = Recipe { augment, stages, ..recipe.clone() };
        let folder = Folder::open(&temporary.path().join(name), &recipe, Existing::Keep).unwrap();
        train(&recipe, &dataset, &folder, &|_| false).unwrap();
        numbers(&folder.records().unwrap())
    };
    let (stronger, milder) = (recipe.augment, Augment { flip: true, ..Augment::NONE });
    let alike = run("alike", stronger, [None, None]);
    let second = run("second", stronger, [None, Some(milder)]);
    assert_eq!(second[..2], alike[..2], "the stage before it is as it was");
    assert_ne!(second[2..], alike[2..]);
    assert_eq!(run("first", milder, [Some(stronger), None]), second, "nothing of the recipe's own is mixed in");
}

#[test]
fn a_run_is_not_resumed_with_another_recipe() {
    let temporary = TempDir::new().unwrap();
    let recipe = recipe();
    let dataset = dataset(&recipe, temporary.path());
    let path = temporary.path().join("run");
    let folder = Folder::open(&path, &recipe, Existing::Keep).unwrap();
    train(&recipe, &dataset, &folder, &|p| p.stage == 1 && p.step == 1).unwrap();
    drop(folder);
    let changes: [fn(&mut Recipe); 4] = [
        |recipe| recipe.seed += 1,
        |recipe| recipe.stages[0].epochs += 1,
        |recipe| recipe.stages[1].batch += 1,
        |recipe| recipe.stages.truncate(1),
    ];
    for change in changes {
        let mut other = recipe.clone();
        change(&mut other);
        let error = Folder::open(&path, &other, Existing::Resume).unwrap_err().to_string();
        assert!(error.contains("another recipe") && error.contains("the first 2 have"), "{error}");
    }
    let mut other = recipe.clone();
    other.seed += 1;
    assert!(Folder::open(&path, &other, Existing::Keep).unwrap_err().to_string().contains("--overwrite"));
    assert_eq!(Folder::existing(&path).unwrap().1, recipe, "nothing was changed");
    Folder::open(&path, &other, Existing::Overwrite).unwrap();
}

#[test]
fn a_cut_checkpoint_is_named_and_nothing_is_lost() {
    let temporary = TempDir::new().unwrap();
    let recipe = recipe();
    let dataset = dataset(&recipe, temporary.path());
    let path = temporary.path().join("run");
    let folder = Folder::open(&path, &recipe, Existing::Keep).unwrap();
    train(&recipe, &dataset, &folder, &|p| p.step == 2).unwrap();
    let checkpoint = path.join("last.checkpoint");
    let bytes = std::fs::read(&checkpoint).unwrap();
    for len in [0, 5, 20, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&checkpoint, &bytes[..len]).unwrap();
        let error = train(&recipe, &dataset, &folder, &|_| true).unwrap_err().to_string();
        assert!(error.contains("last.checkpoint"), "{error}");
        assert_eq!(std::fs::read(&checkpoint).unwrap().len(), len);
    }
}

fn distill(teacher: PathBuf) -> Distill {
    Distill { teacher, pictures: None, about: String::new(), temperature: 3.0, weight: 0.7 }
}

#[test]
fn a_run_learns_from_its_float_twin_and_from_a_file() {
    let temporary = TempDir::new().unwrap();
    let mut recipe = recipe();
    recipe.override_with(None, &[2, 1]).unwrap();
    let dataset = dataset(&recipe, temporary.path());
    let run = |recipe: &Recipe, name: &str| {
        let folder = Folder::open(&temporary.path().join(name), recipe, Existing::Keep).unwrap();
        train(recipe, &dataset, &folder, &|_| false).map(|_| finish(recipe, &dataset, &folder).unwrap().0)
    };
    let twin = run(&recipe.float_twin(), "twin").unwrap();
    let mut taught = recipe.clone();
    let teacher = temporary.path().join("twin");
    for teacher in [teacher.clone(), teacher.join("last.checkpoint"), twin.model.clone()] {
        let name = format!("of {}", teacher.file_name().unwrap().display());
        taught.distill = Some(distill(teacher));
        run(&taught, &name).unwrap();
        let folder = Folder::existing(&temporary.path().join(&name)).unwrap().0;
        let card = deployed(&taught, &folder, &dataset.test.classes).unwrap().card;
        let wanted = (name == "of twin").then_some(twin.test);
        assert_eq!(card.float_twin, wanted, "{name}");
    }
    let teacher = temporary.path().join("nobody");
    taught.distill = Some(distill(teacher));
    let error = run(&taught, "alone").unwrap_err();
    assert!(error.to_string().contains("distill.teacher") && error.to_string().contains("nobody"), "{error}");
}

#[test]
fn a_run_learns_from_pictures_without_labels_by_what_a_teacher_says_of_them() {
    let temporary = TempDir::new().unwrap();
    let mut recipe = recipe();
    recipe.override_with(None, &[2, 1]).unwrap();
    let few = dataset(&recipe, temporary.path());
    let run = |recipe: &Recipe, dataset: &Dataset, name: &str| {
        let folder = Folder::open(&temporary.path().join(name), recipe, Existing::Keep).unwrap();
        train(recipe, dataset, &folder, &|_| false).unwrap();
        finish(recipe, dataset, &folder).unwrap();
        folder.records().unwrap()
    };
    run(&recipe, &few, "teacher");
    let teacher = temporary.path().join("teacher");
    let others = temporary.path().join("others");
    fixture::write(&others, Plan { train: 40, test: 10, side: recipe.network.input, seed: 2 }).unwrap();
    recipe.distill = Some(Distill { pictures: Some(others), ..distill(teacher) });
    let more = Dataset::load(&recipe, &temporary.path().join("shapes")).unwrap();
    assert_eq!((more.training.len(), more.unlabelled.len()), (few.training.len(), 4 * (40 + 10)));
    let taught = run(&recipe, &more, "taught");
    assert!(taught.iter().all(|record| record.loss.is_finite() && record.accuracy <= 1.0), "{taught:?}");
    recipe.distill.as_mut().unwrap().pictures = None;
    assert_ne!(numbers(&taught), numbers(&run(&recipe, &few, "without them")));
}

#[test]
fn learned_steps_train_resume_and_end_in_a_file_that_says_the_same() {
    let temporary = TempDir::new().unwrap();
    let mut recipe = recipe();
    recipe.quantiser = Quantiser { weights: WeightQuantiser::Lsq, activations: ActivationQuantiser::Lsq };
    recipe.training.ema_decay = Some(0.9);
    let dataset = dataset(&recipe, temporary.path());
    let path = temporary.path().join("run");
    let folder = Folder::open(&path, &recipe, Existing::Keep).unwrap();
    assert_eq!(train(&recipe, &dataset, &folder, &|p| (p.epoch, p.step) == (1, 3)).unwrap(), Outcome::Interrupted);
    assert_eq!(train(&recipe, &dataset, &folder, &|_| false).unwrap(), Outcome::Finished);
    let records = folder.records().unwrap();
    assert!(records.last().unwrap().loss < records[0].loss, "{records:?}");
    let (finished, _) = finish(&recipe, &dataset, &folder).unwrap();
    let model = Model::load(&std::fs::read(&finished.model).unwrap()).unwrap();
    let network = deployed(&recipe, &folder, &dataset.test.classes).unwrap().network;
    let evaluator = Fast::new(&network).unwrap();
    let side = dataset.test.side as u32;
    for i in 0..20 {
        let input = model.input(&rgba_from_rgb(dataset.test.picture(i)), side, side).unwrap();
        let (library, trainer) = (model.run(&input).unwrap(), evaluator.evaluate(&input).unwrap());
        let far = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far(&library.logits, &trainer.logits) < 1e-4, "picture {i}");
        assert!(far(&library.embedding, &trainer.embedding) < 1e-4, "picture {i}");
    }
}

/// The displacements of all blocks, one after the other.
struct Shifts {
    ids: Vec<ParamId>,
    values: Vec<f32>,
}

impl Shifts {
    fn of(network: &Network) -> Vec<f32> {
        let mut shifts = Self { ids: network.shift_ids(), values: Vec::new() };
        network.visit(&mut shifts);
        shifts.values
    }
}

impl ModuleVisitor for Shifts {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.ids.contains(&param.id) {
            self.values.extend(param.val().into_data().iter::<f32>());
        }
    }
}

#[test]
fn a_stage_of_smaller_pictures_trains_and_resumes_and_shifts_stay_where_they_are_told_to() {
    let temporary = TempDir::new().unwrap();
    let mut recipe = recipe();
    recipe.stages[0].input = Some(24);
    let dataset = dataset(&recipe, temporary.path());
    let run = |name: &str, recipe: &Recipe, stops: &[(u32, usize)]| {
        let path = temporary.path().join(name);
        for (i, &at) in stops.iter().enumerate() {
            let existing = if i == 0 { Existing::Keep } else { Existing::Resume };
            let folder = Folder::open(&path, recipe, existing).unwrap();
            let stop = |p: &Position| (p.epoch, p.step) == at;
            assert_eq!(train(recipe, &dataset, &folder, &stop).unwrap(), Outcome::Interrupted);
        }
        let existing = if stops.is_empty() { Existing::Keep } else { Existing::Resume };
        let folder = Folder::open(&path, recipe, existing).unwrap();
        assert_eq!(train(recipe, &dataset, &folder, &|_| false).unwrap(), Outcome::Finished);
        let records = numbers(&folder.records().unwrap());
        (records, folder.last().unwrap().unwrap().network(recipe, &Device::flex()).unwrap())
    };
    let start = Shifts::of(&Network::new(&recipe.network, recipe.seed, &Device::flex()));
    let (whole, learned) = run("whole", &recipe, &[]);
    assert_eq!(run("parts", &recipe, &[(1, 4), (3, 7)]).0, whole);
    assert!(start.iter().zip(Shifts::of(&learned)).all(|(a, b)| *a != b), "every displacement is learned");

    recipe.training.fixed_shifts = true;
    let (fixed, still) = run("fixed", &recipe, &[]);
    assert_eq!(Shifts::of(&still), start);
    assert_ne!(fixed, whole);

    recipe.stages[0].input = None;
    assert_ne!(run("full", &recipe, &[]).0, fixed, "pictures of another size are other pictures");
}

#[test]
fn a_stage_without_progress_ends_early_and_a_full_disk_leaves_the_last_checkpoint() {
    let temporary = TempDir::new().unwrap();
    let mut recipe = recipe();
    recipe.training.patience = Some(1);
    recipe.override_with(None, &[40, 2]).unwrap();
    let dataset = dataset(&recipe, temporary.path());
    let folder = Folder::open(&temporary.path().join("patient"), &recipe, Existing::Keep).unwrap();
    train(&recipe, &dataset, &folder, &|_| false).unwrap();
    let first = folder.records().unwrap().iter().filter(|r| r.stage == 0).count();
    assert!(first < 40, "{first} epochs");

    #[cfg(target_os = "linux")]
    {
        let path = temporary.path().join("full");
        let folder = Folder::open(&path, &recipe, Existing::Keep).unwrap();
        train(&recipe, &dataset, &folder, &|p| (p.epoch, p.step) == (1, 2)).unwrap();
        let before = std::fs::read(path.join("last.checkpoint")).unwrap();
        // A device on which every write fails as on a full disk.
        std::os::unix::fs::symlink("/dev/full", path.join("last.partial")).unwrap();
        let error = train(&recipe, &dataset, &folder, &|_| false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
        assert!(error.to_string().contains("last.checkpoint") && error.to_string().contains("--resume"), "{error}");
        assert!(std::fs::read(path.join("last.checkpoint")).unwrap() == before);
        train(&recipe, &dataset, &folder, &|p| p.epoch == 3).expect("goes on once there is room");
    }
}
