//! The library as WebAssembly, in pkg/.

use crate::command::run;
use crate::project::Project;
use crate::toolbox::wasm_pack;
use anyhow::{Context, Result};

/// Builds pkg/: the module, its JavaScript and its TypeScript types.
///
/// # Errors
/// A tool cannot be installed, or the library does not compile.
pub(crate) fn build(project: &Project) -> Result<()> {
    // wasm-opt takes minutes and gains little here. The tools are there already: never let wasm-pack look for others on the network.
    let arguments = ["build", "--target", "web", "--release", "--no-opt", "--mode", "no-install"];
    run(&mut wasm_pack(project, &arguments)?).context("the library does not build as WebAssembly")
}

/// Builds the library with kernels that can be called alone into that folder; pkg/ stays what it is.
///
/// # Errors
/// As [`build`].
pub(crate) fn build_with_kernels(project: &Project, folder: &str) -> Result<()> {
    let arguments =
        ["build", "--target", "web", "--release", "--no-opt", "--mode", "no-install", "--out-dir", folder, ".", "--"];
    run(&mut wasm_pack(project, &[&arguments[..], &["--features", "bench"]].concat())?)
        .context("the library does not build as WebAssembly with its feature `bench`")
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
