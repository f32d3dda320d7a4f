//! What is taught: classes, their pictures, and the head that came of them.

use super::classes::{Class, Example, MAX_CLASSES, MAX_EXAMPLES, check_embedding, checked_name, rounded};
use super::head::Head;
use super::held_out::{HeldOut, UNCHECKED_THRESHOLD};
use super::history::{History, Step};
use crate::error::{Error, ErrorKind};
use crate::model::{Model, Prediction};

/// Classes taught on top of one model. Changes take effect in [`predict`](Self::predict) with the next
/// [`train`](Self::train).
#[derive(Clone, Debug)]
pub struct Teacher {
    pub(super) model: [u8; 32],
    pub(super) features: usize,
    pub(super) classes: Vec<Class>,
    pub(super) head: Option<Head>,
    /// Whether classes or pictures are others than the head was trained with.
    pub(super) stale: bool,
    held_out: Option<HeldOut>,
    history: History,
    next_id: u32,
}

impl Teacher {
    /// Nothing is taught yet.
    pub fn new(model: &Model) -> Self {
        Self::empty(*model.sha256(), model.card().spec.embedding())
    }

    /// Nothing is taught yet to the model of that hash, whose embeddings have `features` values.
    pub(super) fn empty(model: [u8; 32], features: usize) -> Self {
        Self {
            model,
            features,
            classes: Vec::new(),
            head: None,
            stale: false,
            held_out: None,
            history: History::default(),
            next_id: 0,
        }
    }

    /// SHA-256 of the model file.
    pub fn model_sha256(&self) -> &[u8; 32] {
        &self.model
    }

    /// Length of an embedding.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The classes in their order; indices of other functions are positions here.
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// Pictures of all classes together.
    pub fn examples(&self) -> usize {
        self.classes.iter().map(|c| c.examples.len()).sum()
    }

    /// Adds a class behind the others; its index.
    ///
    /// # Errors
    /// [`ErrorKind::Classes`] where the name cannot be, is taken, or there are [`MAX_CLASSES`].
    pub fn add_class(&mut self, name: &str) -> Result<usize, Error> {
        let name = checked_name(name, self.classes.iter().map(Class::name))?;
        if self.classes.len() == MAX_CLASSES {
            return Err(Error::new(ErrorKind::Classes, format!("at most {MAX_CLASSES} classes can be taught")));
        }
        self.classes.push(Class { name, examples: Vec::new() });
        self.changed(Step::AddedClass);
        Ok(self.classes.len() - 1)
    }

    /// Calls a class otherwise.
    ///
    /// # Errors
    /// [`ErrorKind::Classes`] where there is no such class, or the name cannot be or is taken.
    pub fn rename_class(&mut self, class: usize, name: &str) -> Result<(), Error> {
        self.check_class(class)?;
        let others = self.classes.iter().enumerate().filter(|(i, _)| *i != class);
        let name = checked_name(name, others.map(|(_, c)| c.name()))?;
        if name != self.classes[class].name {
            let before = std::mem::replace(&mut self.classes[class].name, name);
            self.changed(Step::Renamed { class, before });
        }
        Ok(())
    }

    /// Removes a class with its pictures; those behind it move up.
    ///
    /// # Errors
    /// [`ErrorKind::Classes`] where there is no such class.
    pub fn remove_class(&mut self, class: usize) -> Result<(), Error> {
        self.check_class(class)?;
        let removed = self.classes.remove(class);
        self.changed(Step::RemovedClass { at: class, class: removed });
        Ok(())
    }

