//! The real program on a terminal of the test's own: what is on the screen while a run goes on, and that the terminal
//! is as it was when it ends, however it ends.
#![cfg(unix)]

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::termios::{LocalModes, tcgetattr};
use std::fs;
use std::io::{Read, Write};
use std::process::Child;
use tempfile::TempDir;

/// A recipe that holds its first rate through the first stage: what a test waits for must be there to be seen however
/// late a slow machine looks.
fn recipe() -> String {
    let recipe = include_str!("fixture/shapes.toml");
    let held = recipe.replace("warmup_interval = 1, step_size = 2", "warmup_interval = 1, step_size = 100000");
    assert_ne!(held, recipe);
    held
}

/// Rows and columns.
const SIZE: (u16, u16) = (30, 100);

/// A run that a person looks at.
struct Seen {
    place: TempDir,
    pty: Pty,
    screen: vt100::Parser,
    run: Child,
}

impl Seen {
    fn new(arguments: &[&str]) -> Self {
        let place = TempDir::new().unwrap();
        fs::write(place.path().join("shapes.toml"), recipe()).unwrap();
        let made = std::process::Command::new(env!("CARGO_BIN_EXE_lsspq"))
            .args(["fixture", "shapes", "--train", "40", "--test", "4"])
            .current_dir(place.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let (pty, end) = open().unwrap();
        pty.resize(Size::new(SIZE.0, SIZE.1)).unwrap();
        let run = Command::new(env!("CARGO_BIN_EXE_lsspq"))
            .args(["train", "shapes.toml", "--threads", "1"])
            .args(arguments)
            .current_dir(place.path())
            .env_remove("LSSPQ_DATA")
            .env("TERM", "xterm-256color")
            .spawn(end)
            .unwrap();
        Self { place, pty, screen: vt100::Parser::new(SIZE.0, SIZE.1, 1000), run }
    }

    /// What can be read on the screen.
    fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// Takes in what the program writes next; false when it has ended.
    fn look(&mut self) -> bool {
        let mut bytes = [0; 4096];
        // At the end of the program Linux gives an error and others nothing.
        let count = self.pty.read(&mut bytes).unwrap_or(0);
        self.screen.process(&bytes[..count]);
        count > 0
    }

    /// Looks until all of it is on the screen.
    fn wait_for(&mut self, parts: &[&str]) {
        while !parts.iter().all(|part| self.text().contains(part)) {
            assert!(self.look(), "{parts:?} never came, but:\n{}", self.text());
        }
    }

    fn press(&mut self, keys: &str) {
        self.pty.write_all(keys.as_bytes()).unwrap();
    }

    /// Looks until the end, which must have that exit code and leave the terminal as it was, with those words on it. Says
    /// whether the run can be taken up again.
    fn ends(mut self, code: i32, parts: &[&str]) -> bool {
        while self.look() {}
        let status = self.run.wait().unwrap();
        let screen = self.screen.screen();
        let text = screen.contents();
        assert_eq!(status.code(), Some(code), "{text}");
        assert!(!screen.alternate_screen() && !screen.hide_cursor(), "{text}");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        let modes = tcgetattr(&self.pty).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG), "{modes:?}");
        for part in parts {
            assert!(text.contains(part), "{part} is not in:\n{text}");
        }
        self.place.path().join("runs/shapes/last.checkpoint").is_file()
    }
}

/// What is to be seen of a run that goes on.
const DASHBOARD: [&str; 8] =
    ["Status: stage 1/2, float", "Loss", "Accuracy", "Learning rate", "(batch ", "0.100000", "Progress", "Epochs :"];

/// Of the line of an epoch, whichever of them the terminal still shows.
const EPOCH: &str = "/5001  rate 0.100000  loss ";

#[test]
fn run_is_shown_and_ctrl_c_saves_and_gives_the_terminal_back() {
    let mut seen = Seen::new(&["--epochs", "5000,1"]);
    seen.wait_for(&DASHBOARD);
    seen.wait_for(&["Valid", "/5001"]);
    assert!(seen.screen.screen().alternate_screen());
    seen.press("\u{3}");
    assert!(seen.ends(130, &[EPOCH, "Ctrl-C again", "go on with --resume"]));
}

#[test]
fn both_ways_to_quit_save_and_give_the_terminal_back() {
    for (key, offer) in [("s", "[s] Stop the training."), ("k", "[k] Stop the training immediately.")] {
        let mut seen = Seen::new(&["--epochs", "5000,1"]);
        seen.wait_for(&DASHBOARD);
        seen.press("q");
        seen.wait_for(&[offer]);
        seen.press(key);
        assert!(seen.ends(130, &["go on with --resume"]), "{key}");
    }
}

#[test]
fn error_is_said_on_the_terminal_that_was_given_back() {
    let mut seen = Seen::new(&["--epochs", "5000,1"]);
    seen.wait_for(&DASHBOARD);
    let runs = seen.place.path().join("runs");
    fs::rename(runs.join("shapes"), runs.join("gone")).unwrap();
    seen.ends(5, &["error: ", "cannot be written"]);
}

#[test]
fn finished_run_leaves_its_lines_behind() {
    let seen = Seen::new(&["--epochs", "2,1"]);
    seen.ends(0, &["epoch   1/3", "epoch   3/3", "measuring on the test split", "report.html"]);
}

#[test]
fn plain_lines_are_shown_on_a_terminal_where_they_are_asked_for() {
    let mut seen = Seen::new(&["--epochs", "5000,1", "--plain"]);
    seen.wait_for(&[EPOCH]);
    assert!(!seen.screen.screen().alternate_screen());
    seen.press("\u{3}");
    seen.ends(130, &["Ctrl-C again", "go on with --resume"]);
}
