//! The error of deployed networks and of the files that hold them.

use std::fmt;

/// What kind of thing is wrong; [`NetworkError`] carries the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkErrorKind {
    /// The parts of a network do not fit its specification, or a number in it is not finite.
    Inconsistent,
    /// The bytes are no ONNX file that [`crate::export`] wrote.
    Unreadable,
}

/// A network that cannot be run or written, or a file that cannot be read as one.
#[derive(Clone, Debug)]
pub struct NetworkError {
    kind: NetworkErrorKind,
    message: String,
}

impl NetworkError {
    pub(crate) fn inconsistent(message: impl Into<String>) -> Self {
        Self { kind: NetworkErrorKind::Inconsistent, message: message.into() }
    }

    pub(crate) fn unreadable(message: impl Into<String>) -> Self {
        Self { kind: NetworkErrorKind::Unreadable, message: message.into() }
    }

    /// What kind of thing is wrong.
    pub fn kind(&self) -> NetworkErrorKind {
        self.kind
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for NetworkError {}
