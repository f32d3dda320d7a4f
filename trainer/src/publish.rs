//! Publishing a model: what must be true of a file before the page serves it.
//!
//! A file is refused where its card does not say what a visitor has to know, where the trainer's own forms of the network, the
//! library that the browser runs and (where there is a Python for it) onnxruntime do not say the same to the same
//! pictures, or where a checksum is not what it should be.

use crate::deploy::fast::Fast;
use crate::deploy::{self, plain};
use crate::error::Error;
use crate::{export, file, fixture};
use lsspq::preprocess::rgba_from_rgb;
use lsspq::{Model, ModelCard};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How far logits of two engines may lie apart; sums are exact, so this is the rounding of the last scale and bias.
pub const TOLERANCE: f32 = 1e-3;
/// Pictures that the engines are compared on, drawn by rule.
const PICTURES: usize = 24;
/// Of them, those that the slow reference form sees too.
const PLAIN: usize = 2;

/// The checker that also runs a file in onnxruntime.
const CHECKER: &str = include_str!("../../tests/python/check_onnx.py");

/// The list of the page's models, `index.json`. What this program does not know in it stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// The models in the order in which the page offers them.
    pub models: Vec<Entry>,
    #[serde(flatten)]
    others: serde_json::Map<String, serde_json::Value>,
}

/// One model of the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Name of the file beside the list.
    pub file: String,
    /// The name that the page shows.
    pub name: String,
    /// The data set.
    #[serde(default)]
    pub dataset: String,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// Length of the file.
    pub bytes: u64,
    #[serde(flatten)]
    others: serde_json::Map<String, serde_json::Value>,
}

/// SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is missing in a card before a stranger may be shown the model; nothing where it is complete.
pub fn card_faults(card: &ModelCard) -> Vec<String> {
    let mut faults = Vec::new();
    let mut need = |holds: bool, what: &str| {
        if !holds {
            faults.push(what.to_owned());
        }
    };
    let measured = card.accuracy.filter(|a| a.images > 0 && a.top1 <= a.top5 && a.top5 <= a.images);
    need(
        measured.is_some(),
        "it states no accuracy on a test split: let `lsspq train` end, which measures it, or `lsspq eval --write`",
    );
    need(!card.dataset.trim().is_empty(), "it names no data set: set data.dataset in the recipe");
    need(!card.licence.trim().is_empty(), "it has no licence: set licence in the recipe");
    need(!card.recipe.trim().is_empty(), "it carries no recipe");
    let mut labels: Vec<&str> = card.labels.iter().map(|l| l.trim()).collect();
    need(labels.iter().all(|l| !l.is_empty()), "a class has no name");
    labels.sort_unstable();
    need(labels.windows(2).all(|pair| pair[0] != pair[1]), "two classes have the same name");
    faults
}

/// Shows the same pictures to the trainer's fast form, its plain form and the library, and to onnxruntime where `python` is
/// given (a Python with `onnx` and `onnxruntime`). Gives the names of the engines that agreed.
///
/// # Errors
/// The two engines that disagree, and on what; or one that does not run the file.
pub fn check_parity(bytes: &[u8], python: Option<&Path>) -> Result<Vec<&'static str>, Error> {
    let wrong = |e: &dyn std::fmt::Display| Error::data(format!("the file cannot be published: {e}"));
    let model = Model::load(bytes).map_err(|e| wrong(&e))?;
    let (network, _) = export::from_onnx(bytes).map_err(|e| wrong(&e))?;
    let side = network.spec.input;
    let mut inputs = Vec::new();
    let mut library = Vec::new();
    for number in 0..PICTURES {
        let rgb = fixture::picture(number % fixture::CLASSES.len(), number as u32, side, 1);
        let input = model.input(&rgba_from_rgb(&rgb), side as u32, side as u32).map_err(|e| wrong(&e))?;
        library.extend(model.run(&input).map_err(|e| wrong(&e))?.logits);
        inputs.extend(input);
    }
    let classes = network.spec.classes;
    let fast = Fast::new(&network).and_then(|fast| fast.evaluate(&inputs)).map_err(|e| wrong(&e))?.logits;
    agree("the library", &library, "the trainer", &fast, classes)?;
    agree("the library", &library, "the trainer's plain form", &plain_logits(&network, &inputs)?, classes)?;
    let mut engines = vec!["trainer (fast and plain form)", "library"];
    if let Some(python) = python {
        agree("the library", &library, "onnxruntime", &onnxruntime(bytes, &inputs, python)?, classes)?;
        engines.push("onnxruntime");
    }
    Ok(engines)
}

