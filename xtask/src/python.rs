//! Python environments: one for the tests, with onnxruntime and the ONNX checker, one for each benchmark that needs it.

use crate::command::{command, run};
use crate::project::Project;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// The interpreter of the tests' environment, with exactly tests/python/requirements.txt.
///
/// # Errors
/// As [`environment`].
pub(crate) fn ensure(project: &Project) -> Result<PathBuf> {
    environment(project, ".cache/venv", "tests/python/requirements.txt")
}

/// The interpreter of an environment with exactly the packages that a file lists, made where it is missing or old.
///
/// # Errors
/// There is no Python with `venv`, or a package cannot be installed.
pub(crate) fn environment(project: &Project, folder: &str, requirements: &str) -> Result<PathBuf> {
    let wanted_path = project.path(requirements);
    let wanted = fs::read(&wanted_path).with_context(|| format!("cannot read {}", wanted_path.display()))?;
    let folder = project.path(folder);
    let python = folder.join("bin/python");
    let stamp = folder.join("requirements.txt");
    if python.exists() && fs::read(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(python);
    }
    let path = folder.to_str().context("the path of the project is no UTF-8")?;
    run(&mut command("python3", &["-m", "venv", "--clear", path], project.root()))
        .context("this needs Python 3 with venv: install `python3` and `python3-venv`")?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements];
    run(&mut command(&python, &install, project.root()))?;
    // Last, so that an environment that was only half made is made again.
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(python)
}
