//! The tools that make WebAssembly: installed from the package registry into the project's own cache.

use crate::command::{cargo, command, output, prepend_path, run};
use crate::project::Project;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::process::Command;

/// Tried with this project; a newer one is installed by changing this line.
const WASM_PACK: &str = "0.15.1";

/// The compilation target of browsers.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// `wasm-pack` with those arguments, once everything that it needs is there.
///
/// # Errors
/// A tool is missing and cannot be installed.
pub(crate) fn wasm_pack(project: &Project, arguments: &[&str]) -> Result<Command> {
    add_target(project)?;
    let bindgen = wasm_bindgen_version(project)?;
    install(project, "wasm-pack", "wasm-pack", WASM_PACK)?;
    install(project, "wasm-bindgen-cli", "wasm-bindgen", &bindgen)?;
    let bin = project.tools().join("bin");
    let mut pack = command(bin.join("wasm-pack"), arguments, project.root());
    prepend_path(&mut pack, bin)?;
    Ok(pack)
}

/// Adds the target to the toolchain where rustup manages it.
fn add_target(project: &Project) -> Result<()> {
    let sysroot = output(&mut command("rustc", &["--print", "sysroot"], project.root()))
        .context("rustc does not answer: install Rust with rustup (https://rustup.rs)")?;
    if std::path::Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    run(&mut command("rustup", &["target", "add", TARGET], project.root()))
        .with_context(|| format!("the Rust target {TARGET} is missing; install it, or rustup, by hand"))
}

/// Installs one version of a package unless that very version is there.
fn install(project: &Project, package: &str, program: &str, version: &str) -> Result<()> {
    let tools = project.tools();
    let mut ask = command(tools.join("bin").join(program), &["--version"], project.root());
    if output(&mut ask).is_some_and(|said| said.split_whitespace().any(|word| word == version)) {
        return Ok(());
    }
    eprintln!("installing {package} {version} into {} (once, about two minutes)", tools.display());
    let root = tools.to_str().context("the path of the project is no UTF-8")?;
    let build = |lock: &[&str]| {
        let arguments = [&["install", package, "--version", version, "--force", "--root", root], lock].concat();
        let mut install = cargo(&arguments, project.root());
        // These tools run for seconds; whole-program optimisation would cost minutes of every first build.
        install.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env("CARGO_TARGET_DIR", project.path(".cache/tools-build"));
        run(&mut install)
    };
    // A tool's own lock file may name a version that was taken back since, or that a mirror does not have.
    build(&["--locked"])
        .or_else(|error| {
            eprintln!("{error:#}; trying with the newest versions that fit");
            build(&[])
        })
        .with_context(|| format!("cannot install {package} {version} into {root}"))
}

/// The version of wasm-bindgen in Cargo.lock: the tool must be of exactly that one.
fn wasm_bindgen_version(project: &Project) -> Result<String> {
    let path = project.path("Cargo.lock");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    locked_version(&text, "wasm-bindgen")
}

fn locked_version(lock: &str, package: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
    }
    let lock: Lock = toml::from_str(lock).context("Cargo.lock is no lock file")?;
    let mut versions = lock.package.into_iter().filter(|p| p.name == package).map(|p| p.version);
    match (versions.next(), versions.next()) {
        (Some(version), None) => Ok(version),
        (None, _) => bail!("Cargo.lock names no {package}"),
        (Some(_), Some(_)) => bail!("Cargo.lock names several versions of {package}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_comes_from_the_lock_file() {
        let lock = "version = 4\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.9\"\n\
                    [[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.2.8\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen").unwrap(), "0.2.9");
        assert!(locked_version(lock, "burn").is_err());
        assert!(locked_version(&format!("{lock}{}", &lock[12..]), "wasm-bindgen").is_err());
    }
}
