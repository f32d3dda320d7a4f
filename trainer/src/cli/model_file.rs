//! Model files as the verbs take them.

use anyhow::Context;
use lsspq::Model;
use std::path::Path;

/// Reads the bytes of a model file; one that is too large is refused before it is read. Errors name the file.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = || -> anyhow::Result<Vec<u8>> {
        Model::check_size(std::fs::metadata(path)?.len())?;
        Ok(std::fs::read(path)?)
    };
    bytes().with_context(|| path.display().to_string())
}
