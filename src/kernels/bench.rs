//! Layers of random numbers to time, and the peaks to hold their times against.

use super::{Affine, Epilogue, Kernel, KernelError, PointwiseWeights, Scratch, Shift};

/// A pointwise layer with everything that it needs, ready to run again and again.
#[derive(Clone, Debug)]
pub struct Bench {
    weights: PointwiseWeights,
    affine: Affine,
    input: Vec<u8>,
    shift: Option<Shift>,
    out: Vec<u8>,
    scratch: Scratch,
}

impl Bench {
    /// A layer of random weights `[output, input]` on `pixels` pixels; none chooses the kernel. With `shifted` its input
    /// is a square map that every channel reads up to a pixel away.
    ///
    /// # Errors
    /// The kernel does not take the layer, or a shifted map that is no square.
    pub fn new(
        kernel: Option<Kernel>,
        (output, input, pixels): (usize, usize, usize),
        (bits, activation_bits): (u8, u8),
        shifted: bool,
    ) -> Result<Self, KernelError> {
        let mut state = 1_u32;
        let mut next = |bits: u8| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 >> (8 - bits)
        };
        let levels: Vec<u8> = (0..output * input).map(|_| next(bits)).collect();
        let map = (0..pixels * input).map(|_| next(activation_bits)).collect();
        let weights = PointwiseWeights::pack_for(kernel, &levels, output, input, bits, activation_bits)?;
        let side = pixels.isqrt();
        let displacements: Vec<(i8, i8)> =
            (0..input).map(|_| (next(8) % 3, next(8) % 3)).map(|(y, x)| (y as i8 - 1, x as i8 - 1)).collect();
        let shift = shifted.then(|| Shift::new(&displacements, 1, side, pixels / side.max(1))).transpose()?;
        let mut scratch = Scratch::new();
        weights.plan(&mut scratch);
        let affine = Affine::new(&vec![1e-3; output], &vec![4.0; output])?;
        Ok(Self { weights, affine, input: map, shift, out: vec![0; pixels * output], scratch })
    }

    /// Computes the layer once.
    ///
    /// # Errors
    /// As [`PointwiseWeights::run`].
    pub fn run(&mut self) -> Result<(), KernelError> {
        let epilogue = Epilogue::levels(&self.affine, 15, &mut self.out);
        self.weights.run(&self.input, self.shift.as_ref(), epilogue, &mut self.scratch)
    }

    /// The kernel that computes it.
    pub fn kernel(&self) -> Kernel {
        self.weights.kernel()
    }
}
