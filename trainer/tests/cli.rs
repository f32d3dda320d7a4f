//! The real binary in a folder of its own: what it says and how it ends.

use lsspq::Model;
use npyz::WriterBuilder;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
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
            .env_remove("LSSPQ_PYTHON")
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
    let other = ["export", "--network", "mobilenet-v2@cifar10@x0.25", "--out", "mobilenet.onnx"];
    printed(&place, &other);
    let shown = printed(&place, &["inspect", "mobilenet.onnx"]);
    assert!(shown.contains("mobilenet-v2-cifar10-x0.25: 32 x 32 pixels, 10 classes"), "{shown}");
    assert!(shown.contains("groups.1.blocks.0.depthwise"), "{shown}");
    place.refused(&["inspect", "l-sspq50@half"], 2, &["@half", "@cifar10", "@float"]);
    place.refused(&["export", "--network", "resnet20", "--weights", "2", "--out", "x.onnx"], 2, &["float weights"]);
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
    place.refused(&["compare"], 2, &["MODELS"]);
    place.refused(&["compare", "thirty-four.onnx", "--figure", "x.svg"], 2, &["--paper"]);
}

/// Two short runs that differ in a rate; `Place::recipe` must have been called for both stages of one epoch.
fn one_epoch_each(place: &Place) {
    let recipe = RECIPE.replace("epochs = 4", "epochs = 1").replace("epochs = 2", "epochs = 1");
    place.recipe(&recipe.replace("warmup_interval = 1", "warmup_interval = 0"));
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
fn finished_run_is_reported_measured_compared_and_published() {
    let place = Place::new();
    one_epoch_each(&place);
    let text = printed(&place, &["train", "shapes.toml", "--plain"]);
    assert!(text.contains("runs/shapes/report.html") && text.contains("epoch   2/2"), "{text}");
    let page = fs::read_to_string(place.path("runs/shapes/report.html")).unwrap();
    for part in ["Worst mistakes", "data:image/png;base64,", "Learning rate as it was", "stripes", "<svg"] {
        assert!(page.contains(part), "{part} is not on the page");
    }
    let json = |path: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(place.path(path)).unwrap()).unwrap_or_else(|e| panic!("{path}: {e}"))
    };
    let report = json("runs/shapes/report.json");
    assert_eq!(report["test"]["accuracy"]["images"], 16);
    assert_eq!(report["epochs"].as_array().unwrap().len(), 2);

    // Made again from the folder alone it is the same; without its test part it says so.
    printed(&place, &["report", "runs/shapes"]);
    assert_eq!(json("runs/shapes/report.json"), report);
    fs::remove_file(place.path("runs/shapes/report.json")).unwrap();
    assert!(printed(&place, &["report", "runs/shapes"]).contains("no test pictures yet"));
    printed(&place, &["report", "runs/shapes", "--data", "shapes"]);
    assert_eq!(json("runs/shapes/report.json")["test"], report["test"]);
    place.refused(&["report", "shapes"], 2, &["shapes holds no run"]);

    let model = "runs/shapes/shapes.onnx";
    let measured: serde_json::Value =
        serde_json::from_str(&printed(&place, &["eval", model, "--data", "shapes", "--json"])).unwrap();
    assert_eq!(measured["counts"], report["test"]["accuracy"]);
    assert_eq!(measured["classes"].as_array().unwrap().len(), 4);
    assert!(measured["accuracy"]["top1"]["low"].is_number() && measured["chancePercent"] == 25.0, "{measured}");
    // What was measured at the end of the run is measured again, and so the file is the same.
    printed(&place, &["eval", model, "--data", "shapes", "--write", "measured.onnx"]);
    assert_eq!(fs::read(place.path("measured.onnx")).unwrap(), fs::read(place.path(model)).unwrap());
    // A file that says nothing of its classes says it afterwards; the file may be replaced by itself.
    let classes = || Model::load(&fs::read(place.path("bare.onnx")).unwrap()).unwrap().card().classes.len();
    printed(&place, &["export", "runs/shapes", "--out", "bare.onnx"]);
    assert_eq!(classes(), 0);
    printed(&place, &["eval", "bare.onnx", "--data", "shapes", "--write", "bare.onnx"]);
    assert_eq!(classes(), 4);

    let text = printed(&place, &["compare", "runs/shapes", model]);
    assert!(text.contains("epochs logged") && text.contains("test top-1 %") && !text.contains("differ"), "{text}");
    assert!(printed(&place, &["inspect", model]).contains("sent compressed (gzip)"));

    let publish = ["publish", "runs/shapes", "--name", "Shapes"];
    place.refused(&[&publish[..], &["--sha256", "00"]].concat(), 3, &["SHA-256", "not 00"]);
    place.refused(&[&publish[..], &["--as", "../x.onnx"]].concat(), 2, &["../x.onnx", "--as"]);
    let text = printed(&place, &publish);
    assert!(text.contains("the same answers from trainer") && text.contains("LSSPQ_PYTHON"), "{text}");
    let index = json("www/models/index.json");
    assert_eq!((&index["models"][0]["file"], &index["models"][0]["name"]), (&"shapes.onnx".into(), &"Shapes".into()));
    assert_eq!(index["models"][0]["bytes"], fs::metadata(place.path(model)).unwrap().len());
    place.refused(&publish, 2, &["published already", "--replace"]);
    printed(&place, &[&publish[..], &["--replace"]].concat());

    // With what the page's benchmark copied; one of another file, or what is none, changes nothing.
    let copied = |sha256: &str| {
        format!(
            r#"{{"model": {{"sha256": "{sha256}"}}, "picture": {{"width": 640, "height": 480}}, "runs": 100, "milliseconds":
            {{"total": {{"median": 1.25, "p95": 2.5}}}}, "browser": "Some/1.0", "device": {{"cores": 2}}}}"#
        )
    };
    let measured =
        [&publish[..], &["--replace", "--benchmark", "copied.json", "--machine", "a desk", "--limits", "Only shapes."]]
            .concat();
    for (text, part) in [(copied("c0ffee"), "another file"), ("{".into(), "no result of the page's benchmark")] {
        fs::write(place.path("copied.json"), text).unwrap();
        place.refused(&measured, 3, &["copied.json", part]);
        assert_eq!(json("www/models/index.json"), index);
    }
    // Measured before the file had its limits, and as it is published with them.
    fs::write(place.path("copied.json"), copied(index["models"][0]["sha256"].as_str().unwrap())).unwrap();
    printed(&place, &measured);
    printed(&place, &[&publish[..], &["--replace", "--limits", "Only shapes."]].concat());
    let limited = json("www/models/index.json");
    assert_ne!(limited, index);
    fs::write(place.path("copied.json"), copied(limited["models"][0]["sha256"].as_str().unwrap())).unwrap();
    printed(&place, &measured);
    let card = fs::read_to_string(place.path("www/models/shapes.md")).unwrap();
    for part in ["1.25 ms", "a desk", "Some/1.0", "Only shapes.", "## Accuracy by class", "stripes"] {
        assert!(card.contains(part), "{part} is not in {card}");
    }

    fs::write(place.path("www/models/shapes.onnx"), "exchanged").unwrap();
    place.refused(&[&publish[..], &["--as", "other.onnx"]].concat(), 3, &["shapes.onnx is not the file"]);
}

