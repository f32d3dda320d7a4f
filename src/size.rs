//! What a network is made of, layer by layer: weights, bits, multiply-adds, and the size of its float twin.
//!
//! Accounting:
//! - *Weights* are those of convolutions and of the linear layer. Packed they take `weights * bits / 8` bytes, rounded up
//!   layer by layer; float ones take four bytes each. Scales, biases and shifts are not weights: how many bytes they
//!   take is up to the file, and the file's own size tells.
//! - The *float twin* is the same network kept in 32-bit float: all weights, the linear layer's biases, two values per
//!   BatchNorm channel (gamma and beta) and two per shifted channel (the displacement down and to the right).
//! - *Multiply-adds* are those of convolutions and of the linear layer. Shifts, BatchNorm and pooling have none.

mod blocks;

use crate::spec::NetworkSpec;
use serde::Serialize;

/// What a layer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LayerKind {
    /// The float convolution that reads the picture.
    Stem,
    /// A 1x1 convolution.
    Pointwise,
    /// A shift of every channel by its own whole number of pixels.
    Shift,
    /// BatchNorm and the activation behind it.
    Norm,
    /// A convolution with a larger kernel than 1x1.
    Convolution,
    /// A convolution of every channel with a kernel of its own.
    Depthwise,
    /// The linear layer.
    Linear,
}

/// One layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Layer {
    /// Its place, such as `groups.1.blocks.0.expand`; counted from zero.
    pub name: String,
    /// What it does.
    pub kind: LayerKind,
    /// Input channels.
    pub input: usize,
    /// Output channels.
    pub output: usize,
    /// Side of the square kernel in pixels, 1 where there is none.
    pub kernel: usize,
    /// Side of the square input map in pixels.
    pub side_in: usize,
    /// Side of the square output map in pixels.
    pub side_out: usize,
    /// Number of weights.
    pub weights: u64,
    /// Bits of a weight; none is 32-bit float, or a layer without weights.
    pub bits: Option<u8>,
    /// Multiply-adds for one picture; those of both views where the network sees its mirror image too.
    pub multiply_adds: u64,
    /// Floats of this layer in the float twin.
    pub float_parameters: u64,
}

impl Layer {
    /// Bytes of the weights at their bits, whole bytes.
    pub fn weights_bytes(&self) -> u64 {
        match self.bits {
            Some(bits) => self.weights.saturating_mul(bits.into()).div_ceil(8),
            None => self.weights.saturating_mul(4),
        }
    }
}

/// All layers from the picture to the logits, in the order in which they run; a block's shortcut comes last.
pub fn layers(spec: &NetworkSpec) -> Vec<Layer> {
    let mut all = Vec::new();
    let stem = &spec.stem;
    let conv_side = spec.input.div_ceil(stem.stride);
    let kernel_weights = (3 * stem.kernel * stem.kernel) as u64;
    let mut first = pointwise("stem".into(), 1, stem.channels, conv_side, None);
    first.kind = LayerKind::Stem;
    (first.input, first.kernel, first.side_in) = (3, stem.kernel, spec.input);
    for count in [&mut first.weights, &mut first.multiply_adds, &mut first.float_parameters] {
        *count *= kernel_weights;
    }
    all.push(first);
    all.push(norm("stem.norm".into(), stem.channels, conv_side));

    let blocks = spec.blocks();
    for (i, b) in blocks.iter().enumerate() {
        all.extend(blocks::layers(b));
        if b.kind.shifts() && blocks.get(i + 1).is_none_or(|next| next.group != b.group) {
            all.push(norm(format!("groups.{}.norm", b.group), b.output, b.output_side()));
        }
    }

    let (channels, side) = spec.trunk_output();
    if let Some(head) = &spec.head {
        all.push(pointwise("head".into(), channels, head.channels, side, spec.bits.weights));
        all.push(norm("head.norm".into(), head.channels, side));
        if let Some(features) = head.features {
            all.push(linear("head.linear".into(), head.channels, features, None));
        }
    }
    all.iter_mut().for_each(|layer| layer.multiply_adds = layer.multiply_adds.saturating_mul(spec.views() as u64));
    all.push(linear("linear".into(), spec.embedding(), spec.classes, spec.bits.linear));
    all
}

/// With biases.
fn linear(name: String, input: usize, output: usize, bits: Option<u8>) -> Layer {
    let layer = pointwise(name, input, output, 1, bits);
    Layer { kind: LayerKind::Linear, float_parameters: layer.float_parameters + output as u64, ..layer }
}

fn pointwise(name: String, input: usize, output: usize, side: usize, bits: Option<u8>) -> Layer {
    let weights = input as u64 * output as u64;
    Layer {
        name,
        kind: LayerKind::Pointwise,
        input,
        output,
        kernel: 1,
        side_in: side,
        side_out: side,
        weights,
        bits,
        multiply_adds: weights * side as u64 * side as u64,
        float_parameters: weights,
    }
}

/// Any other convolution; each output channel sees `input` channels, all of them or, depthwise, one.
fn convolution(name: String, shape: [usize; 2], kernel: usize, [side_in, side_out]: [usize; 2]) -> Layer {
    let [input, output] = shape;
    let layer = pointwise(name, input * kernel * kernel, output, side_out, None);
    Layer { kind: LayerKind::Convolution, input, kernel, side_in, ..layer }
}

