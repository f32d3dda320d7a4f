//! Networks with random weights, for tests and for exporting a network before it is trained.

use super::{Affine, Block, Convolution, Network, NetworkError, Pointwise, Weights};
use half::f16;
use lsspq::spec::{BlockShape, NetworkSpec};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A network of that specification with random weights and shifts of at most one pixel; the same for the same seed.
///
/// Scales are chosen so that sums spread over the levels of an activation instead of saturating. Every scale and bias is
/// a float16 number, as folding leaves them.
///
/// # Errors
/// [`Inconsistent`](super::NetworkErrorKind::Inconsistent) where no network can be built from the specification.
pub fn random(spec: &NetworkSpec, seed: u64) -> Result<Network, NetworkError> {
    spec.validate().map_err(|e| NetworkError::inconsistent(format!("the specification: {e}")))?;
    let top = spec.bits.activations.map_or(1.0, |bits| (1_u32 << bits) as f32 - 1.0);
    let mut dice = Dice { rng: StdRng::seed_from_u64(seed), top };
    let taps = 3 * spec.stem.kernel * spec.stem.kernel;
    let mut stem = Convolution {
        weight: (0..spec.stem.channels * taps).map(|_| (dice.normal() * 32.0).round()).collect(),
        // Pixels spread by about a quarter of their range.
        affine: dice.activation(spec.stem.channels, 64.0 * 32.0 * (taps as f32).sqrt()),
    };
    // The scales of a stem are powers of two; about every third channel has the smaller one.
    stem.affine.scale.iter_mut().for_each(|s| *s = (*s * dice.uniform(0.4, 1.3)).log2().round().exp2());
    let mut groups: Vec<Vec<Block>> = spec.groups.iter().map(|_| Vec::new()).collect();
    for shape in spec.blocks() {
        groups[shape.group].push(dice.block(&shape));
    }
    let closes = spec.groups.iter().map(|g| dice.activation(g.width * g.expansion, dice.stream(g.blocks))).collect();
    let head = spec.head.as_ref().map(|h| dice.pointwise(spec.trunk_output().0, h.channels, spec.bits.weights, true));
    let mut linear = dice.pointwise(spec.embedding(), spec.classes, spec.bits.linear, false);
    // Logits a few units apart, so that the first of them is seldom in doubt.
    linear.affine.scale.iter_mut().for_each(|s| *s = half(*s * 6.0 / top));
    let (mean, deviation) = ([125.0, 123.0, 114.0].map(|m: f32| m / 255.0), [1.0 / 255.0; 3]);
    Ok(Network { spec: spec.clone(), mean, deviation, stem, groups, closes, head, linear })
}

struct Dice {
    rng: StdRng,
    /// The largest level of an activation.
    top: f32,
}

impl Dice {
    fn uniform(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.rng.random::<f32>()
    }

    /// About normal with deviation 1: the sum of twelve uniform numbers.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.rng.random::<f32>()).sum::<f32>() - 6.0
    }

    /// Spread of the residual stream behind that many blocks.
    fn stream(&self, blocks: usize) -> f32 {
        self.top / 3.0 * (1.0 + blocks as f32).sqrt()
    }

    /// An affine that spreads values of that deviation over the levels.
    fn activation(&mut self, channels: usize, deviation: f32) -> Affine {
        let (spread, top) = (self.top / 3.0 / deviation, self.top);
        Affine {
            scale: (0..channels).map(|_| half(self.uniform(0.7, 1.3) * spread)).collect(),
            bias: (0..channels).map(|_| half(self.uniform(0.1, 0.5) * top)).collect(),
        }
    }

    fn pointwise(&mut self, input: usize, output: usize, bits: Option<u8>, activated: bool) -> Pointwise {
        let (weights, spread) = match bits {
            Some(bits) => {
                let top = (1_u32 << bits) as f32 - 1.0;
                let mut level = || ((0.4 * self.normal()).clamp(-1.0, 1.0) / 2.0 + 0.5) * top;
                let levels = (0..input * output).map(|_| level().round() as u8).collect();
                (Weights::Levels { bits, levels }, if bits == 1 { 1.0 } else { 0.4 * top })
            }
            None => (Weights::Float((0..input * output).map(|_| 0.4 * self.normal()).collect()), 0.4),
        };
        let mut affine = self.activation(output, spread * (input as f32).sqrt() * 0.45 * self.top);
        if !activated {
            affine.bias.iter_mut().for_each(|b| *b = half(*b - 0.3 * self.top));
        }
        Pointwise { input, output, weights, affine }
    }

    fn block(&mut self, shape: &BlockShape) -> Block {
        let bits = shape.weight_bits;
        Block {
            pre: shape.pre_activated().then(|| self.activation(shape.input, self.stream(shape.index))),
            reduce: self.pointwise(shape.input, shape.width, bits, true),
            shift: (0..shape.width).map(|_| (self.rng.random_range(-1..=1), self.rng.random_range(-1..=1))).collect(),
            expand: self.pointwise(shape.width, shape.output, bits, false),
            shortcut: shape.projects().then(|| self.pointwise(shape.input, shape.output, bits, false)),
        }
    }
}

fn half(value: f32) -> f32 {
    f16::from_f32(value).to_f32()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::deploy::{fits_half, plain};
    use lsspq::spec::{Activation, Bits, BlockKind, Group, Head, Stem};

    /// Two groups of two blocks, the first with an identity shortcut, with a head.
    pub(crate) fn spec(weights: u8, activations: u8) -> NetworkSpec {
        let group = |width, stride| Group {
            width,
            blocks: 2,
            stride,
            expansion: 2,
            weight_bits: None,
            block: BlockKind::Shift {},
        };
        NetworkSpec {
            name: "test".into(),
            input: 9,
            classes: 5,
            stem: Stem { kernel: 3, channels: 16, stride: 1, pool: false },
            groups: vec![group(8, 1), group(12, 2)],
            head: Some(Head { channels: 20, features: None }),
            bits: Bits { weights: Some(weights), linear: Some(weights), activations: Some(activations) },
            activation: Activation::Clip,
            mirrored: false,
        }
    }

    #[test]
    fn the_seed_decides() {
        let spec = spec(3, 4);
        assert_eq!(random(&spec, 5).unwrap(), random(&spec, 5).unwrap());
        assert_ne!(random(&spec, 5).unwrap(), random(&spec, 6).unwrap());
    }

    #[test]
    fn affines_are_float16_and_activations_spread() {
        for bits in 1..=8 {
            let network = random(&spec(bits, 4), 3).unwrap();
            network.check().unwrap();
            let affines = network.groups.iter().flatten().map(|b| &b.reduce.affine).chain([&network.stem.affine]);
            for affine in affines.chain(&network.closes).chain([&network.linear.affine]) {
                assert!(affine.scale.iter().chain(&affine.bias).all(|&v| fits_half(v)));
            }
            let image: Vec<f32> = (0..3 * 81).map(|i| (i * 37 % 101) as f32 / 100.0).collect();
            let embedding = plain::evaluate(&network, &image).unwrap().embedding;
            let inside = embedding.iter().filter(|&&e| e > 0.5 && e < 14.5).count();
            assert!(inside > embedding.len() / 2, "{bits} bits: {embedding:?}");
        }
    }

    #[test]
    fn an_impossible_specification_is_refused() {
        let mut spec = spec(2, 4);
        spec.stem.kernel = 4;
        assert!(random(&spec, 0).unwrap_err().to_string().contains("stem.kernel"));
    }
}
