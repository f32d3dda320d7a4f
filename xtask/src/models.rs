//! The published models: www/models/index.json and the files that it names.

use crate::project::Project;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::path::Path;

#[derive(Deserialize)]
struct Index {
    models: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    file: String,
    sha256: String,
    bytes: u64,
}

/// Checks that every model in the list is there and is the file that the list describes.
///
/// # Errors
/// The list cannot be read, or a file is missing, of another length, or of another SHA-256.
pub(crate) fn check(project: &Project) -> Result<()> {
    let folder = project.path("www/models");
    let path = folder.join("index.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let index: Index = serde_json::from_str(&text).with_context(|| format!("{} is wrong", path.display()))?;
    if index.models.is_empty() {
        bail!("{} names no model", path.display());
    }
    index.models.iter().try_for_each(|entry| check_entry(&folder, entry))
}

fn check_entry(folder: &Path, entry: &Entry) -> Result<()> {
    let path = folder.join(&entry.file);
    let bytes = std::fs::read(&path).with_context(|| format!("the list names {}, which is missing", path.display()))?;
    let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() as u64 != entry.bytes || sha256 != entry.sha256 {
        bail!(
            "{} has {} bytes and SHA-256 {sha256}, the list says {} and {}: correct www/models/index.json",
            path.display(),
            bytes.len(),
            entry.bytes,
            entry.sha256
        );
    }
    Ok(())
}

/// As [`check`], for those who can go on without.
pub(crate) fn warn(project: &Project) {
    if let Err(error) = check(project) {
        eprintln!("warning: the page will not find its model: {error:#}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_must_be_the_file_that_the_list_describes() {
        let root = tempfile::tempdir().unwrap();
        let project = Project::at(root.path());
        let folder = root.path().join("www/models");
        std::fs::create_dir_all(&folder).unwrap();
        let list = |bytes: u64, sha256: &str| {
            let text = format!(r#"{{"models":[{{"file":"a.onnx","bytes":{bytes},"sha256":"{sha256}"}}]}}"#);
            std::fs::write(folder.join("index.json"), text).unwrap();
            check(&project).map_err(|e| format!("{e:#}"))
        };
        // SHA-256 of "abc", from FIPS 180-2.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(list(3, abc).unwrap_err().contains("is missing"));
        std::fs::write(folder.join("a.onnx"), "abc").unwrap();
        assert_eq!(list(3, abc), Ok(()));
        assert!(list(4, abc).unwrap_err().contains("3 bytes"));
        assert!(list(3, &abc.replace('b', "c")).unwrap_err().contains(abc));
    }
}
