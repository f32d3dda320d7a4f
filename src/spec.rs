//! The network specification: what an L-SSPQ network, or one that it is compared with, is made of, as data.
//!
//! One [`NetworkSpec`] drives the trainer, the exporter, the size accounting and the reader of a model file; it is
//! written as TOML in a recipe and as JSON in the metadata of a model file.
//!
//! The network, after Kim, Lee and Sung, *Optimizing Spatial Shift Point-Wise Quantization*, IEEE Access 2021:
//!
//! ```text
//! image -> stem conv -> BatchNorm -> quantised activation -> [max-pool 3x3 / 2]
//!       -> groups of blocks, each group closed by BatchNorm -> quantised activation
//!       -> [head: pointwise -> BatchNorm -> quantised activation] -> global average pool -> [quantised activation]
//!       -> linear -> logits
//! ```
//!
//! A block of width `c`, stride `s` and expansion `e` is
//!
//! ```text
//! x -> [BatchNorm -> quantised activation, but in a group's first block]
//!   -> pointwise (in -> c) -> BatchNorm -> quantised activation -> shift, stride s -> pointwise (c -> e c) -> BatchNorm
//!   -> + shortcut of x (identity, or a pointwise convolution of stride s where channels or stride change)
//! ```
//!
//! That is [`BlockKind::Shift`]; the other kinds draw themselves.

mod check;

use serde::{Deserialize, Serialize};
use std::fmt;

/// A whole network. All sizes are in pixels or channels, all widths in bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// The name by which people know it, such as `l-sspq-c10`.
    pub name: String,
    /// Height and width of the input picture.
    pub input: usize,
    /// Number of classes, at least 2.
    pub classes: usize,
    /// The float convolution that reads the picture.
    pub stem: Stem,
    /// The groups, first to last.
    pub groups: Vec<Group>,
    /// The lightweight head; none pools the last group's output directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Head>,
    /// Bit widths of weights and activations.
    pub bits: Bits,
    /// What stem, blocks and head put behind their BatchNorms.
    #[serde(default, skip_serializing_if = "is_default")]
    pub activation: Activation,
    /// Whether the pooled vector is the mean over the picture and its mirror image, left to right: twice the work, as many
    /// weights. It is trained on single pictures; only who asks it gets the mean.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mirrored: bool,
}

/// What stands behind a BatchNorm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// Clips to [0, 1] and rounds to the bits of [`Bits::activations`]; the only one that is quantised.
    #[default]
    Clip,
    /// max(x, 0).
    Relu,
    /// Clips to [0, 6].
    Relu6,
    /// x clip(x + 3, 0, 6) / 6 (Howard et al., ICCV 2019).
    HardSwish,
}

/// What a block does with its map. `in` are its input channels, `w` is its group's width, `e` its expansion, `s` its
/// stride; conv, BatchNorm and activation are written one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum BlockKind {
    /// The block of L-SSPQ, SSPQ and, in float, ResIBShift: drawn in the [module](self)'s head.
    Shift {},
    /// The block of ASL50, one convolution a block: `[BatchNorm, activation, but in a group's first block] -> shift, stride
    /// s -> pointwise (in -> e w) -> BatchNorm -> + shortcut` as that of [`Shift`](Self::Shift). Its `w` displacements
    /// serve `in` channels: channel `c` moves by number `c mod w`.
    ActiveShift {},
    /// The block of ResNet50 (He et al., CVPR 2016): `conv 1x1 (in -> w) -> conv 3x3, stride s -> conv 1x1 (w -> e w) -> +
    /// shortcut -> activation`, a BatchNorm behind each convolution, that of a projecting shortcut included.
    Bottleneck {},
    /// The block of ResNet20: `conv 3x3 (in -> w), stride s -> conv 3x3 -> + shortcut -> activation`, likewise. `e` is 1.
    Basic {},
    /// The block of MobileNet v2 (Sandler et al., CVPR 2018) and v3: `conv 1x1 (in -> hidden) -> depthwise, stride s ->
    /// [squeeze-and-excitation] -> conv 1x1 (hidden -> w)`, no activation behind the last; plus its input where channels
    /// and stride allow it. `hidden` is `e in` unless it is given; where it is `in`, the first convolution is left out.
    InvertedResidual {
        /// Side of the depthwise kernel, odd.
        #[serde(default = "three", skip_serializing_if = "is_three")]
        kernel: usize,
        /// Channels between the pointwise convolutions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hidden: Option<usize>,
        /// Whether channels are weighed by squeeze-and-excitation (Hu et al., CVPR 2018; hard sigmoid), to a quarter.
        #[serde(default, skip_serializing_if = "is_default")]
        squeeze: bool,
        /// In place of the network's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        activation: Option<Activation>,
    },
    /// The block of ReActNet (Liu et al., ECCV 2020): `sign -> binary conv 3x3 (in -> in), stride s -> BatchNorm -> + input
    /// (averaged over s x s) -> PReLU`, then `sign -> binary conv 1x1 -> BatchNorm -> + -> PReLU`, which keeps the channels or,
    /// as two convolutions beside each other, doubles them. Signs and PReLUs have learned offsets. `e` is 1.
    React {},
    /// The block of FracBNN (Zhang et al., FPGA 2021) for CIFAR: `binary conv 3x3 (in -> w), stride s -> BatchNorm -> + input ->
    /// PReLU`, twice, on activations of two bits whose lower bit counts only where the upper one's sum is above a learned
    /// threshold. A shortcut with more channels repeats its input, averaged over s x s. `e` is 1.
    Fractional {},
}

