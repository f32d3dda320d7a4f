//! The one error type of the library.

use std::fmt;

/// What kind of thing went wrong; [`Error`] carries the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes are no ONNX file, or only a part of one.
    NotAModel,
    /// The file is larger than `Model::MAX_BYTES`.
    TooLarge,
    /// An ONNX file without any metadata of this project: perhaps another program's classifier, see `PlainClassifier`.
    NoCard,
    /// The metadata of this project is incomplete or unreadable.
    Metadata,
    /// The graph has inputs, outputs or operators that this library cannot run.
    Unsupported,
    /// A list of labels that is unreadable or does not fit the classes.
    Labels,
    /// A picture whose size and number of bytes disagree, or an empty one.
    Picture,
    /// The network failed while it ran.
    Inference,
    /// Classes that are taught: a name that cannot be, or one class or picture too many.
    Classes,
    /// A file that holds no taught classes, or is damaged, or of another version.
    Taught,
    /// Taught classes of another model.
    OtherModel,
}

impl ErrorKind {
    /// A short stable name for programs, such as `not-a-model`.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotAModel => "not-a-model",
            Self::TooLarge => "too-large",
            Self::NoCard => "no-card",
            Self::Metadata => "metadata",
            Self::Unsupported => "unsupported",
            Self::Labels => "labels",
            Self::Picture => "picture",
            Self::Inference => "inference",
            Self::Classes => "classes",
            Self::Taught => "taught",
            Self::OtherModel => "other-model",
        }
    }
}

/// An error of the library: a kind for programs, and a sentence for people.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

impl Error {
    /// An error of that kind, in those words.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
