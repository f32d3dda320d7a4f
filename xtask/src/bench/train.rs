//! Steps of training, ours and PyTorch's in turns.

use super::Row;
use super::row::{table, write};
use super::worker::Worker;
use crate::command::cargo;
use crate::project::Project;
use crate::python;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// As it is called in the rows; trainer/benches/train.rs has it.
const NETWORK: &str = "3x32x32, groups 32/64/128";

/// Pictures of a step.
const BATCH: f64 = 128.0;

/// Floating-point operations of a step's products: two for each of 77.4 M multiply-adds, forward, and twice that
/// backward (once for the stem's, whose input has no gradient), times the pictures.
const STEP_GFLOP: f64 = 2.0 * (3.0 * 76.55 + 2.0 * 0.885) * 1e-3 * BATCH;

/// How long, on what, and where to.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Turns of each engine that count
    #[arg(long, default_value_t = 8)]
    turns: usize,
    /// Steps of each engine in a turn
    #[arg(long, default_value_t = 3)]
    steps: usize,
    /// Numbers of threads
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<usize>,
    /// Cargo's profile for our side
    #[arg(long, default_value = "release")]
    profile: String,
    /// A Python that has PyTorch; one is installed into .cache/ otherwise
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    /// Also write the rows to this file, as a JSON array
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Builds, measures, prints the table.
///
/// # Errors
/// An engine cannot be built or installed, or it fails.
pub(super) fn run(project: &Project, arguments: &Arguments) -> Result<()> {
    let ours = build(project, &arguments.profile)?;
    let python = match &arguments.python {
        Some(python) => python.clone(),
        None => python::environment(project, ".cache/bench-venv", "trainer/benches/requirements.txt")?,
    };
    let rows =
        measure(arguments, &Engines { ours, python, script: project.path("trainer/benches/pytorch_baseline.py") })?;
    print!("{}", table(&rows));
    arguments.json.as_deref().map_or(Ok(()), |path| write(&rows, path))
}

/// Compiles our side and finds where Cargo put it.
fn build(project: &Project, profile: &str) -> Result<PathBuf> {
    // Features as a build of the whole workspace has them, so that what tests compiled serves here too.
    let arguments = ["build", "--workspace", "--bench", "train", "--locked", "--profile", profile];
    let mut command = cargo(&arguments, project.root());
    let output = command.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("the benchmark does not compile; the compiler's messages are above");
    }
    executable(&String::from_utf8_lossy(&output.stdout)).context("Cargo names no program for the benchmark")
}

/// The program in Cargo's messages, one JSON object a line.
fn executable(messages: &str) -> Option<PathBuf> {
    let message = |line| serde_json::from_str::<serde_json::Value>(line).ok();
    let mut programs = messages.lines().filter_map(message).filter(|m| m["target"]["name"] == "train");
    programs.find_map(|m| m["executable"].as_str().map(PathBuf::from))
}

struct Engines {
    ours: PathBuf,
    python: PathBuf,
    script: PathBuf,
}

impl Engines {
    fn ours(&self, name: &str, options: &[&str]) -> Result<Rival> {
        Rival::start(name, Command::new(&self.ours).args(options))
    }

    fn pytorch(&self, name: &str, options: &[&str]) -> Result<Rival> {
        let mut command = Command::new(&self.python);
        // Memory that went back to the system would be faulted in again at every step.
        command.env("MALLOC_MMAP_THRESHOLD_", "4294967296").env("MALLOC_TRIM_THRESHOLD_", "17179869184");
        command.env("MALLOC_TOP_PAD_", "268435456");
        Rival::start(name, command.arg(&self.script).args(options))
    }
}

/// One engine and what it did.
struct Rival {
    name: String,
    worker: Worker,
    /// Milliseconds by number of threads, then turn, then step.
    times: Vec<Vec<Vec<f64>>>,
}

impl Rival {
    fn start(name: &str, command: &mut Command) -> Result<Self> {
        Ok(Self { name: name.into(), worker: Worker::start(name, command)?, times: Vec::new() })
    }

    /// Median of each turn with that number of threads, by its place in the list.
    fn turns(&self, threads: usize) -> Vec<f64> {
        self.times[threads].iter().map(|steps| median(steps)).collect()
    }
}

fn median(values: &[f64]) -> f64 {
    Row::of([""; 4], values.iter().copied()).median
}

