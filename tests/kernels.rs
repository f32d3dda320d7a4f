//! Every kernel against the plain loops, bit for bit, natively and in WebAssembly.

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use lsspq::kernels::{Affine, Epilogue, Kernel, PointwiseWeights, Residual, Scratch, Shift, Stem};

/// Numbers that look random and are the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end
    }

    fn levels(&mut self, count: usize, bits: u8) -> Vec<u8> {
        (0..count).map(|_| self.below(1 << bits) as u8).collect()
    }

    fn floats(&mut self, count: usize, size: f32) -> Vec<f32> {
        (0..count).map(|_| (self.below(1 << 16) as f32 / 32768.0 - 1.0) * size).collect()
    }

    fn affine(&mut self, channels: usize, size: f32) -> Affine {
        Affine::new(&self.floats(channels, size), &self.floats(channels, 8.0)).unwrap()
    }
}

/// Weights and what they are.
struct Layer {
    levels: Vec<u8>,
    output: usize,
    input: usize,
    bits: u8,
    activation_bits: u8,
}

impl Layer {
    fn random(dice: &mut Dice, output: usize, input: usize, bits: u8, activation_bits: u8) -> Self {
        Self { levels: dice.levels(output * input, bits), output, input, bits, activation_bits }
    }

    /// The layer for every kernel that takes it; the plain loops first.
    fn packed(&self) -> Vec<PointwiseWeights> {
        let Self { levels, output, input, bits, activation_bits } = self;
        let pack = |&kernel: &Kernel| {
            PointwiseWeights::pack_for(Some(kernel), levels, *output, *input, *bits, *activation_bits).ok()
        };
        let all: Vec<_> = Kernel::ALL.iter().filter_map(pack).collect();
        assert_eq!(all[0].kernel(), Kernel::Scalar);
        assert!(all.iter().any(|weights| weights.kernel() == Kernel::Wide), "wide takes everything");
        all
    }

    /// Asserts that all kernels give the sums of the plain loops.
    fn check(&self, map: &[u8], shift: Option<&Shift>, scratch: &mut Scratch) {
        let pixels = shift.map_or(map.len() / self.input, Shift::output_pixels);
        let unit = Affine::uniform(1.0, self.output).unwrap();
        let mut expected: Option<Vec<f32>> = None;
        for weights in self.packed() {
            let mut sums = vec![f32::NAN; pixels * self.output];
            weights.run(map, shift, Epilogue::floats(&unit, &mut sums), scratch).unwrap();
            let Some(expected) = &expected else {
                expected = Some(sums);
                continue;
            };
            let wrong = sums.iter().zip(expected).position(|(a, b)| a.to_bits() != b.to_bits());
            let Self { output, input, bits, activation_bits, .. } = self;
            let kernel = weights.kernel();
            let what = format!("{kernel:?}, {output} x {input} x {pixels} at {bits} on {activation_bits} bits");
            assert_eq!(wrong, None, "{what}: {:?} instead of {:?}", wrong.map(|i| sums[i]), wrong.map(|i| expected[i]));
        }
    }
}

#[test]
fn kernels_equal_plain_loops_at_all_bits_and_odd_sizes() {
    let (mut dice, mut scratch) = (Dice(1), Scratch::new());
    for bits in 1..=8 {
        for activation_bits in 1..=8 {
            for (output, input, pixels) in [(1, 1, 1), (3, 5, 2), (16, 16, 4), (17, 33, 5), (40, 20, 9), (33, 100, 6)] {
                let layer = Layer::random(&mut dice, output, input, bits, activation_bits);
                let map = dice.levels(pixels * input, activation_bits);
                layer.check(&map, None, &mut scratch);
            }
        }
    }
}

#[test]
fn every_weight_meets_every_activation() {
    let mut scratch = Scratch::new();
    for (bits, activation_bits) in [(1, 4), (2, 4), (3, 4), (4, 4), (4, 8), (8, 8), (1, 8), (2, 8)] {
        let count = 1_usize << bits;
        let levels: Vec<u8> = (0..count).map(|level| level as u8).collect();
        let layer = Layer { levels, output: count, input: 1, bits, activation_bits };
        let map: Vec<u8> = (0..1_usize << activation_bits).map(|level| level as u8).collect();
        layer.check(&map, None, &mut scratch);
    }
    // All four one-bit weights with all four activations of two bits.
    let levels: Vec<u8> = (0..16).flat_map(|bits| (0..4).map(move |i| bits >> i & 1)).collect();
    let layer = Layer { levels, output: 16, input: 4, bits: 1, activation_bits: 2 };
    let map: Vec<u8> = (0..256_usize).flat_map(|bits| (0..4).map(move |i| (bits >> (2 * i) & 3) as u8)).collect();
    layer.check(&map, None, &mut scratch);
}

