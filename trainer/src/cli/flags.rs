//! What was typed, as clap reads it: no files are looked at here.

use clap::{Args, Parser, Subcommand};
use lsspq_trainer::compute::Place;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Train L-SSPQ networks, and export them to one small ONNX file.
#[derive(Debug, Parser)]
#[command(
    name = "lsspq",
    version,
    arg_required_else_help = true,
    after_help = "\
Examples:
  lsspq fixture shapes                                   make pictures to try things on
  lsspq train trainer/recipes/cifar10.toml               train, into runs/cifar10
  lsspq train trainer/recipes/cifar10.toml --resume      go on after an interruption
  lsspq eval runs/cifar10/cifar10.onnx                   accuracy on the test pictures
  lsspq inspect runs/cifar10/cifar10.onnx                layers, size, accuracy
  lsspq report runs/cifar10                              the report of a run, also while it goes on
  lsspq sweep recipe.toml --grid network.bits.weights=1,2,4 --seeds 1,2
  lsspq publish runs/cifar10                             into www/models, checked

Environment:
  LSSPQ_DATA    the folder that holds the data sets; paths in recipes are looked for there first

Exit codes:
  0 done, 1 internal, 2 arguments or recipe, 3 pictures or model file, 4 training, 5 disk, 130 interrupted"
)]
pub(super) struct Flags {
    #[command(subcommand)]
    pub(super) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    Train(Train),
    Eval(Eval),
    Export(Export),
    Mirror(Mirror),
    Inspect(Inspect),
    Compare(Compare),
    Fixture(Fixture),
    Pictures(Pictures),
    Report(Report),
    Sweep(Sweep),
    Publish(Publish),
    Lend(Lend),
}

/// Train a network by a recipe: all stages, test, export.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lsspq train recipe.toml
  lsspq train recipe.toml --data ~/pictures --out runs/second --seed 2
  lsspq train recipe.toml --from www/models/everyday200.onnx    begin with that file's weights
  lsspq train recipe.toml --epochs 2,1       two epochs of stage 1 and one of stage 2
  lsspq train recipe.toml --resume           go on with the run in runs/NAME
  lsspq train recipe.toml --dry-run          what it would be: recipe, layers, sizes, rates, pictures
  lsspq train recipe.toml --device cuda      on an NVIDIA GPU, where the program was built with --features cuda

On a terminal a run shows a dashboard; its lines are printed when it ends, and at once where the output goes elsewhere.
Ctrl-C, and q in the dashboard, saves and stops; --resume goes on to the same numbers as if it had never stopped.")]
pub(super) struct Train {
    /// The recipe, a TOML file.
    pub(super) recipe: PathBuf,
    /// The data set's folder, in place of the recipe's data.path.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// The folder of the run [default: runs/NAME, by the recipe's name].
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Begin with the weights of this model file in place of random ones. Its classes may be others than those of the pictures,
    /// its bits others than the recipe's, its blocks fewer, its head another; a recipe without [network] takes its network.
    #[arg(long, value_name = "FILE")]
    pub(super) from: Option<PathBuf>,
    /// Go on with the run that is in the folder. Stages that have not begun may be others than before: one that was added to the
    /// recipe after the run had ended is trained with --resume.
    #[arg(long, conflicts_with = "overwrite")]
    pub(super) resume: bool,
    /// Replace the run that is in the folder.
    #[arg(long)]
    pub(super) overwrite: bool,
    /// Seed of every random choice, in place of the recipe's.
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Train the float twin: the same network without quantisation, as NAME-float.
    #[arg(long)]
    pub(super) float_twin: bool,
    /// Epochs of each stage, in place of the recipe's, separated by commas.
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    pub(super) epochs: Vec<u32>,
    /// Read everything, the pictures too, and show what would be done, but do not train and write nothing.
    #[arg(long, conflicts_with_all = ["resume", "overwrite"])]
    pub(super) dry_run: bool,
    /// Where to compute: cpu, wgpu or wgpu:N (Vulkan, Metal, DirectX 12), cuda or cuda:N, libtorch-cuda or
    /// libtorch-cuda:N, libtorch-cpu, or ws://HOST:PORT, which another machine lends (see `lsspq lend`); several of one
    /// kind, separated by commas, share each batch. A run that was begun on one device can be resumed on any other.
    #[arg(long, value_name = "DEVICE", value_delimiter = ',', default_value = "cpu")]
    pub(super) device: Vec<Place>,
    /// Plain lines in place of the dashboard, on a terminal too.
    #[arg(long)]
    pub(super) plain: bool,
    #[command(flatten)]
    pub(super) threads: Threads,
}

