//! Products in f32: linear layers whose weights or whose inputs are no whole numbers.

use super::epilogue::Epilogue;
use super::error::{KernelError, expect_length};

/// Outputs side by side.
const PAD: usize = 16;

/// Float weights `[output, input]`. Each output's products are added in the order of its inputs, multiplied and added
/// separately; a float runtime sums in another order and may differ in the last digits.
#[derive(Clone, Debug)]
pub struct FloatWeights {
    input: usize,
    output: usize,
    /// `[output / PAD][input][PAD]`: outputs side by side, so that a vector holds sums of different outputs.
    packed: Vec<f32>,
}

impl FloatWeights {
    /// Packs weights, `[output, input]` row-major.
    ///
    /// # Errors
    /// A length that is not `output * input`, or none.
    pub fn pack(weights: &[f32], output: usize, input: usize) -> Result<Self, KernelError> {
        if output == 0 || input == 0 {
            return Err(KernelError::new(format!("a product of {output} outputs and {input} inputs")));
        }
        expect_length("weights", weights.len(), output.saturating_mul(input))?;
        let mut packed = vec![0.0; output.next_multiple_of(PAD) * input];
        for (o, row) in weights.chunks_exact(input).enumerate() {
            for (i, &weight) in row.iter().enumerate() {
                packed[(o / PAD * input + i) * PAD + o % PAD] = weight;
            }
        }
        Ok(Self { input, output, packed })
    }

    /// Packs weight levels, each of which stands for `2 level - (2^bits - 1)`, for inputs that are no whole numbers.
    ///
    /// # Errors
    /// As [`pack`](Self::pack).
    pub fn pack_levels(levels: &[u8], output: usize, input: usize, bits: u8) -> Result<Self, KernelError> {
        if !(1..=8).contains(&bits) {
            return Err(KernelError::new(format!("weights of {bits} bits")));
        }
        let top = (1_i16 << bits) - 1;
        let weights: Vec<f32> = levels.iter().map(|&level| f32::from(2 * i16::from(level) - top)).collect();
        Self::pack(&weights, output, input)
    }

    /// Input channels.
    pub fn input(&self) -> usize {
        self.input
    }

    /// Output channels.
    pub fn output(&self) -> usize {
        self.output
    }

    /// Multiplies `[pixels, input]` and hands the sums `[pixels, output]` to `epilogue`.
    ///
    /// # Errors
    /// A slice whose length does not fit.
    pub fn run(&self, input: &[f32], mut epilogue: Epilogue) -> Result<(), KernelError> {
        let pixels = input.len() / self.input;
        expect_length("inputs", input.len(), self.input * pixels)?;
        epilogue.check(pixels, self.output)?;
        for (pixel, values) in input.chunks_exact(self.input).enumerate() {
            for (tile, weights) in self.packed.chunks_exact(self.input * PAD).enumerate() {
                let mut sums = [0.0; PAD];
                for (value, weights) in values.iter().zip(weights.chunks_exact(PAD)) {
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        let product = value * weight;
                        *sum += product;
                    }
                }
                for (channel, sum) in (tile * PAD..self.output).zip(sums) {
                    epilogue.finish_one(self.output, pixel, channel, sum);
                }
            }
        }
        Ok(())
    }
}
