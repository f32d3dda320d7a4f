//! Runs from their beginning to what is published.

use crate::place::{Place, RECIPE, first_file, one_epoch_each, printed};
use lsspq::Model;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

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

    // Two looks in place of one: measured anew, and what was measured of one look is gone.
    let mirror = ["mirror", model, "--data", "shapes", "--out", "mirrored.onnx"];
    let text = printed(&place, &mirror);
    let loaded = |path: &str| Model::load(&fs::read(place.path(path)).unwrap()).unwrap();
    let (once, twice) = (loaded(model), loaded("mirrored.onnx"));
    assert!(twice.card().spec.mirrored && twice.is_whole() && !once.card().spec.mirrored);
    assert_eq!(twice.card().stages, once.card().stages);
    assert!(twice.card().recipe.contains("mirrored = true") && twice.card().latency.is_none());
    let counts = twice.card().accuracy.unwrap();
    assert_eq!((counts.images, twice.card().classes.len()), (16, 4));
    assert!(text.contains(&format!("{:.2} %", 100.0 * counts.top1 as f64 / 16.0)), "{text}");
    let again: serde_json::Value =
        serde_json::from_str(&printed(&place, &["eval", "mirrored.onnx", "--data", "shapes", "--json"])).unwrap();
    assert_eq!(again["counts"]["top1"], counts.top1);
    place.refused(&mirror, 2, &["mirrored.onnx", "--overwrite"]);
    place.refused(&["mirror", "mirrored.onnx", "--out", "third.onnx"], 3, &["already"]);

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

#[cfg(unix)]
#[test]
fn interrupted_run_saves_ends_with_its_own_code_and_has_a_report() {
    let place = Place::new();
    let mut run = Command::new(env!("CARGO_BIN_EXE_lsspq"))
        .args(["train", "shapes.toml", "--epochs", "5000,1", "--plain"])
        .current_dir(place.path(""))
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
