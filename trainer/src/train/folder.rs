//! The folder of a run.

use super::lock::Lock;
use super::{Checkpoint, EpochRecord};
use crate::error::Error;
use crate::recipe::Recipe;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
pub struct Folder {
    path: PathBuf,
    /// Held by the one who writes; none where the run is only read.
    _lock: Option<Arc<Lock>>,
}

impl Folder {
    /// Makes or opens the folder for the recipe, takes its lock, and tries that it can be written.
    ///
    /// # Errors
    /// A run that is there already and was not to be resumed or overwritten; a run of a recipe that differs in more than
    /// stages that have not begun; a folder that cannot be written, or that another process is writing.
    pub fn open(path: &Path, recipe: &Recipe, existing: Existing) -> Result<Self, Error> {
        let unwritable = |e| Error::storage(format!("{} cannot be written: {e}", path.display()));
        let text = recipe.to_toml();
        let there = std::fs::read_to_string(path.join("recipe.toml")).ok();
        Self::check(path, existing)?;
        std::fs::create_dir_all(path).map_err(unwritable)?;
        let folder = Self { path: path.to_owned(), _lock: Some(Arc::new(Lock::take(path)?)) };
        match existing {
            Existing::Resume => {
                if there.is_some_and(|there| there != text) {
                    folder.take_over(recipe)?;
                    crate::file::write(&folder.recipe(), text.as_bytes()).map_err(unwritable)?;
                }
                folder.mend_log()?;
            }
            Existing::Keep | Existing::Overwrite => {
                folder.clear()?;
                crate::file::write(&folder.recipe(), text.as_bytes()).map_err(unwritable)?;
            }
        }
        Ok(folder)
    }

    /// Refuses what would lose a run, or go on with none. It writes nothing.
    ///
    /// # Errors
    /// A run that is there already and was not to be resumed or overwritten; none where one was to be resumed.
    pub fn check(path: &Path, existing: Existing) -> Result<(), Error> {
        let holds_run = path.join("recipe.toml").is_file();
        let name = path.display();
        match existing {
            Existing::Keep if holds_run && !in_vain(path) => Err(Error::recipe(format!(
                "{name} holds a run already: go on with it by --resume, replace it by --overwrite, or name another \
                 folder with --out"
            ))),
            Existing::Resume if !holds_run => {
                Err(Error::recipe(format!("{name} holds no run to resume: leave --resume out to begin one")))
            }
            _ => Ok(()),
        }
    }

    /// Opens the folder of a run that is there.
    ///
    /// # Errors
    /// Where it holds none.
    pub fn existing(path: &Path) -> Result<(Self, Recipe), Error> {
        let folder = Self { path: path.to_owned(), _lock: None };
        if !folder.recipe().is_file() {
            return Err(Error::recipe(format!("{} holds no run: it has no recipe.toml", path.display())));
        }
        let recipe = Recipe::load(&folder.recipe())?;
        Ok((folder, recipe))
    }

