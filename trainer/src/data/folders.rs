//! Class folders: `CLASS/*.jpg`, the classes in the order of their names.

use super::listing::{Listing, label, names, pictures};
use super::some;
use crate::error::Error;
use std::path::Path;

/// Lists the class folders in `folder`.
pub(super) fn list(folder: &Path) -> Result<Listing, Error> {
    if !folder.is_dir() {
        return Err(Error::data(format!(
            "there is no folder {}: class folders are expected there, such as {}; data.train and data.test name it",
            folder.display(),
            folder.join("cat").join("1.jpg").display()
        )));
    }
    let classes = names(folder, true)?;
    if classes.is_empty() {
        return Err(Error::data(format!(
            "{} holds no classes: a folder for each class is expected in it, with JPEG or PNG files",
            folder.display()
        )));
    }
    let (mut files, mut empty) = (Vec::new(), Vec::new());
    for (index, class) in classes.iter().enumerate() {
        let (folder, label) = (folder.join(class), label(index, folder)?);
        let pictures = pictures(&folder)?;
        if pictures.is_empty() {
            empty.push(class.clone());
        }
        files.extend(pictures.into_iter().map(|name| (folder.join(name), label)));
    }
    if !empty.is_empty() {
        return Err(Error::data(format!(
            "{} classes in {} hold no JPEG or PNG files: {}; add pictures or remove the folders",
            empty.len(),
            folder.display(),
            some(&empty)
        )));
    }
    Ok(Listing { classes, files })
}
