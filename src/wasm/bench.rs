//! The kernels' benchmark as JavaScript sees it. Compiled with the feature `bench` only: no part of the package.

use crate::kernels::{Kernel, KernelError, bench};
use wasm_bindgen::prelude::*;

/// A pointwise layer of random numbers, to be timed by the caller.
#[wasm_bindgen]
#[derive(Debug)]
pub struct KernelBench {
    bench: bench::Bench,
}

#[wasm_bindgen]
impl KernelBench {
    /// A layer for the kernel of that name, or for the one that would be chosen. With `shifted` its input is a square
    /// map whose channels are read up to a pixel away.
    ///
    /// # Errors
    /// No kernel has that name, or it does not take the layer.
    #[wasm_bindgen(constructor)]
    pub fn new(
        kernel: Option<String>,
        output: usize,
        input: usize,
        pixels: usize,
        bits: u8,
        #[wasm_bindgen(js_name = activationBits)] activation_bits: u8,
        shifted: bool,
    ) -> Result<Self, JsValue> {
        let kernel = kernel.map(|name| named(&name)).transpose()?;
        let bench = bench::Bench::new(kernel, (output, input, pixels), (bits, activation_bits), shifted);
        bench.map(|bench| Self { bench }).map_err(thrown)
    }

    /// The name of the kernel that computes the layer.
    #[wasm_bindgen(getter)]
    pub fn kernel(&self) -> String {
        self.bench.kernel().name().into()
    }

    /// Computes the layer that many times.
    ///
    /// # Errors
    /// None that a layer once made can meet.
    pub fn run(&mut self, turns: u32) -> Result<(), JsValue> {
        (0..turns).try_for_each(|_| self.bench.run()).map_err(thrown)
    }

    /// Runs a kernel's instruction over registers alone, and gives the multiply-adds that this would be.
    ///
    /// # Errors
    /// No kernel has that name.
    pub fn peak(kernel: &str, turns: u32) -> Result<f64, JsValue> {
        Ok(bench::peak(named(kernel)?, turns as usize) as f64)
    }
}

fn named(name: &str) -> Result<Kernel, JsValue> {
    let kernel = Kernel::ALL.into_iter().find(|kernel| kernel.name() == name);
    kernel.ok_or_else(|| js_sys::Error::new(&format!("no kernel is called `{name}`")).into())
}

fn thrown(error: KernelError) -> JsValue {
    js_sys::Error::new(&error.to_string()).into()
}
