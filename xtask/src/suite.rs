//! All tests, step by step.

use crate::chromium::Chromium;
use crate::command::{cargo, run as run_command};
use crate::project::Project;
use crate::{firefox, models, node, python, wasm};
use anyhow::{Context, Result};
use clap::ValueEnum;
use std::time::Instant;

/// One part of the tests, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// Source code is formatted
    Format,
    /// The linter has nothing to say
    Clippy,
    /// The documentation builds without a warning
    Docs,
    /// Rust tests, with the ONNX checker and onnxruntime in Python
    Rust,
    /// The library's tests in headless Chromium
    Wasm,
    /// The page in headless Chromium with a fake camera, and in Firefox where it can be had
    Page,
}

/// Runs the steps given, all of them if none is, and stops at the first that fails.
///
/// # Errors
/// A step failed; the message says how to run it again alone.
pub(crate) fn run(project: &Project, only: &[Step]) -> Result<()> {
    let begin = Instant::now();
    for &step in Step::value_variants().iter().filter(|step| only.is_empty() || only.contains(step)) {
        let name = name(step);
        eprintln!("== {name}");
        let step_begin = Instant::now();
        run_step(project, step)
            .with_context(|| format!("{name} failed; run it again alone with `cargo xtask test --only {name}`"))?;
        eprintln!("== {name}: passed in {} s", step_begin.elapsed().as_secs());
    }
    eprintln!("all passed in {} s", begin.elapsed().as_secs());
    Ok(())
}

fn name(step: Step) -> String {
    step.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

fn run_step(project: &Project, step: Step) -> Result<()> {
    let cargo = |arguments: &[&str]| cargo(arguments, project.root());
    match step {
        Step::Format => run_command(&mut cargo(&["fmt", "--all", "--check"])),
        Step::Clippy => {
            run_command(&mut cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
        }
        Step::Docs => {
            let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"]);
            run_command(doc.env("RUSTDOCFLAGS", "-D warnings"))
        }
        Step::Rust => {
            let python = python::ensure(project)?;
            // Apart from xtask, whose server would turn features of shared packages on: what `cargo run -p` compiled
            // is then used again.
            let product = ["test", "-p", "lsspq", "-p", "lsspq-trainer", "--locked"];
            run_command(cargo(&product).env("LSSPQ_PYTHON", python))?;
            run_command(&mut cargo(&["test", "-p", "xtask", "--locked"]))
        }
        Step::Wasm => {
            let driver = Chromium::ensure(project)?.driver;
            wasm::test(project, driver.to_str().context("the path of chromedriver is no UTF-8")?)?;
            // What the benchmark measures is compiled nowhere else.
            let bench =
                ["build", "--lib", "--target", "wasm32-unknown-unknown", "--features", "bench", "--profile", "web"];
            run_command(cargo(&bench).arg("--locked"))
        }
        Step::Page => {
            models::check(project)?;
            wasm::build(project)?;
            firefox::ensure(project);
            node::run_page_script(project, "test")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_can_be_named_on_the_command_line() {
        for &step in Step::value_variants() {
            assert_eq!(Step::from_str(&name(step), false), Ok(step));
        }
    }
}
