//! The layers of one block of each kind.

use super::{Layer, LayerKind, convolution, linear, norm, pointwise};
use crate::spec::{BlockKind, BlockShape};

/// Layers in the order in which they run; a projecting shortcut comes last.
pub(super) fn layers(b: &BlockShape) -> Vec<Layer> {
    let parts = Parts { shape: b, all: Vec::new() };
    match b.kind {
        BlockKind::Shift {} => parts.shift(),
        BlockKind::ActiveShift {} => parts.active_shift(),
        BlockKind::Bottleneck {} => parts.bottleneck(),
        BlockKind::Basic {} => parts.basic(),
        BlockKind::InvertedResidual { kernel, .. } => parts.inverted_residual(kernel),
        BlockKind::React {} => parts.react(),
        BlockKind::Fractional {} => parts.fractional(),
    }
}

struct Parts<'a> {
    shape: &'a BlockShape,
    all: Vec<Layer>,
}

impl Parts<'_> {
    fn name(&self, part: &str) -> String {
        format!("groups.{}.blocks.{}.{part}", self.shape.group, self.shape.index)
    }

    fn norm(&mut self, part: &str, channels: usize, side: usize) {
        self.all.push(norm(self.name(part), channels, side));
    }

    fn pointwise(&mut self, part: &str, input: usize, output: usize, side: usize) {
        self.all.push(pointwise(self.name(part), input, output, side, self.shape.weight_bits));
    }

    /// A convolution of the block's stride at `sides`, and its BatchNorm.
    fn convolution(&mut self, part: &str, shape: [usize; 2], kernel: usize, sides: [usize; 2]) {
        let layer = convolution(self.name(part), shape, kernel, sides);
        self.all.push(Layer { bits: self.shape.weight_bits, ..layer });
        self.norm(&format!("{part}.norm"), shape[1], sides[1]);
    }

    /// The displacements of `width` channels, on a map of that many.
    fn displacements(&mut self, channels: usize) {
        let b = self.shape;
        let layer = norm(self.name("shift"), channels, b.side);
        let float_parameters = 2 * b.width as u64;
        self.all.push(Layer { kind: LayerKind::Shift, side_out: b.output_side(), float_parameters, ..layer });
    }

    /// Learned numbers of each channel that are neither weights nor BatchNorm: offsets, slopes.
    fn learned(&mut self, part: &str, each: usize, channels: usize, side: usize) {
        let layer = norm(self.name(part), channels, side);
        self.all.push(Layer { float_parameters: (each * channels) as u64, ..layer });
    }

    fn shortcut(&mut self, normed: bool) {
        let b = self.shape;
        if b.projects() {
            let layer = pointwise(self.name("shortcut"), b.input, b.output, b.output_side(), b.weight_bits);
            self.all.push(Layer { side_in: b.side, ..layer });
            if normed {
                self.norm("shortcut.norm", b.output, b.output_side());
            }
        }
    }

    fn shift(mut self) -> Vec<Layer> {
        let b = self.shape;
        if b.pre_activated() {
            self.norm("pre", b.input, b.side);
        }
        self.pointwise("reduce", b.input, b.width, b.side);
        self.norm("reduce.norm", b.width, b.side);
        self.displacements(b.width);
        self.pointwise("expand", b.width, b.output, b.output_side());
        self.norm("expand.norm", b.output, b.output_side());
        self.shortcut(false);
        self.all
    }

    fn active_shift(mut self) -> Vec<Layer> {
        let b = self.shape;
        if b.pre_activated() {
            self.norm("pre", b.input, b.side);
        }
        self.displacements(b.input);
        self.pointwise("expand", b.input, b.output, b.output_side());
        self.norm("expand.norm", b.output, b.output_side());
        self.shortcut(false);
        self.all
    }

    fn bottleneck(mut self) -> Vec<Layer> {
        let (b, side) = (self.shape, self.shape.output_side());
        self.pointwise("reduce", b.input, b.width, b.side);
        self.norm("reduce.norm", b.width, b.side);
        self.convolution("middle", [b.width, b.width], 3, [b.side, side]);
        self.pointwise("expand", b.width, b.output, side);
        self.norm("expand.norm", b.output, side);
        self.shortcut(true);
        self.all
    }

    fn basic(mut self) -> Vec<Layer> {
        let (b, side) = (self.shape, self.shape.output_side());
        self.convolution("first", [b.input, b.output], 3, [b.side, side]);
        self.convolution("second", [b.output, b.output], 3, [side, side]);
        self.shortcut(true);
        self.all
    }

    fn inverted_residual(mut self, kernel: usize) -> Vec<Layer> {
        let (b, side) = (self.shape, self.shape.output_side());
        if b.width != b.input {
            self.pointwise("widen", b.input, b.width, b.side);
            self.norm("widen.norm", b.width, b.side);
        }
        let depthwise = convolution(self.name("depthwise"), [1, b.width], kernel, [b.side, side]);
        self.all.push(Layer { kind: LayerKind::Depthwise, input: b.width, ..depthwise });
        self.norm("depthwise.norm", b.width, side);
        if b.squeezed() > 0 {
            for (part, input, output) in [("squeeze", b.width, b.squeezed()), ("excite", b.squeezed(), b.width)] {
                self.all.push(linear(self.name(part), input, output, None));
            }
        }
        self.pointwise("narrow", b.width, b.output, side);
        self.norm("narrow.norm", b.output, side);
        self.all
    }

    fn react(mut self) -> Vec<Layer> {
        let (b, side) = (self.shape, self.shape.output_side());
        self.learned("spatial.sign", 1, b.input, b.side);
        self.convolution("spatial", [b.input, b.input], 3, [b.side, side]);
        self.learned("spatial.prelu", 3, b.input, side);
        self.learned("pointwise.sign", 1, b.input, side);
        self.convolution("pointwise", [b.input, b.output], 1, [side, side]);
        self.learned("pointwise.prelu", 3, b.output, side);
        self.all
    }

    fn fractional(mut self) -> Vec<Layer> {
        let (b, side) = (self.shape, self.shape.output_side());
        for (part, input, from) in [("first", b.input, b.side), ("second", b.output, side)] {
            self.convolution(part, [input, b.output], 3, [from, side]);
            // The threshold of each output, and the offsets and slope of its PReLU.
            self.learned(&format!("{part}.gate"), 1, b.output, side);
            self.learned(&format!("{part}.prelu"), 3, b.output, side);
        }
        self.all
    }
}