impl Default for BlockKind {
    fn default() -> Self {
        Self::Shift {}
    }
}

impl BlockKind {
    /// Whether its channels are moved, each by a displacement of its own.
    pub fn shifts(self) -> bool {
        matches!(self, Self::Shift {} | Self::ActiveShift {})
    }

    /// Whether its convolutions see and hold signs alone.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::React {} | Self::Fractional {})
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn three() -> usize {
    3
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_three(value: &usize) -> bool {
    *value == 3
}

/// Convolution, BatchNorm, quantised activation, and an optional 3x3 max-pool of stride 2. Its weights are float.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stem {
    /// Side of the square kernel, odd; the picture is padded with `kernel / 2` zeros after normalisation.
    pub kernel: usize,
    /// Output channels.
    pub channels: usize,
    /// Stride of the convolution.
    pub stride: usize,
    /// Whether a 3x3 max-pool of stride 2 (padding 1) follows.
    #[serde(default)]
    pub pool: bool,
}

/// A run of blocks of one width.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Channels between the two pointwise convolutions of a block: the channels that are shifted. Of a [`BlockKind`] that
    /// says so, the output channels.
    pub width: usize,
    /// Number of blocks.
    pub blocks: usize,
    /// Stride of the first block; the others have 1.
    pub stride: usize,
    /// Output channels are `expansion * width`.
    #[serde(default = "four")]
    pub expansion: usize,
    /// Bits of this group's pointwise weights, where they differ from [`Bits::weights`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_bits: Option<u8>,
    /// What each block does.
    #[serde(default, skip_serializing_if = "is_default")]
    pub block: BlockKind,
}

/// The lightweight head: a pointwise convolution before the pooling, and a quantised activation after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Output channels: the length of the embedding, unless a linear layer follows.
    pub channels: usize,
    /// Outputs of a float linear layer with an activation behind the pooling, as in MobileNet v3; most heads have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<usize>,
}

/// Bit widths. Absent means 32-bit float.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bits {
    /// Pointwise weights of blocks, shortcuts and head: 1 to 8, or absent for float.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<u8>,
    /// Linear weights: 1 to 8, or absent for float.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear: Option<u8>,
    /// Activations: 2 to 8, or absent for float (clipped to [0, 1], not rounded).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activations: Option<u8>,
}

fn four() -> usize {
    4
}

/// A block with every default filled in and its place known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockShape {
    /// Index of the group.
    pub group: usize,
    /// Index inside the group.
    pub index: usize,
    /// Input channels.
    pub input: usize,
    /// Channels between the two pointwise convolutions; those inside the block for kinds without.
    pub width: usize,
    /// Output channels.
    pub output: usize,
    /// Stride of the shift and of the shortcut.
    pub stride: usize,
    /// Side of the square input map in pixels.
    pub side: usize,
    /// Bits of the pointwise weights; none is float.
    pub weight_bits: Option<u8>,
    /// What it does.
    pub kind: BlockKind,
    /// What stands behind its BatchNorms.
    pub activation: Activation,
}

