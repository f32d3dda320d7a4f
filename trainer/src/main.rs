//! The `lsspq` command: [`cli::run`] does the work, this maps its errors to exit codes.

mod cli;

use lsspq_trainer::{Error, ErrorKind};
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(exit_code(&error))
        }
    }
}

/// 1 for what should not happen, 2 for arguments and recipes, 3 for pictures and model files, 4 for training, 5 for the
/// disk, 130 when interrupted.
fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(error) = error.downcast_ref::<Error>() {
        error.kind().exit_code()
    } else if error.is::<lsspq::Error>() {
        ErrorKind::Data.exit_code()
    } else {
        ErrorKind::Internal.exit_code()
    }
}