fn measure(arguments: &Arguments, engines: &Engines) -> Result<Vec<Row>> {
    let mut rows = products(arguments, engines)?;
    let mut rivals = vec![
        engines.ours("lsspq, float", &[])?,
        engines.ours("lsspq, W2A4", &["--weights", "2", "--activations", "4"])?,
        engines.pytorch("PyTorch, channels last", &["--layout", "channels_last"])?,
        engines.pytorch("PyTorch, contiguous", &["--layout", "contiguous"])?,
        engines.pytorch("PyTorch, channels last, shifts fixed", &["--shift", "fixed"])?,
    ];
    for rival in &mut rivals {
        eprintln!("{}: {}", rival.name, rival.worker.version);
        rival.times = vec![Vec::new(); arguments.threads.len()];
    }
    let mut copies = Copies::start(arguments, engines)?;
    // The first turn warms up: it is not kept.
    for turn in 0..=arguments.turns {
        for (i, &threads) in arguments.threads.iter().enumerate() {
            for rival in &mut rivals {
                let times = rival.worker.repeat(threads, arguments.steps)?;
                eprintln!("turn {turn}, {threads} threads: {} {:.0} ms", rival.name, median(&times));
                if turn > 0 {
                    rival.times[i].push(times);
                }
            }
            if threads > arguments.threads[0] {
                let speed = copies.speed(threads, arguments.steps)?;
                if turn > 0 {
                    copies.speeds[i].push(speed);
                }
            }
        }
    }
    rows.extend(speeds(arguments, &rivals));
    rows.extend(ratios(arguments, &rivals, &rows));
    rows.extend(copies.rows(arguments, &rivals[0].turns(0)));
    copies.end()?;
    for rival in rivals {
        let name = rival.name.clone();
        let counted = rival.worker.end()?;
        for (value, [metric, unit]) in counted.into_iter().zip([["peak memory", "MiB"], ["page faults", "a step"]]) {
            rows.push(Row::of([NETWORK, &name, metric, unit], [value]));
        }
    }
    Ok(rows)
}

/// Our float side several times over, each on as few threads as the list begins with: what more threads could come to at most
/// if they had nothing to wait for, on a machine whose cores share memory and cache.
struct Copies {
    /// Threads of one.
    each: usize,
    workers: Vec<Worker>,
    /// Steps a millisecond of all together, by place in the list of threads, then turn.
    speeds: Vec<Vec<f64>>,
}

impl Copies {
    fn start(arguments: &Arguments, engines: &Engines) -> Result<Self> {
        let each = arguments.threads[0].max(1);
        let most = arguments.threads.iter().skip(1).copied().max().unwrap_or(0);
        let workers = (0..most / each).map(|_| Ok(engines.ours("lsspq, float", &[])?.worker)).collect::<Result<_>>()?;
        Ok(Self { each, workers, speeds: vec![Vec::new(); arguments.threads.len()] })
    }

    /// Of as many at once as make that number of threads.
    fn speed(&mut self, threads: usize, steps: usize) -> Result<f64> {
        let workers = &mut self.workers[..threads / self.each];
        let times = Worker::repeat_at_once(workers, self.each, steps)?;
        Ok(times.iter().map(|steps| 1.0 / median(steps)).sum())
    }

    /// `alone` is what one of them takes for a step, in milliseconds, turn by turn.
    fn rows(&self, arguments: &Arguments, alone: &[f64]) -> Vec<Row> {
        let several = arguments.threads.iter().zip(&self.speeds).filter(|(_, speeds)| !speeds.is_empty());
        let row = |(&threads, speeds): (&usize, &Vec<f64>)| {
            let label =
                format!("lsspq, float, {} processes of {} at once", threads / self.each, thread_count(self.each));
            let times = speeds.iter().zip(alone).map(|(speed, alone)| speed * alone);
            Row::of([NETWORK, &label, "speed over one process", "times"], times)
        };
        several.map(row).collect()
    }

    fn end(self) -> Result<()> {
        self.workers.into_iter().try_for_each(|worker| worker.end().map(drop))
    }
}

fn thread_count(threads: usize) -> String {
    format!("{threads} thread{}", if threads == 1 { "" } else { "s" })
}

fn engine(name: &str, threads: usize) -> String {
    format!("{name}, {}", thread_count(threads))
}

/// Matrix products alone, as both sides' libraries do them: what the machine can.
fn products(arguments: &Arguments, engines: &Engines) -> Result<Vec<Row>> {
    let mut rivals = [engines.ours("gemm crate", &["--product"])?, engines.pytorch("torch.mm", &["--product"])?];
    let mut rows = Vec::new();
    for &threads in &arguments.threads {
        let mut values = [Vec::new(), Vec::new()];
        for turn in 0..=4 {
            for (rival, values) in rivals.iter_mut().zip(&mut values) {
                let speeds = rival.worker.repeat(threads, 10)?;
                if turn > 0 {
                    values.extend(speeds);
                }
            }
        }
        for (rival, values) in rivals.iter().zip(values) {
            let engine = engine(&rival.name, threads);
            rows.push(Row::of(["1024x1024x1024", &engine, "matrix product", "GFLOP/s"], values));
        }
    }
    for rival in rivals {
        rival.worker.end()?;
    }
    Ok(rows)
}

