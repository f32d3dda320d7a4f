//! The terminal, as a full-screen display takes it over and leaves it.

use crossterm::cursor::Show;
use crossterm::event::DisableMouseCapture;
use crossterm::terminal::{LeaveAlternateScreen, disable_raw_mode, is_raw_mode_enabled};
use std::io::IsTerminal;
use std::time::Duration;

/// How often the display is looked at while it comes up, and for how long.
const LOOKS: u32 = 2000;

/// Whether the program may take the terminal over: it reads from one and writes to one, which can move its cursor, and
/// is not in the background, where asking for the keyboard would stop it.
pub(super) fn is_ours() -> bool {
    let capable = cfg!(windows) || std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
    capable && std::io::stdout().is_terminal() && std::io::stdin().is_terminal() && is_in_front()
}

#[cfg(unix)]
fn is_in_front() -> bool {
    rustix::termios::tcgetpgrp(std::io::stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
}

#[cfg(not(unix))]
fn is_in_front() -> bool {
    true
}

/// Waits until a display that another thread brings up has the keyboard; false where it does not get it.
pub(super) fn wait_until_taken() -> bool {
    let is_taken = || is_raw_mode_enabled().unwrap_or(false);
    (0..LOOKS).any(|_| {
        let taken = is_taken();
        if !taken {
            std::thread::sleep(Duration::from_millis(1));
        }
        taken
    })
}

/// Lets Ctrl-C be the signal that it is elsewhere: a display that has the keyboard gets every key as a letter, this one
/// too. Of the other keys that make signals, those that would end or stop the program and leave the terminal as it is
/// make none.
#[cfg(unix)]
pub(super) fn keep_interrupt() {
    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
    /// What switches a key off (`_POSIX_VDISABLE`).
    const OFF: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };
    let terminal = std::io::stdin();
    let Ok(mut modes) = tcgetattr(&terminal) else { return };
    modes.local_modes |= LocalModes::ISIG;
    modes.special_codes[SpecialCodeIndex::VQUIT] = OFF;
    modes.special_codes[SpecialCodeIndex::VSUSP] = OFF;
    // Without it the display's own keys still stop the run.
    let _ = tcsetattr(&terminal, OptionalActions::Now, &modes);
}

#[cfg(not(unix))]
pub(super) fn keep_interrupt() {}

/// Gives back whatever is still taken; nothing where nothing is.
pub(super) fn restore() {
    // A terminal that is gone needs nothing back.
    if is_raw_mode_enabled().unwrap_or(false) {
        let _ = disable_raw_mode();
        let _ = crossterm::execute!(std::io::stdout(), DisableMouseCapture, LeaveAlternateScreen);
    }
    let _ = crossterm::execute!(std::io::stdout(), Show);
}
