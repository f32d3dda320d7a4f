//! A recipe: everything that decides what a training run computes, as one TOML file.
//!
//! ```toml
//! name = "shapes"
//! seed = 1
//!
//! [data]
//! dataset = "generated shapes"
//! format = "class-folder"
//! path = "shapes"
//! mean = [0.5, 0.5, 0.5]
//! deviation = [0.25, 0.25, 0.25]
//!
//! [network]
//! # see lsspq::spec::NetworkSpec
//!
//! [[stages]]
//! epochs = 8
//! batch = 64
//! activations = "float"
//! schedule = { kind = "cosine-stepped", base_rate = 0.1 }
//! ```
//!
//! An unknown key or an impossible value is an error that names the file, the key and what is allowed. A recipe with
//! every default written out ([`Recipe::to_toml`]) is kept beside the run and inside the model file.

mod augment;
mod data;
mod distill;
mod optimiser;
mod options;
mod quantiser;
mod schedule;
mod stage;
mod start;
mod twin;

pub use augment::{Augment, ColourJitter, Erasing, RandAugment, ResizedCrop};
pub use data::{Data, Format, Validation};
pub use distill::Distill;
pub use optimiser::{Optimiser, OptimiserKind};
pub use options::Training;
pub use quantiser::{ActivationQuantiser, Quantiser, WeightQuantiser};
pub use schedule::{Schedule, ScheduleKind};
pub use stage::{Activations, Stage};
pub use start::Start;

use crate::error::Error;
use crate::paper::networks;
use lsspq::spec::NetworkSpec;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The recipe with `network.classes` filled in by `count` where it is left out; a text that is no recipe stays as it is, for
/// the error that names line and key.
pub(crate) fn with_classes(text: &str, count: impl FnOnce(&Data) -> Result<usize, Error>) -> Result<String, Error> {
    let Ok(mut table) = toml::from_str::<toml::Table>(text) else { return Ok(text.into()) };
    let data = table.get("data").and_then(|data| data.clone().try_into::<Data>().ok());
    let network = table.get_mut("network").and_then(toml::Value::as_table_mut);
    let (Some(data), Some(network)) = (data, network.filter(|n| !n.contains_key("classes"))) else {
        return Ok(text.into());
    };
    let classes = count(&data)?;
    network.insert("classes".into(), toml::Value::Integer(classes as i64));
    Ok(toml::to_string(&table).expect("a table that was read can be written"))
}

/// One recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The name of the run and of the file that `lsspq export` writes: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// The seed of every random choice: 0 to 2^63 - 1, the whole numbers of TOML.
    #[serde(default)]
    pub seed: u64,
    /// Licence of the weights, as it shall stand in the model file.
    #[serde(default)]
    pub licence: String,
    /// What the network is not made for and what its pictures make it prefer, in sentences for the model card.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub limits: String,
    /// The pictures.
    pub data: Data,
    /// What is done to training pictures, except in stages that have an [`augment`](Stage::augment) of their own.
    #[serde(default)]
    pub augment: Augment,
    /// Options of training that are off unless given.
    #[serde(default, skip_serializing_if = "Training::is_off")]
    pub training: Training,
    /// How weights and activations come to their levels.
    #[serde(default, skip_serializing_if = "Quantiser::is_plain")]
    pub quantiser: Quantiser,
    /// A model file to begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
    /// Another network to learn from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distill: Option<Distill>,
    /// The network: all of it, or the name of one of [`networks`] with its changes.
    #[serde(deserialize_with = "networks::name_or_spec")]
    pub network: NetworkSpec,
    /// The stages of training, first to last, each beginning with the weights of the one before.
    pub stages: Vec<Stage>,
}

