//! Classify pictures with an L-SSPQ network, natively or in the browser.
//!
//! An L-SSPQ network replaces every spatial convolution by a shift of each channel and keeps the rest in a few bits a
//! weight, so that a whole classifier is one small ONNX file. This library reads such a file, turns pictures of any
//! size into the network's input, and answers with labels:
//!
//! - [`Model`] is a loaded file: [`Model::classify`], [`Model::embed`], [`Model::card`], [`Model::metrics`].
//! - [`PlainClassifier`] is any other classifier with a fixed input, as ONNX.
//! - [`teach`] lets somebody teach classes of their own on top of a model.
//! - [`preprocess`] is the one way from pixels to the input.
//! - [`card`] and [`spec`] are what a file says about itself, [`size`] and [`metrics`] what follows from it.
//!
//! Built for `wasm32-unknown-unknown` it is also the npm package: the class `Classifier` of the module `wasm`.
//!
//! ```
//! use lsspq::{ErrorKind, Model};
//!
//! // A file that cannot be used says why, to people and to programs.
//! let error = Model::load(b"GIF89a").unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::NotAModel);
//!
//! # if !std::path::Path::new("www/models/cifar10.onnx").exists() { return Ok(()); }
//! let model = Model::load(&std::fs::read("www/models/cifar10.onnx")?)?;
//! let (width, height) = (640, 480);
//! let sky = [90, 150, 230, 255].repeat(width * height);
//! for class in model.classify(&sky, width as u32, height as u32, 3)? {
//!     println!("{:5.1} % {}", 100.0 * class.probability, class.label);
//! }
//! println!("{:.3} MiB for {}", model.metrics().size_mib, model.card().dataset);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod calibration;
pub mod card;
mod engine;
mod error;
pub mod kernels;
pub mod labels;
pub mod metrics;
mod model;
mod onnx;
pub mod plain;
mod plan;
pub mod preprocess;
pub mod shifts;
pub mod size;
pub mod spec;
pub mod teach;
#[cfg(target_arch = "wasm32")]
pub mod wasm;

pub use card::ModelCard;
pub use error::{Error, ErrorKind};
pub use metrics::Metrics;
pub use model::{LayerTime, Model, Output, Prediction};
pub use plain::PlainClassifier;
pub use plan::PlannedLayer;
