//! What is done to training pictures.

use super::within;
use serde::{Deserialize, Serialize};

/// What is done to training pictures, differently in every epoch. What is off is left out of a resolved recipe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Augment {
    /// The picture is padded by that many pixels of the mean colour on each side, and a window of its own size cut out at
    /// random.
    #[serde(default = "four")]
    pub crop_padding: usize,
    /// Whether every second picture is mirrored, left to right.
    #[serde(default = "yes")]
    pub flip: bool,
    /// A window of random area and aspect is cut out and stretched to the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resized_crop: Option<ResizedCrop>,
    /// Colours are changed at random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour_jitter: Option<ColourJitter>,
    /// A few operations drawn from a list are applied (RandAugment: Cubuk et al., 2020).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rand_augment: Option<RandAugment>,
    /// A rectangle is blotted out (random erasing: Zhong et al., 2020).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasing: Option<Erasing>,
    /// Pairs of pictures and their labels are blended (Zhang et al., 2018); the number is the alpha of the beta
    /// distribution that the shares are drawn from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mixup: Option<f64>,
    /// Rectangles are exchanged between pairs of pictures, and the labels blended by area (Yun et al., 2019); the number
    /// as in `mixup`. Where both are given, each batch gets one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutmix: Option<f64>,
    /// Part of the batches that `mixup` and `cutmix` apply to.
    #[serde(default = "all", skip_serializing_if = "is_all")]
    pub mix_probability: f64,
}

/// A window of random area and aspect.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResizedCrop {
    /// Least and largest part of the picture's area.
    #[serde(default = "scale")]
    pub scale: [f64; 2],
    /// Least and largest width over height.
    #[serde(default = "aspect")]
    pub aspect: [f64; 2],
}

/// How far colours go; 0 leaves that kind alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColourJitter {
    /// Factors up to that far from 1.
    #[serde(default)]
    pub brightness: f64,
    /// As brightness, around the mean grey.
    #[serde(default)]
    pub contrast: f64,
    /// As brightness, around the pixel's own grey.
    #[serde(default)]
    pub saturation: f64,
    /// Turns of the colour circle, up to 0.5.
    #[serde(default)]
    pub hue: f64,
}

/// Operations drawn from a list.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandAugment {
    /// How many on each picture.
    #[serde(default = "two")]
    pub operations: u32,
    /// How strong they are, 0 to 10.
    #[serde(default = "nine")]
    pub magnitude: f64,
}

/// A rectangle blotted out with the mean colour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erasing {
    /// Part of the pictures.
    #[serde(default = "quarter")]
    pub probability: f64,
    /// Least and largest part of the picture's area.
    #[serde(default = "area")]
    pub area: [f64; 2],
}

fn four() -> usize {
    4
}

fn yes() -> bool {
    true
}

fn all() -> f64 {
    1.0
}

fn is_all(part: &f64) -> bool {
    *part == 1.0
}

fn scale() -> [f64; 2] {
    [0.35, 1.0]
}

fn aspect() -> [f64; 2] {
    [0.75, 4.0 / 3.0]
}

fn two() -> u32 {
    2
}

fn nine() -> f64 {
    9.0
}

fn quarter() -> f64 {
    0.25
}

fn area() -> [f64; 2] {
    [0.02, 0.33]
}

impl Default for Augment {
    fn default() -> Self {
        Self { crop_padding: four(), flip: yes(), ..Self::NONE }
    }
}

impl Augment {
    /// Leaves pictures as they are.
    pub const NONE: Self = Self {
        crop_padding: 0,
        flip: false,
        resized_crop: None,
        colour_jitter: None,
        rand_augment: None,
        erasing: None,
        mixup: None,
        cutmix: None,
        mix_probability: 1.0,
    };

    pub(super) fn validate(&self, side: usize) -> Result<(), String> {
        within("augment.crop_padding", self.crop_padding, 0, side / 2)?;
        if let Some(crop) = self.resized_crop {
            pair("augment.resized_crop.scale", crop.scale, 0.01, 1.0)?;
            pair("augment.resized_crop.aspect", crop.aspect, 0.1, 10.0)?;
        }
        if let Some(jitter) = self.colour_jitter {
            within("augment.colour_jitter.brightness", jitter.brightness, 0.0, 1.0)?;
            within("augment.colour_jitter.contrast", jitter.contrast, 0.0, 1.0)?;
            within("augment.colour_jitter.saturation", jitter.saturation, 0.0, 1.0)?;
            within("augment.colour_jitter.hue", jitter.hue, 0.0, 0.5)?;
        }
        if let Some(policy) = self.rand_augment {
            within("augment.rand_augment.operations", policy.operations, 1, 10)?;
            within("augment.rand_augment.magnitude", policy.magnitude, 0.0, 10.0)?;
        }
        if let Some(erasing) = self.erasing {
            within("augment.erasing.probability", erasing.probability, 0.0, 1.0)?;
            pair("augment.erasing.area", erasing.area, 0.001, 0.9)?;
        }
        for (key, alpha) in [("augment.mixup", self.mixup), ("augment.cutmix", self.cutmix)] {
            if let Some(alpha) = alpha {
                within(key, alpha, 0.01, 100.0)?;
            }
        }
        within("augment.mix_probability", self.mix_probability, 0.0, 1.0)
    }
}

fn pair(key: &str, [least, largest]: [f64; 2], low: f64, high: f64) -> Result<(), String> {
    within(&format!("{key}[0]"), least, low, high)?;
    within(&format!("{key}[1]"), largest, least, high)
}
