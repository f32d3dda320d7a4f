//! A trained network made to look twice: at a picture and at its mirror image.
//!
//! Nothing is learned anew. The features of both are averaged where they are pooled, for twice the work and a few bytes, and
//! what the card says of accuracy is measured again.

use crate::data::Dataset;
use crate::error::Error;
use crate::eval::Evaluation;
use crate::recipe::Recipe;
use crate::train::{calibration, measure};
use crate::{deploy, export};
use lsspq::ModelCard;

/// A file's network that looks twice, and its card.
pub struct Mirrored {
    network: deploy::Network,
    card: ModelCard,
}

impl Mirrored {
    /// The network of a file that `lsspq train` wrote. What was measured of the file as it was leaves the card: accuracy,
    /// latency, and the float twin's accuracy, which is that of a single look. The stages stay: they are what was trained.
    ///
    /// # Errors
    /// [`Data`](crate::ErrorKind::Data) where the bytes hold no network of shift blocks of ours, or one that looks twice already.
    pub fn of(bytes: &[u8], recipe: &Recipe) -> Result<Self, Error> {
        let (mut network, card) = export::from_onnx(bytes).map_err(|e| Error::data(e.to_string()))?;
        if network.spec.mirrored {
            return Err(Error::data("its network looks at the mirror image already: nothing is to be done".to_owned()));
        }
        network.spec.mirrored = true;
        let mut recipe = recipe.clone();
        recipe.network.mirrored = true;
        let card = ModelCard {
            spec: network.spec.clone(),
            accuracy: None,
            float_twin: None,
            classes: Vec::new(),
            latency: None,
            recipe: recipe.to_shared_toml(),
            provenance: format!("{}; made to look at mirror images too when it had been trained", card.provenance),
            ..card
        };
        Ok(Self { network, card })
    }

    /// Measures it on the test pictures, and on those held out from training where the file as it was says from them when it is
    /// sure.
    ///
    /// # Errors
    /// A file that does not run.
    pub fn measure(&mut self, dataset: &Dataset) -> Result<Evaluation, Error> {
        let bytes = self.bytes()?;
        if self.card.calibration.is_some() {
            self.card.calibration = calibration(&bytes, dataset)?;
        }
        let evaluation = measure(&bytes, &dataset.test, 0..dataset.test.len())?;
        self.card.accuracy = Some(evaluation.accuracy);
        self.card.classes = evaluation.class_accuracies();
        Ok(evaluation)
    }

    /// The ONNX file.
    ///
    /// # Errors
    /// Where the network's parts do not fit each other.
    pub fn bytes(&self) -> Result<Vec<u8>, Error> {
        export::to_onnx(&self.network, &self.card).map_err(|e| Error::data(format!("the export: {e}")))
    }
}
