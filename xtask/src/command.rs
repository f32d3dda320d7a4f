//! Running other programs, and saying which one failed.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A command in a folder.
pub(crate) fn command(program: impl AsRef<OsStr>, arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    command
}

/// Cargo as it runs this program, so that the toolchain is the same.
pub(crate) fn cargo(arguments: &[&str], folder: &Path) -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments, folder)
}

/// Shows the command, runs it, and waits for it.
///
/// # Errors
/// The program cannot be started, or it ends with another status than zero.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    eprintln!("  $ {shown}");
    let status = command.status().with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// What the command prints on its standard output, if it ends well.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|o| o.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// The program's path, looked up in `PATH`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Puts a folder in front of the command's `PATH`.
///
/// # Errors
/// The folder's name has a character that `PATH` cannot carry.
pub(crate) fn prepend_path(command: &mut Command, folder: PathBuf) -> Result<()> {
    let old = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(folder).chain(std::env::split_paths(&old));
    command.env("PATH", std::env::join_paths(all).context("the tools' folder cannot be in PATH")?);
    Ok(())
}

fn show(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args()).map(OsStr::to_string_lossy);
    words.collect::<Vec<_>>().join(" ")
}
