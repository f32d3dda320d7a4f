//! Times the kernels natively, shape by shape, beside the peak of their instructions on this core:
//!
//! ```text
//! cargo run --release --features bench --example kernels
//! ```
//!
//! Every number is billions of multiply-adds a second: the median of rounds in which all kernels take turns. The last
//! column is the most that the kernel's instruction and the addition behind it reach on registers alone, and the share of it that
//! the kernel reaches on its best shape.

use lsspq::kernels::bench::{Bench, peak};
use lsspq::kernels::{Kernel, KernelError};
use std::time::{Duration, Instant};

/// Outputs, inputs, pixels: layers of L-SSPQ50 at 224 x 224.
const SHAPES: [(usize, usize, usize); 6] =
    [(256, 64, 3136), (64, 256, 3136), (512, 128, 784), (1024, 256, 196), (2048, 512, 49), (512, 2048, 49)];

/// Bits of weights and activations.
const BITS: [(u8, u8); 8] = [(1, 4), (2, 4), (3, 4), (4, 4), (1, 8), (2, 8), (4, 8), (8, 8)];

/// Times of each case.
const ROUNDS: usize = 9;

fn main() -> Result<(), KernelError> {
    print!("{:<18}", "kernel, bits");
    SHAPES.iter().for_each(|(o, i, p)| print!("{:>14}", format!("{o},{i},{p}")));
    println!("{:>20}", "peak");
    for bits in BITS {
        let rows: Vec<Vec<f64>> = SHAPES.iter().map(|&shape| column(shape, bits)).collect::<Result<_, _>>()?;
        for (at, kernel) in Kernel::ALL.into_iter().enumerate().skip(1) {
            let speeds: Vec<f64> = rows.iter().map(|column| column[at]).collect();
            let best = speeds.iter().copied().fold(0.0, f64::max);
            if best == 0.0 {
                continue;
            }
            // A look-up serves one bit of a weight.
            let planes = if kernel == Kernel::Lookup { f64::from(bits.0) } else { 1.0 };
            let peak = (0..ROUNDS).map(|_| peak_speed(kernel) / planes).fold(0.0, f64::max);
            print!("{:<18}", format!("{kernel:?} {}/{}", bits.0, bits.1));
            speeds.iter().for_each(|speed| print!("{speed:>14.1}"));
            println!("{:>13.1}{:>5.0} %", peak, 100.0 * best / peak);
        }
    }
    Ok(())
}

/// The speeds of all kernels on one shape, in the order of [`Kernel::ALL`]; 0 for one that does not take it.
fn column(shape: (usize, usize, usize), bits: (u8, u8)) -> Result<Vec<f64>, KernelError> {
    let make = |kernel: Kernel| (kernel != Kernel::Scalar).then(|| Bench::new(Some(kernel), shape, bits, false).ok());
    let mut benches: Vec<Option<Bench>> = Kernel::ALL.into_iter().map(|kernel| make(kernel).flatten()).collect();
    let multiply_adds = (shape.0 * shape.1 * shape.2) as f64;
    let mut speeds = vec![Vec::new(); benches.len()];
    for _ in 0..ROUNDS {
        for (bench, speeds) in benches.iter_mut().zip(&mut speeds) {
            if let Some(bench) = bench {
                let (begin, mut turns) = (Instant::now(), 0.0);
                while begin.elapsed() < Duration::from_millis(4) {
                    bench.run()?;
                    turns += 1.0;
                }
                speeds.push(turns * multiply_adds / begin.elapsed().as_secs_f64() / 1e9);
            }
        }
    }
    Ok(speeds.into_iter().map(median).collect())
}

fn peak_speed(kernel: Kernel) -> f64 {
    let begin = Instant::now();
    let done = peak(kernel, 2_000_000);
    done as f64 / begin.elapsed().as_secs_f64() / 1e9
}

/// The middle one; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
