//! Pictures and their labels, read into memory whole before training begins.
//!
//! Every format ends in one type, [`Pictures`], and everything wrong with the data is found here, before the first
//! step: folders and classes that are missing, files that cannot be decoded, labels out of range.

mod arrays;
mod cifar;
mod decode;
mod folders;
mod held_out;
mod listing;
mod split;
mod tiny_imagenet;
mod unlabelled;

#[cfg(test)]
pub(crate) use arrays::write_rows;
pub use arrays::{read_rows, write_arrays};
pub(crate) use arrays::{write_labels, write_pixels};
pub use decode::decode;
pub use split::split;

use crate::error::Error;
use crate::recipe::{Data, Format, Recipe};
use std::path::Path;
use std::sync::Arc;

/// The label of a picture that has none.
pub const UNLABELLED: u16 = u16::MAX;

/// Square pictures of one size with their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pictures {
    /// Height and width in pixels.
    pub side: usize,
    /// `[picture][row][column][red, green, blue]`, row-major bytes.
    pub pixels: Vec<u8>,
    /// The class of each picture, an index into `classes`, or [`UNLABELLED`].
    pub labels: Vec<u16>,
    /// Names of the classes in the order of their labels.
    pub classes: Vec<String>,
}

impl Pictures {
    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The first so many pictures of each class, in their order.
    pub fn limit(self, count: usize) -> Self {
        let mut first = First::new(count);
        let kept: Vec<usize> = (0..self.len()).filter(|&i| first.takes(self.labels[i])).collect();
        if kept.len() == self.len() {
            return self;
        }
        let pixels = kept.iter().flat_map(|&i| self.picture(i)).copied().collect();
        let labels = kept.iter().map(|&i| self.labels[i]).collect();
        Self { pixels, labels, ..self }
    }

    /// Puts pictures of the same size behind these, whose labels count the same classes.
    fn append(&mut self, mut others: Self) {
        assert_eq!(self.side, others.side, "pictures of a run are brought to one size");
        self.pixels.append(&mut others.pixels);
        self.labels.append(&mut others.labels);
    }

    /// The bytes of picture `index`: `[row][column][red, green, blue]`.
    pub fn picture(&self, index: usize) -> &[u8] {
        let bytes = self.side * self.side * 3;
        &self.pixels[index * bytes..][..bytes]
    }
}

/// Takes so many of each class.
struct First {
    count: usize,
    seen: std::collections::HashMap<u16, usize>,
}

impl First {
    fn new(count: usize) -> Self {
        Self { count, seen: std::collections::HashMap::new() }
    }

    fn takes(&mut self, label: u16) -> bool {
        let seen = self.seen.entry(label).or_default();
        *seen += 1;
        *seen <= self.count
    }
}

/// Which part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Pictures to learn from; validation pictures are taken out of them.
    Train,
    /// Pictures looked at once, at the end.
    Test,
}

impl Pictures {
    /// Reads one part of the data set that lies in `folder`, every picture brought to `side` by the preprocessing of
    /// the library.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](crate::ErrorKind::Data), naming what is missing or broken, and how many files are.
    pub fn load(data: &Data, folder: &Path, part: Part, side: usize) -> Result<Self, Error> {
        let limit = data.limit.map_or(usize::MAX, |limit| limit as usize);
        match data.format {
            Format::ClassFolder => {
                let name = if part == Part::Train { &data.train } else { &data.test };
                folders::list(&folder.join(name))?.limit(limit).load(side)
            }
            Format::Pictures => folders::list(folder)?.part(part)?.limit(limit).load(side),
            Format::TinyImagenet => tiny_imagenet::list(folder, part)?.limit(limit).load(side),
            Format::CifarBinary => Ok(cifar::load(folder, part, side)?.limit(limit)),
        }
    }
}

/// How many classes a data set has, without reading a picture.
///
/// # Errors
/// As [`Pictures::load`]; CIFAR's binary files are not counted.
pub fn count_classes(data: &Data, folder: &Path) -> Result<usize, Error> {
    let listing = match data.format {
        Format::ClassFolder => folders::list(&folder.join(&data.train))?,
        Format::Pictures => folders::list(folder)?,
        Format::TinyImagenet => tiny_imagenet::list(folder, Part::Test)?,
        Format::CifarBinary => return Err(Error::recipe("network.classes is missing: 10 or 100, as CIFAR has")),
    };
    Ok(listing.classes.len())
}

