//! One writer of a run's folder at a time.

use crate::error::Error;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// The lock on a folder. The system lets go of it when its holder ends, however that happens; the file stays.
#[derive(Debug)]
pub(super) struct Lock {
    // Closing it lets go.
    _file: File,
}

impl Lock {
    /// The file that is locked, in a run's folder.
    pub(super) fn path(folder: &Path) -> PathBuf {
        folder.join(".lock")
    }

    /// Takes the lock.
    pub(super) fn take(folder: &Path) -> Result<Self, Error> {
        let path = Self::path(folder);
        let unwritable = |e| Error::storage(format!("{} cannot be written: {e}", path.display()));
        let file = File::options().create(true).append(true).open(&path).map_err(unwritable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::storage(format!(
                "another process is writing the run in {}: wait for it, or name another folder with --out",
                folder.display()
            ))),
            // Some network drives have no locks; that is no reason not to train on them.
            Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => Ok(Self { _file: file }),
            Err(TryLockError::Error(e)) => Err(unwritable(e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_writer_until_it_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        let error = Lock::take(folder.path()).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Storage);
        assert!(error.to_string().contains("another process"), "{error}");
        drop(first);
        Lock::take(folder.path()).unwrap();
    }
}
