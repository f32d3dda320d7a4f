//! The parts of a deployed network.

use half::f16;
use lsspq::spec::NetworkSpec;

/// Per-channel `y = scale * x + bias`, multiplied and then added (never fused) in f32.
///
/// Followed by a quantised activation it is already in units of levels: `clip(y, 0, L)`, then rounded to the nearest
/// whole number, ties to even.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// One factor per channel.
    pub scale: Vec<f32>,
    /// One term per channel.
    pub bias: Vec<f32>,
}

/// Weights of a pointwise convolution or of the linear layer, `[output][input]`, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Weights {
    /// Levels `0 ..= 2^bits - 1`, each standing for the whole number `2 level - (2^bits - 1)`.
    Levels {
        /// Bits a weight, 1 to 8.
        bits: u8,
        /// `output * input` levels.
        levels: Vec<u8>,
    },
    /// Plain floats.
    Float(Vec<f32>),
}

/// A 1x1 convolution or a linear layer, and what follows its sums.
#[derive(Clone, Debug, PartialEq)]
pub struct Pointwise {
    /// Input channels.
    pub input: usize,
    /// Output channels.
    pub output: usize,
    /// The weights.
    pub weights: Weights,
    /// Scale and bias on the sums of whole-number weights times whole-number activations.
    pub affine: Affine,
}

/// The stem: a convolution on the picture in whole numbers around its mean colour, zero-padded by `kernel / 2`.
///
/// Its weights are whole numbers of up to eleven bits, so small that no sum reaches 2^24: sums are exact in f32 in any
/// order, and every engine rounds the activation behind them to the same level. A float stem would not do: engines sum in
/// different orders, and one value in a million then goes to another level, which changes everything behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Convolution {
    /// `[output][3][kernel][kernel]`, row-major.
    pub weight: Vec<f32>,
    /// BatchNorm folded, in units of levels; a quantised activation follows.
    pub affine: Affine,
}

/// One block; see [`lsspq::spec`] for its drawing.
///
/// The residual stream of a group may be in any unit, since the BatchNorms that read it are folded into affines. Only an
/// identity shortcut in a group's first block sets it: there the stream starts as a quantised activation, which is
/// carried in levels, so the `expand` affines of such a group must give levels too.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// BatchNorm before the first convolution, followed by a quantised activation; none in a group's first block.
    pub pre: Option<Affine>,
    /// First convolution, followed by a quantised activation.
    pub reduce: Pointwise,
    /// `(dy, dx)` of each channel: the output at `(y, x)` is the input at `(y * stride + dy, x * stride + dx)`, zero
    /// outside.
    pub shift: Vec<(i8, i8)>,
    /// Second convolution; its affine gives float values, to which the shortcut is added.
    pub expand: Pointwise,
    /// The convolution of stride `stride` on the block's input, where the shortcut is not the identity.
    pub shortcut: Option<Pointwise>,
}

/// The whole network.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// What it is made of.
    pub spec: NetworkSpec,
    /// Mean of each colour, subtracted from the picture in [0, 1]; a whole number over 255.
    pub mean: [f32; 3],
    /// By what the difference is divided, 1/255: the stem sees whole numbers from -255 to 255.
    pub deviation: [f32; 3],
    /// The stem.
    pub stem: Convolution,
    /// Blocks of each group.
    pub groups: Vec<Vec<Block>>,
    /// BatchNorm that closes each group, followed by a quantised activation.
    pub closes: Vec<Affine>,
    /// The lightweight head, followed by a quantised activation; its pooled output is rounded to whole levels again.
    pub head: Option<Pointwise>,
    /// The linear layer on the pooled vector; its affine gives the logits.
    pub linear: Pointwise,
}

impl Network {
    /// The largest level of an activation, `2^k - 1`; 1 where activations are float.
    pub fn top_level(&self) -> f32 {
        self.spec.bits.activations.map_or(1.0, |bits| (1_u32 << bits) as f32 - 1.0)
    }

    /// What every activation does to `y`: clips it to `[0, top level]`, and where activations are quantised rounds it to
    /// the nearest whole number, ties to even.
    pub fn activate(&self, y: f32) -> f32 {
        let clipped = y.clamp(0.0, self.top_level());
        if self.spec.bits.activations.is_some() { clipped.round_ties_even() } else { clipped }
    }

    /// Whether the pooled vector is rounded to whole levels before the linear layer: behind a head, where activations
    /// are quantised.
    pub fn rounds_pooled(&self) -> bool {
        self.head.is_some() && self.spec.bits.activations.is_some()
    }

    /// What the difference to [`mean`](Self::mean) is multiplied by: the deviation's reciprocal, rounded to f32 once.
    pub fn gain(&self) -> [f32; 3] {
        self.deviation.map(|d| 1.0 / d)
    }
}

impl Weights {
    /// The numbers that multiply, `[output][input]`: whole numbers for levels, the floats themselves otherwise.
    pub fn values(&self) -> Vec<f32> {
        match self {
            Self::Levels { bits, levels } => {
                let top = (1_i32 << bits) - 1;
                levels.iter().map(|&level| (2 * i32::from(level) - top) as f32).collect()
            }
            Self::Float(values) => values.clone(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Levels { levels, .. } => levels.len(),
            Self::Float(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bits a weight; none is float.
    pub fn bits(&self) -> Option<u8> {
        match self {
            Self::Levels { bits, .. } => Some(*bits),
            Self::Float(_) => None,
        }
    }
}

/// Whether float16 holds `value` exactly.
pub fn fits_half(value: f32) -> bool {
    f16::from_f32(value).to_f32() == value
}
