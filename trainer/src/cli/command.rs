//! What the arguments mean: files read, defaults filled in, everything checked that can be checked before work begins.

use super::flags::{self, Threads, Verb};
use anyhow::Context;
use lsspq::spec::NetworkSpec;
use lsspq_trainer::compute::{Compute, Place};
use lsspq_trainer::fixture;
use lsspq_trainer::paper::networks;
use lsspq_trainer::sweep::{Plan, SweepFolder};
use lsspq_trainer::train::{Existing, Folder};
use lsspq_trainer::{Error, Recipe};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What the program takes from its environment.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    /// `LSSPQ_DATA`: the folder that holds the data sets.
    pub(super) data: Option<PathBuf>,
    /// `LSSPQ_PYTHON`: a Python with `onnx` and `onnxruntime`.
    pub(super) python: Option<PathBuf>,
}

/// One job, ready to be done.
#[derive(Debug)]
pub(super) enum Command {
    Train(Box<Train>),
    Eval(Eval),
    Export(Export),
    Mirror(Mirror),
    Inspect(Inspect),
    Compare(Compare),
    Fixture(Fixture),
    Pictures(Box<Pictures>),
    Report(Report),
    Sweep(Box<Sweep>),
    Publish(Publish),
    Lend(Lend),
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
    /// Only show what would be done.
    pub(super) dry_run: bool,
    /// Lines in place of the dashboard.
    pub(super) plain: bool,
    pub(super) compute: Compute,
}

/// Measure a model file.
#[derive(Debug)]
pub(super) struct Eval {
    pub(super) model: PathBuf,
    /// The data set's folder, if it was given.
    pub(super) data: Option<PathBuf>,
    /// `LSSPQ_DATA`.
    pub(super) base: Option<PathBuf>,
    /// JSON in place of text.
    pub(super) json: bool,
    /// Where the model goes with what was measured in its card.
    pub(super) write: Option<PathBuf>,
}

/// Write a model file whose network looks twice.
#[derive(Debug)]
pub(super) struct Mirror {
    pub(super) model: PathBuf,
    /// The data set's folder, if it was given.
    pub(super) data: Option<PathBuf>,
    /// `LSSPQ_DATA`.
    pub(super) base: Option<PathBuf>,
    pub(super) out: PathBuf,
    pub(super) overwrite: bool,
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
    /// Whether the published networks are shown.
    pub(super) paper: bool,
    /// Model files, and folders of runs.
    pub(super) models: Vec<PathBuf>,
    pub(super) figure: Option<PathBuf>,
    pub(super) data: Option<PathBuf>,
}

/// Show a file.
#[derive(Debug)]
pub(super) enum Inspect {
    Network(Box<NetworkSpec>),
    Model(PathBuf),
    Recipe(Box<Recipe>),
}

/// Write pictures as arrays.
#[derive(Debug)]
pub(super) struct Pictures {
    pub(super) recipe: Recipe,
    /// The data set's folder.
    pub(super) data: PathBuf,
    pub(super) out: PathBuf,
    /// The test pictures in place of those that train.
    pub(super) test: bool,
    /// As each epoch of the run will show them.
    pub(super) altered: bool,
}

/// Write the report of a run.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) run: PathBuf,
    /// Where the test pictures are, to look at them anew.
    pub(super) data: Option<PathBuf>,
}

/// Train a recipe many times.
#[derive(Debug)]
pub(super) struct Sweep {
    pub(super) plan: Plan,
    pub(super) folder: SweepFolder,
    /// The data set's folder.
    pub(super) data: PathBuf,
    pub(super) jobs: usize,
    /// Of each job.
    pub(super) threads: usize,
    /// Only show what would be done.
    pub(super) dry_run: bool,
}

