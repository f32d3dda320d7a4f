//! Train L-SSPQ networks natively and export them to one small ONNX file.

pub mod altered;
pub mod augment;
pub mod batches;
pub mod compare;
pub mod composed;
pub mod compute;
pub mod data;
pub mod deploy;
mod error;
pub mod eval;
pub mod export;
pub mod file;
pub mod fixture;
pub mod fused;
pub mod inspect;
pub mod kernels;
pub mod lend;
#[cfg(feature = "libtorch")]
pub mod libtorch;
pub mod mirror;
pub mod model_card;
pub mod network;
pub mod paper;
pub mod publish;
pub mod quantise;
pub mod random;
pub mod recipe;
pub mod report;
pub mod sweep;
pub mod train;

pub use error::{Error, ErrorKind};
pub use recipe::Recipe;
