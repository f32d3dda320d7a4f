//! The model card: what a model file says about itself in its ONNX metadata.
//!
//! Every field of [`ModelCard`] is one `metadata_props` entry whose key is `lsspq.` and the field's name and whose value
//! is the field as JSON, so that any ONNX viewer shows it.

use crate::calibration::Calibration;
use crate::error::{Error, ErrorKind};
use crate::spec::NetworkSpec;
use serde::{Deserialize, Serialize};

/// Prefix of every metadata key of ours.
pub const KEY_PREFIX: &str = "lsspq.";

/// Version of the file format that this library writes; it reads this one and older ones.
pub const FORMAT: u32 = 1;

/// What a model file says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Version of the file format, [`FORMAT`].
    pub format: u32,
    /// The network: name, input size in pixels, layers, bits.
    pub spec: NetworkSpec,
    /// Names of the classes in the order of the logits.
    pub labels: Vec<String>,
    /// Name of the data set it was trained and tested on, such as `CIFAR-10 (JPEG)`.
    pub dataset: String,
    /// Accuracy of this very file on the test split; none if it was never measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<Accuracy>,
    /// The same for every class, in the order of the labels; empty if it was never measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassAccuracy>,
    /// Accuracy of the same network in float on the same split; none if none was trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub float_twin: Option<Accuracy>,
    /// Accuracy after each training stage on the validation split (or the training's own last look), first to last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StageResult>,
    /// From which probability on an answer is called sure; none where that was never measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// How long a picture takes in a browser; none where nobody measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// What it is not made for, and what its pictures make it prefer; empty where nothing is said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub limits: String,
    /// The resolved recipe as TOML.
    #[serde(default)]
    pub recipe: String,
    /// The seed of every random choice.
    #[serde(default)]
    pub seed: u64,
    /// Licence of the weights.
    #[serde(default)]
    pub licence: String,
    /// Where it comes from: the program and version that made it, the data's source.
    #[serde(default)]
    pub provenance: String,
}

/// How often a network was right on how many pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Pictures looked at.
    pub images: u64,
    /// Pictures whose label came first.
    pub top1: u64,
    /// Pictures whose label was among the first five.
    pub top5: u64,
}

/// How often a network was right on the pictures of one class. In JSON it is an array, so that many classes stay small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[u64; 2]", into = "[u64; 2]")]
pub struct ClassAccuracy {
    /// Pictures of that class looked at.
    pub images: u64,
    /// Those for which that class came first.
    pub top1: u64,
}

impl From<[u64; 2]> for ClassAccuracy {
    fn from([images, top1]: [u64; 2]) -> Self {
        Self { images, top1 }
    }
}

impl From<ClassAccuracy> for [u64; 2] {
    fn from(class: ClassAccuracy) -> Self {
        [class.images, class.top1]
    }
}

/// How long a picture took in a browser, from its pixels to the probabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Median in milliseconds.
    pub median_ms: f64,
    /// 95th percentile in milliseconds.
    pub p95_ms: f64,
    /// Pictures measured.
    pub runs: u32,
    /// Width and height of the pictures in pixels, before they were shrunk to the network's input.
    pub picture: [u32; 2],
    /// What the browser calls itself.
    pub browser: String,
    /// The machine, in words.
    pub machine: String,
}

/// What one stage of training reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageResult {
    /// Epochs trained.
    pub epochs: u32,
    /// Bits of the weights, none for float.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<u8>,
    /// Bits of the activations, none for float.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activations: Option<u8>,
    /// Accuracy on the validation split; none where training kept no such split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Accuracy>,
}

impl ModelCard {
    /// A card that says what the network is and nothing of how good it is.
    pub fn new(spec: NetworkSpec, labels: Vec<String>, dataset: impl Into<String>) -> Self {
        Self {
            format: FORMAT,
            spec,
            labels,
            dataset: dataset.into(),
            accuracy: None,
            classes: Vec::new(),
            float_twin: None,
            stages: Vec::new(),
            calibration: None,
            latency: None,
            limits: String::new(),
            recipe: String::new(),
            seed: 0,
            licence: String::new(),
            provenance: String::new(),
        }
    }

    /// The metadata entries, in the order of the fields.
    pub fn to_metadata(&self) -> Vec<(String, String)> {
        let value = serde_json::to_value(self).expect("a card is plain data");
        let fields = value.as_object().expect("a struct is an object");
        fields.iter().map(|(key, value)| (format!("{KEY_PREFIX}{key}"), value.to_string())).collect()
    }

    /// Reads a card from metadata entries; those without our prefix are passed over.
    ///
    /// # Errors
    /// [`ErrorKind::NoCard`] where no entry is ours; [`ErrorKind::Metadata`] where one is missing, is no JSON, has the wrong
    /// type, comes from a newer format, or where the specification and the labels do not fit each other.
    pub fn from_metadata<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Error> {
        let bad = |what: String| Error::new(ErrorKind::Metadata, what);
        let mut fields = serde_json::Map::new();
        for (key, text) in entries {
            if let Some(name) = key.strip_prefix(KEY_PREFIX) {
                let value =
                    serde_json::from_str(text).map_err(|e| bad(format!("metadata entry {key} is no JSON: {e}")))?;
                fields.insert(name.to_owned(), value);
            }
        }
        if fields.is_empty() {
            return Err(Error::new(
                ErrorKind::NoCard,
                "the file carries no metadata of an L-SSPQ model (no key begins with `lsspq.`); \
                 export it with `lsspq export`",
            ));
        }
        let format = fields.get("format").and_then(serde_json::Value::as_u64);
        if format.is_some_and(|f| f > u64::from(FORMAT)) {
            return Err(bad(format!(
                "the file has format {}, this program reads up to {FORMAT}: use a newer one",
                format.unwrap_or_default()
            )));
        }
        let card: Self = serde_json::from_value(fields.into()).map_err(|e| bad(format!("the model card: {e}")))?;
        card.spec.validate().map_err(|e| bad(format!("the network specification: {e}")))?;
        if card.labels.len() != card.spec.classes {
            return Err(bad(format!("{} labels for {} classes", card.labels.len(), card.spec.classes)));
        }
        if let Some(calibration) = &card.calibration {
            calibration.validate()?;
        }
        if !card.classes.is_empty() && card.classes.len() != card.labels.len() {
            return Err(bad(format!("accuracies of {} classes for {} labels", card.classes.len(), card.labels.len())));
        }
        Ok(card)
    }
}