    /// Tries that checkpoints of that many bytes find room: the last, the best, and one that is being written.
    pub(super) fn check_room(&self, checkpoint: u64) -> Result<(), Error> {
        let path = self.path.display();
        let probe = self.path.join("room.partial");
        // A number of free bytes says nothing of a quota; a file does.
        std::fs::write(&probe, [0; 4096])
            .and_then(|()| std::fs::remove_file(&probe))
            .map_err(|e| Error::storage(format!("{path} cannot be written: {e}")))?;
        let there = |name: &str| std::fs::metadata(self.path.join(name)).map_or(0, |file| file.len());
        let needed = (3 * checkpoint).saturating_sub(there("last.checkpoint") + there("best.checkpoint")) + LOGS;
        let free = fs4::available_space(&self.path).unwrap_or(u64::MAX);
        if free < needed {
            let mib = |bytes: u64| bytes.div_ceil(1 << 20);
            return Err(Error::storage(format!(
                "{path} has room for {} MiB, and the checkpoints of this run need {} MiB: make room, or name a folder on \
                 another disk with --out",
                free >> 20,
                mib(needed)
            )));
        }
        Ok(())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The resolved recipe.
    pub fn recipe(&self) -> PathBuf {
        self.path.join("recipe.toml")
    }

    /// The ONNX file of a finished run.
    pub fn model(&self, recipe: &Recipe) -> PathBuf {
        self.path.join(format!("{}.onnx", recipe.name))
    }

    /// Keeps the names of the classes, so that the network can be exported without the pictures.
    pub(super) fn keep_labels(&self, labels: &[String]) -> Result<(), Error> {
        let json = serde_json::to_vec(labels).expect("names are plain data");
        let path = self.path.join("labels.json");
        crate::file::write(&path, &json)
            .map_err(|e| Error::storage(format!("{} cannot be written: {e}", path.display())))
    }

    /// The names of the classes in the order of the logits.
    ///
    /// # Errors
    /// Where the run has never begun.
    pub fn labels(&self) -> Result<Vec<String>, Error> {
        let path = self.path.join("labels.json");
        let bad = |e: String| Error::training(format!("{}: {e}", path.display()));
        let bytes = std::fs::read(&path).map_err(|e| bad(e.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|e| bad(e.to_string()))
    }

    /// What a finished run came to.
    pub fn result(&self) -> PathBuf {
        self.path.join("result.json")
    }

    fn log(&self) -> PathBuf {
        self.path.join("log.jsonl")
    }

    /// The last checkpoint, if there is one.
    ///
    /// # Errors
    /// Where it is unreadable.
    pub fn last(&self) -> Result<Option<Checkpoint>, Error> {
        Checkpoint::load(&self.path.join("last.checkpoint"))
    }

    /// The checkpoint that was kept by the validation split in the last stage: the latest of the best. Else the last one.
    ///
    /// # Errors
    /// Where it is unreadable.
    pub fn best(&self, stages: usize) -> Result<Option<Checkpoint>, Error> {
        match Checkpoint::load(&self.path.join("best.checkpoint"))? {
            Some(best) if best.position.stage + 1 == stages => Ok(Some(best)),
            _ => self.last(),
        }
    }

    pub(super) fn save_last(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        checkpoint.save(&self.path.join("last.checkpoint"))
    }

    pub(super) fn save_best(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        checkpoint.save(&self.path.join("best.checkpoint"))
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

    /// Ends a line that was cut where a process was killed, or the next one would be lost with it.
    fn mend_log(&self) -> Result<(), Error> {
        let cut = std::fs::read(self.log()).is_ok_and(|text| text.last().is_some_and(|&byte| byte != b'\n'));
        if cut { self.append_line("\n") } else { Ok(()) }
    }

    pub(super) fn append(&self, record: &EpochRecord) -> Result<(), Error> {
        let mut line = serde_json::to_string(record).expect("a record is plain data");
        line.push('\n');
        self.append_line(&line)
    }

    fn append_line(&self, line: &str) -> Result<(), Error> {
        let write =
            || std::fs::OpenOptions::new().create(true).append(true).open(self.log())?.write_all(line.as_bytes());
        write().map_err(|e| {
            Error::storage(format!(
                "{} cannot be written: {e}; the last checkpoint is untouched: make room or mend the folder, then go on \
                 with --resume",
                self.log().display()
            ))
        })
    }

    /// Lets the run that is here go on as one of another recipe; if it had ended, it has not any more.
    fn take_over(&self, recipe: &Recipe) -> Result<(), Error> {
        let (_, old) = Self::existing(&self.path)?;
        let begun = self.last()?.map_or(0, |checkpoint| checkpoint.position.begun());
        if !recipe.continues(&old, begun) {
            return Err(Error::recipe(format!(
                "the run in {} has another recipe than the one given: its own is {}, and only stages that have not begun \
                 (the first {begun} have), limits, licences and the source of the pictures may differ from it",
                self.path.display(),
                self.recipe().display()
            )));
        }
        self.remove(&["result.json"])
    }

    /// Removes what a run writes, and nothing else.
    fn clear(&self) -> Result<(), Error> {
        self.remove(&["recipe.toml", "log.jsonl", "last.checkpoint", "best.checkpoint", "labels.json", "result.json"])
    }

    fn remove(&self, names: &[&str]) -> Result<(), Error> {
        for name in names {
            match std::fs::remove_file(self.path.join(name)) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::storage(format!("{} cannot be removed: {e}", self.path.join(name).display())));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Room for the log, the report and the model beside the checkpoints, in bytes.
const LOGS: u64 = 8 << 20;

/// Whether a run began here and ended before its first checkpoint: it leaves a lock, a recipe and nothing that could be lost.
fn in_vain(path: &Path) -> bool {
    let there = |name| path.join(name).exists();
    Lock::path(path).exists() && !["last.checkpoint", "best.checkpoint", "log.jsonl"].into_iter().any(there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_is_found_and_the_probe_is_gone() {
        let place = tempfile::tempdir().unwrap();
        let recipe = Recipe::parse(include_str!("../../tests/fixture/shapes.toml"), "shapes").unwrap();
        let folder = Folder::open(&place.path().join("run"), &recipe, Existing::Keep).unwrap();
        folder.check_room(1000).unwrap();
        assert!(!folder.path().join("room.partial").exists());
        let error = folder.check_room(1 << 60).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Storage);
        assert!(error.to_string().contains("has room for") && error.to_string().contains("--out"), "{error}");
    }

    #[test]
    fn a_folder_is_kept_from_the_first_checkpoint_on_and_not_for_its_recipe_alone() {
        let place = tempfile::tempdir().unwrap();
        let recipe = Recipe::parse(include_str!("../../tests/fixture/shapes.toml"), "shapes").unwrap();
        let other = Recipe { seed: recipe.seed + 1, ..recipe.clone() };
        let path = place.path().join("run");
        drop(Folder::open(&path, &recipe, Existing::Keep).unwrap());
        let held = Folder::open(&path, &other, Existing::Keep).unwrap();
        assert_eq!(Folder::existing(&path).unwrap().1, other);
        Folder::open(&path, &recipe, Existing::Keep).expect_err("another process has begun there");
        drop(held);
        std::fs::write(path.join("last.checkpoint"), "").unwrap();
        let error = Folder::open(&path, &recipe, Existing::Keep).unwrap_err().to_string();
        assert!(error.contains("holds a run already"), "{error}");
        assert_eq!(Folder::existing(&path).unwrap().1, other, "nothing was changed");
    }

    #[test]
    fn a_cut_line_of_the_log_does_not_take_the_next_one_with_it() {
        let place = tempfile::tempdir().unwrap();
        let recipe = Recipe::parse(include_str!("../../tests/fixture/shapes.toml"), "shapes").unwrap();
        let path = place.path().join("run");
        drop(Folder::open(&path, &recipe, Existing::Keep).unwrap());
        std::fs::write(path.join("log.jsonl"), "{\"stage\":0,\"epo").unwrap();
        let folder = Folder::open(&path, &recipe, Existing::Resume).unwrap();
        folder.append_line("whole\n").unwrap();
        assert_eq!(std::fs::read_to_string(path.join("log.jsonl")).unwrap(), "{\"stage\":0,\"epo\nwhole\n");
    }
}
