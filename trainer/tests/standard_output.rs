//! The real binary where standard output is closed or full.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

fn lsspq(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lsspq"));
    command.args(arguments).current_dir(folder).env_remove("LSSPQ_DATA").stderr(Stdio::piped());
    command
}

fn place() -> TempDir {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("shapes.toml"), include_str!("fixture/shapes.toml")).unwrap();
    place
}

#[test]
fn work_goes_on_where_nobody_reads_what_it_says() {
    let place = place();
    let verbs: [&[&str]; 3] = [
        &["fixture", "shapes", "--train", "40", "--test", "4"],
        &["inspect", "shapes.toml"],
        &["train", "shapes.toml", "--epochs", "1,1", "--plain"],
    ];
    for arguments in verbs {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = lsspq(place.path(), arguments).stdout(writer).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !message.contains("panicked"), "{arguments:?}: {message}");
    }
    for name in ["shapes.onnx", "report.html"] {
        assert!(place.path().join("runs/shapes").join(name).is_file(), "{name}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn words_that_find_no_room_are_an_error() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = lsspq(place().path(), &["inspect", "shapes.toml"]).stdout(full).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{message}");
    assert!(message.contains("standard output cannot be written"), "{message}");
}
