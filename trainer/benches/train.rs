//! One training step after another, for `cargo xtask bench train`.
//!
//! The network and the protocol are those of pytorch_baseline.py: every line with two numbers on the standard input,
//! threads and steps, is answered with the milliseconds of these steps; the end of the input is answered with the peak
//! memory in MiB and the page faults of a step.

use burn::module::ParamGroup;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use clap::Parser;
use lsspq::spec::{Bits, NetworkSpec};
use lsspq_trainer::network::{Engine, Mode, Network};
use lsspq_trainer::random::{Purpose, stream};
use rand::RngExt;
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::time::Instant;

const BATCH: usize = 128;

const NETWORK: &str = r#"
    name = "benchmark"
    input = 32
    classes = 10
    stem = { kernel = 3, channels = 32, stride = 1 }
    bits = {}
    groups = [
        { width = 32, blocks = 2, stride = 1 },
        { width = 64, blocks = 2, stride = 2 },
        { width = 128, blocks = 2, stride = 2 },
    ]
"#;

/// `cargo xtask bench train` runs this in turns with PyTorch.
#[derive(Parser)]
struct Arguments {
    /// Bits of weights; float without
    #[arg(long)]
    weights: Option<u8>,
    /// Bits of activations; float without
    #[arg(long)]
    activations: Option<u8>,
    /// Plain tensor operations instead of the fused ones
    #[arg(long)]
    composed: bool,
    /// Measure matrix products of 1024x1024x1024 instead, in GFLOP/s
    #[arg(long)]
    product: bool,
    /// What `cargo bench` passes.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    if arguments.product {
        answer(product());
    } else {
        let mut run = Run::new(&arguments);
        answer(move || run.step());
    }
}

/// Answers every line of the standard input.
fn answer(mut next: impl FnMut() -> f64 + Send) {
    let print = |line: String| {
        let mut out = std::io::stdout();
        writeln!(out, "{line}").and_then(|()| out.flush()).expect("standard output is open");
    };
    print(format!("lsspq {}", env!("CARGO_PKG_VERSION")));
    let mut pools = HashMap::new();
    let mut faults = 0;
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("UTF-8");
        let numbers: Vec<usize> = line.split_whitespace().map(|n| n.parse().expect("a number")).collect();
        let [threads, steps] = numbers[..] else { panic!("threads and steps, not {line:?}") };
        let pool = pools.entry(threads).or_insert_with(|| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("that many threads")
        });
        let before = status().1;
        let values: Vec<String> = pool.install(|| (0..steps).map(|_| format!("{:.4}", next())).collect());
        faults = (status().1 - before) / steps.max(1) as u64;
        print(values.join(" "));
    }
    print(format!("{:.1} {faults}", status().0));
}

/// Peak memory in MiB, and page faults so far, where Linux says so.
fn status() -> (f64, u64) {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    let peak = read("status").lines().find_map(|l| l.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
    // The program's name, in brackets, may hold spaces; minor faults are the eighth number behind it.
    let stat = read("stat");
    let faults = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(7)?.parse().ok());
    (peak.unwrap_or(f64::NAN) / 1024.0, faults.unwrap_or(0))
}

struct Run {
    spec: NetworkSpec,
    mode: Mode,
    network: Network,
    optimiser: ModuleOptimizer,
    images: Tensor<4>,
    labels: Tensor<1, Int>,
}

impl Run {
    fn new(arguments: &Arguments) -> Self {
        let device = Device::flex().autodiff();
        let mut spec: NetworkSpec = toml::from_str(NETWORK).expect("the network above");
        spec.bits = Bits { weights: arguments.weights, linear: arguments.weights, activations: arguments.activations };
        let engine = if arguments.composed { Engine::Composed } else { Engine::Fused };
        let mode = Mode { batch_statistics: true, activations: arguments.activations, round_shifts: false, engine };
        let network = Network::new(&spec, 1, &device);
        let sgd = SgdConfig::new().with_momentum(Some(MomentumConfig::new().with_momentum(0.9).with_dampening(0.0)));
        let decayed = sgd.clone().with_weight_decay(Some(WeightDecayConfig::new(5e-4))).build();
        let optimiser = sgd.init().with_group(ParamGroup::from_ids(network.weight_ids()), decayed, None);
        let mut random = stream(1, Purpose::Fixture, 0, 0);
        let side = spec.input;
        let images: Vec<f32> = (0..BATCH * 3 * side * side).map(|_| random.random_range(-2.0..2.0)).collect();
        let labels: Vec<i64> = (0..BATCH).map(|_| random.random_range(0..spec.classes as i64)).collect();
        Self {
            images: Tensor::from_data(TensorData::new(images, [BATCH, 3, side, side]), &device),
            labels: Tensor::from_data(TensorData::new(labels, [BATCH]), &device),
            spec,
            mode,
            network,
            optimiser,
        }
    }

    /// Milliseconds of a step.
    fn step(&mut self) -> f64 {
        let begin = Instant::now();
        let output = self.network.forward(&self.spec, self.images.clone(), self.mode);
        let chosen = log_softmax(output.logits.clone(), 1).gather(1, self.labels.clone().reshape([BATCH, 1]));
        let loss = chosen.mean().neg();
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        self.network = self.optimiser.step(1e-3, self.network.clone(), gradients);
        self.network.absorb(&self.spec, output, 0.1);
        assert!(loss.into_scalar::<f32>().is_finite(), "the loss is no number");
        1e3 * begin.elapsed().as_secs_f64()
    }
}

/// GFLOP/s of one matrix product after another.
fn product() -> impl FnMut() -> f64 {
    const SIDE: usize = 1024;
    let (a, b) = (vec![0.5f32; SIDE * SIDE], vec![0.25f32; SIDE * SIDE]);
    let mut c = vec![0.0f32; SIDE * SIDE];
    move || {
        let threads = match rayon::current_num_threads() {
            1 => gemm::Parallelism::None,
            n => gemm::Parallelism::Rayon(n),
        };
        let begin = Instant::now();
        let (row, column) = (SIDE as isize, 1);
        // SAFETY: all three are SIDE by SIDE values, rows one after the other.
        unsafe {
            gemm::gemm(
                SIDE,
                SIDE,
                SIDE,
                c.as_mut_ptr(),
                column,
                row,
                false,
                a.as_ptr(),
                column,
                row,
                b.as_ptr(),
                column,
                row,
                1.0,
                1.0,
                false,
                false,
                false,
                threads,
            );
        }
        2e-9 * (SIDE * SIDE * SIDE) as f64 / begin.elapsed().as_secs_f64()
    }
}