/// A layer of two floats per channel and no weights.
fn norm(name: String, channels: usize, side: usize) -> Layer {
    Layer {
        name,
        kind: LayerKind::Norm,
        input: channels,
        output: channels,
        kernel: 1,
        side_in: side,
        side_out: side,
        weights: 0,
        bits: None,
        multiply_adds: 0,
        float_parameters: 2 * channels as u64,
    }
}

/// Sums over all layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Number of weights.
    pub weights: u64,
    /// Bytes of the packed weights.
    pub weights_bytes: u64,
    /// Bytes of the float twin.
    pub float_twin_bytes: u64,
    /// Multiply-adds for one picture.
    pub multiply_adds: u64,
}

impl Totals {
    /// Adds up the layers of a network.
    pub fn of(spec: &NetworkSpec) -> Self {
        layers(spec).iter().fold(Self::default(), |sum, layer| Self {
            weights: sum.weights.saturating_add(layer.weights),
            weights_bytes: sum.weights_bytes.saturating_add(layer.weights_bytes()),
            float_twin_bytes: sum.float_twin_bytes.saturating_add(4 * layer.float_parameters),
            multiply_adds: sum.multiply_adds.saturating_add(layer.multiply_adds),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Activation, Bits, BlockKind, Group, Head, Stem};

    /// A network of depth 50 for 224x224 pictures and 1000 classes.
    fn fifty(blocks: [usize; 4], head: Option<Head>) -> NetworkSpec {
        let block = BlockKind::Shift {};
        let shape = |(width, blocks, stride)| Group { width, blocks, stride, expansion: 4, weight_bits: None, block };
        let strides = [1, 2, 2, 2];
        NetworkSpec {
            name: "fifty".into(),
            input: 224,
            classes: 1000,
            stem: Stem { kernel: 7, channels: 64, stride: 2, pool: true },
            groups: (0..4).map(|i| shape((64 << i, blocks[i], strides[i]))).collect(),
            head,
            bits: Bits { weights: Some(2), linear: Some(2), activations: Some(4) },
            activation: Activation::Clip,
            mirrored: false,
        }
    }

    fn weights_where(all: &[Layer], chosen: impl Fn(&Layer) -> bool) -> u64 {
        all.iter().filter(|l| chosen(l)).map(|l| l.weights).sum()
    }

    #[test]
    fn l_sspq50_has_the_published_weights_and_multiply_adds() {
        let spec = fifty([3, 4, 6, 2], Some(Head { channels: 512, features: None }));
        let all = layers(&spec);
        let ends = |suffix: &'static str| move |l: &Layer| l.name.ends_with(suffix);
        assert_eq!(weights_where(&all, ends("stem")), 9_408);
        let block = |l: &Layer| l.name.ends_with("reduce") || l.name.ends_with("expand");
        assert_eq!(weights_where(&all, block), 7_262_208);
        assert_eq!(weights_where(&all, ends("shortcut")), 2_768_896);
        assert_eq!(weights_where(&all, ends("head")), 1_048_576);
        assert_eq!(weights_where(&all, ends("linear")), 512_000);
        let totals = Totals::of(&spec);
        let giga = totals.multiply_adds as f64 / 1e9;
        assert!((2.15..2.25).contains(&giga), "{giga} G multiply-adds");
        // 11,591,680 two-bit weights and the float stem.
        assert_eq!(totals.weights_bytes, 11_591_680 / 4 + 9_408 * 4);
    }

    #[test]
    fn the_float_twin_of_sspq50_has_the_published_parameters() {
        let bytes = Totals::of(&fifty([3, 4, 6, 3], None)).float_twin_bytes;
        assert_eq!(bytes / 4, 14_262_312);
        assert_eq!(format!("{:.2}", bytes as f64 / f64::from(1 << 20)), "54.41");
    }

    #[test]
    fn a_second_view_doubles_the_work_up_to_the_pooling() {
        let once = fifty([3, 4, 6, 2], Some(Head { channels: 512, features: None }));
        let twice = NetworkSpec { mirrored: true, ..once.clone() };
        let (a, b) = (Totals::of(&once), Totals::of(&twice));
        assert_eq!(2 * a.multiply_adds - b.multiply_adds, 512_000);
        assert_eq!(Totals { multiply_adds: 0, ..a }, Totals { multiply_adds: 0, ..b });
    }

    #[test]
    fn packed_weights_are_whole_bytes_layer_by_layer() {
        let layer = |bits, input| pointwise(String::new(), input, 1, 1, bits).weights_bytes();
        assert_eq!([layer(Some(1), 9), layer(Some(3), 3), layer(Some(8), 3), layer(None, 3)], [2, 2, 3, 12]);
    }

    #[test]
    fn a_stride_makes_the_maps_smaller_where_it_acts() {
        let all = layers(&fifty([3, 4, 6, 2], None));
        let find = |name: &str| all.iter().find(|l| l.name == name).unwrap();
        assert_eq!((find("stem").side_in, find("stem").side_out), (224, 112));
        let part = |name: &str| {
            let layer = find(&format!("groups.1.blocks.0.{name}"));
            (layer.side_in, layer.side_out)
        };
        assert_eq!(
            [part("reduce"), part("shift"), part("expand"), part("shortcut")],
            [(56, 56), (56, 28), (28, 28), (56, 28)]
        );
    }
}
