//! Model files as the verbs take them.

use anyhow::Context;
use lsspq::Model;
use lsspq_trainer::Error;
use std::path::Path;

/// Reads the bytes of a model file; one that is too large is refused before it is read. Errors name the file.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = || -> anyhow::Result<Vec<u8>> {
        Model::check_size(std::fs::metadata(path)?.len())?;
        Ok(std::fs::read(path)?)
    };
    bytes().with_context(|| path.display().to_string())
}

/// Refuses to write over a file that is there, unless that was asked for.
pub(super) fn refuse_to_replace(out: &Path, overwrite: bool) -> Result<(), Error> {
    if out.exists() && !overwrite {
        let message = format!("{} is there already: replace it by --overwrite, or name another file", out.display());
        return Err(Error::recipe(message));
    }
    Ok(())
}