fn plain_logits(network: &deploy::Network, inputs: &[f32]) -> Result<Vec<f32>, Error> {
    let one = 3 * network.spec.input * network.spec.input;
    let mut logits = Vec::new();
    for image in inputs.chunks_exact(one).take(PLAIN) {
        let prediction = plain::evaluate(network, image);
        logits.extend(prediction.map_err(|e| Error::data(format!("the plain form: {e}")))?.logits);
    }
    Ok(logits)
}

/// The same first class and logits within [`TOLERANCE`], for the pictures that both have.
fn agree(one: &str, a: &[f32], other: &str, b: &[f32], classes: usize) -> Result<(), Error> {
    for (picture, (a, b)) in a.chunks_exact(classes).zip(b.chunks_exact(classes)).enumerate() {
        let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let first = |logits: &[f32]| (0..classes).rev().max_by(|&m, &n| logits[m].total_cmp(&logits[n]));
        if first(a) != first(b) || apart.is_nan() || apart > TOLERANCE {
            return Err(Error::data(format!(
                "the file cannot be published: {one} and {other} differ on drawn picture {picture}: a logit by {apart}, \
                 allowed is {TOLERANCE}, and the same class must come first"
            )));
        }
    }
    Ok(())
}

fn onnxruntime(bytes: &[u8], inputs: &[f32], python: &Path) -> Result<Vec<f32>, Error> {
    let folder = std::env::temp_dir().join(format!("lsspq-parity-{}", std::process::id()));
    let failed = |e: &dyn std::fmt::Display| Error::data(format!("onnxruntime by {}: {e}", python.display()));
    let run = || -> std::io::Result<std::process::Output> {
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("check_onnx.py"), CHECKER)?;
        std::fs::write(folder.join("model.onnx"), bytes)?;
        std::fs::write(folder.join("inputs"), inputs.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>())?;
        let names = ["check_onnx.py", "model.onnx", "inputs", "logits"].map(|name| folder.join(name));
        Command::new(python).args(names).output()
    };
    let logits = run().map_err(|e| failed(&e)).and_then(|output| {
        if !output.status.success() {
            return Err(failed(&String::from_utf8_lossy(&output.stderr).trim()));
        }
        std::fs::read(folder.join("logits")).map_err(|e| failed(&e))
    });
    // Best effort: what matters has been read.
    let _ = std::fs::remove_dir_all(&folder);
    Ok(logits?.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect())
}

impl Index {
    /// Reads the list in the folder of models; an empty one where there is none. Every file of the list must be there and be
    /// what the list says, but for `replaced`.
    ///
    /// # Errors
    /// A list that cannot be read, or a file that is missing or another one.
    pub fn read(folder: &Path, replaced: &str) -> Result<Self, Error> {
        let path = folder.join(INDEX);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(Error::data(format!("{} cannot be read: {e}", path.display()))),
        };
        let index: Self = serde_json::from_str(&text).map_err(|e| Error::data(format!("{}: {e}", path.display())))?;
        for entry in index.models.iter().filter(|e| e.file != replaced) {
            let path = folder.join(&entry.file);
            let there = std::fs::read(&path)
                .map_err(|e| Error::data(format!("the list names {}, which cannot be read: {e}", path.display())))?;
            if there.len() as u64 != entry.bytes || sha256(&there) != entry.sha256 {
                return Err(Error::data(format!(
                    "{} is not the file that {INDEX} describes ({} bytes, SHA-256 {}): publish it again or take it out of the list",
                    path.display(),
                    entry.bytes,
                    entry.sha256
                )));
            }
        }
        Ok(index)
    }

    /// Puts a model into the list, in the place of one of the same file name or behind the others.
    pub fn put(&mut self, file: &str, name: &str, dataset: &str, bytes: &[u8]) {
        let others = self.models.iter().find(|e| e.file == file).map(|e| e.others.clone()).unwrap_or_default();
        let entry = Entry {
            file: file.into(),
            name: name.into(),
            dataset: dataset.into(),
            sha256: sha256(bytes),
            bytes: bytes.len() as u64,
            others,
        };
        match self.models.iter_mut().find(|e| e.file == file) {
            Some(old) => *old = entry,
            None => self.models.push(entry),
        }
    }

    /// Moves a model to the front of the list: the page opens with that one.
    pub fn lead(&mut self, file: &str) {
        self.models.sort_by_key(|entry| entry.file != file);
    }

    /// Writes the model, its card as Markdown beside it, and then the list, each whole or not at all, and reads the model
    /// back.
    ///
    /// # Errors
    /// A folder that cannot be written, or a disk that gives other bytes back.
    pub fn write(&self, folder: &Path, name: &str, bytes: &[u8], card: &str) -> Result<PathBuf, Error> {
        let unwritable = |path: &Path, e: std::io::Error| {
            Error::new(crate::ErrorKind::Internal, format!("{} cannot be written: {e}", path.display()))
        };
        let path = folder.join(name);
        file::write(&path, bytes).map_err(|e| unwritable(&path, e))?;
        if std::fs::read(&path).map(|read| sha256(&read)).ok() != Some(sha256(bytes)) {
            return Err(Error::data(format!("{} reads back as other bytes than were written", path.display())));
        }
        let beside = path.with_extension("md");
        file::write(&beside, card.as_bytes()).map_err(|e| unwritable(&beside, e))?;
        let mut json = serde_json::to_string_pretty(self).expect("a list is plain data");
        json.push('\n');
        let index = folder.join(INDEX);
        file::write(&index, json.as_bytes()).map_err(|e| unwritable(&index, e))?;
        Ok(path)
    }
}

