//! One stage of training.

use super::{Augment, Optimiser, Schedule, within};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One stage: so many epochs at one precision and one schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Passes over the training split.
    pub epochs: u32,
    /// Pictures in a step.
    pub batch: usize,
    /// Side of the training pictures in pixels; where a recipe leaves it out, what `network.input` says. Smaller pictures train
    /// faster, and a later stage gets used to the full size (progressive resizing: Howard, 2018). Validation is always at full
    /// size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<usize>,
    /// Precision of the activations; where a recipe leaves it out, what `network.bits.activations` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activations: Option<Activations>,
    /// Whether shifts are rounded to whole pixels from this stage on.
    #[serde(default)]
    pub round_shifts: bool,
    /// What is done to the pictures of this stage, all of it, in place of the recipe's `[augment]`: a last stage whose pictures are
    /// altered less is nearer to what the network will be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augment: Option<Augment>,
    /// The learning rate.
    pub schedule: Schedule,
    /// What makes steps of gradients.
    #[serde(default)]
    pub optimiser: Optimiser,
}

impl Stage {
    /// Bits of the activations; none is float (clipped to [0, 1], not rounded).
    pub fn activation_bits(&self) -> Option<u8> {
        match self.activations {
            Some(Activations::Bits(bits)) => Some(bits),
            Some(Activations::Float) | None => None,
        }
    }

    /// Side of the training pictures in pixels, where `full` is that of the network's input.
    pub fn side(&self, full: usize) -> usize {
        self.input.unwrap_or(full)
    }

    /// The learning rate during `epoch`, counted from 0 at the beginning of this stage.
    pub fn rate(&self, epoch: u32) -> f64 {
        self.schedule.rate(epoch, self.epochs)
    }

    pub(super) fn validate(&self, full: usize) -> Result<(), String> {
        if let Some(input) = self.input {
            within("input", input, full.div_ceil(4), full)?;
        }
        self.augment.map_or(Ok(()), |augment| augment.validate(full))?;
        within("epochs", self.epochs, 1, 100_000)?;
        within("batch", self.batch, 2, 65_536)?;
        self.schedule.validate(self.epochs).map_err(|e| format!("schedule.{e}"))?;
        self.optimiser.validate().map_err(|e| format!("optimiser.{e}"))
    }
}

/// Precision of activations: `4` or `"float"` in TOML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activations {
    /// Clipped to [0, 1] and not rounded.
    Float,
    /// Rounded to that many bits, 2 to 8.
    Bits(u8),
}

impl Activations {
    /// From a network specification's form, in which none is float.
    pub fn from_bits(bits: Option<u8>) -> Self {
        bits.map_or(Self::Float, Self::Bits)
    }
}

impl fmt::Display for Activations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float => f.write_str("\"float\""),
            Self::Bits(bits) => bits.fmt(f),
        }
    }
}

impl Serialize for Activations {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Float => serializer.serialize_str("float"),
            Self::Bits(bits) => serializer.serialize_u8(bits),
        }
    }
}

impl<'de> Deserialize<'de> for Activations {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Activations;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("2 to 8 (bits) or \"float\"")
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Activations, E> {
                match value {
                    2..=8 => Ok(Activations::Bits(value as u8)),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Signed(value), &self)),
                }
            }

            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Activations, E> {
                match value {
                    "float" => Ok(Activations::Float),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(value), &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
