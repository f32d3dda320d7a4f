//! What the native library says about every picture, as a file that other runtimes are held against.
#![allow(dead_code, unreachable_pub)]

use crate::pictures::Picture;
use lsspq::Model;
use serde::{Deserialize, Serialize};

/// How far a logit may be from the golden one.
///
/// Sums of whole numbers are exact everywhere. What differs is the float stem, whose sums are ordered and fused as the
/// processor likes it: a value that lies almost between two levels may round to the other one.
pub const LOGIT_TOLERANCE: f32 = 0.05;

/// The answers of one model file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Golden {
    /// Bytes of the model file, to notice another file.
    pub model_bytes: usize,
    /// In the order of `pictures::all`.
    pub answers: Vec<Answer>,
}

/// The answer to one picture.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Name of the picture.
    pub picture: String,
    /// FNV-1a of the input's bits: preprocessing is the same to the last bit.
    pub input: String,
    /// The class that wins.
    pub first: usize,
    /// All logits.
    pub logits: Vec<f32>,
}

impl Golden {
    /// Asks a model about all pictures.
    pub fn of(model: &Model, pictures: &[Picture]) -> Self {
        let answers = pictures.iter().map(|picture| {
            let input = model.input(&picture.rgba, picture.width, picture.height).expect("a good picture");
            let output = model.run(&input).expect("a good input");
            let first = model.predictions(&output, 1)[0].index;
            // Five digits are more than the tolerance asks for.
            let logits = output.logits.iter().map(|l| (l * 1e5).round() / 1e5).collect();
            Answer { picture: picture.name.clone(), input: hash(&input), first, logits }
        });
        Self { model_bytes: model.bytes_len(), answers: answers.collect() }
    }

    /// Panics at the first answer that differs by more than the tolerance.
    pub fn assert_matches(&self, other: &Self) {
        let what =
            "the golden answers belong to another model; LSSPQ_GOLDEN=write cargo test --test parity renews them";
        assert_eq!(self.model_bytes, other.model_bytes, "{what}");
        assert_eq!(self.answers.len(), other.answers.len(), "{what}");
        for (a, b) in self.answers.iter().zip(&other.answers) {
            assert_eq!((&a.picture, &a.input), (&b.picture, &b.input), "preprocessing differs");
            assert_eq!(a.first, b.first, "another class wins on {}", a.picture);
            let far = a.logits.iter().zip(&b.logits).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(far <= LOGIT_TOLERANCE, "the logits of {} differ by {far}", a.picture);
        }
    }
}

fn hash(input: &[f32]) -> String {
    let bytes = input.iter().flat_map(|v| v.to_bits().to_le_bytes());
    let fnv = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{fnv:016x}")
}