/// Measure the accuracy of an exported model on the test pictures of its data set.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lsspq eval www/models/cifar10.onnx
  lsspq eval model.onnx --data ~/cifar10-images
  lsspq eval model.onnx --json > accuracy.json
  lsspq eval model.onnx --write measured.onnx     the file with that accuracy in its card, to be published

The model file runs in the very code that runs in the browser. Which pictures to take is read from the recipe inside it.")]
pub(super) struct Eval {
    /// The model, an ONNX file.
    pub(super) model: PathBuf,
    /// The data set's folder, in place of the path in the model's recipe.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// JSON for programs in place of text.
    #[arg(long)]
    pub(super) json: bool,
    /// Write the model with what was measured, overall and for every class, in its card; FILE may be the model itself.
    #[arg(long, value_name = "FILE")]
    pub(super) write: Option<PathBuf>,
    #[command(flatten)]
    pub(super) threads: Threads,
}

/// Make a trained network answer by the mean over a picture and its mirror image, and measure it anew.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lsspq mirror www/models/everyday200.onnx --out mirrored.onnx
  lsspq publish mirrored.onnx --as everyday200.onnx --replace

It takes twice the time for a picture and a few hundred bytes more, and is right more often where left and right do not matter.
Nothing is trained. In a recipe, `mirrored = true` under [network] does the same from the start.")]
pub(super) struct Mirror {
    /// The model, an ONNX file that `lsspq train` wrote.
    pub(super) model: PathBuf,
    /// The data set's folder, in place of the path in the model's recipe.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
    /// Replace the file if it is there.
    #[arg(long)]
    pub(super) overwrite: bool,
    #[command(flatten)]
    pub(super) threads: Threads,
}

/// Write the network of a run as one ONNX file.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lsspq export runs/cifar10
  lsspq export runs/cifar10 --out www/models/cifar10.onnx
  lsspq export --network l-sspq50 --weights 1 --out l-sspq50.onnx     before any training

`lsspq train` does this by itself at the end; this is for a run that was stopped before it, or to try a network's size and
speed with random weights.")]
pub(super) struct Export {
    /// The folder of the run.
    #[arg(required_unless_present = "network")]
    pub(super) run: Option<PathBuf>,
    #[command(flatten)]
    pub(super) untrained: Untrained,
    /// The file to write [default: NAME.onnx in the run's folder].
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Replace the file if it is there.
    #[arg(long)]
    pub(super) overwrite: bool,
}

/// A network with random weights in place of a run.
#[derive(Debug, Args)]
pub(super) struct Untrained {
    /// A network with random weights: a name such as l-sspq50 or l-sspq50@cifar10 (see `lsspq inspect --help`), or a
    /// network file.
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "run", requires = "out")]
    pub(super) network: Option<PathBuf>,
    /// Bits of its pointwise and linear weights, in place of those of the network.
    #[arg(long, value_name = "BITS", requires = "network", value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(super) weights: Option<u8>,
    /// Seed of its weights.
    #[arg(long, value_name = "N", requires = "network", default_value_t = 1)]
    pub(super) seed: u64,
}

/// Set runs and model files side by side, or networks as they were published.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lsspq compare runs/first runs/second www/models/cifar10.onnx
  lsspq compare --paper
  lsspq compare --paper www/models/cifar10.onnx --figure compare.svg")]
