//! The binary files of CIFAR-10 and CIFAR-100.
//!
//! A record is one label byte (CIFAR-10) or a coarse and a fine one (CIFAR-100; the fine one counts), then 1024 bytes
//! of red, of green and of blue, row by row.

use super::{Part, Pictures, decode::to_square};
use crate::error::Error;
use std::path::Path;

const SIDE: usize = 32;
const AREA: usize = SIDE * SIDE;

/// Reads one part of the data set in `folder`.
pub(super) fn load(folder: &Path, part: Part, side: usize) -> Result<Pictures, Error> {
    let hundred = folder.join("fine_label_names.txt").is_file();
    let (names, label_bytes) = if hundred { ("fine_label_names.txt", 2) } else { ("batches.meta.txt", 1) };
    let classes: Vec<String> = read(folder, names).map(|text| {
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    })?;
    let files: Vec<String> = match (hundred, part) {
        (true, Part::Train) => vec!["train.bin".into()],
        (true, Part::Test) => vec!["test.bin".into()],
        (false, Part::Train) => (1..=5).map(|i| format!("data_batch_{i}.bin")).collect(),
        (false, Part::Test) => vec!["test_batch.bin".into()],
    };
    let mut pictures = Pictures { side, pixels: Vec::new(), labels: Vec::new(), classes };
    for file in &files {
        append(&mut pictures, &read(folder, file)?, label_bytes)
            .map_err(|why| Error::data(format!("{}: {why}", folder.join(file).display())))?;
    }
    if pictures.is_empty() {
        return Err(Error::data(format!("{} hold no pictures, in {}", files.join(", "), folder.display())));
    }
    Ok(pictures)
}

/// Appends the records of one file.
fn append(pictures: &mut Pictures, bytes: &[u8], label_bytes: usize) -> Result<(), String> {
    let record = label_bytes + 3 * AREA;
    if !bytes.len().is_multiple_of(record) {
        return Err(format!("its {} bytes are no whole number of records of {record}: it is cut off", bytes.len()));
    }
    for (number, record) in bytes.chunks_exact(record).enumerate() {
        let (label, planes) = (record[label_bytes - 1], &record[label_bytes..]);
        if usize::from(label) >= pictures.classes.len() {
            return Err(format!("record {number} has label {label}, allowed is 0 to {}", pictures.classes.len() - 1));
        }
        let colour = |i: usize| [planes[i], planes[AREA + i], planes[2 * AREA + i]];
        if pictures.side == SIDE {
            pictures.pixels.extend((0..AREA).flat_map(colour));
        } else {
            let rgba: Vec<u8> = (0..AREA).flat_map(|i| colour(i).into_iter().chain([255])).collect();
            pictures.pixels.extend(to_square(&rgba, SIDE as u32, SIDE as u32, pictures.side)?);
        }
        pictures.labels.push(label.into());
    }
    Ok(())
}

fn read(folder: &Path, name: &str) -> Result<Vec<u8>, Error> {
    let path = folder.join(name);
    std::fs::read(&path).map_err(|e| {
        Error::data(format!(
            "{} cannot be read: {e}; format = \"cifar-binary\" needs the binary version's files, all of them",
            path.display()
        ))
    })
}
