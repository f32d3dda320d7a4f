//! Pictures without labels.

use super::listing::{Listing, names, pictures};
use super::{Pictures, UNLABELLED, some};
use crate::error::Error;
use std::collections::HashSet;
use std::path::Path;

/// Reads the pictures in `folder` and in the folders in it, however deep.
///
/// None may be one of `held_out`, the pixels of pictures by which the network is chosen or judged: what is measured on
/// a picture that was learned from, if only from what a teacher says of it, is too good. Copies that were cut or
/// compressed anew have other pixels and are not noticed.
pub(super) fn load(folder: &Path, side: usize, held_out: &HashSet<&[u8]>) -> Result<Pictures, Error> {
    let listing = list(folder)?;
    let paths: Vec<_> = listing.files.iter().map(|(path, _)| path.clone()).collect();
    let loaded = listing.load(side)?;
    let known: Vec<String> = (0..loaded.len())
        .filter(|&i| held_out.contains(loaded.picture(i)))
        .map(|i| paths[i].display().to_string())
        .collect();
    if known.is_empty() {
        return Ok(loaded);
    }
    Err(Error::data(format!(
        "{} of {} pictures of distill.pictures are test or validation pictures: {}; remove them, as accuracy would be \
         measured on what was learned",
        known.len(),
        paths.len(),
        some(&known)
    )))
}

/// Lists the pictures of a folder, its own before those of its sub-folders; a folder that several links lead to once, so
/// that links in a circle end.
fn list(folder: &Path) -> Result<Listing, Error> {
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