impl Recipe {
    /// Reads the recipe at `path` and checks it.
    ///
    /// # Errors
    /// [`ErrorKind::Recipe`](crate::ErrorKind::Recipe): the file, the line where there is one, the key, and what is
    /// allowed.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Error::recipe(format!("recipe {} cannot be read: {e}", path.display())))?;
        Self::parse(&text, &path.display().to_string())
    }

    /// As [`Recipe::load`]; where the recipe leaves `network.classes` out, it is the number of classes in the data set's folder,
    /// which is looked for as [`Data::folder`] does. `from` takes the place of the recipe's [`Start::from`]; the network of that
    /// file is the recipe's where it leaves `network` out.
    ///
    /// # Errors
    /// As [`Recipe::load`] and [`Data::folder`], and [`ErrorKind::Recipe`](crate::ErrorKind::Recipe) for a file to begin with that
    /// cannot be read or is no network of ours.
    pub fn load_for(
        path: &Path,
        given: Option<&Path>,
        base: Option<&Path>,
        from: Option<&Path>,
    ) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Error::recipe(format!("recipe {} cannot be read: {e}", path.display())))?;
        let origin = path.display().to_string();
        let text = start::complete(&text, from)?;
        let text =
            with_classes(&text, |data| crate::data::count_classes(data, &data.folder(given, base, path.parent())?))?;
        Self::parse(&text, &origin)
    }

    /// Reads a recipe from text; `origin` names it in errors.
    ///
    /// # Errors
    /// As [`Recipe::load`].
    pub fn parse(text: &str, origin: &str) -> Result<Self, Error> {
        let mut recipe: Self =
            toml::from_str(text).map_err(|e| Error::recipe(format!("{origin}: {}", e.to_string().trim_end())))?;
        for stage in &mut recipe.stages {
            stage.activations.get_or_insert(Activations::from_bits(recipe.network.bits.activations));
        }
        recipe.validate().map_err(|e| Error::recipe(format!("{origin}: {e}")))?;
        Ok(recipe)
    }

    /// The recipe with every default written out.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a recipe is plain data")
    }

    /// [`Recipe::to_toml`] for a file that others will read. An absolute path tells how folders are called on this machine and leads
    /// nowhere on another: its last part alone is kept.
    pub fn to_shared_toml(&self) -> String {
        let mut recipe = self.clone();
        let start = recipe.start.as_mut().map(|start| &mut start.from);
        let distill = recipe
            .distill
            .iter_mut()
            .flat_map(|distill| std::iter::once(&mut distill.teacher).chain(&mut distill.pictures));
        for path in std::iter::once(&mut recipe.data.path).chain(start).chain(distill) {
            if let (true, Some(name)) = (path.is_absolute(), path.file_name()) {
                *path = name.into();
            }
        }
        recipe.to_toml()
    }

    /// Epochs of all stages.
    pub fn epochs(&self) -> u32 {
        self.stages.iter().map(|stage| stage.epochs).sum()
    }

    /// Whether a run of `old` that has begun that many of its stages can go on as a run of this recipe: nothing differs but
    /// stages that have not begun, and what is only said of the file (limits, licences, the source of the pictures).
    pub fn continues(&self, old: &Self, begun: usize) -> bool {
        let so_far = |recipe: &Self| {
            let stages = recipe.stages[..begun.min(recipe.stages.len())].into();
            let mut recipe = Self { stages, limits: String::new(), licence: String::new(), ..recipe.clone() };
            recipe.data.licence.clear();
            recipe.data.source.clear();
            recipe
        };
        self.stages.len() >= begun && so_far(self) == so_far(old)
    }

    /// Writes down which file the run begins with: the one that is there, or, where a run goes on, the one that `begun` did begin
    /// with, which may be gone.
    ///
    /// # Errors
    /// As [`Start::load`].
    pub fn settle_start(&mut self, begun: Option<&Self>) -> Result<(), Error> {
        let Some(start) = &mut self.start else { return Ok(()) };
        let begun = begun.and_then(|recipe| recipe.start.as_ref()).filter(|begun| begun.from == start.from);
        match begun {
            Some(begun) => {
                start.validation_seen |= begun.validation_seen;
                start.sha256 = start.sha256.take().or_else(|| begun.sha256.clone());
            }
            None => start.settle(&self.network, &self.data, self.seed)?,
        }
        Ok(())
    }

    /// Replaces the seed and the epochs of each stage where they are given, and checks the outcome.
    ///
    /// # Errors
    /// As [`Recipe::load`], naming the flag.
    pub fn override_with(&mut self, seed: Option<u64>, epochs: &[u32]) -> Result<(), Error> {
        self.seed = seed.unwrap_or(self.seed);
        if !epochs.is_empty() && epochs.len() != self.stages.len() {
            let (given, wanted) = (epochs.len(), self.stages.len());
            return Err(Error::recipe(format!("--epochs has {given} numbers, allowed is one per stage: {wanted}")));
        }
        for (stage, &epochs) in self.stages.iter_mut().zip(epochs) {
            stage.epochs = epochs;
        }
        self.validate().map_err(|e| Error::recipe(format!("with the flags given: {e}")))
    }

    fn validate(&self) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty() || self.name.starts_with('.') || !self.name.chars().all(plain) {
            return Err(format!(
                "name = {:?}: allowed are letters, digits, `-`, `_` and `.`, the first no `.`",
                self.name
            ));
        }
        if i64::try_from(self.seed).is_err() {
            return Err(format!("seed = {}: allowed is 0 to {}", self.seed, i64::MAX));
        }
        self.data.validate()?;
        self.augment.validate(self.network.input)?;
        self.training.validate(self.data.validation != Validation::default())?;
        self.network.validate().map_err(|e| format!("network.{e}"))?;
        if !self.quantiser.is_plain() && !self.network.is_shift_network() {
            return Err(
                "quantiser: \"lsq\" is for networks of shift blocks with clipped activations alone; leave it out"
                    .into(),
            );
        }
        if self.start.is_some() && !self.network.is_shift_network() {
            return Err("start: it is for networks of shift blocks with clipped activations alone; leave it out".into());
        }
        self.distill.as_ref().map_or(Ok(()), Distill::validate)?;
        if self.stages.is_empty() {
            return Err("stages: at least one is needed".into());
        }
        let mut rounded = false;
        for (i, stage) in self.stages.iter().enumerate() {
            stage.validate(self.network.input).map_err(|e| format!("stages[{i}].{e}"))?;
            if stage.input.is_some() && self.distill.as_ref().is_some_and(|distill| !distill.has_answered()) {
                return Err(format!(
                    "stages[{i}].input: a teacher sees pictures of full size; leave one of them out, or name its answers (.npy)"
                ));
            }
            if rounded && !stage.round_shifts {
                return Err(format!("stages[{i}].round_shifts = false: allowed is true once a stage before rounded"));
            }
            rounded = stage.round_shifts;
        }
        let (last, stage) = (self.stages.len() - 1, &self.stages[self.stages.len() - 1]);
        if !rounded && networks::shifts(&self.network) {
            return Err(format!(
                "stages[{last}].round_shifts = false: allowed is true in the last stage, as a deployed shift is a whole \
                 number of pixels"
            ));
        }
        let (ends, deployed) = (stage.activation_bits(), self.network.bits.activations);
        if ends != deployed {
            let name = |bits| Activations::from_bits(bits).to_string();
            return Err(format!(
                "stages[{last}].activations = {}: allowed in the last stage is what network.bits.activations says, {}",
                name(ends),
                name(deployed)
            ));
        }
        Ok(())
    }
}

/// Checks that `value` lies in `low ..= high`; the error says so under the name `key`.
fn within<T: PartialOrd + std::fmt::Display>(key: &str, value: T, low: T, high: T) -> Result<(), String> {
    // Written so that NaN, which compares false with everything, is refused.
    if value >= low && value <= high { Ok(()) } else { Err(format!("{key} = {value}: allowed is {low} to {high}")) }
}

#[cfg(test)]
mod shipped_tests;
#[cfg(test)]
mod tests;