/// Put a model into the page's list.
#[derive(Debug)]
pub(super) struct Publish {
    pub(super) model: PathBuf,
    pub(super) name: Option<String>,
    pub(super) file: Option<String>,
    pub(super) models: PathBuf,
    pub(super) replace: bool,
    pub(super) first: bool,
    pub(super) sha256: Option<String>,
    pub(super) benchmark: Option<PathBuf>,
    pub(super) machine: Option<String>,
    /// What the model is not made for, if not what its card says.
    pub(super) limits: Option<String>,
    /// A Python with `onnx` and `onnxruntime`.
    pub(super) python: Option<PathBuf>,
}

/// Lend a device to other machines.
#[derive(Debug)]
pub(super) struct Lend {
    pub(super) compute: Compute,
    pub(super) place: Place,
    pub(super) listen: SocketAddr,
}

/// Generate pictures.
#[derive(Debug)]
pub(super) struct Fixture {
    pub(super) folder: PathBuf,
    pub(super) plan: fixture::Plan,
}

impl Command {
    pub(super) fn new(verb: Verb, environment: &Environment) -> anyhow::Result<Self> {
        Ok(match verb {
            Verb::Train(flags) => Self::Train(Box::new(Train::new(flags, environment)?)),
            Verb::Eval(flags) => {
                use_threads(flags.threads)?;
                must_be_file(&flags.model)?;
                let flags::Eval { model, data, json, write, .. } = flags;
                Self::Eval(Eval { model, data, base: environment.data.clone(), json, write })
            }
            Verb::Mirror(flags) => {
                use_threads(flags.threads)?;
                must_be_file(&flags.model)?;
                let flags::Mirror { model, data, out, overwrite, .. } = flags;
                Self::Mirror(Mirror { model, data, base: environment.data.clone(), out, overwrite })
            }
            Verb::Export(flags) => {
                let source = Source::new(flags.run, flags.untrained)?;
                Self::Export(Export { source, out: flags.out, overwrite: flags.overwrite })
            }
            Verb::Compare(flags) => {
                let must_be = |path: &PathBuf| if path.is_dir() && !flags.paper { Ok(()) } else { must_be_file(path) };
                flags.models.iter().try_for_each(must_be)?;
                let flags::Compare { paper, models, figure, data } = flags;
                Self::Compare(Compare { paper, models, figure, data })
            }
            Verb::Inspect(flags) => Self::Inspect(Inspect::new(flags, environment)?),
            Verb::Pictures(flags) => {
                use_threads(flags.threads)?;
                let (given, base) = (flags.data.as_deref(), environment.data.as_deref());
                let recipe = Recipe::load_for(&flags.recipe, given, base, None)?;
                let data = recipe.data.folder(given, base, flags.recipe.parent())?;
                Self::Pictures(Box::new(Pictures {
                    recipe,
                    data,
                    out: flags.out,
                    test: flags.test,
                    altered: flags.altered,
                }))
            }
            Verb::Report(flags) => {
                use_threads(flags.threads)?;
                Self::Report(Report { run: flags.run, data: flags.data })
            }
            Verb::Sweep(flags) => Self::Sweep(Box::new(Sweep::new(flags, environment)?)),
            Verb::Publish(flags) => Self::Publish(Publish {
                model: flags.model,
                name: flags.name,
                file: flags.file,
                models: flags.models,
                replace: flags.replace,
                first: flags.first,
                sha256: flags.sha256,
                benchmark: flags.benchmark,
                machine: flags.machine,
                limits: flags.limits,
                python: environment.python.clone(),
            }),
            Verb::Lend(flags) => Self::Lend(Lend::new(flags)?),
            Verb::Fixture(flags) => Self::Fixture(Fixture {
                folder: flags.folder,
                plan: fixture::Plan {
                    train: flags.train,
                    test: flags.test,
                    side: flags.side as usize,
                    seed: flags.seed,
                },
            }),
        })
    }
}

