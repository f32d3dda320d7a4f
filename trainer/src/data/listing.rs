//! Files with their labels, not yet read.

use super::{First, Pictures, UNLABELLED, decode, some};
use crate::error::Error;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Files with their labels, in the order in which the pictures shall stand.
#[derive(Debug)]
pub(super) struct Listing {
    /// Names of the classes in the order of their labels.
    pub(super) classes: Vec<String>,
    /// Each file and its label.
    pub(super) files: Vec<(PathBuf, u16)>,
}

impl Listing {
    /// The first so many files of each class, in their order.
    pub(super) fn limit(mut self, count: usize) -> Self {
        let mut first = First::new(count);
        self.files.retain(|(_, label)| first.takes(*label));
        self
    }

    /// Reads all files, on every thread there is; the order stays.
    pub(super) fn load(self, side: usize) -> Result<Pictures, Error> {
        let bytes = side * side * 3;
        let mut pixels = vec![0; self.files.len() * bytes];
        let broken: Vec<String> = pixels
            .par_chunks_exact_mut(bytes)
            .zip(&self.files)
            .filter_map(|(target, (path, _))| {
                let read = std::fs::read(path).map_err(|e| e.to_string()).and_then(|file| decode(&file, side));
                match read {
                    Ok(picture) => target.copy_from_slice(&picture),
                    Err(why) => return Some(format!("{} ({why})", path.display())),
                }
                None
            })
            .collect();
        if !broken.is_empty() {
            return Err(Error::data(format!(
                "{} of {} pictures cannot be read: {}; replace or remove them",
                broken.len(),
                self.files.len(),
                some(&broken)
            )));
        }
        let labels = self.files.into_iter().map(|(_, label)| label).collect();
        Ok(Pictures { side, pixels, labels, classes: self.classes })
    }
}

/// Names of the folders (or of the files) in `folder`, sorted; hidden ones are passed over.
pub(super) fn names(folder: &Path, directories: bool) -> Result<Vec<String>, Error> {
    let fail = |e: std::io::Error| Error::data(format!("folder {} cannot be read: {e}", folder.display()));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|name| Error::data(format!("{}: the name {name:?} is no UTF-8", folder.display())))?;
        // Follows links, which a data set may be made of.
        if !name.starts_with('.') && entry.path().is_dir() == directories {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Names of the JPEG and PNG files in `folder`, sorted.
///
/// Pictures of other formats are an error, as they would be missed without a word; other files are passed over.
pub(super) fn pictures(folder: &Path) -> Result<Vec<String>, Error> {
    const OTHERS: [&str; 9] = ["webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "jxl", "jp2"];
    let extension = |name: &str| Path::new(name).extension().map(|e| e.to_string_lossy().to_lowercase());
    let names = names(folder, false)?;
    let of = |list: &[&str]| -> Vec<String> {
        names.iter().filter(|name| extension(name).is_some_and(|e| list.contains(&&*e))).cloned().collect()
    };
    let others = of(&OTHERS);
    if !others.is_empty() {
        return Err(Error::data(format!(
            "{} pictures in {} are neither JPEG nor PNG: {}; convert or remove them",
            others.len(),
            folder.display(),
            some(&others)
        )));
    }
    Ok(of(&["jpg", "jpeg", "png"]))
}

/// A label from an index.
pub(super) fn label(index: usize, folder: &Path) -> Result<u16, Error> {
    u16::try_from(index)
        .ok()
        .filter(|label| *label != UNLABELLED)
        .ok_or_else(|| Error::data(format!("{} has more than {UNLABELLED} classes", folder.display())))
}
