//! What was taught as one small file.
//!
//! Numbers are little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | [`MAGIC`] |
//! | 2 | [`VERSION`] |
//! | 32 | SHA-256 of the model file |
//! | 4, 2 | features of an embedding, number of classes |
//! | each class: 2, n, 4 | length of its name, name as UTF-8, number of its pictures |
//! | each class: pictures x features x 2 | their embeddings in half precision |
//! | 1 | kind of the head: 0 none, 1 nearest mean, 2 logistic |
//! | each class that has pictures: (features + 1) x 4 | weights and bias of the head as float32, where there is one |
//! | 32 | SHA-256 of all before |

use super::classes::{Class, MAX_CLASSES, MAX_EXAMPLES, checked_name, rounded};
use super::head::{Head, HeadKind};
use super::teacher::Teacher;
use crate::error::{Error, ErrorKind};
use crate::model::Model;
use sha2::{Digest, Sha256};
use tract_onnx::prelude::f16;

/// How the file begins. The first byte is no text in any encoding, so that nobody takes it for one.
const MAGIC: [u8; 8] = *b"\x93lsspq-t";
/// The version that is written, and the only one that is read.
pub const VERSION: u16 = 1;
/// The largest file that is read: the most pictures of 4096 features.
pub const MAX_BYTES: usize = MAX_EXAMPLES * 4096 * 2 + (1 << 20);
/// Length of a SHA-256.
const HASH: usize = 32;

impl Teacher {
    /// The file: classes, embeddings, and the head, which is trained anew where it is not that of these pictures.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        if self.stale {
            self.train();
        }
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.model);
        bytes.extend((self.features as u32).to_le_bytes());
        bytes.extend((self.classes.len() as u16).to_le_bytes());
        for class in &self.classes {
            bytes.extend((class.name.len() as u16).to_le_bytes());
            bytes.extend(class.name.as_bytes());
            bytes.extend((class.examples.len() as u32).to_le_bytes());
        }
        for example in self.classes.iter().flat_map(|c| &c.examples) {
            bytes.extend(example.embedding.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()));
        }
        bytes.push(match self.head.as_ref().map(|h| h.kind) {
            None => 0,
            Some(HeadKind::NearestMean) => 1,
            Some(HeadKind::Logistic) => 2,
        });
        for (line, bias) in self.head.iter().flat_map(|h| h.weights.iter().zip(&h.bias)) {
            bytes.extend(line.iter().chain([bias]).flat_map(|v| v.to_le_bytes()));
        }
        let hash = Sha256::digest(&bytes);
        bytes.extend_from_slice(&hash);
        bytes
    }

    /// Reads a file for the model it was taught to; teaching goes on where it stood, but what was done before cannot be
    /// undone.
    ///
    /// # Errors
    /// [`ErrorKind::Taught`] where the bytes are no such file, a part of one, damaged, or of another version;
    /// [`ErrorKind::OtherModel`] where it was taught to another model.
    pub fn from_bytes(model: &Model, bytes: &[u8]) -> Result<Self, Error> {
        Self::read(*model.sha256(), model.card().spec.embedding(), bytes)
    }

    pub(super) fn read(model: [u8; 32], features: usize, bytes: &[u8]) -> Result<Self, Error> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or_else(|| taught("the file holds no taught classes"))?;
        if bytes.len() > MAX_BYTES {
            return Err(taught(format!(
                "the file has {} MiB, at most {} are read",
                bytes.len() >> 20,
                MAX_BYTES >> 20
            )));
        }
        let version = rest.first_chunk().map(|v| u16::from_le_bytes(*v)).ok_or_else(cut_off)?;
        if version != VERSION {
            return Err(taught(format!(
                "the file has version {version}, and version {VERSION} is read: another release of this program wrote it"
            )));
        }
        let (content, hash) = bytes.split_last_chunk::<HASH>().ok_or_else(cut_off)?;
        if Sha256::digest(content)[..] != hash[..] {
            return Err(cut_off());
        }
        let mut reader = Reader { rest: content.get(MAGIC.len() + 2..).ok_or_else(cut_off)? };
        if *reader.take::<HASH>()? != model {
            return Err(Error::new(ErrorKind::OtherModel, "the classes were taught to another model"));
        }
        let stated = u32::from_le_bytes(*reader.take()?);
        if usize::try_from(stated) != Ok(features) {
            return Err(taught(format!("the file has embeddings of {stated} values, the model of {features}")));
        }
        let mut teacher = Self::empty(model, features);
        reader.classes(&mut teacher)?;
        teacher.head = reader.head(&teacher)?;
        if !reader.rest.is_empty() {
            return Err(taught(format!("{} bytes too many are in the file", reader.rest.len())));
        }
        Ok(teacher)
    }
}