/// All pictures of a run.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The training split, validation pictures among them, and after it the pictures without labels.
    pub train: Arc<Pictures>,
    /// Which pictures of `train` train, ascending.
    pub training: Vec<u32>,
    /// Which pictures of `train` validate, ascending; empty where the recipe holds none out.
    pub validation: Vec<u32>,
    /// Which pictures of `train` have no label, ascending, all after the labelled ones: only a teacher says what is on
    /// them.
    pub unlabelled: Vec<u32>,
    /// The test split.
    pub test: Arc<Pictures>,
}

impl Dataset {
    /// Reads what `recipe` names from the data set's `folder`.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](crate::ErrorKind::Data) as [`Pictures::load`], and where the classes of the two splits and of
    /// the network do not agree, where there are too few pictures for the validation split or for one batch, or where
    /// pictures without labels are ones of the test or validation split.
    pub fn load(recipe: &Recipe, folder: &Path) -> Result<Self, Error> {
        let side = recipe.network.input;
        let mut train = Pictures::load(&recipe.data, folder, Part::Train, side)?;
        check_classes(recipe, folder, &train)?;
        let test = Pictures::load(&recipe.data, folder, Part::Test, side)?;
        check_same_classes(folder, &train, &test)?;
        let (training, validation) = split(&train, recipe.data.validation, recipe.seed)?;
        for (i, stage) in recipe.stages.iter().enumerate() {
            if stage.batch > training.len() {
                return Err(Error::data(format!(
                    "stages[{i}].batch = {}, but there are only {} training pictures in {}: allowed is at most that",
                    stage.batch,
                    training.len(),
                    folder.display()
                )));
            }
        }
        let labelled = train.len();
        if let Some(folder) = recipe.distill.as_ref().and_then(|distill| distill.pictures.as_deref()) {
            let validated = validation.iter().map(|&i| train.picture(i as usize));
            let held_out = validated.chain((0..test.len()).map(|i| test.picture(i))).collect();
            let unlabelled = unlabelled::load(folder, side, &held_out)?;
            train.append(unlabelled);
        }
        let unlabelled = (labelled as u32..train.len() as u32).collect();
        Ok(Self { train: Arc::new(train), training, validation, unlabelled, test: Arc::new(test) })
    }

    /// Which pictures of `train` are learned from, with labels and without, ascending.
    pub fn learned(&self) -> Vec<u32> {
        [&*self.training, &self.unlabelled].concat()
    }

    /// Reads only the test split that `recipe` names.
    ///
    /// # Errors
    /// As [`Dataset::load`].
    pub fn load_test(recipe: &Recipe, folder: &Path) -> Result<Pictures, Error> {
        let test = Pictures::load(&recipe.data, folder, Part::Test, recipe.network.input)?;
        check_classes(recipe, folder, &test)?;
        Ok(test)
    }
}

fn check_classes(recipe: &Recipe, folder: &Path, pictures: &Pictures) -> Result<(), Error> {
    let (found, wanted) = (pictures.classes.len(), recipe.network.classes);
    if found == wanted {
        return Ok(());
    }
    Err(Error::data(format!(
        "{} has {found} classes, but network.classes = {wanted}: set it to {found}, or name the right folder",
        folder.display()
    )))
}

fn check_same_classes(folder: &Path, train: &Pictures, test: &Pictures) -> Result<(), Error> {
    let missing = |from: &Pictures, of: &Pictures| -> Vec<String> {
        of.classes.iter().filter(|class| !from.classes.contains(class)).cloned().collect()
    };
    for (names, here, there) in [(missing(test, train), "training", "test"), (missing(train, test), "test", "training")]
    {
        if !names.is_empty() {
            return Err(Error::data(format!(
                "{}: the {here} split has classes that the {there} split has not: {}; both must have the same",
                folder.display(),
                some(&names)
            )));
        }
    }
    Ok(())
}

/// The first few of a list, and how many more there are.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

#[cfg(test)]
mod tests;
