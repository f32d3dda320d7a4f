//! Pictures without labels.

use super::UNLABELLED;
use super::listing::{Listing, names, pictures};
use crate::error::Error;
use std::collections::HashSet;
use std::path::Path;

/// Lists the pictures in `folder` and in the folders in it, however deep, each folder's own before those of its sub-folders; a folder that
/// several links lead to once, so that links in a circle end.
pub(super) fn list(folder: &Path) -> Result<Listing, Error> {
    if !folder.is_dir() {
        return Err(Error::data(format!(
            "there is no folder {}: distill.pictures names one with JPEG or PNG files, from where the program runs",
            folder.display()
        )));
    }
    let (mut files, mut seen) = (Vec::new(), HashSet::new());
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let place = folder
            .canonicalize()
            .map_err(|e| Error::data(format!("folder {} cannot be read: {e}", folder.display())))?;
        if !seen.insert(place) {
            continue;
        }
        files.extend(pictures(&folder)?.into_iter().map(|name| (folder.join(name), UNLABELLED)));
        open.extend(names(&folder, true)?.into_iter().rev().map(|name| folder.join(name)));
    }
    if files.is_empty() {
        return Err(Error::data(format!(
            "{} holds no JPEG or PNG files, and no folder in it does: add pictures, or leave distill.pictures out",
            folder.display()
        )));
    }
    Ok(Listing { classes: Vec::new(), files })
}
