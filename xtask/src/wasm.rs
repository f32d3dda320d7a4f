//! The library as WebAssembly, in pkg/.
//!
//! Two modules and one JavaScript for both: `lsspq_bg.wasm` runs in every browser with SIMD, `lsspq_relaxed_bg.wasm` where
//! there is relaxed SIMD as well. `src/wasm/choose.js` chooses.

use crate::command::{cargo, run};
use crate::project::Project;
use crate::toolbox::{TARGET, wasm_pack};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::fs;
use std::path::Path;
use wasmparser::{Chunk, Operator, Parser, Payload};

/// The cargo feature that turns relaxed SIMD on.
const RELAXED_FEATURE: &str = "relaxed-simd";

/// Where the library with relaxed SIMD is built.
const RELAXED: &str = ".cache/relaxed";

/// What wasm-bindgen calls the module, and what the other one is called.
const MODULE: &str = "lsspq_bg.wasm";
const RELAXED_MODULE: &str = "lsspq_relaxed_bg.wasm";

/// Where the generated JavaScript says which module it loads.
const LOADS: &str = "module_or_path = new URL('lsspq_bg.wasm', import.meta.url);";

/// Builds pkg/: both modules, their JavaScript and its TypeScript types.
///
/// # Errors
/// A tool cannot be installed, or the library does not compile.
pub(crate) fn build(project: &Project) -> Result<()> {
    // The usual one last, so that it is what a plain `wasm-pack build` finds done.
    pack(project, RELAXED, &[RELAXED_FEATURE])?;
    pack(project, "pkg", &[])?;
    join(project).context("the module with relaxed SIMD and the one without do not fit together")?;
    complete_package(project).context("pkg/ cannot be made a whole npm package")
}

/// Builds the library with these features into a folder.
fn pack(project: &Project, folder: &str, features: &[&str]) -> Result<()> {
    // The tools are there already: never let wasm-pack look for others on the network.
    let arguments =
        ["build", "--target", "web", "--profile", "web", "--no-opt", "--mode", "no-install", "--out-dir", folder, "."];
    let features = features.join(",");
    let with_features = ["--", "--features", &features];
    let more = if features.is_empty() { &[] } else { &with_features[..] };
    run(&mut wasm_pack(project, &[&arguments[..], more].concat())?)
        .context("the library does not build as WebAssembly")?;
    remove_names(&project.path(folder).join(MODULE))
}

/// Puts the module with relaxed SIMD beside the other one, and lets the JavaScript choose between them.
fn join(project: &Project) -> Result<()> {
    let (pkg, relaxed) = (project.path("pkg"), project.path(RELAXED));
    for (folder, wanted) in [(&pkg, false), (&relaxed, true)] {
        let path = folder.join(MODULE);
        let uses = uses_relaxed_simd(&fs::read(&path)?).with_context(|| format!("{} is broken", path.display()))?;
        ensure!(uses == wanted, "{} uses relaxed SIMD: {uses}, wanted: {wanted}", path.display());
    }
    let script = fs::read_to_string(pkg.join("lsspq.js"))?;
    ensure!(script == fs::read_to_string(relaxed.join("lsspq.js"))?, "they want different JavaScript");
    fs::copy(relaxed.join(MODULE), pkg.join(RELAXED_MODULE))?;
    fs::write(pkg.join("lsspq.js"), choosing(&script, &fs::read_to_string(project.path("src/wasm/choose.js"))?)?)?;
    let types =
        fs::read_to_string(pkg.join("lsspq.d.ts"))? + &fs::read_to_string(project.path("src/wasm/choose.d.ts"))?;
    fs::write(pkg.join("lsspq.d.ts"), types)?;
    Ok(())
}

/// The JavaScript of wasm-bindgen, loading the module that `choice` chooses.
fn choosing(script: &str, choice: &str) -> Result<String> {
    ensure!(script.matches(LOADS).count() == 1, "lsspq.js does not say `{LOADS}` once: wasm-bindgen has changed");
    Ok(script.replace(LOADS, "module_or_path = moduleAddress();") + choice)
}

