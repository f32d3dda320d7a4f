//! The error type of the trainer.

use std::fmt;

/// Whose fault it is: decides the exit code of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Something that should not happen.
    Internal,
    /// Wrong arguments, or a recipe that cannot be followed.
    Recipe,
    /// Pictures or labels that are missing or broken.
    Data,
    /// Training that cannot go on, such as a loss that is no number.
    Training,
    /// The user stopped it.
    Interrupted,
    /// A folder that cannot be written, a disk that is full, or a run that another process is writing.
    Storage,
}

impl ErrorKind {
    /// The exit code of the program: 1, 2, 3, 4, 130 and 5 in the order of the variants.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Recipe => 2,
            Self::Data => 3,
            Self::Training => 4,
            Self::Interrupted => 130,
            Self::Storage => 5,
        }
    }
}

/// An error of the trainer: a kind for the program, and a sentence for people that says what to do.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

impl Error {
    /// An error of that kind, in those words.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Wrong arguments or a wrong recipe.
    pub fn recipe(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Recipe, message)
    }

    /// Missing or broken data.
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, message)
    }

    /// Training that cannot go on.
    pub fn training(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Training, message)
    }

    /// A folder or disk that cannot be written.
    pub fn storage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Storage, message)
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
