//! Many runs of one recipe that differ in a few of its keys.
//!
//! A sweep's folder holds the recipe of every cell (`recipes/CELL.toml`), its run (`runs/CELL`), what it printed
//! (`logs/CELL.txt`), and the table (`sweep.md`, `sweep.json`, `sweep.svg`), written anew whenever a cell ends. Which cells
//! are done is read from their folders, so a sweep that was stopped goes on where it was.

mod figure;
mod grid;
mod table;

pub use figure::figure;
pub use grid::{Cell, Plan, Setting};
pub use table::{Row, Spread, Table};

use crate::error::Error;
use crate::recipe::Recipe;
use crate::train::{Finished, Folder, kept};
use lsspq::card::Accuracy;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// How far a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nothing is there.
    New,
    /// There is a run to be resumed.
    Begun,
    /// The run has ended.
    Finished,
}

/// What a finished cell came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// On the validation split, of that epoch of the last stage which was exported; none where nothing is held out.
    pub validation: Option<Accuracy>,
    /// Of the model file on the test split.
    pub test: Accuracy,
}

/// The folder of a sweep.
#[derive(Clone, Debug)]
pub struct SweepFolder(PathBuf);

impl SweepFolder {
    /// A folder that need not be there yet.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The recipe of a cell.
    pub fn recipe(&self, cell: &Cell) -> PathBuf {
        self.0.join("recipes").join(format!("{}.toml", cell.name))
    }

    /// The run of a cell.
    pub fn run(&self, cell: &Cell) -> PathBuf {
        self.0.join("runs").join(&cell.name)
    }

    /// What a cell printed.
    pub fn log(&self, cell: &Cell) -> PathBuf {
        self.0.join("logs").join(format!("{}.txt", cell.name))
    }

    /// How far a cell is.
    ///
    /// # Errors
    /// Where the folder of the cell holds a run of another recipe: its figures would stand in the wrong place.
    pub fn state(&self, cell: &Cell) -> Result<State, Error> {
        let run = self.run(cell);
        if !run.join("recipe.toml").is_file() {
            return Ok(State::New);
        }
        let (folder, recipe) = Folder::existing(&run)?;
        if recipe != cell.recipe {
            return Err(Error::recipe(format!(
                "{} holds a run of another recipe: name another folder with --out, or remove it",
                run.display()
            )));
        }
        Ok(if folder.result().is_file() { State::Finished } else { State::Begun })
    }

    /// What a cell came to; none before it has ended.
    ///
    /// # Errors
    /// A result or log that cannot be read.
    pub fn outcome(&self, cell: &Cell) -> Result<Option<Outcome>, Error> {
        if self.state(cell)? != State::Finished {
            return Ok(None);
        }
        let (folder, recipe) = Folder::existing(&self.run(cell))?;
        let path = folder.result();
        let bad = |e: &dyn std::fmt::Display| Error::data(format!("{}: {e}", path.display()));
        let bytes = std::fs::read(&path).map_err(|e| bad(&e))?;
        let finished: Finished = serde_json::from_slice(&bytes).map_err(|e| bad(&e))?;
        let last = recipe.stages.len() - 1;
        let records = folder.records()?;
        let looks = records.iter().filter(|r| r.stage == last).filter_map(|r| r.validation);
        Ok(Some(Outcome { validation: kept(looks), test: finished.test }))
    }
}

/// The recipe with the cell's settings, resolved.
pub(crate) fn with(text: &str, origin: &str, settings: &[Setting]) -> Result<Recipe, Error> {
    let mut table: toml::Table =
        toml::from_str(text).map_err(|e| Error::recipe(format!("{origin}: {}", e.to_string().trim_end())))?;
    for setting in settings {
        setting.apply(&mut table).map_err(|why| Error::recipe(format!("{origin}: {setting}: {why}")))?;
    }
    let words: Vec<String> = settings.iter().map(Setting::to_string).collect();
    let text = toml::to_string(&table).map_err(|e| Error::recipe(format!("{origin}: {e}")))?;
    Recipe::parse(&text, &format!("{origin} with {}", words.join(", ")))
}