impl Lend {
    fn new(flags: flags::Lend) -> anyhow::Result<Self> {
        use_threads(flags.threads)?;
        let flags::Lend { device: place, listen, .. } = flags;
        if let Place::Remote(address) = &place {
            let message = format!("--device {address}: it is lent already: start `lsspq lend` on its own machine");
            return Err(Error::recipe(message).into());
        }
        let compute = Compute::open(std::slice::from_ref(&place))?;
        Ok(Self { compute, place, listen })
    }
}

impl Train {
    fn new(flags: flags::Train, environment: &Environment) -> anyhow::Result<Self> {
        use_threads(flags.threads)?;
        let compute = Compute::open(&flags.device)?;
        let (given, base, from) = (flags.data.as_deref(), environment.data.as_deref(), flags.from.as_deref());
        let mut recipe = Recipe::load_for(&flags.recipe, given, base, from)?;
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
        if !flags.dry_run {
            check_folder(&out, existing)?;
        }
        let begun = (existing == Existing::Resume).then(|| Folder::existing(&out)).transpose()?;
        recipe.settle_start(begun.as_ref().map(|(_, recipe)| recipe))?;
        let beside = flags.recipe.parent();
        let data = recipe.data.folder(flags.data.as_deref(), environment.data.as_deref(), beside)?;
        Ok(Self { recipe, data, out, existing, dry_run: flags.dry_run, plain: flags.plain, compute })
    }
}

impl Sweep {
    fn new(flags: flags::Sweep, environment: &Environment) -> anyhow::Result<Self> {
        let (given, base) = (flags.data.as_deref(), environment.data.as_deref());
        let mut recipe = Recipe::load_for(&flags.recipe, given, base, None)?;
        recipe.settle_start(None)?;
        let data = recipe.data.folder(given, base, flags.recipe.parent())?;
        // The runs stand in another folder than this program.
        let data = data.canonicalize().with_context(|| data.display().to_string())?;
        let origin = flags.recipe.display().to_string();
        let plan = Plan::new(&recipe.to_toml(), &origin, &flags.grid, &flags.cell, &flags.seeds)?;
        let out = flags.out.unwrap_or_else(|| Path::new("runs").join(format!("{}-sweep", recipe.name)));
        let jobs = flags.jobs.get();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = flags.threads.threads.map_or(cores, Into::into).div_ceil(jobs);
        Ok(Self { plan, folder: SweepFolder::new(out), data, jobs, threads, dry_run: flags.dry_run })
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
            spec.validate().map_err(|e| Error::recipe(format!("with --weights {bits}: {e}")))?;
        }
        Ok(Self::Untrained(Box::new(spec), untrained.seed))
    }
}

impl Inspect {
    fn new(flags: flags::Inspect, environment: &Environment) -> Result<Self, Error> {
        let file = flags.file;
        let name = file.to_str().map(networks::changed).transpose().map_err(Error::recipe)?.flatten();
        if name.is_some() || networks::is_one(&file) {
            return networks::find(&file).map(|spec| Self::Network(Box::new(spec)));
        }
        must_be_file(&file)?;
        if file.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml")) {
            let recipe = Recipe::load_for(&file, flags.data.as_deref(), environment.data.as_deref(), None)?;
            Ok(Self::Recipe(Box::new(recipe)))
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
    Folder::check(out, existing)?;
    if existing != Existing::Resume && !holds_run && !empty {
        let out = out.display();
        return Err(Error::recipe(format!(
            "{out} is there and holds other things than a run: name another folder with --out"
        )));
    }
    Ok(())
}

fn must_be_file(path: &Path) -> Result<(), Error> {
    if path.is_file() { Ok(()) } else { Err(Error::recipe(format!("there is no file {}", path.display()))) }
}

/// Makes the thread pool that everything computes on.
fn use_threads(threads: Threads) -> anyhow::Result<()> {
    let count = threads.threads.map_or(0, Into::into);
    rayon::ThreadPoolBuilder::new().num_threads(count).build_global().context("the threads cannot be started")
}