#[test]
fn model_whose_card_is_incomplete_is_not_published() {
    let place = Place::new();
    printed(&place, &["export", "--network", "l-sspq34-cifar100", "--out", "untrained.onnx"]);
    place.refused(&["publish", "untrained.onnx"], 3, &["no accuracy", "no licence", "no recipe"]);
    place.refused(&["publish", "nowhere"], 2, &["no file or run nowhere"]);
    assert!(!place.path("www").exists());
}

#[test]
fn sweep_is_tabulated_and_goes_on_where_it_was() {
    let place = Place::new();
    one_epoch_each(&place);
    let sweep = |more: &[&'static str]| {
        let grid = ["sweep", "shapes.toml", "--grid", "stages.0.schedule.base_rate=0.1,0.01", "--jobs", "2"];
        [&grid[..], more].concat()
    };
    let dry = printed(&place, &sweep(&["--seeds", "1,2", "--dry-run"]));
    assert!(dry.contains("4 runs: 0 have ended") && dry.contains("New  base_rate-0.01_seed-2"), "{dry}");
    assert!(!place.path("runs").exists());
    let text = printed(&place, &sweep(&["--seeds", "1"]));
    assert!(text.contains("2 of 2 runs have ended"), "{text}");
    let log = "runs/shapes-sweep/logs/base_rate-0.1_seed-1.txt";
    fs::write(place.path(log), "not run again").unwrap();
    let text = printed(&place, &sweep(&["--seeds", "1,2"]));
    assert!(text.contains("4 runs: 2 have ended") && text.contains("4 of 4 runs have ended"), "{text}");
    assert!(text.contains("| 2 |") || text.contains("| **2** |"), "{text}");
    assert_eq!(fs::read_to_string(place.path(log)).unwrap(), "not run again");
    let svg = fs::read_to_string(place.path("runs/shapes-sweep/sweep.svg")).unwrap();
    assert!(svg.contains("base_rate") && svg.contains("±"), "{svg}");
    let table: serde_json::Value =
        serde_json::from_slice(&fs::read(place.path("runs/shapes-sweep/sweep.json")).unwrap()).unwrap();
    assert_eq!(table["rows"][1]["validation"]["seeds"], 2);

    place.recipe(&RECIPE.replace("flip = true", "flip = false"));
    place.refused(&sweep(&["--seeds", "1"]), 2, &["another recipe"]);
    place.refused(&["sweep", "shapes.toml", "--grid", "no.such=1"], 2, &["no", "unknown field"]);
    fs::remove_file(first_file(&place.path("shapes/train/disc"))).unwrap();
    fs::write(place.path("shapes/train/disc/broken.png"), "no picture").unwrap();
    place.refused(&sweep(&["--out", "broken"]), 4, &["2 runs failed", "cannot be read"]);
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

#[test]
fn run_learns_from_answers_that_another_program_gave_to_its_pictures() {
    let place = Place::new();
    assert!(printed(&place, &["pictures", "shapes.toml", "--out", "arrays"]).contains("144 pictures of 32 pixels"));
    let labels = fs::read(place.path("arrays/labels.npy")).unwrap();
    let labels = npyz::NpyFile::new(&labels[..]).unwrap().into_vec::<u16>().unwrap();
    assert_eq!(labels.len(), 144);
    let unseen = ["pictures", "shapes.toml", "--out", "unseen", "--test"];
    assert!(printed(&place, &unseen).contains("unseen: 16 pictures of 32 pixels"));
    // A teacher that is sure of every picture's class, or of the next one.
    let answer = |turn: u16| {
        let file = fs::File::create(place.path("answers.npy")).unwrap();
        let options = npyz::WriteOptions::new().default_dtype().shape(&[144, 4]);
        let mut writer = options.writer(file).begin_nd().unwrap();
        let sure = |label: &u16| (0..4).map(|class| if class == (label + turn) % 4 { 5.0_f32 } else { 0.0 }).collect();
        writer.extend(labels.iter().flat_map(|label| -> Vec<f32> { sure(label) })).unwrap();
        writer.finish().unwrap();
    };
    let smaller =
        RECIPE.replacen("batch = 32", "batch = 32\ninput = 24", 1).replace("flip = true", "flip = true\ncutmix = 1.0");
    let about = "A list that knows everything.";
    place.recipe(&format!("{smaller}\n[distill]\nteacher = \"answers.npy\"\nabout = \"{about}\"\nweight = 1.0\n"));
    let train = ["train", "shapes.toml", "--epochs", "1,1", "--plain", "--overwrite"];
    answer(1);
    place.refused(&train, 2, &["distill.teacher", "answers.npy", "another order"]);
    answer(0);
    assert!(printed(&place, &train).contains("shapes.onnx"));
    assert!(printed(&place, &["publish", "runs/shapes", "--models", "models"]).contains("shapes"));
    let card = fs::read_to_string(place.path("models/shapes.md")).unwrap();
    assert!(card.contains("learned from the teacher `answers.npy`: A list that knows everything. With"), "{card}");
}

#[test]
fn run_begins_with_the_weights_of_a_file_and_goes_on_without_it() {
    let place = Place::new();
    one_epoch_each(&place);
    printed(&place, &["train", "shapes.toml", "--plain"]);
    fs::rename(place.path("runs/shapes/shapes.onnx"), place.path("file.onnx")).unwrap();

    // The network is that of the file, but for the classes, which are fewer.
    let (start, rest) = RECIPE.split_once("[network]").unwrap();
    let stages = &rest[rest.find("[[stages]]").unwrap()..];
    place.recipe(&format!(
        "{start}{}",
        stages.replace("epochs = 4", "epochs = 1").replace("warmup_interval = 1", "warmup_interval = 0")
    ));
    for split in ["train", "test"] {
        fs::remove_dir_all(place.path(&format!("shapes/{split}/disc"))).unwrap();
    }
    place.refused(&["train", "shapes.toml", "--out", "runs/b"], 2, &["shapes.toml", "missing field `network`"]);
    let train = ["train", "shapes.toml", "--from", "file.onnx", "--plain", "--out", "runs/b"];
    let recipe = printed(&place, &[&train[..4], &["--dry-run"]].concat());
    for part in ["[start]", "from = \"file.onnx\"", "sha256 = \"", "classes = 3", "name = \"l-sspq-shapes\""] {
        assert!(recipe.contains(part), "{part} is not in: {recipe}");
    }
    printed(&place, &train);
    let shown = printed(&place, &["inspect", "runs/b/shapes.onnx"]);
    assert!(shown.contains("l-sspq-shapes: 32 x 32 pixels, 3 classes"), "{shown}");

    // A run that has begun needs the file no more, but where it is another one it says so.
    let mut more = fs::read_to_string(place.path("runs/b/recipe.toml")).unwrap();
    more.push_str(&stages[stages.rfind("[[stages]]").unwrap()..].replace("epochs = 2", "epochs = 1"));
    place.recipe(&more);
    fs::rename(place.path("file.onnx"), place.path("away.onnx")).unwrap();
    let text = printed(&place, &["train", "shapes.toml", "--resume", "--plain", "--out", "runs/b"]);
    assert!(text.contains("epoch   4/4"), "{text}");
    fs::copy(place.path("runs/b/shapes.onnx"), place.path("file.onnx")).unwrap();
    place.refused(&["train", "shapes.toml", "--out", "runs/c"], 2, &["start.from = \"file.onnx\"", "its sum is"]);
    place.refused(
        &["train", "shapes.toml", "--from", "nowhere.onnx", "--out", "runs/c"],
        2,
        &["start.from = \"nowhere.onnx\""],
    );
    place.refused(&["train", "shapes.toml", "--from", "runs/b", "--out", "runs/c"], 2, &["runs/b", "lsspq export RUN"]);
    fs::write(place.path("text.onnx"), "no network").unwrap();
    printed(&place, &["export", "--network", "mobilenet-v2@cifar10@x0.25", "--out", "mobile.onnx"]);
    printed(&place, &["export", "--network", "l-sspq34-cifar100", "--out", "random.onnx"]);
    let from = |file, parts: &[&str]| {
        place.refused(&["train", "shapes.toml", "--from", file, "--out", "runs/c"], 2, parts);
    };
    from("text.onnx", &["start.from = \"text.onnx\""]);
    from("mobile.onnx", &["mobilenet-v2-cifar10-x0.25 is no network of shift blocks"]);
    from("random.onnx", &["another stem than the recipe's", "leave [network] out"]);
    place.recipe(&format!("{start}{stages}").replace("activations = 4", "activations = 8"));
    from("random.onnx", &["it was never trained"]);
    assert!(!place.path("runs/c").exists(), "a refused run left a folder");
}

#[cfg(unix)]
#[test]
fn interrupted_run_saves_ends_with_its_own_code_and_has_a_report() {
    let place = Place::new();
    let mut run = Command::new(env!("CARGO_BIN_EXE_lsspq"))
        .args(["train", "shapes.toml", "--epochs", "5000,1", "--plain"])
        .current_dir(place.0.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("epoch   1/5001")), "no epoch ended");
    let sent = Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap();
    assert!(sent.success());
    // Reading on keeps the pipe open until the run has said everything.
    assert!(lines.count() < 4000, "it went on");
    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert!(place.path("runs/shapes/last.checkpoint").is_file());
    assert!(printed(&place, &["report", "runs/shapes"]).contains("no test pictures yet"));
    assert!(printed(&place, &["compare", "runs/shapes"]).contains("epochs logged"));
    place.refused(&["publish", "runs/shapes"], 3, &["has not ended", "--resume"]);
    place.refused(&["train", "shapes.toml"], 2, &["--resume"]);
}
