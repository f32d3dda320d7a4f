//! Steps of training, ours and PyTorch's in turns.

use super::Row;
use super::row::{table, write};
use crate::project::Project;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;

/// How long and where to.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Turns of each engine; the first is not counted
    #[arg(long, default_value_t = 8)]
    turns: usize,
    /// Also write the rows to this file, as a JSON array
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Builds, measures, prints the table.
///
/// # Errors
/// An engine cannot be built or installed, or it fails.
pub(super) fn run(project: &Project, arguments: &Arguments) -> Result<()> {
    let rows = measure(project, arguments.turns)?;
    print!("{}", table(&rows));
    arguments.json.as_deref().map_or(Ok(()), |path| write(&rows, path))
}

fn measure(_project: &Project, _turns: usize) -> Result<Vec<Row>> {
    anyhow::bail!("the benchmark of training is not there yet")
}
