//! Debian's packages, where this machine lets us install them.

use crate::command::{command, find_program, output, run};
use crate::project::Project;
use anyhow::{Result, bail};

/// Installs packages.
///
/// # Errors
/// There is no apt-get, neither root nor `sudo` without a password, or apt-get fails.
pub(crate) fn install(project: &Project, packages: &[&str]) -> Result<()> {
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
    apt(&[&["install", "--no-install-recommends"], packages].concat())
}