fn taught(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Taught, what)
}

fn cut_off() -> Error {
    taught("the file is damaged, or only a part of one")
}

/// The bytes that are still to be read.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], Error> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(taken)
    }

    /// That many bytes, without setting anything aside for a length that the file only claims.
    fn bytes(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(taken)
    }

    fn classes(&mut self, teacher: &mut Teacher) -> Result<(), Error> {
        let classes = usize::from(u16::from_le_bytes(*self.take()?));
        if classes > MAX_CLASSES {
            return Err(taught(format!("the file has {classes} classes, at most {MAX_CLASSES} are taught")));
        }
        let mut counts = Vec::with_capacity(classes);
        for _ in 0..classes {
            let length = usize::from(u16::from_le_bytes(*self.take()?));
            let name = std::str::from_utf8(self.bytes(length)?).map_err(|_| taught("a name is no UTF-8"))?;
            let name =
                checked_name(name, teacher.classes.iter().map(Class::name)).map_err(|e| taught(e.to_string()))?;
            teacher.classes.push(Class { name, examples: Vec::new() });
            counts.push(u32::from_le_bytes(*self.take()?) as usize);
        }
        let all = counts.iter().fold(0usize, |sum, count| sum.saturating_add(*count));
        if all > MAX_EXAMPLES {
            return Err(taught(format!("the file has {all} pictures, at most {MAX_EXAMPLES} are taught")));
        }
        for (class, count) in counts.into_iter().enumerate() {
            for _ in 0..count {
                let halves = self.bytes(2 * teacher.features)?.as_chunks::<2>().0;
                let values: Vec<f32> = halves.iter().map(|v| f16::from_le_bytes(*v).to_f32()).collect();
                let embedding = rounded(&values, teacher.features).map_err(|e| taught(e.to_string()))?;
                teacher.push(class, embedding);
            }
        }
        Ok(())
    }

    /// The head, for the classes of `teacher` that have pictures.
    fn head(&mut self, teacher: &Teacher) -> Result<Option<Head>, Error> {
        let labels: Vec<String> =
            teacher.classes.iter().filter(|c| !c.examples.is_empty()).map(|c| c.name.clone()).collect();
        let kind = match self.take::<1>()?[0] {
            0 => return Ok(None),
            1 => HeadKind::NearestMean,
            2 => HeadKind::Logistic,
            other => return Err(taught(format!("the head is of kind {other}, which is not known"))),
        };
        let (mut weights, mut bias) = (Vec::new(), Vec::new());
        for _ in &labels {
            let numbers = self.bytes(4 * (teacher.features + 1))?.as_chunks::<4>().0;
            let mut line: Vec<f32> = numbers.iter().map(|v| f32::from_le_bytes(*v)).collect();
            if !line.iter().all(|v| v.is_finite()) {
                return Err(taught("the head has something in it that is no number"));
            }
            bias.extend(line.pop());
            weights.push(line);
        }
        if labels.len() < 2 {
            return Err(taught("there is a head for fewer than two classes"));
        }
        Ok(Some(Head { kind, labels, weights, bias }))
    }
}
