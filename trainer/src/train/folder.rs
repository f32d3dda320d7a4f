//! The folder of a run.

use super::{Checkpoint, EpochRecord};
use crate::error::Error;
use crate::recipe::Recipe;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What to do where the folder is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Refuse.
    Keep,
    /// Go on with the run in it.
    Resume,
    /// Begin anew in its place.
    Overwrite,
}

/// The folder of a run.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes or opens the folder for the recipe, and tries that it can be written.
    ///
    /// # Errors
    /// A run that is there already and was not to be resumed or overwritten; a run of another recipe; a folder that
    /// cannot be written.
    pub fn open(path: &Path, recipe: &Recipe, existing: Existing) -> Result<Self, Error> {
        let folder = Self(path.to_owned());
        let text = recipe.to_toml();
        let there = std::fs::read_to_string(folder.recipe()).ok();
        match (existing, there) {
            (Existing::Keep, Some(_)) => {
                return Err(Error::recipe(format!(
                    "{} holds a run already: go on with it by --resume, replace it by --overwrite, or name another \
                     folder with --out",
                    path.display()
                )));
            }
            (Existing::Resume, None) => {
                return Err(Error::recipe(format!("{} holds no run to resume", path.display())));
            }
            (Existing::Resume, Some(old)) if old != text => {
                return Err(Error::recipe(format!(
                    "the run in {} has another recipe than the one given: its own is {}",
                    path.display(),
                    folder.recipe().display()
                )));
            }
            (Existing::Resume, Some(_)) => return Ok(folder),
            (Existing::Overwrite, Some(_)) => folder.clear()?,
            (Existing::Keep | Existing::Overwrite, None) => {}
        }
        let unwritable = |e| Error::training(format!("{} cannot be written: {e}", path.display()));
        std::fs::create_dir_all(path).map_err(unwritable)?;
        crate::file::write(&folder.recipe(), text.as_bytes()).map_err(unwritable)?;
        Ok(folder)
    }

    /// Opens the folder of a run that is there.
    ///
    /// # Errors
    /// Where it holds none.
    pub fn existing(path: &Path) -> Result<(Self, Recipe), Error> {
        let folder = Self(path.to_owned());
        if !folder.recipe().is_file() {
            return Err(Error::recipe(format!("{} holds no run: it has no recipe.toml", path.display())));
        }
        let recipe = Recipe::load(&folder.recipe())?;
        Ok((folder, recipe))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The resolved recipe.
    pub fn recipe(&self) -> PathBuf {
        self.0.join("recipe.toml")
    }

    /// The ONNX file of a finished run.
    pub fn model(&self, recipe: &Recipe) -> PathBuf {
        self.0.join(format!("{}.onnx", recipe.name))
    }

    /// Keeps the names of the classes, so that the network can be exported without the pictures.
    pub(super) fn keep_labels(&self, labels: &[String]) -> Result<(), Error> {
        let json = serde_json::to_vec(labels).expect("names are plain data");
        let path = self.0.join("labels.json");
        crate::file::write(&path, &json)
            .map_err(|e| Error::training(format!("{} cannot be written: {e}", path.display())))
    }

    /// The names of the classes in the order of the logits.
    ///
    /// # Errors
    /// Where the run has never begun.
    pub fn labels(&self) -> Result<Vec<String>, Error> {
        let path = self.0.join("labels.json");
        let bad = |e: String| Error::training(format!("{}: {e}", path.display()));
        let bytes = std::fs::read(&path).map_err(|e| bad(e.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|e| bad(e.to_string()))
    }

    /// What a finished run came to.
    pub fn result(&self) -> PathBuf {
        self.0.join("result.json")
    }

    fn log(&self) -> PathBuf {
        self.0.join("log.jsonl")
    }

    /// The last checkpoint, if there is one.
    ///
    /// # Errors
    /// Where it is unreadable.
    pub fn last(&self) -> Result<Option<Checkpoint>, Error> {
        Checkpoint::load(&self.0.join("last.checkpoint"))
    }

    /// The checkpoint that was best on the validation split in the last stage; else the last one.
    ///
    /// # Errors
    /// Where it is unreadable.
    pub fn best(&self, stages: usize) -> Result<Option<Checkpoint>, Error> {
        match Checkpoint::load(&self.0.join("best.checkpoint"))? {
            Some(best) if best.position.stage + 1 == stages => Ok(Some(best)),
            _ => self.last(),
        }
    }

    pub(super) fn save_last(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        checkpoint.save(&self.0.join("last.checkpoint"))
    }

    pub(super) fn save_best(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        checkpoint.save(&self.0.join("best.checkpoint"))
    }

    /// The log's lines that a reader can trust: one an epoch, the last one written counts.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn records(&self) -> Result<Vec<EpochRecord>, Error> {
        let text = match std::fs::read_to_string(self.log()) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(Error::training(format!("{} cannot be read: {e}", self.log().display()))),
        };
        let mut records: Vec<EpochRecord> = Vec::new();
        // A line may be cut where the power went; a killed run writes the epoch it repeats once more.
        for record in text.lines().filter_map(|line| serde_json::from_str::<EpochRecord>(line).ok()) {
            records.retain(|r| r.epoch < record.epoch);
            records.push(record);
        }
        Ok(records)
    }

    pub(super) fn append(&self, record: &EpochRecord) -> Result<(), Error> {
        let mut line = serde_json::to_string(record).expect("a record is plain data");
        line.push('\n');
        let write =
            || std::fs::OpenOptions::new().create(true).append(true).open(self.log())?.write_all(line.as_bytes());
        write().map_err(|e| Error::training(format!("{} cannot be written: {e}", self.log().display())))
    }

    /// Removes what a run writes, and nothing else.
    fn clear(&self) -> Result<(), Error> {
        for name in ["recipe.toml", "log.jsonl", "last.checkpoint", "best.checkpoint", "labels.json", "result.json"] {
            match std::fs::remove_file(self.0.join(name)) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::training(format!("{} cannot be removed: {e}", self.0.join(name).display())));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
