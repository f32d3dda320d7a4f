//! The browser of the tests: Debian's Chromium and its driver.

use crate::command::{command, find_program, output, run};
use crate::project::Project;
use anyhow::{Context, Result, bail};
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
        install(project).context("the tests need Chromium and its driver: install `chromium` and `chromium-driver`")?;
        Self::find().context("Chromium was installed, but `chromium` or `chromedriver` is not in PATH")
    }

    fn find() -> Option<Self> {
        let browser = std::env::var_os("LSSPQ_CHROMIUM")
            .map(PathBuf::from)
            .or_else(|| ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(find_program))?;
        Some(Self { browser, driver: find_program("chromedriver")? })
    }
}

fn install(project: &Project) -> Result<()> {
    if find_program("apt-get").is_none() {
        bail!("this system has no apt-get");
    }
    let root = output(&mut command("id", &["-u"], project.root())).is_some_and(|id| id.trim() == "0");
    let prefix: &[&str] = match (root, find_program("sudo")) {
        (true, _) => &[],
        // Never ask for a password in the middle of a test run.
        (false, Some(_)) => &["sudo", "--non-interactive"],
        (false, None) => bail!("installing them needs root or sudo"),
    };
    let apt = |arguments: &[&str]| {
        let words = [prefix, &["apt-get", "--yes"], arguments].concat();
        run(command(words[0], &words[1..], project.root()).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update"])?;
    apt(&["install", "--no-install-recommends", "chromium", "chromium-driver"])
}
