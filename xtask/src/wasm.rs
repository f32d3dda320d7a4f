//! The library as WebAssembly, in pkg/.

use crate::command::run;
use crate::project::Project;
use crate::toolbox::wasm_pack;
use anyhow::{Context, Result};
use std::fs;

/// Builds pkg/: the module, its JavaScript and its TypeScript types.
///
/// # Errors
/// A tool cannot be installed, or the library does not compile.
pub(crate) fn build(project: &Project) -> Result<()> {
    // wasm-opt takes minutes and gains little here. The tools are there already: never let wasm-pack look for others on the network.
    let arguments = ["build", "--target", "web", "--release", "--no-opt", "--mode", "no-install"];
    run(&mut wasm_pack(project, &arguments)?).context("the library does not build as WebAssembly")?;
    // The project's own README, which wasm-pack copies, is about training and publishing.
    fs::copy(project.path("docs/package.md"), project.path("pkg/README.md")).context("cannot write pkg/README.md")?;
    Ok(())
}

/// Runs the library's own tests in headless Chromium.
///
/// # Errors
/// A tool cannot be installed, or a test fails.
pub(crate) fn test(project: &Project, driver: &str) -> Result<()> {
    // In release form, so that dependencies compiled for the page are used again.
    let arguments =
        ["test", "--headless", "--chrome", "--chromedriver", driver, "--mode", "no-install", "--release", "."];
    run(&mut wasm_pack(project, &arguments)?)
}
