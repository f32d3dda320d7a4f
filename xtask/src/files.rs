//! The list of the site's files with their hashes, from which the service worker knows what to keep.

use crate::project::Project;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The address of the list.
pub(crate) const NAME: &str = "files.js";

/// Never kept by the service worker: itself, its list, and what is not part of the page.
const LEFT_OUT: [&str; 3] = ["sw.js", NAME, "samples/README.md"];

/// The script that lists every file of the site: `development` makes the service worker ask the network first.
///
/// # Errors
/// A file cannot be read.
pub(crate) fn script(project: &Project, development: bool) -> Result<String> {
    let mut files = BTreeMap::new();
    add(&project.path("www"), "", &|_| true, &mut files)?;
    if project.path("pkg").is_dir() {
        add(&project.path("pkg"), "pkg/", &is_loaded, &mut files)?;
    }
    for name in LEFT_OUT {
        files.remove(name);
    }
    let list = serde_json::to_string_pretty(&serde_json::json!({ "development": development, "files": files }))?;
    Ok(format!("// Written by xtask: every file of this version and its SHA-256.\nself.SITE = {list};\n"))
}

/// Whether a browser loads this file of pkg/.
pub(crate) fn is_loaded(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".js") || name.ends_with(".wasm")
}

fn add(
    folder: &Path,
    prefix: &str,
    wanted: &dyn Fn(&Path) -> bool,
    files: &mut BTreeMap<String, String>,
) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if name.starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            add(&path, &format!("{prefix}{name}/"), wanted, files)?;
        } else if wanted(&path) {
            let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            files.insert(format!("{prefix}{name}"), sha256);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_what_browsers_load_with_its_hash() {
        let root = tempfile::tempdir().unwrap();
        for path in ["www/index.html", "www/sw.js", "www/a/b.css", "pkg/lsspq.js", "pkg/lsspq.d.ts", "pkg/.gitignore"] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "abc").unwrap();
        }
        let script = script(&Project::at(root.path()), true).unwrap();
        let list = &script[script.find('{').unwrap()..=script.rfind('}').unwrap()];
        let list: serde_json::Value = serde_json::from_str(list).unwrap();
        assert_eq!(list["development"], true);
        // SHA-256 of "abc", from FIPS 180-2.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let wanted = serde_json::json!({ "index.html": abc, "a/b.css": abc, "pkg/lsspq.js": abc });
        assert_eq!(list["files"], wanted);
    }
}
