//! The browser of the tests: Debian's Chromium and its driver.

use crate::apt;
use crate::command::find_program;
use crate::project::Project;
use anyhow::{Context, Result};
use std::path::PathBuf;

/// Where the browser and its driver are.
pub(crate) struct Chromium {
    /// The browser.
    pub(crate) browser: PathBuf,
    /// The program that lets wasm-pack steer it.
    pub(crate) driver: PathBuf,
}

impl Chromium {
    /// Finds them, and installs them with apt where that is possible.
    ///
    /// # Errors
    /// They are missing and cannot be installed; the message says what to install.
    pub(crate) fn ensure(project: &Project) -> Result<Self> {
        if let Some(found) = Self::find() {
            return Ok(found);
        }
        apt::install(project, &["chromium", "chromium-driver"])
            .context("the tests need Chromium and its driver: install `chromium` and `chromium-driver`")?;
        Self::find().context("Chromium was installed, but `chromium` or `chromedriver` is not in PATH")
    }

    fn find() -> Option<Self> {
        let browser = std::env::var_os("LSSPQ_CHROMIUM")
            .map(PathBuf::from)
            .or_else(|| ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(find_program))?;
        Some(Self { browser, driver: find_program("chromedriver")? })
    }
}
