//! The library as WebAssembly, in pkg/.

use crate::command::run;
use crate::project::Project;
use crate::toolbox::wasm_pack;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs;
use std::path::Path;
use wasmparser::{Chunk, Parser, Payload};

/// Builds pkg/: the module, its JavaScript and its TypeScript types.
///
/// # Errors
/// A tool cannot be installed, or the library does not compile.
pub(crate) fn build(project: &Project) -> Result<()> {
    // wasm-opt takes minutes and gains little here. The tools are there already: never let wasm-pack look for others on the network.
    let arguments = ["build", "--target", "web", "--release", "--no-opt", "--mode", "no-install"];
    run(&mut wasm_pack(project, &arguments)?).context("the library does not build as WebAssembly")?;
    remove_names(&project.path("pkg/lsspq_bg.wasm"))?;
    complete_package(project).context("pkg/ cannot be made a whole npm package")
}

/// Takes the names of functions out of a module: a quarter of its bytes, which nothing but a debugger reads.
fn remove_names(path: &Path) -> Result<()> {
    let broken = || format!("{} is no WebAssembly module", path.display());
    let module = fs::read(path).with_context(broken)?;
    fs::write(path, without_names(&module).with_context(broken)?)?;
    Ok(())
}

fn without_names(module: &[u8]) -> Result<Vec<u8>> {
    let mut parser = Parser::new(0);
    let (mut rest, mut kept) = (module, Vec::with_capacity(module.len()));
    loop {
        let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else { bail!("it breaks off") };
        let (part, behind) = rest.split_at(consumed);
        match payload {
            Payload::End(_) if behind.is_empty() => return Ok(kept),
            Payload::CustomSection(section) if section.name() == "name" => {}
            _ => kept.extend_from_slice(part),
        }
        rest = behind;
    }
}

/// What wasm-pack leaves out: a README for those who embed the library (it copies the project's own, which is about
/// training and publishing), and the licences, which npm packs only where they are listed.
fn complete_package(project: &Project) -> Result<()> {
    fs::copy(project.path("docs/package.md"), project.path("pkg/README.md"))?;
    let path = project.path("pkg/package.json");
    let mut package: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
    let files = package["files"].as_array_mut().context("package.json has no list of files")?;
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        fs::copy(project.path(licence), project.path("pkg").join(licence))?;
        if !files.iter().any(|file| file == licence) {
            files.push(licence.into());
        }
    }
    fs::write(&path, serde_json::to_string_pretty(&package)?)?;
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_out_and_nothing_else() {
        let header = b"\0asm\x01\0\0\0";
        let types = [1, 4, 1, 0x60, 0, 0];
        let custom = |name: &str| [&[0, name.len() as u8 + 3, name.len() as u8], name.as_bytes(), &[7, 7]].concat();
        let (names, other) = (custom("name"), custom("other"));
        let module = [&header[..], &types, &names, &other].concat();
        assert_eq!(without_names(&module).unwrap(), [&header[..], &types, &other].concat());
        assert!(without_names(&module[..module.len() - 1]).is_err());
        assert!(without_names(b"GIF89a").is_err());
    }

    #[test]
    fn the_package_gets_its_readme_and_its_licences() {
        let root = tempfile::tempdir().unwrap();
        let project = Project::at(root.path());
        for folder in ["docs", "pkg"] {
            fs::create_dir(project.path(folder)).unwrap();
        }
        for file in ["docs/package.md", "LICENSE-APACHE", "LICENSE-MIT"] {
            fs::write(project.path(file), file).unwrap();
        }
        fs::write(project.path("pkg/package.json"), r#"{"name":"lsspq","files":["lsspq.js"]}"#).unwrap();
        complete_package(&project).unwrap();
        complete_package(&project).unwrap();
        assert_eq!(fs::read_to_string(project.path("pkg/README.md")).unwrap(), "docs/package.md");
        let package: Value =
            serde_json::from_str(&fs::read_to_string(project.path("pkg/package.json")).unwrap()).unwrap();
        assert_eq!(package["files"], serde_json::json!(["lsspq.js", "LICENSE-APACHE", "LICENSE-MIT"]));
        assert_eq!(package["name"], "lsspq");
    }
}