/// Whether the one instruction of relaxed SIMD that the library has is in a module.
fn uses_relaxed_simd(module: &[u8]) -> Result<bool> {
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CodeSectionEntry(body) = payload? else { continue };
        for operator in body.get_operators_reader()? {
            if matches!(operator?, Operator::I8x16RelaxedSwizzle) {
                return Ok(true);
            }
        }
    }
    Ok(false)
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
/// training and publishing), and the licences and the second module, which npm packs only where they are listed.
fn complete_package(project: &Project) -> Result<()> {
    fs::copy(project.path("docs/package.md"), project.path("pkg/README.md"))?;
    let path = project.path("pkg/package.json");
    let mut package: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
    let files = package["files"].as_array_mut().context("package.json has no list of files")?;
    let licences = ["LICENSE-APACHE", "LICENSE-MIT"];
    for licence in licences {
        fs::copy(project.path(licence), project.path("pkg").join(licence))?;
    }
    for name in licences.into_iter().chain([RELAXED_MODULE]) {
        if !files.iter().any(|file| file == name) {
            files.push(name.into());
        }
    }
    fs::write(&path, serde_json::to_string_pretty(&package)?)?;
    Ok(())
}

/// Builds the library with kernels that can be called alone into a folder, with relaxed SIMD or without; pkg/ stays what
/// it is.
///
/// # Errors
/// As [`build`].
pub(crate) fn build_with_kernels(project: &Project, folder: &str, relaxed: bool) -> Result<()> {
    let features: &[&str] = if relaxed { &["bench", RELAXED_FEATURE] } else { &["bench"] };
    pack(project, folder, features)
}

/// Runs the library's own tests in headless Chromium, those of the kernels with relaxed SIMD too.
///
/// # Errors
/// A tool cannot be installed, or a test fails.
pub(crate) fn test(project: &Project, driver: &str) -> Result<()> {
    // In the page's own profile, so that dependencies compiled for the page are used again.
    let profile = ["--profile", "web"];
    let arguments = ["test", "--headless", "--chrome", "--chromedriver", driver, "--mode", "no-install", "."];
    run(&mut wasm_pack(project, &[&arguments[..], &profile].concat())?)?;
    // wasm-pack would compile all other tests with this feature too.
    let kernels = ["test", "--target", TARGET, "--features", RELAXED_FEATURE, "--test", "kernels", "--locked"];
    let mut test = cargo(&[&kernels[..], &profile].concat(), project.root());
    let runner = project.tools().join("bin/wasm-bindgen-test-runner");
    test.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner);
    run(test.env("CHROMEDRIVER", driver).env("WASM_BINDGEN_TEST_ONLY_WEB", "1"))
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
    fn the_script_chooses_a_module_where_it_named_one() {
        let script = format!("start;\n    {LOADS}\nend;\n");
        assert_eq!(
            choosing(&script, "choice;").unwrap(),
            "start;\n    module_or_path = moduleAddress();\nend;\nchoice;"
        );
        assert!(choosing(&script.repeat(2), "").is_err());
        assert!(choosing("module_or_path = elsewhere();", "").is_err());
    }

    #[test]
    fn relaxed_instructions_are_found_in_the_code() {
        // The module by which browsers are asked: its last instruction but the end is the relaxed one.
        let mut module = b"\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7b\x03\x02\x01\0".to_vec();
        module.extend([10, 15, 1, 13, 0, 65, 0, 253, 15, 65, 0, 253, 15, 253, 128, 2, 11]);
        assert!(uses_relaxed_simd(&module).unwrap());
        // `i8x16.add` in its place, which is as long with a zero in front.
        let at = module.len() - 3;
        module[at..].copy_from_slice(&[0xee, 0, 11]);
        assert!(!uses_relaxed_simd(&module).unwrap());
        assert!(uses_relaxed_simd(&module[..at]).is_err());
    }

    #[test]
    fn the_package_gets_its_readme_its_licences_and_its_second_module() {
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
        let wanted = serde_json::json!(["lsspq.js", "LICENSE-APACHE", "LICENSE-MIT", "lsspq_relaxed_bg.wasm"]);
        assert_eq!(package["files"], wanted);
        assert_eq!(package["name"], "lsspq");
    }
}
