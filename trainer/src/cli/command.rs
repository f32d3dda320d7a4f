//! What the arguments mean: files read, defaults filled in, everything checked that can be checked before work begins.

use super::flags::{self, Threads, Verb};
use anyhow::Context;
use lsspq::spec::NetworkSpec;
use lsspq_trainer::fixture::Plan;
use lsspq_trainer::paper::networks;
use lsspq_trainer::train::Existing;
use lsspq_trainer::{Error, Recipe};
use std::path::{Path, PathBuf};

/// What the program takes from its environment.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    /// `LSSPQ_DATA`: the folder that holds the data sets.
    pub(super) data: Option<PathBuf>,
}

/// One job, ready to be done.
#[derive(Debug)]
pub(super) enum Command {
    Train(Box<Train>),
    Eval(Eval),
    Export(Export),
    Inspect(Inspect),
    Compare(Compare),
    Fixture(Fixture),
}

/// Train by a recipe.
#[derive(Debug)]
pub(super) struct Train {
    /// With the flags worked in.
    pub(super) recipe: Recipe,
    /// The data set's folder.
    pub(super) data: PathBuf,
    /// The folder of the run.
    pub(super) out: PathBuf,
    /// What to do with a run that is there already.
    pub(super) existing: Existing,
}

/// Measure a model file.
#[derive(Debug)]
pub(super) struct Eval {
    pub(super) model: PathBuf,
    /// The data set's folder, if it was given.
    pub(super) data: Option<PathBuf>,
    /// `LSSPQ_DATA`.
    pub(super) base: Option<PathBuf>,
}

/// Write a network as a model file.
#[derive(Debug)]
pub(super) struct Export {
    pub(super) source: Source,
    pub(super) out: Option<PathBuf>,
    pub(super) overwrite: bool,
}

/// Where the network to be written comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// The folder of a run.
    Run(PathBuf),
    /// Random weights of that seed.
    Untrained(Box<NetworkSpec>, u64),
}

/// Set networks side by side.
#[derive(Debug)]
pub(super) struct Compare {
    pub(super) models: Vec<PathBuf>,
    pub(super) figure: Option<PathBuf>,
}

/// Show a file.
#[derive(Debug)]
pub(super) enum Inspect {
    Network(Box<NetworkSpec>),
    Model(PathBuf),
    Recipe(Box<Recipe>),
}

/// Generate pictures.
#[derive(Debug)]
pub(super) struct Fixture {
    pub(super) folder: PathBuf,
    pub(super) plan: Plan,
}

impl Command {
    pub(super) fn new(verb: Verb, environment: &Environment) -> anyhow::Result<Self> {
        Ok(match verb {
            Verb::Train(flags) => Self::Train(Box::new(Train::new(flags, environment)?)),
            Verb::Eval(flags) => {
                use_threads(flags.threads)?;
                must_be_file(&flags.model)?;
                Self::Eval(Eval { model: flags.model, data: flags.data, base: environment.data.clone() })
            }
            Verb::Export(flags) => {
                let source = Source::new(flags.run, flags.untrained)?;
                Self::Export(Export { source, out: flags.out, overwrite: flags.overwrite })
            }
            Verb::Compare(flags) => {
                flags.models.iter().try_for_each(|model| must_be_file(model))?;
                Self::Compare(Compare { models: flags.models, figure: flags.figure })
            }
            Verb::Inspect(flags) => Self::Inspect(Inspect::new(flags.file)?),
            Verb::Fixture(flags) => Self::Fixture(Fixture {
                folder: flags.folder,
                plan: Plan { train: flags.train, test: flags.test, side: flags.side as usize, seed: flags.seed },
            }),
        })
    }
}

impl Train {
    fn new(flags: flags::Train, environment: &Environment) -> anyhow::Result<Self> {
        use_threads(flags.threads)?;
        let mut recipe = Recipe::load(&flags.recipe)?;
        recipe.override_with(flags.seed, &flags.epochs)?;
        if flags.float_twin {
            recipe = recipe.float_twin();
        }
        let out = flags.out.unwrap_or_else(|| Path::new("runs").join(&recipe.name));
        let existing = match (flags.resume, flags.overwrite) {
            (true, _) => Existing::Resume,
            (_, true) => Existing::Overwrite,
            _ => Existing::Keep,
        };
        check_folder(&out, existing)?;
        let beside = flags.recipe.parent();
        let data = recipe.data.folder(flags.data.as_deref(), environment.data.as_deref(), beside)?;
        Ok(Self { recipe, data, out, existing })
    }
}

impl Source {
    fn new(run: Option<PathBuf>, untrained: flags::Untrained) -> Result<Self, Error> {
        let Some(network) = untrained.network else {
            return Ok(Self::Run(run.expect("clap asks for one of the two")));
        };
        let mut spec = networks::find(&network)?;
        if let Some(bits) = untrained.weights {
            (spec.bits.weights, spec.bits.linear) = (Some(bits), spec.bits.linear.map(|_| bits));
        }
        Ok(Self::Untrained(Box::new(spec), untrained.seed))
    }
}

impl Inspect {
    fn new(file: PathBuf) -> Result<Self, Error> {
        if file.to_str().and_then(networks::named).is_some() || networks::is_one(&file) {
            return networks::find(&file).map(|spec| Self::Network(Box::new(spec)));
        }
        must_be_file(&file)?;
        if file.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml")) {
            Recipe::load(&file).map(|recipe| Self::Recipe(Box::new(recipe)))
        } else {
            Ok(Self::Model(file))
        }
    }
}

/// Refuses a folder in which something would be lost, before minutes are spent on reading pictures.
fn check_folder(out: &Path, existing: Existing) -> Result<(), Error> {
    let holds_run = out.join("recipe.toml").is_file();
    // A run that was killed before it began leaves its lock and other hidden files.
    let counts = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.is_ok_and(|e| !e.file_name().as_encoded_bytes().starts_with(b"."))
    };
    let empty = std::fs::read_dir(out).map_or(!out.exists(), |mut entries| !entries.any(counts));
    let out = out.display();
    match existing {
        Existing::Keep if holds_run => Err(Error::recipe(format!(
            "{out} holds a run already: go on with it by --resume, replace it by --overwrite, or name another folder \
             with --out"
        ))),
        Existing::Resume if !holds_run => {
            Err(Error::recipe(format!("{out} holds no run to resume: leave --resume out to begin one")))
        }
        Existing::Keep | Existing::Overwrite if !holds_run && !empty => Err(Error::recipe(format!(
            "{out} is there and holds other things than a run: name another folder with --out"
        ))),
        _ => Ok(()),
    }
}

fn must_be_file(path: &Path) -> Result<(), Error> {
    if path.is_file() { Ok(()) } else { Err(Error::recipe(format!("there is no file {}", path.display()))) }
}

/// Makes the thread pool that everything computes on.
fn use_threads(threads: Threads) -> anyhow::Result<()> {
    let count = threads.threads.map_or(0, Into::into);
    rayon::ThreadPoolBuilder::new().num_threads(count).build_global().context("the threads cannot be started")
}
