//! Words on standard output.

use lsspq_trainer::ErrorKind;
use std::fmt::Display;
use std::io::{ErrorKind as Io, Write, stdout};

/// Writes a line as `println!` does, which panics where nobody reads on (`lsspq inspect FILE | head`); here the work goes on
/// unheard.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::say::text(format_args!("{}\n", format_args!($($text)*)))
    };
}
pub(super) use say;

/// Writes text. Where it can't be written though somebody wants it, as on a full disk, the program ends.
pub(super) fn text(text: impl Display) {
    let mut out = stdout();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != Io::BrokenPipe => {
            // A word about it may be lost with it.
            let _ = writeln!(std::io::stderr(), "error: standard output cannot be written: {error}");
            std::process::exit(ErrorKind::Storage.exit_code().into());
        }
        _ => {}
    }
}
