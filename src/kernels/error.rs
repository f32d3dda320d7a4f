//! The error of this module.

use std::fmt;

/// A layer that these kernels cannot compute, or slices that do not fit the layer.
///
/// Such a layer is to be left to the float graph; the message says what does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelError(String);

impl KernelError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KernelError {}

/// Compares a length with the one that a layer needs.
pub(super) fn expect_length(what: &str, found: usize, wanted: usize) -> Result<(), KernelError> {
    if found == wanted { Ok(()) } else { Err(KernelError::new(format!("{what}: {found} values instead of {wanted}"))) }
}
