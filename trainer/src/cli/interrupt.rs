//! Ctrl-C, once to save and stop, twice to stop at once.

use anyhow::Context;
use lsspq_trainer::ErrorKind;
use lsspq_trainer::train::leave_dashboard;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Begins to watch for Ctrl-C (and the system's request to end); the flag is set when it comes.
pub(super) fn watch() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&flag);
    ctrlc::set_handler(move || {
        leave_dashboard();
        if seen.swap(true, Ordering::SeqCst) {
            std::process::exit(ErrorKind::Interrupted.exit_code().into());
        }
        eprintln!("\nstopping after this step and saving; Ctrl-C again stops at once");
    })
    .context("Ctrl-C cannot be watched for")?;
    Ok(flag)
}