pub(super) struct Compare {
    /// The networks that the publication of L-SSPQ compares itself with, and those it left out.
    #[arg(long)]
    pub(super) paper: bool,
    /// Runs (folders) and models (ONNX files).
    #[arg(required_unless_present = "paper")]
    pub(super) models: Vec<PathBuf>,
    /// Also draw accuracy over size, and density, as SVG; replaces the file.
    #[arg(long, value_name = "FILE", requires = "paper")]
    pub(super) figure: Option<PathBuf>,
    /// Also write the published figures as JSON, for the page; replaces the file.
    #[arg(long, value_name = "FILE", requires = "paper")]
    pub(super) data: Option<PathBuf>,
}

/// Show what a model, a recipe or a network is made of.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lsspq inspect www/models/cifar10.onnx
  lsspq inspect l-sspq50@w1
  lsspq inspect trainer/recipes/cifar10.toml")]
pub(super) struct Inspect {
    /// A model (.onnx), a recipe or a network file (.toml), or the name of a network, such as l-sspq50, and what to change
    /// in it: @w1 to @w8 (bits of weights), @float, @cifar10, @cifar100, @tiny-imagenet, @imagenet, @x0.5 (width).
    pub(super) file: PathBuf,
    /// The data set's folder, for a recipe that leaves the number of classes to it.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
}

/// Write generated pictures of four classes as class folders, to try things on.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  lsspq fixture shapes && lsspq train trainer/tests/fixture/shapes.toml --data shapes")]
pub(super) struct Fixture {
    /// The folder to make.
    pub(super) folder: PathBuf,
    /// Training pictures of each class.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) train: u32,
    /// Test pictures of each class.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) test: u32,
    /// Height and width in pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 32, value_parser = clap::value_parser!(u32).range(8..=1024))]
    pub(super) side: u32,
    /// Seed of everything drawn.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
}

/// Write the pictures that a recipe trains on as NumPy arrays, for a teacher in another program.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  lsspq pictures recipe.toml --out pictures
  python trainer/teacher/efficientnet_lite.py pictures --out answers.npy
  lsspq train recipe.toml          with [distill] teacher = \"answers.npy\" in the recipe

  lsspq pictures recipe.toml --altered --out altered
  python trainer/teacher/efficientnet_lite.py pictures --altered altered --out answers.npy

DIR/pictures.npy is uint8 [pictures, rows, columns, red green blue], of the side that the network takes; DIR/labels.npy is uint16
[pictures]; DIR/classes.txt has the name of a class on each line. What is held out to validate is not among them. A teacher's answers are
its logits, [pictures, classes] of any float, in the same order. With --altered it is [epochs, pictures, ...], a picture as each
epoch of the run shows it, and so are the answers, [epochs, pictures, classes]. A hundred thousand pictures of 32 pixels are 0.3 GB an epoch.")]
pub(super) struct Pictures {
    /// The recipe, a TOML file.
    pub(super) recipe: PathBuf,
    /// The folder to write into; arrays that are there are replaced.
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// The data set's folder, in place of the recipe's data.path.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// The test pictures in place of those that train, to see how often a teacher is right on pictures that it never saw.
    #[arg(long)]
    pub(super) test: bool,
    /// The pictures that train as each epoch of the run will show them, before any are mixed, so that a teacher answers on those.
    #[arg(long, conflicts_with = "test")]
    pub(super) altered: bool,
    #[command(flatten)]
    pub(super) threads: Threads,
}

/// Write the report of a run: report.html and report.json in its folder.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lsspq report runs/cifar10
  lsspq report runs/cifar10 --data ~/cifar10-images      measure the model file on the test pictures anew

`lsspq train` does this by itself at the end. The page needs nothing from outside itself; it shows pictures of the test split.")]
pub(super) struct Report {
    /// The folder of the run.
    pub(super) run: PathBuf,
    /// The data set's folder: the model file is measured on its test pictures anew.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    #[command(flatten)]
    pub(super) threads: Threads,
}

/// Train a recipe many times with different values of its keys, and tabulate what each came to.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lsspq sweep recipe.toml --grid stages.0.schedule.warmup_interval=0,2,5 \\
                          --grid stages.0.schedule.step_size=1,2,5 --seeds 1,2
  lsspq sweep recipe.toml --cell 'network.bits.weights=1' --cell 'network.bits.weights=2 augment.flip=false'
  lsspq sweep recipe.toml --grid ... --dry-run            the cells, and how far each is

