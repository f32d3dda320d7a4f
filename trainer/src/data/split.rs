//! The validation split.

use super::Pictures;
use crate::error::Error;
use crate::random::{Purpose, stream};
use crate::recipe::Validation;
use rand::seq::SliceRandom;

/// Parts the pictures into those that train and those that validate (indices, ascending): in every class the same
/// count or fraction, chosen by the seed.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) where a class would keep nothing to train on.
pub fn split(pictures: &Pictures, validation: Validation, seed: u64) -> Result<(Vec<u32>, Vec<u32>), Error> {
    let mut by_class = vec![Vec::new(); pictures.classes.len()];
    for (index, &label) in pictures.labels.iter().enumerate() {
        by_class[usize::from(label)].push(index as u32);
    }
    let (mut training, mut validating) = (Vec::new(), Vec::new());
    for (class, mut indices) in by_class.into_iter().enumerate() {
        let held = match validation {
            Validation::PerClass(count) => count as usize,
            Validation::Fraction(fraction) => (fraction * indices.len() as f64).round() as usize,
        };
        if held > 0 && held >= indices.len() {
            return Err(Error::data(format!(
                "data.validation holds {held} pictures of class {} out, which has only {}: allowed is less",
                pictures.classes[class],
                indices.len()
            )));
        }
        indices.shuffle(&mut stream(seed, Purpose::Validation, 0, class as u64));
        validating.extend_from_slice(&indices[..held]);
        training.extend_from_slice(&indices[held..]);
    }
    training.sort_unstable();
    validating.sort_unstable();
    Ok((training, validating))
}
