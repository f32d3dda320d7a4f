//! The real program, killed without warning at random points and taken up again, against one that was left alone.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const RECIPE: &str = include_str!("fixture/shapes.toml");

/// Everything on that a checkpoint must carry or a seed must decide.
fn recipe() -> String {
    RECIPE
        .replace("flip = true\n", "flip = true\nmixup = 0.2\ncutmix = 1.0\nerasing = { probability = 0.5 }\n")
        .replace("[network]\n", "[training]\nlabel_smoothing = 0.1\nema_decay = 0.95\nclip_norm = 1.0\n\n[network]\n")
}

fn program(place: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_lsspq"))
        .args(arguments)
        .args(["--threads", "1"])
        .current_dir(place)
        .env_remove("LSSPQ_DATA")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn finish(place: &Path, arguments: &[&str]) {
    let output = program(place, arguments).wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What the log says of each epoch, without what the clock says; of an epoch that was repeated, the last word.
fn numbers(run: &Path) -> Vec<String> {
    let mut lines: Vec<(u64, String)> = Vec::new();
    for line in fs::read_to_string(run.join("log.jsonl")).unwrap().lines() {
        let Ok(record) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let epoch = record["epoch"].as_u64().unwrap();
        lines.retain(|(e, _)| *e < epoch);
        let keys = ["stage", "rate", "loss", "accuracy", "validation"];
        lines.push((epoch, keys.map(|key| record[key].to_string()).join(" ")));
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

/// Kills a run that often, at times drawn from the seed, and compares how it ends with a run left alone. Returns how
/// many epochs were written to the log and done again.
fn killed(kills: u32, epochs: &str, seed: u64) -> usize {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("shapes.toml"), recipe()).unwrap();
    let made = Command::new(env!("CARGO_BIN_EXE_lsspq"))
        .args(["fixture", "shapes", "--train", "40", "--test", "10"])
        .current_dir(place.path())
        .output()
        .unwrap();
    assert!(made.status.success());
    let train = |out: &'static str| ["train", "shapes.toml", "--epochs", "", "--out", out].map(str::to_owned);
    let train = |out| train(out).map(|a| if a.is_empty() { epochs.to_owned() } else { a });
    let began = Instant::now();
    finish(place.path(), &train("whole").each_ref().map(String::as_str));
    let whole = began.elapsed();

    let mut random = StdRng::seed_from_u64(seed);
    let run = place.path().join("parts");
    let mut landed = 0;
    while landed < kills {
        let mut arguments = train("parts").to_vec();
        if run.join("recipe.toml").exists() {
            arguments.push("--resume".into());
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut child = program(place.path(), &arguments);
        // Short against the whole, so that the run does not end before it has been killed often enough, and long
        // enough for an epoch or two.
        let share = random.random_range(0.0..2.0 / f64::from(kills));
        std::thread::sleep(Duration::from_millis(30) + whole.mul_f64(share));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            fs::remove_dir_all(&run).unwrap();
            landed = 0;
        } else {
            landed += 1;
        }
    }
    let mut arguments = train("parts").to_vec();
    if run.join("recipe.toml").exists() {
        arguments.push("--resume".into());
    }
    finish(place.path(), &arguments.iter().map(String::as_str).collect::<Vec<_>>());

    let whole = place.path().join("whole");
    assert_eq!(numbers(&run), numbers(&whole));
    for name in ["shapes.onnx", "labels.json", "recipe.toml"] {
        assert!(fs::read(run.join(name)).unwrap() == fs::read(whole.join(name)).unwrap(), "{name} differs");
    }
    let lines = |run: &Path| fs::read_to_string(run.join("log.jsonl")).unwrap().lines().count();
    lines(&run) - numbers(&run).len()
}

#[test]
fn a_run_killed_three_times_ends_with_the_same_file() {
    killed(3, "6,3", 1);
}

/// `cargo test --release -p lsspq-trainer --test resume -- --ignored --nocapture`
#[test]
#[ignore = "takes a minute"]
fn a_run_killed_two_dozen_times_ends_with_the_same_file() {
    let repeated = killed(24, "40,20", 2);
    println!(
        "killed 24 times; {repeated} epochs were in the log twice; the file and the log are those of a run left alone"
    );
}
