//! Inference in one headless Chromium: ours and onnxruntime-web's, on the very same model files.
//!
//! What happens in the browser is in benches/web; here the library is built, the models are made, and what was measured
//! is summed up.

mod found;
mod networks;

use super::row::{table, write};
use crate::chromium::Chromium;
use crate::command::{command, run as run_command};
use crate::project::Project;
use crate::{node, wasm};
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use found::Found;
use networks::Network;
use serde::Serialize;
use std::fs;
use std::path::PathBuf;

/// What is measured, how long, and where to.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Measure this part only; may be given several times [default: all but endurance]
    #[arg(long, value_enum)]
    part: Vec<Part>,
    /// Measure this network only; may be given several times [default: L-SSPQ50 of 1, 2, 4 bits and the shipped models]
    #[arg(long, value_name = "NAME")]
    network: Vec<String>,
    /// Turns of each engine, after warming up
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
    /// Visits of each page that is opened with nothing cached, after one that is not counted
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    visits: u32,
    /// Minutes of frames without end: the part `endurance`
    #[arg(long, value_name = "N")]
    minutes: Option<f64>,
    /// Measure what was built last instead of building
    #[arg(long)]
    no_build: bool,
    /// Also write the rows to this file, as a JSON array
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Part {
    /// Milliseconds a picture, all engines in turns on one page
    Speed,
    /// From the navigation to the first prediction with nothing cached
    First,
    /// Peak memory
    Memory,
    /// What a visitor downloads
    Size,
    /// Multiply-adds a second of the kernels
    Kernels,
    /// Latency and memory over minutes
    Endurance,
}

/// What benches/web/bench.js reads.
#[derive(Serialize)]
struct Plan {
    parts: Vec<Part>,
    networks: Vec<Network>,
    turns: u32,
    visits: u32,
    minutes: f64,
    models: PathBuf,
}

/// Builds, measures, prints the table.
///
/// # Errors
/// Something cannot be built or installed, a network has another name, or an engine fails.
pub(super) fn run(project: &Project, arguments: &Arguments) -> Result<()> {
    let browser = Chromium::ensure(project)?.browser;
    node::install(project, "benches/web")?;
    let parts = arguments.parts();
    if !arguments.no_build {
        wasm::build(project)?;
        if parts.contains(&Part::Kernels) {
            wasm::build_with_kernels(project, ".cache/bench/pkg", false)?;
            wasm::build_with_kernels(project, ".cache/bench/pkg-relaxed", true)?;
        }
    }
    let models = project.path(".cache/bench");
    fs::create_dir_all(&models).with_context(|| format!("cannot make {}", models.display()))?;
    let plan = Plan {
        parts,
        networks: networks::make(project, &models, &arguments.network, arguments.no_build)?,
        turns: arguments.turns,
        visits: arguments.visits,
        minutes: arguments.minutes.unwrap_or(10.0),
        models,
    };
    let (plan_path, result_path) = (plan.models.join("plan.json"), plan.models.join("result.json"));
    fs::write(&plan_path, serde_json::to_string_pretty(&plan)?)
        .with_context(|| format!("cannot write {}", plan_path.display()))?;
    let mut bench = command("node", &["bench.js"], &project.path("benches/web"));
    run_command(bench.arg(&plan_path).arg(&result_path).env("LSSPQ_CHROMIUM", browser))?;
    let text = fs::read_to_string(&result_path).with_context(|| format!("cannot read {}", result_path.display()))?;
    let found: Found = serde_json::from_str(&text).with_context(|| format!("{} is wrong", result_path.display()))?;
    let rows = found.rows();
    print!("{}", table(&rows));
    found.notes.iter().for_each(|note| println!("- {note}"));
    arguments.json.as_deref().map_or(Ok(()), |path| write(&rows, path))
}

impl Arguments {
    fn parts(&self) -> Vec<Part> {
        match (&self.part[..], self.minutes) {
            ([], Some(_)) => vec![Part::Endurance],
            ([], None) => Part::value_variants().iter().copied().filter(|&part| part != Part::Endurance).collect(),
            (some, _) => some.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn parts(line: &[&str]) -> Vec<Part> {
        Line::try_parse_from([&["bench"], line].concat()).unwrap().arguments.parts()
    }

    #[test]
    fn minutes_of_frames_are_measured_only_where_asked_for() {
        assert_eq!(parts(&["--minutes", "10"]), [Part::Endurance]);
        assert_eq!(parts(&["--part", "size", "--part", "endurance"]), [Part::Size, Part::Endurance]);
        assert!(!parts(&[]).contains(&Part::Endurance) && parts(&[]).contains(&Part::Speed));
        assert!(Line::try_parse_from(["bench", "--turns", "0"]).is_err());
    }
}
