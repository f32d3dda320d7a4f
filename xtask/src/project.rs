//! Where things lie in the project.

use std::path::{Path, PathBuf};

/// The checkout.
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// The checkout that Cargo runs this program for; without Cargo, the one that it was built from. They differ where two
    /// checkouts share a target folder.
    pub(crate) fn find() -> Self {
        let xtask = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let xtask = Path::new(&xtask);
        Self { root: xtask.parent().unwrap_or(xtask).to_owned() }
    }

    /// A checkout whose root is known.
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path given relative to the root.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Where the WebAssembly tools are installed: `.cache/tools`, or the folder that `LSSPQ_TOOLS` names.
    pub(crate) fn tools(&self) -> PathBuf {
        std::env::var_os("LSSPQ_TOOLS").map_or_else(|| self.path(".cache/tools"), PathBuf::from)
    }
}
