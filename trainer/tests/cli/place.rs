//! A folder of its own in which the program runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

pub(crate) const RECIPE: &str = include_str!("../fixture/shapes.toml");

/// A folder in which the program runs, with a recipe and generated pictures.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        place.recipe(RECIPE);
        let made = place.run(&["fixture", "shapes", "--train", "40", "--test", "4"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn recipe(&self, text: &str) {
        fs::write(self.path("shapes.toml"), text).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_lsspq"))
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("LSSPQ_DATA")
            .env_remove("LSSPQ_PYTHON")
            .output()
            .unwrap()
    }

    /// Runs what must fail with that exit code and those words, and must leave no run behind.
    pub(crate) fn refused(&self, arguments: &[&str], code: i32, parts: &[&str]) {
        let output = self.run(arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{message}");
        for part in parts {
            assert!(message.contains(part), "{part} is not in: {message}");
        }
    }

    pub(crate) fn refused_before_training(&self, code: i32, parts: &[&str]) {
        self.refused(&["train", "shapes.toml"], code, parts);
        assert!(!self.path("runs").exists(), "a refused run left a folder");
    }
}

/// The first file in a folder, by name.
pub(crate) fn first_file(folder: &Path) -> PathBuf {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).min().unwrap()
}

/// Runs what must succeed and gives what it printed.
pub(crate) fn printed(place: &Place, arguments: &[&str]) -> String {
    let output = place.run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Two short runs that differ in a rate; `Place::recipe` must have been called for both stages of one epoch.
pub(crate) fn one_epoch_each(place: &Place) {
    let recipe = RECIPE.replace("epochs = 4", "epochs = 1").replace("epochs = 2", "epochs = 1");
    place.recipe(&recipe.replace("warmup_interval = 1", "warmup_interval = 0"));
}
