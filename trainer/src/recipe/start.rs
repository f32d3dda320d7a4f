//! The weights that a run begins with.

use super::{Data, Recipe, Validation};
use crate::error::Error;
use crate::{deploy, export};
use lsspq::ModelCard;
use lsspq::spec::{Bits, NetworkSpec, Stem};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// A run begins with the weights of a model file in place of random ones: to go on where that file ended, or to learn other
/// classes from fewer pictures. The linear layer is kept where the classes are the same, in the same order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// A model file of ours with the channels of the recipe's network and no more blocks. Blocks that it lacks at the end of a
    /// group are drawn, and add nothing at first; a head that differs is drawn too, with the linear layer behind it. Strides
    /// may be others, for larger or smaller maps. A relative path counts from where the program runs.
    pub from: PathBuf,
    /// The SHA-256 of that file, in hexadecimal digits; where a recipe leaves it out, that of the file that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Whether the file may have learned the pictures that validate here: its card names this data set, and not a run that held
    /// out the same. Settled when a run begins; the run's file then says nothing of when it is sure, which such pictures tell
    /// too well of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub validation_seen: bool,
}

impl Start {
    /// The weights of the file at `from`, whatever its sum is.
    pub const fn new(from: PathBuf) -> Self {
        Self { from, sha256: None, validation_seen: false }
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// [`Recipe`](crate::ErrorKind::Recipe) where it cannot be read or is another one than the recipe means.
    pub fn read(&self) -> Result<Vec<u8>, Error> {
        let bytes = read(&self.from)?;
        let found = sum(&bytes);
        match &self.sha256 {
            Some(wanted) if *wanted != found => {
                let wanted = format!("start.sha256 = {wanted:?}");
                Err(wrong(
                    &self.from,
                    format!("its sum is {found}, the recipe has {wanted}: find that file, or leave the sum out"),
                ))
            }
            _ => Ok(bytes),
        }
    }

    /// The deployed network of the file and its labels, for a run of that network.
    ///
    /// # Errors
    /// As [`Start::read`]; where the file is none of ours, or its weights do not fit the network.
    pub fn load(&self, network: &NetworkSpec) -> Result<(deploy::Network, Vec<String>), Error> {
        self.fitting(&self.read()?, network).map(|(deployed, card)| (deployed, card.labels))
    }

    /// The deployed network of the file's bytes and its card.
    fn fitting(&self, bytes: &[u8], network: &NetworkSpec) -> Result<(deploy::Network, ModelCard), Error> {
        let (deployed, card) = decoded(bytes, &self.from)?;
        if let Some(part) = first_difference(&card.spec, network) {
            return Err(wrong(
                &self.from,
                format!("its network has {part} than the recipe's: leave [network] out to take the file's own"),
            ));
        }
        let one = |scale: &[f32]| scale.iter().all(|&s| s == scale[0]);
        let shortcuts = deployed.groups.iter().flatten().filter_map(|block| block.shortcut.as_ref());
        if !shortcuts.chain([&deployed.linear]).all(|layer| one(&layer.affine.scale)) {
            return Err(wrong(&self.from, "it was never trained: leave start out to begin with random weights"));
        }
        Ok((deployed, card))
    }

    /// Notes what the file that is there is: its sum, and what it may have seen of the pictures that a run of that data and seed
    /// validates on. It must be a file that a run of that network can begin with.
    pub(super) fn settle(&mut self, network: &NetworkSpec, data: &Data, seed: u64) -> Result<(), Error> {
        let bytes = self.read()?;
        let (_, card) = self.fitting(&bytes, network)?;
        self.sha256 = Some(sum(&bytes));
        self.validation_seen |= saw(&card, network.classes, data, seed);
        Ok(())
    }
}

/// Whether the network of a file may have learned pictures that a run of so many classes, that data and that seed holds out, by
/// what its card says.
fn saw(card: &ModelCard, classes: usize, data: &Data, seed: u64) -> bool {
    let split = |data: &Data| (data.format, data.train.clone(), data.limit, data.validation);
    let held_out = |recipe: &Recipe| {
        let clean = recipe.start.as_ref().is_none_or(|start| !start.validation_seen);
        // Which pictures of a class are held out depends on the seed and on its place among the classes.
        clean && recipe.seed == seed && recipe.network.classes == classes && split(&recipe.data) == split(data)
    };
    let same = card.dataset == data.dataset && data.validation != Validation::default();
    same && !Recipe::parse(&card.recipe, "the file's recipe").is_ok_and(|recipe| held_out(&recipe))
}

/// Puts into a recipe's table what a start says of it: the file that was given, and that file's network where the recipe has
/// none. The number of classes is left out, to be counted.
pub(super) fn complete(text: &str, given: Option<&Path>) -> Result<String, Error> {
    // What is no recipe stays as it is, for the error that names line and key.
    let Ok(mut table) = toml::from_str::<toml::Table>(text) else { return Ok(text.into()) };
    let before = table.clone();
    if let Some(from) = given {
        let start = Start::new(from.into());
        let start = toml::Value::try_from(start).map_err(|e| wrong(from, e.to_string()))?;
        table.insert("start".into(), start);
    }
    let from = table.get("start").and_then(|start| Some(PathBuf::from(start.get("from")?.as_str()?)));
    if let Some(from) = from.filter(|_| !table.contains_key("network")) {
        let (_, card) = decoded(&read(&from)?, &from)?;
        let mut network = toml::Table::try_from(&card.spec).map_err(|e| wrong(&from, e.to_string()))?;
        network.remove("classes");
        table.insert("network".into(), network.into());
    }
    // Errors name lines of the text that was read, where nothing was changed.
    if table == before {
        Ok(text.into())
    } else {
        Ok(toml::to_string(&table).expect("a table that was read can be written"))
    }
}

fn read(from: &Path) -> Result<Vec<u8>, Error> {
    if from.is_dir() {
        return Err(wrong(from, "it is a folder: write a run's model file by `lsspq export RUN`, and name that"));
    }
    std::fs::read(from).map_err(|e| wrong(from, e.to_string()))
}

/// The network and the card of a file of ours.
fn decoded(bytes: &[u8], from: &Path) -> Result<(deploy::Network, ModelCard), Error> {
    let of_ours = lsspq::Model::load(bytes).map_err(|e| wrong(from, e.to_string()))?;
    if !of_ours.card().spec.is_shift_network() {
        let name = &of_ours.card().spec.name;
        return Err(wrong(
            from,
            format!("{name} is no network of shift blocks with clipped activations: allowed is one"),
        ));
    }
    export::from_onnx(bytes).map_err(|e| wrong(from, e.to_string()))
}

/// The part in which networks differ so that the weights of one are of no use to the other. Bits and strides may differ: they
/// change the values and the maps, but no weight's place. Further blocks and another head leave those before them their weights.
fn first_difference(file: &NetworkSpec, recipe: &NetworkSpec) -> Option<&'static str> {
    let shape = |spec: &NetworkSpec| {
        let mut groups = spec.groups.clone();
        groups.iter_mut().for_each(|group| (group.weight_bits, group.stride, group.blocks) = (None, 1, 1));
        (Stem { stride: 1, ..spec.stem.clone() }, groups)
    };
    let ((file_stem, file_groups), (stem, groups)) = (shape(file), shape(recipe));
    // What is not compared one by one must be said of a new part too.
    let NetworkSpec {
        name: _,
        input: _,
        classes: _,
        bits: Bits { .. },
        stem: _,
        groups: _,
        head: _,
        activation,
        mirrored: _,
    } = file;
    if file_stem != stem {
        Some("another stem")
    } else if file_groups != groups {
        Some("other groups")
    } else if file.groups.iter().zip(&recipe.groups).any(|(file, recipe)| file.blocks > recipe.blocks) {
        Some("more blocks")
    } else if *activation != recipe.activation {
        Some("another activation")
    } else {
        None
    }
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is wrong with the file.
fn wrong(from: &Path, why: impl AsRef<str>) -> Error {
    Error::recipe(format!("start.from = {:?}: {}", from.display().to_string(), why.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_new_to_a_file_whose_own_run_held_out_the_same() {
        let recipe = |change: &dyn Fn(&mut Recipe)| {
            let mut recipe = Recipe::parse(include_str!("../../recipes/cifar10-100k.toml"), "recipe").unwrap();
            change(&mut recipe);
            recipe
        };
        let begun =
            |seen| move |r: &mut Recipe| r.start = Some(Start { validation_seen: seen, ..Start::new("a".into()) });
        let ours = recipe(&|_| ());
        assert_ne!(ours.data.validation, Validation::default());
        let file = |recipe: &Recipe| {
            let labels = vec![String::new(); recipe.network.classes];
            let card = ModelCard::new(recipe.network.clone(), labels, recipe.data.dataset.clone());
            ModelCard { recipe: recipe.to_shared_toml(), ..card }
        };
        for (change, seen) in [
            (&(|_: &mut Recipe| ()) as &dyn Fn(&mut Recipe), false),
            (&begun(false), false),
            (&begun(true), true),
            (&|r| r.seed += 1, true),
            (&|r| r.data.validation = Validation::default(), true),
            (&|r| r.data.limit = Some(7), true),
            (&|r| r.network.classes = 9, true),
            (&|r| (r.data.dataset, r.seed) = ("others".into(), 9), false),
        ] {
            let card = file(&recipe(change));
            assert_eq!(saw(&card, 10, &ours.data, ours.seed), seen, "{}", card.recipe);
        }
        let unknown = ModelCard { recipe: String::new(), ..file(&ours) };
        assert!(saw(&unknown, 10, &ours.data, ours.seed), "a file that does not say how it was made");
        let none_held_out = recipe(&|r| r.data.validation = Validation::default());
        assert!(!saw(&unknown, 10, &none_held_out.data, ours.seed), "there is nothing to have seen");
    }
}
