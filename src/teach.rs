//! Classes that somebody teaches with pictures of their own, on top of a network that is never changed.
//!
//! A [`Teacher`] keeps the embeddings of the pictures it is shown, each under the name of a class, and trains a linear
//! [`Head`] on them: class probabilities from an embedding. The embedding of a picture is
//! [`Model::embed`](crate::Model::embed)'s, or comes with every [`Output`](crate::Output). What was taught is one small
//! file ([`Teacher::to_bytes`]): names, embeddings and head, with the hash of the model whose embeddings they are.
//!
//! ```
//! use lsspq::teach::Teacher;
//!
//! # if !std::path::Path::new("www/models/cifar10.onnx").exists() { return Ok(()); }
//! let model = lsspq::Model::load(&std::fs::read("www/models/cifar10.onnx")?)?;
//! let mut teacher = Teacher::new(&model);
//! for (name, colour) in [("sky", [90, 150, 230, 255]), ("grass", [60, 140, 40, 255])] {
//!     let class = teacher.add_class(name)?;
//!     teacher.add(class, &model.embed(&colour.repeat(64), 8, 8)?, false)?;
//! }
//! teacher.train();
//! let embedding = model.embed(&[70, 150, 50, 255].repeat(64), 8, 8)?;
//! assert_eq!(teacher.predict(&embedding, 1)?[0].label, "grass");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod classes;
mod features;
mod file;
mod head;
mod held_out;
mod history;
mod linear;
mod logistic;
mod nearest_mean;
mod teacher;

#[cfg(test)]
mod tests;

pub use classes::{Class, MAX_CLASSES, MAX_EXAMPLES, MAX_NAME};
pub use file::{MAX_BYTES, VERSION};
pub use head::{Head, HeadKind, LOGISTIC_FROM};
pub use held_out::{FOLDS, HeldOut, HeldOutClass};
pub use teacher::Teacher;
