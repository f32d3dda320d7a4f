//! Teaching as JavaScript sees it: the class `Teacher`.

use super::{Classifier, answer, now, picture, plain, thrown};
use crate::error::{Error, ErrorKind};
use crate::teach;
use js_sys::{Float32Array, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// Classes taught on top of a `Classifier`, which stays as it is. Errors are thrown as `Error` with a `code`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Teacher {
    teacher: teach::Teacher,
}

/// What there is: see `TaughtState` in the types.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct State<'a> {
    classes: Vec<Class<'a>>,
    can_undo: bool,
    head: Option<&'static str>,
    labels: &'a [String],
    threshold: f32,
    held_out: Option<HeldOut<'a>>,
}

#[derive(Serialize)]
struct Class<'a> {
    name: &'a str,
    examples: Vec<u32>,
}

#[derive(Serialize)]
struct HeldOut<'a> {
    right: usize,
    pictures: usize,
    classes: Vec<HeldOutClass<'a>>,
}

#[derive(Serialize)]
struct HeldOutClass<'a> {
    label: &'a str,
    right: usize,
    pictures: usize,
}

#[wasm_bindgen]
impl Teacher {
    /// Nothing is taught yet.
    #[wasm_bindgen(constructor)]
    pub fn new(classifier: &Classifier) -> Self {
        Self { teacher: teach::Teacher::new(&classifier.model) }
    }

    /// Reads what `save` wrote. Throws with the code `taught` where the bytes are no such file or damaged,
    /// `other-model` where it was taught to another model.
    pub fn load(classifier: &Classifier, bytes: &Uint8Array) -> Result<Teacher, JsValue> {
        if bytes.length() as usize > teach::MAX_BYTES {
            return Err(thrown(Error::new(ErrorKind::Taught, "the file is larger than any of taught classes")));
        }
        let teacher = teach::Teacher::from_bytes(&classifier.model, &bytes.to_vec()).map_err(thrown)?;
        Ok(Self { teacher })
    }

    /// The file: class names, embeddings and head, with the hash of the model; no picture.
    pub fn save(&mut self) -> Uint8Array {
        Uint8Array::from(&self.teacher.to_bytes()[..])
    }

    /// Adds a class; its position. Throws with the code `classes` where the name cannot be or is taken.
    #[wasm_bindgen(js_name = addClass)]
    pub fn add_class(&mut self, name: &str) -> Result<usize, JsValue> {
        self.teacher.add_class(name).map_err(thrown)
    }

    /// Calls the class at that position otherwise.
    #[wasm_bindgen(js_name = renameClass)]
    pub fn rename_class(&mut self, index: usize, name: &str) -> Result<(), JsValue> {
        self.teacher.rename_class(index, name).map_err(thrown)
    }

    /// Removes the class at that position with its pictures.
    #[wasm_bindgen(js_name = removeClass)]
    pub fn remove_class(&mut self, index: usize) -> Result<(), JsValue> {
        self.teacher.remove_class(index).map_err(thrown)
    }

    /// Adds a picture by its embedding to the class at that position; the number that names it. With `joined`, `undo`
    /// takes it back together with those added to this class just before.
    pub fn add(&mut self, index: usize, embedding: &Float32Array, joined: Option<bool>) -> Result<u32, JsValue> {
        self.teacher.add(index, &embedding.to_vec(), joined.unwrap_or(false)).map_err(thrown)
    }

    /// Removes one picture by its number.
    pub fn remove(&mut self, example: u32) -> Result<(), JsValue> {
        self.teacher.remove(example).map_err(thrown)
    }

    /// Takes the last change back; false where there is none.
    pub fn undo(&mut self) -> bool {
        self.teacher.undo()
    }

    /// Trains the head on all pictures, and holds some back to see how good it is. Changes count from then on.
    pub fn train(&mut self) {
        self.teacher.train();
    }

    /// The `topK` (5 if absent) likeliest taught classes for an embedding; none before two classes were trained.
    #[wasm_bindgen(unchecked_return_type = "Prediction[]")]
    pub fn predict(
        &self,
        embedding: &Float32Array,
        #[wasm_bindgen(js_name = topK)] top_k: Option<u32>,
    ) -> Result<JsValue, JsValue> {
        plain(&self.teacher.predict(&embedding.to_vec(), top_k.unwrap_or(5) as usize).map_err(thrown)?)
    }

    /// As `Classifier.classify`, with the taught classes beside the network's own: the network runs once.
    #[wasm_bindgen(unchecked_return_type = "TaughtClassification")]
    pub fn classify(
        &self,
        classifier: &Classifier,
        #[wasm_bindgen(unchecked_param_type = "Pixels")] rgba: &JsValue,
        width: f64,
        height: f64,
        #[wasm_bindgen(js_name = topK)] top_k: Option<u32>,
        #[wasm_bindgen(js_name = withInput)] with_input: Option<bool>,
    ) -> Result<JsValue, JsValue> {
        let begin = now();
        let (rgba, width, height) = picture(rgba, width, height)?;
        let input = classifier.model.input(&rgba, width, height).map_err(thrown)?;
        let ready = now();
        let output = classifier.model.run(&input).map_err(thrown)?;
        let top_k = top_k.unwrap_or(5) as usize;
        let predictions = classifier.model.predictions(&output, top_k);
        let taught = self.teacher.predict(&output.embedding, top_k).map_err(thrown)?;
        let input = with_input.unwrap_or(false).then_some(&input[..]);
        answer(predictions, Some(taught), [begin, ready, now()], input)
    }

    /// Classes with the numbers of their pictures, and what is known of the head.
    #[wasm_bindgen(unchecked_return_type = "TaughtState")]
    pub fn state(&self) -> Result<JsValue, JsValue> {
        let head = self.teacher.head();
        let classes = self.teacher.classes().iter().map(|c| Class { name: c.name(), examples: c.ids().collect() });
        let held_out = self.teacher.held_out().map(|h| HeldOut {
            right: h.right(),
            pictures: h.pictures(),
            classes: h
                .classes
                .iter()
                .map(|c| HeldOutClass { label: &c.label, right: c.right, pictures: c.pictures })
                .collect(),
        });
        plain(&State {
            classes: classes.collect(),
            can_undo: self.teacher.can_undo(),
            head: head.map(|h| h.kind().name()),
            labels: head.map_or(&[], |h| h.labels()),
            threshold: self.teacher.threshold(),
            held_out,
        })
    }
}