#[test]
fn long_sums_are_exact_at_the_ends_of_the_ranges() {
    let (mut dice, mut scratch) = (Dice(2), Scratch::new());
    for input in [1023, 1457, 2048, 4096] {
        for bits in 1..=8 {
            for activation_bits in [1, 4, 8] {
                let (low, high) = (0, u8::MAX >> (8 - bits));
                let most = u8::MAX >> (8 - activation_bits);
                // One output all low, one all high, the others random; one pixel full, one random.
                let mut layer = Layer::random(&mut dice, 17, input, bits, activation_bits);
                layer.levels[..input].fill(low);
                layer.levels[input..2 * input].fill(high);
                layer.levels[8 * input..9 * input].fill(high);
                let mut map = dice.levels(2 * input, activation_bits);
                map[..input].fill(most);
                layer.check(&map, None, &mut scratch);
            }
        }
    }
}

#[test]
fn shifts_of_every_displacement_and_stride_equal_plain_loops() {
    let (mut dice, mut scratch) = (Dice(3), Scratch::new());
    let all: Vec<(i8, i8)> = (-3..=3).flat_map(|dy| (-3..=3).map(move |dx| (dy, dx))).collect();
    for stride in 1..=3 {
        for (height, width) in [(1, 1), (2, 5), (7, 7), (9, 4)] {
            for bits in [1, 2, 4, 8] {
                // Sorted, so that neighbours share a displacement, and mixed.
                let mixed: Vec<(i8, i8)> = (0..50).map(|_| all[dice.below(all.len())]).collect();
                for displacements in [all.clone(), mixed, vec![(i8::MIN, 0), (0, i8::MAX), (0, 0)]] {
                    let layer = Layer::random(&mut dice, 19, displacements.len(), bits, 4);
                    let shift = Shift::new(&displacements, stride, height, width).unwrap();
                    let map = dice.levels(height * width * displacements.len(), 4);
                    layer.check(&map, Some(&shift), &mut scratch);
                }
            }
        }
    }
}

#[test]
fn every_epilogue_equals_the_plain_one() {
    let (mut dice, mut scratch) = (Dice(4), Scratch::new());
    for (output, pixels) in [(5, 3), (16, 4), (48, 5), (70, 6)] {
        let layer = Layer::random(&mut dice, output, 24, 2, 4);
        let map = dice.levels(pixels * 24, 4);
        let (first, second) = (dice.affine(output, 0.1), dice.affine(output, 2.0));
        let size = pixels * output;
        let (stream, whole) = (dice.floats(size, 20.0), dice.levels(size, 4));
        for case in 0..24 {
            let (residual, case) = (case % 4, case / 4);
            let (keeps, then) = (case % 2 == 1 || residual == 3, case / 2);
            let mut expected: Option<(Vec<u32>, Vec<u8>)> = None;
            for weights in layer.packed() {
                let mut floats = if residual == 3 { stream.clone() } else { vec![0.0; size] };
                let mut levels = vec![77; size];
                let mut epilogue = match then {
                    0 => Epilogue::levels(&first, 15, &mut levels),
                    1 => Epilogue::activated(&first, Residual::None, &second, 255, &mut levels),
                    _ => Epilogue { affine: &first, residual: Residual::None, floats: None, levels: None },
                };
                epilogue.residual = match residual {
                    0 => Residual::None,
                    1 => Residual::Floats(&stream),
                    2 => Residual::Levels(&whole),
                    _ => Residual::InPlace,
                };
                if keeps {
                    epilogue.floats = Some(&mut floats);
                }
                weights.run(&map, None, epilogue, &mut scratch).unwrap();
                let bits: Vec<u32> = floats.iter().map(|v| v.to_bits()).collect();
                let result = (bits, levels);
                let expected = expected.get_or_insert_with(|| result.clone());
                assert!(*expected == result, "{:?}: residual {residual}, {keeps}, {then}", weights.kernel());
            }
        }
    }
}

#[test]
fn the_stem_equals_plain_loops_at_every_kernel_and_stride() {
    let (mut dice, mut scratch) = (Dice(5), Scratch::new());
    for kernel in [1, 3, 5, 7] {
        for stride in 1..=3 {
            for (output, height, width) in [(1, 1, 1), (16, 5, 8), (20, 9, 4), (33, 6, 11)] {
                let count = output * 3 * kernel * kernel;
                let mut weights: Vec<f32> = dice.floats(count, 440.0).iter().map(|w| w.round()).collect();
                // One filter at the end of the range: 255 * 147 * 447 is just below 2^24.
                weights[..3 * kernel * kernel].fill(-447.0);
                let stem = Stem::pack(&weights, output, kernel, stride, height, width).unwrap();
                let mut whole: Vec<i16> = (0..height * width * 3).map(|_| dice.below(511) as i16 - 255).collect();
                whole[0] = -255;
                let (rows, columns) = stem.output_size();
                let unit = Affine::uniform(1.0, output).unwrap();
                let (mut fast, mut plain) = (vec![0.0; rows * columns * output], vec![1.0; rows * columns * output]);
                stem.run(&whole, Epilogue::floats(&unit, &mut fast), &mut scratch).unwrap();
                stem.run_plain(&whole, Epilogue::floats(&unit, &mut plain)).unwrap();
                assert_eq!(fast, plain, "kernel {kernel}, stride {stride}, {height} x {width} x {output}");
            }
        }
    }
}
