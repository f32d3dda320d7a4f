//! The classes and the embeddings of the pictures under them.

use crate::error::{Error, ErrorKind};
use tract_onnx::prelude::f16;

/// The most classes that are taught at once.
pub const MAX_CLASSES: usize = 50;
/// The most pictures of all classes together: more would make training take seconds.
pub const MAX_EXAMPLES: usize = 2000;
/// The most characters in the name of a class.
pub const MAX_NAME: usize = 60;

/// One class: its name and the pictures it was taught with.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    pub(super) name: String,
    pub(super) examples: Vec<Example>,
}

/// One picture, as the network embeds it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Example {
    /// Names it for whoever keeps the picture itself.
    pub(super) id: u32,
    /// As [`rounded`] leaves it.
    pub(super) embedding: Vec<f32>,
}

impl Class {
    /// Name of the class, unlike all others even in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The identities of its pictures, in the order in which they were added.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.examples.iter().map(|e| e.id)
    }
}

/// A name as it is kept: without spaces at its ends. `others` are the names it must not equal, in whatever case.
///
/// # Errors
/// [`ErrorKind::Classes`] where it is empty, too long, has control characters, or is another class's already.
pub(super) fn checked_name<'a>(name: &str, mut others: impl Iterator<Item = &'a str>) -> Result<String, Error> {
    let refused = |what: String| Err(Error::new(ErrorKind::Classes, what));
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 {
        return refused("a class needs a name".into());
    }
    if length > MAX_NAME {
        return refused(format!("a name has at most {MAX_NAME} characters, this one has {length}"));
    }
    if name.chars().any(char::is_control) {
        return refused("a name is one line of text without control characters".into());
    }
    let lower = name.to_lowercase();
    if others.any(|other| other.to_lowercase() == lower) {
        return refused(format!("there is a class {name} already"));
    }
    Ok(name.to_owned())
}

/// An embedding as it is kept in memory and in the file alike, in half precision: so what is learned from a loaded file
/// is what was learned before it was saved.
///
/// # Errors
/// [`ErrorKind::Inference`] where it has another length than `features`, or something in it is no number.
pub(super) fn rounded(embedding: &[f32], features: usize) -> Result<Vec<f32>, Error> {
    check_embedding(embedding, features)?;
    let largest = f16::MAX.to_f32();
    Ok(embedding.iter().map(|v| f16::from_f32(v.clamp(-largest, largest)).to_f32()).collect())
}

/// # Errors
/// As [`rounded`].
pub(super) fn check_embedding(embedding: &[f32], features: usize) -> Result<(), Error> {
    let refused = |what: String| Err(Error::new(ErrorKind::Inference, what));
    if embedding.len() != features {
        return refused(format!("the model's embedding has {features} values, got {}", embedding.len()));
    }
    if !embedding.iter().all(|v| v.is_finite()) {
        return refused("an embedding has something in it that is no number".into());
    }
    Ok(())
}
