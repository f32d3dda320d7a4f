//! The network specification: what an L-SSPQ network is made of, as data.
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
    /// Channels between the two pointwise convolutions of a block: the channels that are shifted.
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
}

/// The lightweight head: a pointwise convolution before the pooling, and a quantised activation after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Output channels: the length of the embedding.
    pub channels: usize,
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
    /// Channels between the two pointwise convolutions.
    pub width: usize,
    /// Output channels.
    pub output: usize,
    /// Stride of the shift and of the shortcut.
    pub stride: usize,
    /// Side of the square input map in pixels.
    pub side: usize,
    /// Bits of the pointwise weights; none is float.
    pub weight_bits: Option<u8>,
}

impl BlockShape {
    /// Whether BatchNorm and a quantised activation come before the first convolution: not in a group's first block.
    pub fn pre_activated(&self) -> bool {
        self.index > 0
    }

    /// Whether the shortcut is a pointwise convolution.
    pub fn projects(&self) -> bool {
        self.input != self.output || self.stride != 1
    }

    /// Side of the square output map in pixels.
    pub fn output_side(&self) -> usize {
        self.side.div_ceil(self.stride)
    }
}

impl NetworkSpec {
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
                let block = BlockShape {
                    group,
                    index,
                    input,
                    width: g.width,
                    output: g.width * g.expansion,
                    stride: if index == 0 { g.stride } else { 1 },
                    side,
                    weight_bits: g.weight_bits.or(self.bits.weights),
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
        self.head.as_ref().map_or_else(|| self.trunk_output().0, |h| h.channels)
    }

    /// Checks every value against what the network can be built from.
    ///
    /// # Errors
    /// The key at fault, its value and what is allowed.
    pub fn validate(&self) -> Result<(), SpecError> {
        let range = |key: &str, value: usize, low: usize, high: usize| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(SpecError(format!("{key} = {value}: allowed is {low} to {high}")))
            }
        };
        let bits = |key: &str, value: Option<u8>, low: usize| match value {
            Some(b) => range(key, b.into(), low, 8),
            None => Ok(()),
        };
        range("input", self.input, 8, 1024)?;
        range("classes", self.classes, 2, 100_000)?;
        range("stem.kernel", self.stem.kernel, 1, 11)?;
        if self.stem.kernel.is_multiple_of(2) {
            return Err(SpecError(format!("stem.kernel = {}: allowed is an odd number", self.stem.kernel)));
        }
        range("stem.channels", self.stem.channels, 1, 4096)?;
        range("stem.stride", self.stem.stride, 1, 4)?;
        range("number of groups", self.groups.len(), 1, 64)?;
        for (i, g) in self.groups.iter().enumerate() {
            range(&format!("groups[{i}].width"), g.width, 1, 4096)?;
            range(&format!("groups[{i}].blocks"), g.blocks, 1, 100)?;
            range(&format!("groups[{i}].stride"), g.stride, 1, 4)?;
            range(&format!("groups[{i}].expansion"), g.expansion, 1, 16)?;
            bits(&format!("groups[{i}].weight_bits"), g.weight_bits, 1)?;
        }
        if let Some(head) = &self.head {
            range("head.channels", head.channels, 1, 8192)?;
        }
        bits("bits.weights", self.bits.weights, 1)?;
        bits("bits.linear", self.bits.linear, 1)?;
        bits("bits.activations", self.bits.activations, 2)
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
