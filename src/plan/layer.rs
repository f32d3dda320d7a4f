//! What is recognised: the values of a graph that we can compute, each with how.

use super::graph::ValueId;
use crate::kernels::{Affine, FloatWeights, MaxPool, PointwiseWeights, Stem};

/// Position of a [`Layer`] in the list of those recognised.
pub(super) type LayerId = usize;

/// Extent of a value for one picture; `channels`, `height` and `width` are those of one view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Whether it is a vector `[1, channels]` and no map `[1, channels, height, width]`.
    pub(super) flat: bool,
    /// How many views of the picture it has values of, one behind the other: 2 where a mirror image goes beside it.
    pub(super) views: usize,
}

impl Shape {
    /// A map of one view.
    pub(super) fn map(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width, flat: false, views: 1 }
    }

    /// A vector of one view.
    pub(super) fn vector(channels: usize) -> Self {
        Self { flat: true, ..Self::map(channels, 1, 1) }
    }

    pub(super) fn pixels(&self) -> usize {
        self.height.saturating_mul(self.width)
    }

    pub(super) fn len(&self) -> usize {
        self.pixels().saturating_mul(self.channels)
    }
}

/// A value of the graph and how it comes about.
pub(super) struct Layer {
    pub(super) op: Op,
    pub(super) shape: Shape,
    /// The largest level, where the value is a quantised activation; none where it is floats.
    pub(super) top: Option<u8>,
    /// The value of the graph.
    pub(super) value: ValueId,
    /// The node that gives it. All that the layer takes is given by earlier nodes.
    pub(super) node: usize,
}

/// How a value comes about.
pub(super) enum Op {
    /// tract computes it.
    Foreign,
    /// Sums of the stem over the picture.
    Stem {
        stem: Stem,
        mean: [f32; 3],
        gain: [f32; 3],
    },
    /// Sums of whole-number weights, behind a shift or a stride.
    Product {
        x: LayerId,
        shift: Option<Gather>,
        weights: Box<PointwiseWeights>,
    },
    /// Sums of a linear layer in float.
    Float {
        x: LayerId,
        weights: FloatWeights,
    },
    MaxPool {
        x: LayerId,
        pool: MaxPool,
    },
    /// The sum over all pixels, times `share`; where `x` has more views than the sum has, over those too.
    Mean {
        x: LayerId,
        share: f32,
    },
    /// Scale and bias.
    Affine {
        x: LayerId,
        affine: Affine,
    },
    /// The sum of floats and either floats or levels.
    Add {
        x: LayerId,
        y: LayerId,
    },
    /// Scale and bias where there are any, clip and round.
    Quantise {
        x: LayerId,
        affine: Option<Affine>,
    },
}

/// Where a product reads its input.
#[derive(Clone, Debug)]
pub(super) struct Gather {
    /// `(dy, dx)` of every channel.
    pub(super) displacements: Vec<(i8, i8)>,
    pub(super) stride: usize,
}

impl Op {
    /// The layers that it takes.
    pub(super) fn inputs(&self) -> impl Iterator<Item = LayerId> {
        let (x, y) = match *self {
            Self::Foreign | Self::Stem { .. } => (None, None),
            Self::Product { x, .. }
            | Self::Float { x, .. }
            | Self::MaxPool { x, .. }
            | Self::Mean { x, .. }
            | Self::Affine { x, .. }
            | Self::Quantise { x, .. } => (Some(x), None),
            Self::Add { x, y } => (Some(x), Some(y)),
        };
        x.into_iter().chain(y)
    }
}
