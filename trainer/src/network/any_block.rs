//! A block of whichever kind its group says.

use super::active_shift::ActiveShift;
use super::binary::Binary;
use super::flow::Flow;
use super::inverted::InvertedResidual;
use super::residual::Residual;
use super::{Block, Keep, Mode, Norm};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use lsspq::spec::BlockShape;

/// Parameters of a block of one [kind](lsspq::spec::BlockKind).
#[derive(Module, Debug)]
pub enum AnyBlock {
    /// Of L-SSPQ.
    Shift(Block),
    /// Of ASL50.
    ActiveShift(ActiveShift),
    /// Of ResNet.
    Residual(Residual),
    /// Of MobileNet.
    Inverted(InvertedResidual),
    /// Of ReActNet and FracBNN.
    Binary(Binary),
}

impl AnyBlock {
    /// Runs a map through the block; `keep` takes each BatchNorm's statistics, in the order of [`Self::norms_mut`].
    pub(super) fn forward(&self, flow: Flow<'_>, shape: &BlockShape, mode: Mode, keep: &mut Keep<'_>) -> Flow<'static> {
        match self {
            Self::Shift(block) => block.forward(flow, shape, mode, keep),
            Self::ActiveShift(block) => Flow::of(block.forward(flow.settle(mode, keep), shape, mode, keep)),
            Self::Residual(block) => Flow::of(block.forward(flow.settle(mode, keep), shape, mode, keep)),
            Self::Inverted(block) => Flow::of(block.forward(flow.settle(mode, keep), shape, mode, keep)),
            Self::Binary(block) => Flow::of(block.forward(flow.settle(mode, keep), shape, mode, keep)),
        }
    }

    pub(super) fn norms_mut(&mut self) -> Vec<&mut Norm> {
        match self {
            Self::Shift(block) => block.norms_mut().collect(),
            Self::ActiveShift(block) => block.norms_mut(),
            Self::Residual(block) => block.norms_mut(),
            Self::Inverted(block) => block.norms_mut(),
            Self::Binary(block) => block.norms_mut(),
        }
    }

    /// The parameters that weight decay applies to.
    pub(super) fn weights(&self) -> Vec<&Param<Tensor<2>>> {
        match self {
            Self::Shift(block) => [&block.reduce, &block.expand].into_iter().chain(&block.shortcut).collect(),
            Self::ActiveShift(block) => block.weights(),
            Self::Residual(block) => block.weights(),
            Self::Inverted(block) => block.weights(),
            Self::Binary(block) => block.weights(),
        }
    }

    /// Its displacements, `[channels, 2]`, where it shifts.
    pub(super) fn shifts(&self) -> Option<&Param<Tensor<2>>> {
        match self {
            Self::Shift(block) => Some(&block.shifts),
            Self::ActiveShift(block) => Some(&block.shifts),
            Self::Residual(_) | Self::Inverted(_) | Self::Binary(_) => None,
        }
    }

    /// The same, to change them.
    pub(super) fn shifts_mut(&mut self) -> Option<&mut Param<Tensor<2>>> {
        match self {
            Self::Shift(block) => Some(&mut block.shifts),
            Self::ActiveShift(block) => Some(&mut block.shifts),
            Self::Residual(_) | Self::Inverted(_) | Self::Binary(_) => None,
        }
    }

    /// The block of L-SSPQ, if it is one.
    pub(crate) fn as_shift(&self) -> Option<&Block> {
        if let Self::Shift(block) = self { Some(block) } else { None }
    }

    /// The same, to change it.
    pub(super) fn as_shift_mut(&mut self) -> Option<&mut Block> {
        if let Self::Shift(block) = self { Some(block) } else { None }
    }
}
