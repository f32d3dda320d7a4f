//! The part of a recipe that says which pictures.

use super::within;
use crate::error::Error;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// The pictures of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Name of the data set as people shall read it, such as `CIFAR-10 (JPEG)`.
    pub dataset: String,
    /// How the pictures lie on the disk.
    pub format: Format,
    /// The data set's folder: absolute, or relative to the folder named by `LSSPQ_DATA` or to the recipe's own.
    pub path: PathBuf,
    /// Sub-folder of the training split, for class folders.
    #[serde(default = "train")]
    pub train: String,
    /// Sub-folder of the test split, for class folders.
    #[serde(default = "test")]
    pub test: String,
    /// What is held out of the training split of each class for validation; 0 trains on all of it.
    #[serde(default)]
    pub validation: Validation,
    /// Pictures of each class that are taken at most, from each split, the first by their order; all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Mean of each colour in [0, 1]: red, green, blue.
    pub mean: [f32; 3],
    /// Standard deviation of each colour.
    pub deviation: [f32; 3],
    /// Licence of the pictures.
    #[serde(default)]
    pub licence: String,
    /// Where the pictures come from.
    #[serde(default)]
    pub source: String,
}

/// How the pictures lie on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `train/CLASS/*.jpg`, `test/CLASS/*.jpg`; JPEG and PNG.
    ClassFolder,
    /// Tiny-ImageNet's own layout: `wnids.txt`, `words.txt`, `train/WNID/images`, `val/val_annotations.txt`.
    TinyImagenet,
    /// The binary files of CIFAR-10 or CIFAR-100.
    CifarBinary,
    /// `CLASS/*.jpg` and no splits: a fifth of each class is set aside for the test, chosen by the files' names.
    Pictures,
}

/// What is held out of every class of the training split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Validation {
    /// That many pictures of each class.
    PerClass(u32),
    /// That part of the pictures of each class, 0 to 0.5.
    Fraction(f64),
}

impl Default for Validation {
    fn default() -> Self {
        Self::PerClass(0)
    }
}

impl Serialize for Validation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::PerClass(count) => serializer.serialize_u32(count),
            Self::Fraction(fraction) => serializer.serialize_f64(fraction),
        }
    }
}

impl<'de> Deserialize<'de> for Validation {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Validation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number of pictures per class (such as 50) or a fraction from 0.0 to 0.5")
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Validation, E> {
                u32::try_from(value)
                    .map(Validation::PerClass)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(value), &self))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Validation, E> {
                u32::try_from(value)
                    .map(Validation::PerClass)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(value), &self))
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Validation, E> {
                if (0.0..=0.5).contains(&value) {
                    Ok(Validation::Fraction(value))
                } else {
                    Err(E::invalid_value(serde::de::Unexpected::Float(value), &self))
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

fn train() -> String {
    "train".into()
}

fn test() -> String {
    "test".into()
}

impl Data {
    /// The data set's folder: `given` if there is one, else `path` as it is, under `base` (the value of
    /// `LSSPQ_DATA`) or under the recipe's folder, whichever exists first.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](crate::ErrorKind::Data) where none of them is a folder, naming them all.
    pub fn folder(
        &self,
        given: Option<&Path>,
        base: Option<&Path>,
        recipe_folder: Option<&Path>,
    ) -> Result<PathBuf, Error> {
        // Joining an absolute path gives that path alone.
        let candidates: Vec<PathBuf> = match given {
            Some(given) => vec![given.to_owned()],
            None => [base, recipe_folder].into_iter().flatten().map(|folder| folder.join(&self.path)).collect(),
        };
        candidates.iter().find(|folder| folder.is_dir()).cloned().ok_or_else(|| {
            let mut names: Vec<String> = candidates.iter().map(|folder| folder.display().to_string()).collect();
            names.dedup();
            Error::data(format!(
                "no folder with the data set {:?}: looked for {}; name it with --data, or set LSSPQ_DATA to the folder \
                 that holds {}",
                self.dataset,
                if names.is_empty() { "nothing".into() } else { names.join(" and ") },
                self.path.display()
            ))
        })
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if self.train == self.test {
            return Err(format!(
                "data.test = {:?}: allowed is another folder than data.train, as no picture may be in both",
                self.test
            ));
        }
        for (key, folder) in [("data.train", &self.train), ("data.test", &self.test)] {
            if folder.is_empty() {
                return Err(format!("{key} = \"\": allowed is the name of a folder"));
            }
        }
        if let Some(limit) = self.limit {
            within("data.limit", limit, 1, 1_000_000)?;
        }
        for (i, (&mean, &deviation)) in self.mean.iter().zip(&self.deviation).enumerate() {
            within(&format!("data.mean[{i}]"), mean, 0.0, 1.0)?;
            within(&format!("data.deviation[{i}]"), deviation, 0.001, 10.0)?;
        }
        Ok(())
    }
}