The same command goes on with a sweep that was stopped: what has ended is passed over, what has begun is resumed. Results are in
sweep.md, sweep.json and sweep.svg (a heat map over the last two keys) in its folder, written anew with every run that ends.")]
pub(super) struct Sweep {
    /// The recipe, a TOML file.
    pub(super) recipe: PathBuf,
    /// A key of the recipe and its values: KEY=VALUE,VALUE. Given again, every combination is run.
    #[arg(long, value_name = "KEY=V,V")]
    pub(super) grid: Vec<String>,
    /// One more cell: KEY=VALUE, several of them separated by spaces.
    #[arg(long, value_name = "KEY=V KEY=V")]
    pub(super) cell: Vec<String>,
    /// Seeds of every cell, separated by commas [default: that of the recipe].
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    pub(super) seeds: Vec<u64>,
    /// The data set's folder, in place of the recipe's data.path.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// The folder of the sweep [default: runs/NAME-sweep].
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Runs at the same time; the threads are shared out among them.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(super) jobs: NonZeroUsize,
    /// Show the cells and how far each is, and write nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) threads: Threads,
}

/// Put a model into the page's list of models, if it passes every check.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lsspq publish runs/own-pictures --name \"My pictures\"
  lsspq publish model.onnx --as flowers.onnx --replace
  lsspq publish runs/birds --first                        the page opens with it

Refused, with what is wrong, where the card is incomplete, where the trainer, the library and (where LSSPQ_PYTHON names a Python with
`onnx` and `onnxruntime`) onnxruntime differ on the same pictures, or where a checksum is not what it should be.")]
pub(super) struct Publish {
    /// The folder of a run that has ended, or a model file (.onnx).
    pub(super) model: PathBuf,
    /// The name that the page shows [default: the data set's].
    #[arg(long)]
    pub(super) name: Option<String>,
    /// The file's name on the page [default: its own].
    #[arg(long = "as", value_name = "FILE")]
    pub(super) file: Option<String>,
    /// The page's folder of models, with index.json.
    #[arg(long, value_name = "DIR", default_value = "www/models")]
    pub(super) models: PathBuf,
    /// Replace the model of that file name.
    #[arg(long)]
    pub(super) replace: bool,
    /// Put it first in the list: the page opens with that one.
    #[arg(long)]
    pub(super) first: bool,
    /// The SHA-256 that the file must have.
    #[arg(long, value_name = "HEX")]
    pub(super) sha256: Option<String>,
    /// A file with what the page's benchmark copied: it goes into the model card.
    #[arg(long, value_name = "JSON")]
    pub(super) benchmark: Option<PathBuf>,
    /// The machine of that benchmark, in words.
    #[arg(long, value_name = "TEXT", requires = "benchmark")]
    pub(super) machine: Option<String>,
    /// What the model is not made for, in place of what its recipe says.
    #[arg(long, value_name = "TEXT")]
    pub(super) limits: Option<String>,
}

/// Lend a device of this machine to training runs on others.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lsspq lend --device wgpu --listen 0.0.0.0:3000      on the machine with the GPU
  lsspq train recipe.toml --device ws://gpu:3000      on the one with the pictures

Needs the feature `remote` on both. Nothing is encrypted and everyone is let in: for networks whose machines you trust. Pictures and
weights travel; recipe, checkpoints and files stay where the run is.")]
pub(super) struct Lend {
    /// What to lend: cpu, wgpu or wgpu:N, cuda or cuda:N, libtorch-cuda or libtorch-cuda:N, libtorch-cpu.
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub(super) device: Place,
    /// Where to listen; 0.0.0.0:PORT is every network that this machine is on.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3000")]
    pub(super) listen: SocketAddr,
    #[command(flatten)]
    pub(super) threads: Threads,
}

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Threads {
    /// Threads to compute on [default: one for each core].
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<NonZeroUsize>,
}
