//! Layers of random numbers to time, and the peaks to hold their times against. Compiled with the feature `bench` only.

use super::{Affine, Epilogue, Kernel, KernelError, PointwiseWeights, Scratch, Shift};
use std::hint::black_box;

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
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let kept = |bits: u8| 8_u32.saturating_sub(bits.into());
        let levels: Vec<u8> = (0..output * input).map(|_| next() >> kept(bits)).collect();
        let weights = PointwiseWeights::pack_for(kernel, &levels, output, input, bits, activation_bits)?;
        let input_map = (0..pixels * input).map(|_| next() >> kept(activation_bits)).collect();
        let mut step = || (next() % 3) as i8 - 1;
        let displacements: Vec<(i8, i8)> = (0..input).map(|_| (step(), step())).collect();
        let side = pixels.isqrt();
        let shift = shifted.then(|| Shift::new(&displacements, 1, side, side)).transpose()?;
        let mut scratch = Scratch::new();
        weights.plan(&mut scratch);
        let affine = Affine::new(&vec![1e-3; output], &vec![4.0; output])?;
        let mut bench = Self { weights, affine, input: input_map, shift, out: vec![0; pixels * output], scratch };
        bench.run()?;
        Ok(bench)
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

/// Chains of instructions that do not wait for each other; more would not fit the registers.
const CHAINS: usize = 12;

/// Runs a kernel's instruction and the addition behind it `turns` times over registers alone, and says how many
/// one-bit (look-up) or whole (the others) multiply-adds that would be. No layer can be faster than this.
#[inline(never)]
pub fn peak(kernel: Kernel, turns: usize) -> u64 {
    let width = match kernel {
        Kernel::Lookup => peak::look_up(black_box(turns)),
        Kernel::Paired => 2 * peak::multiply(black_box(turns)),
        Kernel::Wide => peak::multiply(black_box(turns)),
        Kernel::Scalar => 0,
    };
    (width * CHAINS * turns) as u64
}

#[cfg(target_arch = "wasm32")]
mod peak {
    use super::CHAINS;
    use core::arch::wasm32::*;
    use std::hint::black_box;

    #[cfg(not(feature = "relaxed-simd"))]
    use core::arch::wasm32::u8x16_swizzle as swizzle;

    /// What it gives for indices of 16 or more is of no interest here.
    #[cfg(feature = "relaxed-simd")]
    use core::arch::wasm32::u8x16_relaxed_swizzle as swizzle;

    #[cfg_attr(feature = "relaxed-simd", target_feature(enable = "relaxed-simd"))]
    pub(super) fn look_up(turns: usize) -> usize {
        let table = black_box(u8x16_splat(3));
        let mut all = black_box([u8x16_splat(1); CHAINS]);
        for _ in 0..turns {
            for sum in &mut all {
                *sum = u8x16_add(*sum, swizzle(table, *sum));
            }
        }
        black_box(all);
        64
    }

    pub(super) fn multiply(turns: usize) -> usize {
        let factor = black_box(i16x8_splat(3));
        let mut all = black_box([i32x4_splat(1); CHAINS]);
        for _ in 0..turns {
            for sum in &mut all {
                *sum = i32x4_add(*sum, i32x4_dot_i16x8(factor, *sum));
            }
        }
        black_box(all);
        8
    }
}

#[cfg(target_arch = "x86_64")]
mod peak {
    use super::CHAINS;
    use core::arch::x86_64::*;
    use std::hint::black_box;

    pub(super) fn look_up(turns: usize) -> usize {
        if std::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            unsafe { look_up_avx2(turns) }
            return 128;
        }
        0
    }

    pub(super) fn multiply(turns: usize) -> usize {
        if std::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            unsafe { multiply_avx2(turns) }
            return 16;
        }
        0
    }

    #[target_feature(enable = "avx2")]
    fn look_up_avx2(turns: usize) {
        let table = black_box(_mm256_set1_epi8(3));
        let mut all = black_box([_mm256_set1_epi8(1); CHAINS]);
        for _ in 0..turns {
            for sum in &mut all {
                *sum = _mm256_add_epi8(*sum, _mm256_shuffle_epi8(table, *sum));
            }
        }
        black_box(all);
    }

    #[target_feature(enable = "avx2")]
    fn multiply_avx2(turns: usize) {
        let factor = black_box(_mm256_set1_epi16(3));
        let mut all = black_box([_mm256_set1_epi32(1); CHAINS]);
        for _ in 0..turns {
            for sum in &mut all {
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(factor, *sum));
            }
        }
        black_box(all);
    }
}

#[cfg(not(any(target_arch = "wasm32", target_arch = "x86_64")))]
mod peak {
    pub(super) fn look_up(_: usize) -> usize {
        0
    }

    pub(super) fn multiply(_: usize) -> usize {
        0
    }
}
