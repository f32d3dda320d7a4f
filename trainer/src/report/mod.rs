//! What a run came to, for people (`report.html`) and for programs (`report.json`).
//!
//! Both are made from the run's folder alone: the log, the best checkpoint, the model file. What the model said to the test
//! pictures is measured once, at the end of training, and kept in `report.json`; a report that is made again takes it from
//! there. The page asks for nothing from outside itself.

mod learned;
mod page;
mod plot;
mod test;

pub use learned::{Learned, Levels, Shifts};
pub use test::{Mistake, Test};

use crate::error::Error;
use crate::recipe::Recipe;
use crate::train::{EpochRecord, Finished, Folder};
use crate::{export, file};
use burn::tensor::Device;
use lsspq::Model;
use lsspq::metrics::Metrics;
use lsspq::size::{Layer, layers};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Everything that the report shows.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The name of the run.
    pub name: String,
    /// The name of the network.
    pub network: String,
    /// The name of the data set.
    pub dataset: String,
    /// The seed of every random choice.
    pub seed: u64,
    /// The program that made it, with its version.
    pub program: String,
    /// The resolved recipe as TOML.
    pub recipe: String,
    /// The log: a record an epoch, first to last.
    pub epochs: Vec<EpochRecord>,
    /// Size, accuracy and density of the model file; none before it is written.
    pub figures: Option<Metrics>,
    /// The layers with their shapes, bits and multiply-adds.
    pub layers: Vec<Layer>,
    /// Displacements and weights; none before the first checkpoint.
    pub learned: Option<Learned>,
    /// What the model file said to the test pictures; none before they are looked at.
    pub test: Option<Test>,
}

impl Report {
    /// Gathers the report of the run in the folder. `test` is what the model file said to the test pictures; where it is none,
    /// what an earlier report kept.
    ///
    /// # Errors
    /// A log, checkpoint or model file that cannot be read.
    pub fn gather(recipe: &Recipe, folder: &Folder, test: Option<Test>) -> Result<Self, Error> {
        let model = std::fs::read(folder.model(recipe)).ok();
        let wrong = |e: &dyn std::fmt::Display| Error::data(format!("{}: {e}", folder.model(recipe).display()));
        let figures = model.as_deref().map(|bytes| Model::load(bytes).map(|m| m.metrics())).transpose();
        // A file of another version may run and yet not be read back: then the page has no histograms of its weights.
        let deployed = model.as_deref().and_then(|bytes| export::from_onnx(bytes).ok());
        let learned = match folder.best(recipe.stages.len())? {
            None => None,
            Some(checkpoint) => {
                let network = checkpoint.deployed(recipe, &Device::flex())?;
                Some(Learned::new(&network, deployed.as_ref().map(|(network, _)| network)))
            }
        };
        Ok(Self {
            name: recipe.name.clone(),
            network: recipe.network.name.clone(),
            dataset: recipe.data.dataset.clone(),
            seed: recipe.seed,
            program: format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
            recipe: recipe.to_toml(),
            epochs: folder.records()?,
            figures: figures.map_err(|e| wrong(&e))?,
            layers: layers(&recipe.network),
            learned,
            test: test.or_else(|| kept(folder)),
        })
    }

    /// Writes `report.json` and `report.html` into the folder of the run; gives the path of the page.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn write(&self, folder: &Folder) -> Result<PathBuf, Error> {
        let json = serde_json::to_vec_pretty(self).expect("a report is plain data");
        let page = folder.path().join(PAGE);
        for (path, bytes) in [(folder.path().join(JSON), json), (page.clone(), self.html().into_bytes())] {
            file::write(&path, &bytes)
                .map_err(|e| Error::training(format!("{} cannot be written: {e}", path.display())))?;
        }
        Ok(page)
    }

    /// The page.
    pub fn html(&self) -> String {
        page::page(self).into_string()
    }
}

const JSON: &str = "report.json";
const PAGE: &str = "report.html";

/// What an earlier report says of the test pictures, where it is of the run that ended here; a run that was begun anew in the
/// same folder has no result yet.
fn kept(folder: &Folder) -> Option<Test> {
    #[derive(Deserialize)]
    struct Kept {
        test: Option<Test>,
    }
    let result: Finished = serde_json::from_slice(&std::fs::read(folder.result()).ok()?).ok()?;
    let bytes = std::fs::read(folder.path().join(JSON)).ok()?;
    serde_json::from_slice::<Kept>(&bytes).ok()?.test.filter(|test| test.accuracy == result.test)
}
