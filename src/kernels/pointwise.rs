//! Products of quantised weights with quantised activations: pointwise convolutions and linear layers.

use super::epilogue::Epilogue;
use super::error::{KernelError, expect_length};
use super::kernel::{BLOCK, Kernel};
use super::lookup::Lookup;
use super::paired::Paired;
use super::panel::Source;
use super::scalar;
use super::scratch::Scratch;
use super::shift::Shift;
use super::wide::Wide;

/// Whole-number weights `[output, input]`, packed for the kernel that is fastest for them.
#[derive(Clone, Debug)]
pub struct PointwiseWeights {
    input: usize,
    output: usize,
    packed: Packed,
}

/// Weights in the order in which a kernel reads them.
#[derive(Clone, Debug)]
enum Packed {
    Scalar(Vec<i16>),
    Lookup(Lookup),
    Paired(Paired),
    Wide(Wide),
}

impl PointwiseWeights {
    /// Packs weight levels `0 ..= 2^bits - 1`, `[output, input]` row-major, each of which stands for the whole number
    /// `2 level - (2^bits - 1)` (DoReFa's weight, or BWN's sign for one bit, without its scale). Activations will be of
    /// `activation_bits` bits.
    ///
    /// # Errors
    /// Bits outside 1 to 8, a length that is not `output * input`, a level that `bits` cannot hold, or so many inputs
    /// that a sum could leave 32 bits.
    pub fn pack(
        levels: &[u8],
        output: usize,
        input: usize,
        bits: u8,
        activation_bits: u8,
    ) -> Result<Self, KernelError> {
        Self::pack_for(None, levels, output, input, bits, activation_bits)
    }

    /// As [`pack`](Self::pack), for a kernel of the caller's choice; none chooses.
    ///
    /// # Errors
    /// As [`pack`](Self::pack), and where the kernel does not take these bits.
    pub fn pack_for(
        kernel: Option<Kernel>,
        levels: &[u8],
        output: usize,
        input: usize,
        bits: u8,
        activation_bits: u8,
    ) -> Result<Self, KernelError> {
        if !(1..=8).contains(&bits) || !(1..=8).contains(&activation_bits) {
            return Err(KernelError::new(format!("weights of {bits} bits on activations of {activation_bits} bits")));
        }
        let top = (1_i16 << bits) - 1;
        if let Some(level) = levels.iter().find(|&&level| i16::from(level) > top) {
            return Err(KernelError::new(format!("a weight level of {level} at {bits} bits")));
        }
        let values: Vec<i16> = levels.iter().map(|&level| 2 * i16::from(level) - top).collect();
        check(&values, output, input, activation_bits)?;
        let pack = |kernel: Kernel| {
            Some(match kernel {
                _ if !kernel.is_available() => return None,
                Kernel::Scalar => Packed::Scalar(values.clone()),
                Kernel::Lookup => Packed::Lookup(Lookup::pack(levels, output, input, bits, activation_bits)?),
                Kernel::Paired => Packed::Paired(Paired::pack(levels, output, input, bits, activation_bits)?),
                Kernel::Wide => Packed::Wide(Wide::pack(&values, output, input)),
            })
        };
        let packed = match kernel {
            Some(kernel) => pack(kernel),
            None => Kernel::candidates(bits, activation_bits).find_map(pack),
        };
        let packed = packed.ok_or_else(|| {
            let kernel = kernel.unwrap_or(Kernel::Wide);
            let what = format!("{bits}-bit weights on {activation_bits}-bit activations");
            KernelError::new(format!("{kernel:?} takes no {what} on this processor"))
        })?;
        Ok(Self { input, output, packed })
    }

    /// Packs signed weights of up to eight bits, `[output, input]` row-major, that stand for themselves.
    ///
    /// # Errors
    /// As [`pack`](Self::pack).
    pub fn pack_signed(weights: &[i8], output: usize, input: usize, activation_bits: u8) -> Result<Self, KernelError> {
        if !(1..=8).contains(&activation_bits) {
            return Err(KernelError::new(format!("activations of {activation_bits} bits")));
        }
        let values: Vec<i16> = weights.iter().map(|&w| w.into()).collect();
        check(&values, output, input, activation_bits)?;
        Ok(Self { input, output, packed: Packed::Wide(Wide::pack(&values, output, input)) })
    }

    /// Input channels.
    pub fn input(&self) -> usize {
        self.input
    }

    /// Output channels.
    pub fn output(&self) -> usize {
        self.output
    }

    /// The kernel that computes it.
    pub fn kernel(&self) -> Kernel {
        match self.packed {
            Packed::Scalar(_) => Kernel::Scalar,
            Packed::Lookup(_) => Kernel::Lookup,
            Packed::Paired(_) => Kernel::Paired,
            Packed::Wide(_) => Kernel::Wide,
        }
    }

    /// Makes `scratch` large enough for this layer, whatever the number of pixels.
    pub fn plan(&self, scratch: &mut Scratch) {
        scratch.reserve(match &self.packed {
            Packed::Scalar(_) => 0,
            Packed::Lookup(lookup) => lookup.scratch_lanes(BLOCK),
            Packed::Paired(paired) => paired.scratch_lanes(BLOCK),
            Packed::Wide(wide) => wide.scratch_lanes(BLOCK),
        });
    }

    /// Multiplies activations `[pixels, input]` (without `shift`), or the map `[height, width, input]` that `shift`
    /// reads, and hands the sums `[pixels, output]` to `epilogue`.
    ///
    /// Levels above the activation bits given to [`pack`](Self::pack) give wrong sums, and nothing worse.
    ///
    /// # Errors
    /// A slice whose length does not fit.
    pub fn run(
        &self,
        input: &[u8],
        shift: Option<&Shift>,
        mut epilogue: Epilogue,
        scratch: &mut Scratch,
    ) -> Result<(), KernelError> {
        let pixels = match shift {
            None => input.len() / self.input,
            Some(shift) => {
                expect_length("shifted channels", shift.channels(), self.input)?;
                shift.output_pixels()
            }
        };
        expect_length("activations", input.len(), self.input * shift.map_or(pixels, Shift::input_pixels))?;
        epilogue.check(pixels, self.output)?;
        let source = Source { input, channels: self.input, pixels, shift };
        match &self.packed {
            Packed::Scalar(values) => scalar::product(values, source, &mut epilogue),
            Packed::Lookup(lookup) => lookup.run(source, BLOCK, &mut epilogue, scratch),
            Packed::Paired(paired) => paired.run(source, BLOCK, &mut epilogue, scratch),
            Packed::Wide(wide) => wide.run(source, BLOCK, &mut epilogue, scratch),
        }
        Ok(())
    }
}

/// Whether the weights fit their shape and no sum can leave 32 bits.
fn check(values: &[i16], output: usize, input: usize, activation_bits: u8) -> Result<(), KernelError> {
    if output == 0 || input == 0 {
        return Err(KernelError::new(format!("a product of {output} outputs and {input} inputs")));
    }
    expect_length("weights", values.len(), output.saturating_mul(input))?;
    let widest = values.iter().map(|w| w.unsigned_abs()).max().unwrap_or(0);
    let largest = u64::from(widest) * ((1 << activation_bits) - 1) * input as u64;
    if i32::try_from(largest).is_err() {
        return Err(KernelError::new(format!("a sum of {input} products can leave 32 bits")));
    }
    Ok(())
}
