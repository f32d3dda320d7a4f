//! The whole site as one folder, for any static host.

use crate::files;
use crate::models;
use crate::project::Project;
use crate::wasm;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Builds the library and lays dist/ out anew. All addresses in it are relative: it may be published under any path.
///
/// # Errors
/// The library does not build, a published model is missing or wrong, or a file cannot be written.
pub(crate) fn assemble(project: &Project) -> Result<()> {
    models::check(project)?;
    wasm::build(project)?;
    let dist = project.path("dist");
    copy_site(project, &dist).with_context(|| format!("cannot write {}", dist.display()))?;
    println!("the site is in {}: publish this folder at any address, over https", dist.display());
    Ok(())
}

/// Copies www/, and of pkg/ what a browser loads; writes the list of files for the service worker.
fn copy_site(project: &Project, dist: &Path) -> Result<()> {
    if dist.exists() {
        fs::remove_dir_all(dist)?;
    }
    copy_folder(&project.path("www"), dist, &|_| true)?;
    copy_folder(&project.path("pkg"), &dist.join("pkg"), &files::is_loaded)?;
    fs::write(dist.join(files::NAME), files::script(project, false)?)?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path, wanted: &dyn Fn(&Path) -> bool) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_folder(&path, &target, wanted)?;
        } else if wanted(&path) {
            fs::copy(&path, &target).with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_has_the_page_and_what_the_browser_loads_of_the_library() {
        let root = tempfile::tempdir().unwrap();
        for path in ["www/index.html", "www/models/a.onnx", "pkg/a.js", "pkg/a.wasm", "pkg/a.d.ts", "pkg/.gitignore"] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let dist = root.path().join("dist");
        fs::create_dir(&dist).unwrap();
        fs::write(dist.join("left-over"), "x").unwrap();
        copy_site(&Project::at(root.path()), &dist).unwrap();
        for (path, there) in [
            ("index.html", true),
            ("models/a.onnx", true),
            ("pkg/a.js", true),
            ("pkg/a.wasm", true),
            ("pkg/a.d.ts", false),
            ("pkg/.gitignore", false),
            ("files.js", true),
            ("left-over", false),
        ] {
            assert_eq!(dist.join(path).exists(), there, "{path}");
        }
    }
}