fn speeds(arguments: &Arguments, rivals: &[Rival]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (i, &threads) in arguments.threads.iter().enumerate() {
        for rival in rivals {
            let speeds = rival.times[i].iter().flatten().map(|ms| 1e3 * BATCH / ms);
            rows.push(Row::of([NETWORK, &engine(&rival.name, threads), "speed", "images/s"], speeds));
        }
    }
    rows
}

/// How many times faster one thing is than another, turn by turn.
fn ratios(arguments: &Arguments, rivals: &[Rival], rows: &[Row]) -> Vec<Row> {
    let ratio = |label: &str, metric: &str, ours: &[f64], theirs: &[f64]| {
        Row::of([NETWORK, label, metric, "times"], ours.iter().zip(theirs).map(|(ours, theirs)| theirs / ours))
    };
    let mut ratios = Vec::new();
    let [float, quantised, pytorch @ ..] = rivals else { return ratios };
    for (i, &threads) in arguments.threads.iter().enumerate() {
        // Best of a turn, whichever it is: the strictest comparison.
        let best: Vec<f64> = (0..arguments.turns)
            .map(|turn| pytorch.iter().map(|rival| rival.turns(i)[turn]).fold(f64::INFINITY, f64::min))
            .collect();
        let label = engine(&float.name, threads);
        ratios.push(ratio(&label, "speed over PyTorch's best", &float.turns(i), &best));
        let label = engine(&quantised.name, threads);
        ratios.push(ratio(&label, "speed over our float", &quantised.turns(i), &float.turns(i)));
        let peak =
            rows.iter().find(|row| row.metric == "matrix product" && row.engine == engine("gemm crate", threads));
        if let Some(peak) = peak {
            let used = float.times[i].iter().flatten().map(|ms| 100.0 * STEP_GFLOP / ms * 1e3 / peak.median);
            ratios.push(Row::of([NETWORK, &engine(&float.name, threads), "part of the product's speed", "%"], used));
        }
        if i > 0 {
            for rival in rivals {
                let metric = format!("speed over {}", thread_count(arguments.threads[0]));
                ratios.push(ratio(&engine(&rival.name, threads), &metric, &rival.turns(i), &rival.turns(0)));
            }
        }
    }
    ratios
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn finds_the_program_among_cargos_messages() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"gemm"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"train"},"executable":"/target/train-1"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages).as_deref(), Some(Path::new("/target/train-1")));
    }

    #[test]
    fn ratios_compare_with_the_best_of_each_turn() {
        let arguments =
            Arguments { turns: 2, steps: 1, threads: vec![1, 2], profile: "release".into(), python: None, json: None };
        let rival = |name: &str, times: [[f64; 2]; 2]| Rival {
            name: name.into(),
            worker: Worker::start(name, Command::new("echo").arg("test")).unwrap(),
            times: times.map(|turns| turns.map(|ms| vec![ms]).to_vec()).to_vec(),
        };
        let rivals = [
            rival("float", [[10.0, 10.0], [5.0, 5.0]]),
            rival("quantised", [[20.0, 20.0], [10.0, 10.0]]),
            rival("first", [[15.0, 40.0], [15.0, 15.0]]),
            rival("second", [[30.0, 20.0], [10.0, 10.0]]),
        ];
        let rows = ratios(&arguments, &rivals, &[]);
        let of = |engine: &str, metric: &str| {
            rows.iter().find(|r| r.engine == engine && r.metric == metric).map(|r| [r.p5, r.median, r.p95])
        };
        assert_eq!(of("float, 1 thread", "speed over PyTorch's best").unwrap()[1], 1.75);
        assert_eq!(of("float, 2 threads", "speed over PyTorch's best").unwrap()[1], 2.0);
        assert_eq!(of("quantised, 1 thread", "speed over our float").unwrap()[1], 0.5);
        assert_eq!(of("float, 2 threads", "speed over 1 thread").unwrap()[1], 2.0);

        let copies = Copies { each: 1, workers: Vec::new(), speeds: vec![vec![], vec![0.2, 0.2]] };
        let [row] = &copies.rows(&arguments, &rivals[0].turns(0))[..] else { panic!("one row") };
        assert_eq!((row.engine.as_str(), row.median), ("lsspq, float, 2 processes of 1 thread at once", 2.0));
    }
}
