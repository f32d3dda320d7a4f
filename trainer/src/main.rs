//! The `lsspq` command: [`cli::run`] does the work, this maps its errors to exit codes.

mod cli;

use lsspq_trainer::{Error, ErrorKind};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Burn reads what an optimiser has saved into its default device before it goes where it belongs. Where a GPU is built
    // in that would be one, and a machine without it could not resume a run on its CPU.
    // SAFETY: there is no other thread yet that could read the environment at the same time.
    unsafe { std::env::set_var("BURN_DEVICE", "flex") };
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
