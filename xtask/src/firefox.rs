//! The second browser of the tests: Debian's Firefox, where it can be had.

use crate::apt;
use crate::command::find_program;
use crate::project::Project;

/// Installs Firefox with apt where it is missing and that is possible; a tenth of a gigabyte. Where it is not, says so:
/// the tests that want it are skipped. Nothing is installed where `LSSPQ_FIREFOX` names a Firefox, or is empty and asks
/// for none.
pub(crate) fn ensure(project: &Project) {
    let known = std::env::var_os("LSSPQ_FIREFOX").is_some();
    if known || ["firefox-esr", "firefox"].into_iter().any(|name| find_program(name).is_some()) {
        return;
    }
    if let Err(error) = apt::install(project, &["firefox-esr"]) {
        eprintln!("  the tests in Firefox are skipped, `firefox-esr` cannot be installed: {error:#}");
    }
}
