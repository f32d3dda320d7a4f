//! The scripts of tests/page, which steer the real page in a real browser.

use crate::chromium::Chromium;
use crate::command::{command, run};
use crate::project::Project;
use crate::server::Server;
use anyhow::{Context, Result};
use clap::ValueEnum;
use std::fs;

/// What can be run against the page beside its tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Script {
    /// How long a visitor waits until a model answers: at the first visit, at the next, and without a network
    Coldstart,
    /// Whether memory stays flat in five minutes of frames
    Long,
}

impl Script {
    /// Its name in package.json.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Coldstart => "coldstart",
            Self::Long => "long",
        }
    }
}

/// Runs a script of tests/page/package.json against the page as it lies here, served for that time.
///
/// # Errors
/// Node.js or the browser is missing, a package cannot be installed, or the script fails.
pub(crate) fn run_page_script(project: &Project, script: &str) -> Result<()> {
    let browser = Chromium::ensure(project)?.browser;
    install(project, "tests/page")?;
    let server = Server::start(project, 0)?;
    let folder = project.path("tests/page");
    let mut npm = command("npm", &["run", "--silent", script], &folder);
    run(npm.env("LSSPQ_PAGE", server.address()).env("LSSPQ_CHROMIUM", browser))
}

/// `npm ci` in that folder of the project, unless what it installed last is what the lock file says now.
///
/// # Errors
/// npm is missing, or a package cannot be installed.
pub(crate) fn install(project: &Project, folder: &str) -> Result<()> {
    let path = project.path(folder);
    let wanted = fs::read(path.join("package-lock.json"))
        .with_context(|| format!("cannot read package-lock.json in {}", path.display()))?;
    let stamp = path.join("node_modules/.installed");
    if fs::read(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    run(&mut command("npm", &["ci", "--no-audit", "--no-fund"], &path))
        .with_context(|| format!("{folder} needs Node.js 20 or newer with npm: install `nodejs` and `npm`"))?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}
