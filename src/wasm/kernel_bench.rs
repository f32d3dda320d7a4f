//! Kernels for the benchmark to time, as the class `KernelBench`; no part of the library that is shipped.

use super::thrown;
use crate::error::{Error, ErrorKind};
use crate::kernels::bench::{Bench, peak};
use wasm_bindgen::prelude::*;

/// A pointwise layer of random numbers.
#[wasm_bindgen]
#[derive(Debug)]
pub struct KernelBench {
    bench: Bench,
    bits: u8,
}

#[wasm_bindgen]
impl KernelBench {
    /// A layer of weights `[output, input]` on `pixels` pixels; with `shifted` every channel is read up to a pixel away.
    #[wasm_bindgen(constructor)]
    pub fn new(
        output: usize,
        input: usize,
        pixels: usize,
        bits: u8,
        activation_bits: u8,
        shifted: bool,
    ) -> Result<KernelBench, JsValue> {
        let bench = Bench::new(None, (output, input, pixels), (bits, activation_bits), shifted);
        bench.map(|bench| Self { bench, bits }).map_err(failed)
    }

    /// Computes the layer so many times.
    pub fn run(&mut self, times: usize) -> Result<(), JsValue> {
        (0..times).try_for_each(|_| self.bench.run()).map_err(failed)
    }

    /// Runs the kernel's instruction alone, and says how many multiply-adds of this layer that would be.
    pub fn peak(&self, turns: usize) -> f64 {
        let kernel = self.bench.kernel();
        let planes = if matches!(kernel, crate::kernels::Kernel::Lookup) { f64::from(self.bits) } else { 1.0 };
        peak(kernel, turns) as f64 / planes
    }

    /// The name of the kernel that computes the layer.
    pub fn kernel(&self) -> String {
        format!("{:?}", self.bench.kernel()).to_lowercase()
    }
}

fn failed(error: impl std::fmt::Display) -> JsValue {
    thrown(Error::new(ErrorKind::Inference, error.to_string()))
}
