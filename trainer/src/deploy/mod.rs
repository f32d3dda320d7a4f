//! A trained network in the form it is deployed in: whole-number weights and shifts, BatchNorm folded away.
//!
//! An activation of `k` bits is carried as the whole number `0 ..= L`, `L = 2^k - 1` (its value is that over `L`), a
//! weight of `k` bits as a level `q` in `0 ..= 2^k - 1`. What multiplies is the whole number `2 q - (2^k - 1)`; every
//! constant factor (the levels, DoReFa's or BWN's scale, BatchNorm) is folded into one [`Affine`] behind the sum.
//! A float weight stands beside levels in [`Weights`]; with float activations `L` is 1 and nothing is rounded.
//!
//! Training makes a [`Network`] by folding; [`crate::export`] writes it as an ONNX file. [`plain`] says in a page of
//! loops what such a network computes, and [`fast`] computes the same on many pictures at once.

mod check;
mod error;
pub mod fast;
mod network;
pub mod plain;
pub(crate) mod random;
mod slim;

pub use error::{NetworkError, NetworkErrorKind};
pub use network::{Affine, Block, Convolution, Network, Pointwise, Weights, fits_half};
pub use random::random;

/// What a network says about pictures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prediction {
    /// `[pictures][classes]`, row-major: the larger, the likelier the class.
    pub logits: Vec<f32>,
    /// `[pictures][features]`, row-major: the mean of each channel before the linear layer, in units of levels.
    pub embedding: Vec<f32>,
}