    /// Adds a picture by its embedding; its identity, which is never given to another. With `joined` it belongs to
    /// those added to this class just before: [`undo`](Self::undo) takes them back together.
    ///
    /// # Errors
    /// [`ErrorKind::Classes`] where there is no such class, or there are [`MAX_EXAMPLES`] pictures;
    /// [`ErrorKind::Inference`] where the embedding has another length than the model's, or something in it is no
    /// number.
    pub fn add(&mut self, class: usize, embedding: &[f32], joined: bool) -> Result<u32, Error> {
        self.check_class(class)?;
        if self.examples() >= MAX_EXAMPLES {
            let what = format!("{MAX_EXAMPLES} pictures are taught, and more are not taken: remove some first");
            return Err(Error::new(ErrorKind::Classes, what));
        }
        let id = self.push(class, rounded(embedding, self.features)?);
        self.history.added(class, joined);
        self.stale = true;
        Ok(id)
    }

    /// Adds an embedding that is rounded already.
    pub(super) fn push(&mut self, class: usize, embedding: Vec<f32>) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        self.classes[class].examples.push(Example { id, embedding });
        id
    }

    /// Removes one picture.
    ///
    /// # Errors
    /// [`ErrorKind::Classes`] where there is none of that identity.
    pub fn remove(&mut self, id: u32) -> Result<(), Error> {
        for (class, Class { examples, .. }) in self.classes.iter_mut().enumerate() {
            if let Some(at) = examples.iter().position(|e| e.id == id) {
                let example = examples.remove(at);
                self.changed(Step::Removed { class, at, example });
                return Ok(());
            }
        }
        Err(Error::new(ErrorKind::Classes, format!("there is no picture {id}")))
    }

    /// Takes back what was done last: pictures added together, a picture or a class removed, a class added or renamed.
    /// False where there is nothing to take back.
    pub fn undo(&mut self) -> bool {
        let undone = self.history.undo(&mut self.classes);
        self.stale |= undone;
        undone
    }

    /// Whether [`undo`](Self::undo) would take something back.
    pub fn can_undo(&self) -> bool {
        !self.history.is_empty()
    }

    /// Trains the head on all pictures, and holds some back to see how good it is. Without pictures in two classes
    /// there is no head.
    pub fn train(&mut self) {
        self.stale = false;
        (self.head, self.held_out) = (None, None);
        let taught: Vec<&Class> = self.classes.iter().filter(|c| !c.examples.is_empty()).collect();
        if taught.len() < 2 {
            return;
        }
        let labels: Vec<String> = taught.iter().map(|c| c.name.clone()).collect();
        let rows: Vec<Vec<&[f32]>> =
            taught.iter().map(|c| c.examples.iter().map(|e| &e.embedding[..]).collect()).collect();
        let of: Vec<usize> = rows.iter().enumerate().flat_map(|(i, c)| c.iter().map(move |_| i)).collect();
        self.held_out = HeldOut::measure(&labels, &rows);
        self.head = Some(Head::train(labels, &rows.concat(), &of));
    }

    /// The head of the last [`train`](Self::train), or of the file; none before, or where fewer than two classes had
    /// pictures.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// How good the last trained head is; none where a class has one picture, or nothing was trained since the file was
    /// read.
    pub fn held_out(&self) -> Option<&HeldOut> {
        self.held_out.as_ref()
    }

    /// The least probability of an answer that is called sure; see [`HeldOut::threshold`].
    pub fn threshold(&self) -> f32 {
        self.held_out.as_ref().map_or(UNCHECKED_THRESHOLD, |h| h.threshold)
    }

    /// The `top_k` likeliest taught classes for an embedding, the likeliest first; none where there is no head.
    ///
    /// # Errors
    /// [`ErrorKind::Inference`] where the embedding has another length than the model's, or something in it is no
    /// number.
    pub fn predict(&self, embedding: &[f32], top_k: usize) -> Result<Vec<Prediction>, Error> {
        check_embedding(embedding, self.features)?;
        Ok(self.head.as_ref().map(|head| head.predictions(embedding, top_k)).unwrap_or_default())
    }

    fn changed(&mut self, step: Step) {
        self.history.push(step);
        self.stale = true;
    }

    fn check_class(&self, class: usize) -> Result<(), Error> {
        if class < self.classes.len() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Classes, format!("there is no class {class}, but {}", self.classes.len())))
    }
}
