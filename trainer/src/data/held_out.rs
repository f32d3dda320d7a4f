//! The test split of a folder that has none.
//!
//! Which pictures are set aside depends on their names alone: not on the seed, so that runs of different seeds are measured on
//! the same pictures and none of them ever trains on one; and not on the place in the list, so that neighbours, which are
//! often shots of the same thing, do not fall to one side together.

use super::Part;
use super::listing::Listing;
use crate::error::Error;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// One picture in so many is set aside.
const SHARE: usize = 5;

impl Listing {
    /// One part of a folder without splits, in the order in which the files stand.
    ///
    /// # Errors
    /// A class of a single picture.
    pub(super) fn part(mut self, part: Part) -> Result<Self, Error> {
        let mut by_class: HashMap<u16, Vec<&PathBuf>> = HashMap::new();
        for (path, label) in &self.files {
            by_class.entry(*label).or_default().push(path);
        }
        let mut last = HashMap::new();
        for (label, mut paths) in by_class {
            if paths.len() < 2 {
                let class = &self.classes[usize::from(label)];
                return Err(Error::data(format!(
                    "class {class} has one picture: at least two are needed, one to learn from and one to test"
                )));
            }
            paths.sort_by_key(|path| rank(path));
            let tested = (paths.len() / SHARE).max(1);
            last.insert(label, rank(paths[tested - 1]));
        }
        self.files.retain(|(path, label)| (rank(path) <= last[label]) == (part == Part::Test));
        Ok(self)
    }
}

/// An order of files that looks like none: by the FNV-1a hash of the name (Fowler, Noll, Vo), then the name.
fn rank(path: &Path) -> (u64, String) {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    (name.bytes().fold(0xcbf2_9ce4_8422_2325, step), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(names: &[(&str, u16)]) -> Listing {
        let file = |&(name, label): &(&str, u16)| (PathBuf::from(format!("{label}/{name}")), label);
        Listing { classes: vec!["cat".into(), "dog".into()], files: names.iter().map(file).collect() }
    }

    #[test]
    fn a_fifth_of_each_class_is_tested_and_never_trained_on() {
        let names: Vec<String> = (0..40).map(|i| format!("{i:03}.jpg")).collect();
        let both: Vec<(&str, u16)> = names.iter().flat_map(|n| [(n.as_str(), 0), (n.as_str(), 1)]).take(60).collect();
        let part = |part| listing(&both).part(part).unwrap().files;
        let (train, test) = (part(Part::Train), part(Part::Test));
        assert_eq!((train.len(), test.len()), (48, 12));
        assert!(test.iter().all(|file| !train.contains(file)));
        let neighbours = test.windows(2).filter(|p| p[0].1 == p[1].1).count();
        assert!(neighbours < 11);
    }

    #[test]
    fn a_split_does_not_depend_on_other_pictures_order() {
        let names = ["b.jpg", "a.jpg", "d.jpg", "c.jpg", "e.jpg"].map(|n| (n, 0));
        let mut sorted = names;
        sorted.sort_unstable();
        let test = |names: &[(&str, u16)]| listing(names).part(Part::Test).unwrap().files;
        assert_eq!(test(&names), test(&sorted));
        let message = listing(&[("a.jpg", 1)]).part(Part::Train).unwrap_err().to_string();
        assert!(message.contains("class dog has one picture"), "{message}");
    }
}