impl BlockShape {
    /// Whether BatchNorm and a quantised activation come before the first convolution: not in a group's first block.
    pub fn pre_activated(&self) -> bool {
        self.kind.shifts() && self.index > 0
    }

    /// Whether the shortcut is a pointwise convolution.
    pub fn projects(&self) -> bool {
        let has_one = self.kind.shifts() || matches!(self.kind, BlockKind::Bottleneck {} | BlockKind::Basic {});
        has_one && !self.keeps_shape()
    }

    /// Whether output and input have as many channels and pixels.
    pub fn keeps_shape(&self) -> bool {
        self.input == self.output && self.stride == 1
    }

    /// Channels of the bottleneck of squeeze-and-excitation; 0 where there is none.
    pub fn squeezed(&self) -> usize {
        match self.kind {
            BlockKind::InvertedResidual { squeeze: true, .. } => divisible(self.width as f64 / 4.0),
            _ => 0,
        }
    }

    /// Side of the square output map in pixels.
    pub fn output_side(&self) -> usize {
        self.side.div_ceil(self.stride)
    }
}

/// The nearest multiple of 8 that is not more than a tenth below (Sandler et al., CVPR 2018).
fn divisible(channels: f64) -> usize {
    let rounded = (((channels + 4.0) / 8.0).floor() * 8.0).max(8.0);
    (if rounded < 0.9 * channels { rounded + 8.0 } else { rounded }) as usize
}

impl NetworkSpec {
    /// Whether it is of the L-SSPQ family, which is deployed in whole numbers: shift blocks and clipped activations.
    pub fn is_shift_network(&self) -> bool {
        let features = self.head.as_ref().and_then(|h| h.features);
        let shift = |g: &Group| g.block == BlockKind::Shift {};
        self.activation == Activation::Clip && features.is_none() && self.groups.iter().all(shift)
    }

    /// The same network with its channels multiplied by a factor, in multiples of 8. The head grows but does not shrink,
    /// as in MobileNet v2.
    pub fn scaled(mut self, factor: f64) -> Self {
        let scale = |channels: &mut usize| *channels = divisible(*channels as f64 * factor);
        scale(&mut self.stem.channels);
        for group in &mut self.groups {
            scale(&mut group.width);
            if let BlockKind::InvertedResidual { hidden: Some(hidden), .. } = &mut group.block {
                scale(hidden);
            }
        }
        if factor > 1.0
            && let Some(head) = &mut self.head
        {
            scale(&mut head.channels);
            head.features.as_mut().map(scale);
        }
        self
    }

    /// How many views of a picture go through the network up to the pooling.
    pub fn views(&self) -> usize {
        if self.mirrored { 2 } else { 1 }
    }

    /// Side of the map that enters the first block.
    pub fn stem_side(&self) -> usize {
        let side = self.input.div_ceil(self.stem.stride);
        if self.stem.pool { side.div_ceil(2) } else { side }
    }

    /// All blocks in order.
    pub fn blocks(&self) -> Vec<BlockShape> {
        let (mut input, mut side) = (self.stem.channels, self.stem_side());
        let mut blocks = Vec::new();
        for (group, g) in self.groups.iter().enumerate() {
            for index in 0..g.blocks {
                let (width, output, activation) = match g.block {
                    BlockKind::InvertedResidual { hidden, activation, .. } => {
                        (hidden.unwrap_or(g.expansion * input), g.width, activation.unwrap_or(self.activation))
                    }
                    _ => (g.width, g.width * g.expansion, self.activation),
                };
                let block = BlockShape {
                    group,
                    index,
                    input,
                    width,
                    output,
                    stride: if index == 0 { g.stride } else { 1 },
                    side,
                    weight_bits: g.weight_bits.or(self.bits.weights),
                    kind: g.block,
                    activation,
                };
                (input, side) = (block.output, block.output_side());
                blocks.push(block);
            }
        }
        blocks
    }

    /// Channels and side of the map that leaves the last group.
    pub fn trunk_output(&self) -> (usize, usize) {
        self.blocks().last().map_or((self.stem.channels, self.stem_side()), |b| (b.output, b.output_side()))
    }

    /// Length of the embedding: the pooled vector before the linear layer.
    pub fn embedding(&self) -> usize {
        self.head.as_ref().map_or_else(|| self.trunk_output().0, |h| h.features.unwrap_or(h.channels))
    }
}

/// A value that no network can be built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError(String);

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SpecError {}