const INDEX: &str = "index.json";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::random;
    use crate::deploy::random::tests::spec;
    use crate::export::tests::card;
    use crate::export::to_onnx;
    use lsspq::card::Accuracy;

    #[test]
    fn a_card_must_say_what_a_visitor_has_to_know() {
        let mut card = card(&spec(2, 4));
        card.accuracy = Some(Accuracy { images: 10, top1: 8, top5: 9 });
        (card.recipe, card.licence, card.dataset) = ("x".into(), "MIT".into(), "mine".into());
        assert_eq!(card_faults(&card), Vec::<String>::new());
        card.labels[1] = card.labels[0].clone();
        card.licence = " ".into();
        card.accuracy = Some(Accuracy { images: 0, top1: 0, top5: 0 });
        let faults = card_faults(&card).join("; ");
        for part in ["accuracy", "licence", "same name"] {
            assert!(faults.contains(part), "{part} is not in {faults}");
        }
    }

    #[test]
    fn engines_agree_on_a_file_of_ours_and_a_spoiled_answer_is_refused() {
        let spec = spec(2, 4);
        let bytes = to_onnx(&random(&spec, 1).unwrap(), &card(&spec)).unwrap();
        assert_eq!(check_parity(&bytes, None).unwrap().len(), 2);
        assert!(check_parity(b"no model", None).is_err());
        agree("a", &[1.0, 2.0], "b", &[1.0005, 2.0], 2).unwrap();
        for spoiled in [[1.0, 2.1], [2.1, 2.0], [f32::NAN, 2.0]] {
            let message = agree("a", &[1.0, 2.0], "b", &spoiled, 2).unwrap_err().to_string();
            assert!(message.contains("picture 0"), "{message}");
        }
        let message = check_parity(&bytes, Some(Path::new("/no/such/python"))).unwrap_err().to_string();
        assert!(message.contains("/no/such/python"), "{message}");
    }

    #[test]
    fn the_list_keeps_what_it_does_not_know_and_finds_exchanged_files() {
        let folder = tempfile::tempdir().unwrap();
        let mut index = Index::read(folder.path(), "a.onnx").unwrap();
        assert!(index.models.is_empty());
        index.put("a.onnx", "A", "set", b"abc");
        index.write(folder.path(), "a.onnx", b"abc", "# A").unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("a.md")).unwrap(), "# A");
        let path = folder.path().join("index.json");
        let text = std::fs::read_to_string(&path).unwrap();
        // SHA-256 of "abc", from FIPS 180-2.
        assert!(text.contains("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "{text}");
        let more =
            text.replace("\"bytes\": 3", "\"bytes\": 3, \"note\": \"kept\"").replacen('{', "{\"version\": 2,", 1);
        std::fs::write(&path, more).unwrap();
        let mut index = Index::read(folder.path(), "b.onnx").unwrap();
        index.put("b.onnx", "B", "set", b"b");
        index.put("a.onnx", "A2", "set", b"abc");
        index.write(folder.path(), "b.onnx", b"b", "# B").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("kept") && text.contains("\"version\": 2") && text.contains("A2"), "{text}");
        let order = |index: &Index| index.models.iter().map(|e| e.file.clone()).collect::<Vec<_>>().join(" ");
        assert_eq!(order(&index), "a.onnx b.onnx");
        index.put("c.onnx", "C", "set", b"c");
        index.lead("b.onnx");
        assert_eq!(order(&index), "b.onnx a.onnx c.onnx");
        std::fs::write(folder.path().join("a.onnx"), "xyz").unwrap();
        let message = Index::read(folder.path(), "b.onnx").unwrap_err().to_string();
        assert!(message.contains("a.onnx is not the file"), "{message}");
        Index::read(folder.path(), "a.onnx").unwrap();
    }
}
