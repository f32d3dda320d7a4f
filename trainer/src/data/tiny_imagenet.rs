//! Tiny-ImageNet's own layout.
//!
//! ```text
//! wnids.txt                  one class a line; the order is that of the labels
//! words.txt                  class, tab, readable names separated by commas
//! train/WNID/images/*.JPEG
//! val/images/*.JPEG
//! val/val_annotations.txt    file, tab, class, tab, box
//! ```
//!
//! The published test pictures have no labels: the validation split is the one on which results are reported.

use super::listing::{Listing, label, pictures};
use super::{Part, some};
use crate::error::Error;
use std::collections::HashMap;
use std::path::Path;

/// Lists one part of the data set in `folder`.
pub(super) fn list(folder: &Path, part: Part) -> Result<Listing, Error> {
    let ids: Vec<String> = read(&folder.join("wnids.txt"))?.split_whitespace().map(str::to_owned).collect();
    if ids.is_empty() {
        return Err(Error::data(format!("{} names no classes", folder.join("wnids.txt").display())));
    }
    label(ids.len() - 1, folder)?;
    let classes = readable(folder, &ids)?;
    let files = match part {
        Part::Train => {
            let mut files = Vec::new();
            for (index, id) in ids.iter().enumerate() {
                let images = folder.join("train").join(id).join("images");
                let pictures = pictures(&images)?;
                if pictures.is_empty() {
                    return Err(Error::data(format!("class {id}: {} holds no pictures", images.display())));
                }
                files.extend(pictures.into_iter().map(|name| (images.join(name), index as u16)));
            }
            files
        }
        Part::Test => annotated(folder, &ids)?,
    };
    Ok(Listing { classes, files })
}

/// The files that `val/val_annotations.txt` names.
fn annotated(folder: &Path, ids: &[String]) -> Result<Vec<(std::path::PathBuf, u16)>, Error> {
    let index: HashMap<&str, usize> = ids.iter().enumerate().map(|(i, id)| (id.as_str(), i)).collect();
    let (list, images) = (folder.join("val").join("val_annotations.txt"), folder.join("val").join("images"));
    let (mut files, mut counts) = (Vec::new(), vec![0; ids.len()]);
    for (number, line) in read(&list)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let mut fields = line.split('\t');
        let (file, id) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default().trim());
        let at = || format!("{}, line {}", list.display(), number + 1);
        let &class = index.get(id).ok_or_else(|| Error::data(format!("{}: class {id:?} is not in wnids.txt", at())))?;
        if Path::new(file).file_name().is_none_or(|name| name != file) {
            return Err(Error::data(format!("{}: {file:?} is no name of a file", at())));
        }
        counts[class] += 1;
        files.push((images.join(file), class as u16));
    }
    let empty: Vec<String> = ids.iter().zip(&counts).filter(|(_, n)| **n == 0).map(|(id, _)| id.clone()).collect();
    if !empty.is_empty() {
        return Err(Error::data(format!(
            "{} classes have no pictures in {}: {}",
            empty.len(),
            list.display(),
            some(&empty)
        )));
    }
    Ok(files)
}

/// The first readable name of each class; all of its names where the first alone is not unique, the identifier where
/// `words.txt` has none.
fn readable(folder: &Path, ids: &[String]) -> Result<Vec<String>, Error> {
    let path = folder.join("words.txt");
    let text = if path.exists() { read(&path)? } else { String::new() };
    let words: HashMap<&str, &str> = text.lines().filter_map(|line| line.split_once('\t')).collect();
    let full: Vec<&str> =
        ids.iter().map(|id| words.get(id.as_str()).map_or(id.as_str(), |names| names.trim())).collect();
    let first = |names: &'_ str| names.split(',').next().unwrap_or(names).trim().to_owned();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for names in &full {
        *seen.entry(first(names)).or_default() += 1;
    }
    Ok(full.iter().map(|names| if seen[&first(names)] == 1 { first(names) } else { (*names).to_owned() }).collect())
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|e| {
        Error::data(format!("{} cannot be read: {e}; format = \"tiny-imagenet\" needs it", path.display()))
    })
}
