//! What JavaScript sees: the classes `Classifier`, `Teacher` and `PlainClassifier`. Only this module knows JavaScript; it
//! adds nothing but conversions and the clock.

use crate::error::{Error, ErrorKind};
use crate::labels;
use crate::model::{Model, Prediction};
use crate::plain::{Normalisation, PlainClassifier as Plain};
use crate::size::{Layer, layers};
use js_sys::{Float32Array, Reflect, Uint8Array};
use serde::Serialize;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

#[cfg(feature = "bench")]
mod kernel_bench;
mod teach;

pub use teach::Teacher;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("wasm.d.ts");

/// Writes panics to the console with their place. Runs once, when the module is instantiated.
#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// A loaded model. Errors are thrown as `Error` with a `code`: see `ClassifierErrorCode`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Classifier {
    model: Model,
}

/// The answer to a picture.
#[derive(Serialize)]
struct Classification {
    predictions: Vec<Prediction>,
    /// The taught classes, where there is a teacher.
    #[serde(skip_serializing_if = "Option::is_none")]
    taught: Option<Vec<Prediction>>,
    milliseconds: Milliseconds,
}

/// Where the time went.
#[derive(Serialize)]
struct Milliseconds {
    preprocess: f64,
    inference: f64,
    total: f64,
}

#[wasm_bindgen]
impl Classifier {
    /// Reads an ONNX file of this project. A file above 64 MiB is refused before it is copied.
    pub fn load(bytes: &Uint8Array) -> Result<Classifier, JsValue> {
        Model::check_size(u64::from(bytes.length())).map_err(thrown)?;
        Model::load(&bytes.to_vec()).map(|model| Self { model }).map_err(thrown)
    }

    /// As `load`, but everything runs in float: slower, and what whole numbers are measured against.
    #[wasm_bindgen(js_name = loadFloat)]
    pub fn load_float(bytes: &Uint8Array) -> Result<Classifier, JsValue> {
        Model::check_size(u64::from(bytes.length())).map_err(thrown)?;
        Model::load_float(&bytes.to_vec()).map(|model| Self { model }).map_err(thrown)
    }

    /// The `topK` (5 if absent) likeliest classes of RGBA pixels of any size, and the milliseconds it took; with
    /// `withInput` also what the network saw.
    #[wasm_bindgen(unchecked_return_type = "Classification")]
    pub fn classify(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Pixels")] rgba: &JsValue,
        width: f64,
        height: f64,
        #[wasm_bindgen(js_name = topK)] top_k: Option<u32>,
        #[wasm_bindgen(js_name = withInput)] with_input: Option<bool>,
    ) -> Result<JsValue, JsValue> {
        let begin = now();
        let input = self.prepared(rgba, width, height)?;
        let ready = now();
        let output = self.model.run(&input).map_err(thrown)?;
        let predictions = self.model.predictions(&output, top_k.unwrap_or(5) as usize);
        answer(predictions, None, [begin, ready, now()], with_input.unwrap_or(false).then_some(&input[..]))
    }

    /// The embedding of RGBA pixels of any size: the pooled vector before the linear layer.
    pub fn embed(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Pixels")] rgba: &JsValue,
        width: f64,
        height: f64,
    ) -> Result<Float32Array, JsValue> {
        let output = self.model.run(&self.prepared(rgba, width, height)?).map_err(thrown)?;
        Ok(Float32Array::from(&output.embedding[..]))
    }

    /// The logits of RGBA pixels of any size, in the order of the labels.
    pub fn logits(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Pixels")] rgba: &JsValue,
        width: f64,
        height: f64,
    ) -> Result<Float32Array, JsValue> {
        let output = self.model.run(&self.prepared(rgba, width, height)?).map_err(thrown)?;
        Ok(Float32Array::from(&output.logits[..]))
    }

    /// The network's input for RGBA pixels of any size: red, green, blue planes in [0, 1].
    pub fn input(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Pixels")] rgba: &JsValue,
        width: f64,
        height: f64,
    ) -> Result<Float32Array, JsValue> {
        Ok(Float32Array::from(&self.prepared(rgba, width, height)?[..]))
    }

    /// What the file says about itself, with the names of its metadata.
    #[wasm_bindgen(unchecked_return_type = "ModelCard")]
    pub fn card(&self) -> Result<JsValue, JsValue> {
        // Through JSON, as it stands in the file: a seed above 2^53 loses digits here instead of failing.
        let text = serde_json::to_string(self.model.card()).map_err(|e| JsError::new(&e.to_string()))?;
        js_sys::JSON::parse(&text)
    }

    /// Size, accuracy, density and multiply-adds.
    #[wasm_bindgen(unchecked_return_type = "Metrics")]
    pub fn metrics(&self) -> Result<JsValue, JsValue> {
        plain(&self.model.metrics())
    }

    /// The layers from the picture to the logits.
    #[wasm_bindgen(unchecked_return_type = "Layer[]")]
    pub fn layers(&self) -> Result<JsValue, JsValue> {
        let layers = layers(&self.model.card().spec);
        let sized = |layer: &Layer| Sized { weights_bytes: layer.weights_bytes(), layer: layer.clone() };
        plain(&layers.iter().map(sized).collect::<Vec<_>>())
    }

    /// The learned displacements of every shift layer, in the order of the blocks.
    #[wasm_bindgen(unchecked_return_type = "Shift[]")]
    pub fn shifts(&self) -> Result<JsValue, JsValue> {
        plain(&self.model.shifts())
    }

    /// How every layer runs: by which kernel of whole numbers, or why in float.
    #[wasm_bindgen(unchecked_return_type = "PlannedLayer[]")]
    pub fn plan(&self) -> Result<JsValue, JsValue> {
        plain(&self.model.plan())
    }

    /// Milliseconds of every layer of [`plan`](Self::plan) for RGBA pixels of any size; empty where a layer runs in float.
    pub fn profile(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Pixels")] rgba: &JsValue,
        width: f64,
        height: f64,
    ) -> Result<js_sys::Float64Array, JsValue> {
        let input = self.prepared(rgba, width, height)?;
        // Looked up once: to be read between the layers, it must cost little beside them.
        let clock = clock();
        let mut now = || clock.as_ref().map_or(0.0, web_sys::Performance::now);
        let (_, times) = self.model.profile(&input, &mut now).map_err(thrown)?;
        let times: Vec<f64> = times.iter().map(|t| t.time).collect();
        Ok(js_sys::Float64Array::from(&times[..]))
    }

    fn prepared(&self, rgba: &JsValue, width: f64, height: f64) -> Result<Vec<f32>, JsValue> {
        let (rgba, width, height) = picture(rgba, width, height)?;
        self.model.input(&rgba, width, height).map_err(thrown)
    }
}

/// Any image classifier as ONNX, with a fixed input `[N, 3, S, S]` and one output of logits. Errors are thrown as
/// `Error` with a `code`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct PlainClassifier {
    model: Plain,
}

#[wasm_bindgen]
impl PlainClassifier {
    /// Reads an ONNX file. Without `labels` those in its metadata are taken, if there are any; without `normalisation`
    /// pictures go in as they are, 0 to 1.
    pub fn load(
        bytes: &Uint8Array,
        labels: Option<Vec<String>>,
        #[wasm_bindgen(unchecked_param_type = "Normalisation | undefined")] normalisation: Option<String>,
    ) -> Result<PlainClassifier, JsValue> {
        Model::check_size(u64::from(bytes.length())).map_err(thrown)?;
        let named = |name: String| {
            let what = format!("{name} is no normalisation: `unit` or `imagenet`");
            Normalisation::named(&name).ok_or_else(|| thrown(Error::new(ErrorKind::Unsupported, what)))
        };
        let normalisation = normalisation.map(named).transpose()?.unwrap_or_default();
        Plain::load(&bytes.to_vec(), labels, normalisation).map(|model| Self { model }).map_err(thrown)
    }

    /// As `Classifier.classify`.
    #[wasm_bindgen(unchecked_return_type = "Classification")]
    pub fn classify(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Pixels")] rgba: &JsValue,
        width: f64,
        height: f64,
        #[wasm_bindgen(js_name = topK)] top_k: Option<u32>,
        #[wasm_bindgen(js_name = withInput)] with_input: Option<bool>,
    ) -> Result<JsValue, JsValue> {
        let begin = now();
        let (rgba, width, height) = picture(rgba, width, height)?;
        let input = self.model.input(&rgba, width, height).map_err(thrown)?;
        let ready = now();
        let output = self.model.run(&input).map_err(thrown)?;
        let predictions = self.model.predictions(&output, top_k.unwrap_or(5) as usize);
        answer(predictions, None, [begin, ready, now()], with_input.unwrap_or(false).then_some(&input[..]))
    }

    /// What is known of it.
    #[wasm_bindgen(unchecked_return_type = "PlainInfo")]
    pub fn info(&self) -> Result<JsValue, JsValue> {
        plain(self.model.info())
    }
}

/// The labels in a text file: one a line, or JSON. Throws where there are fewer than two.
#[wasm_bindgen(js_name = parseLabels)]
pub fn parse_labels(text: &str) -> Result<Vec<String>, JsValue> {
    let what = "the file has no labels: it needs one a line, without empty lines, and two at least";
    labels::from_text(text).ok_or_else(|| thrown(Error::new(ErrorKind::Labels, what)))
}

/// A layer and the bytes of its packed weights.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sized {
    #[serde(flatten)]
    layer: Layer,
    weights_bytes: u64,
}

/// The answer to a picture, from the times at which it began, was prepared and ended.
fn answer(
    predictions: Vec<Prediction>,
    taught: Option<Vec<Prediction>>,
    [begin, ready, end]: [f64; 3],
    input: Option<&[f32]>,
) -> Result<JsValue, JsValue> {
    let milliseconds = Milliseconds { preprocess: ready - begin, inference: end - ready, total: end - begin };
    let answer = plain(&Classification { predictions, taught, milliseconds })?;
    if let Some(input) = input {
        Reflect::set(&answer, &"input".into(), &Float32Array::from(input))?;
    }
    Ok(answer)
}

/// The bytes and the size of a picture.
fn picture(rgba: &JsValue, width: f64, height: f64) -> Result<(Vec<u8>, u32, u32), JsValue> {
    let (width, height) = (whole(width)?, whole(height)?);
    // A canvas gives bytes that clamp: the same bytes under another name.
    let pixels = match rgba.dyn_ref::<js_sys::Uint8ClampedArray>() {
        Some(clamped) => clamped.to_vec(),
        None => rgba.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec).ok_or_else(|| {
            thrown(Error::new(ErrorKind::Picture, "the pixels are no Uint8Array or Uint8ClampedArray"))
        })?,
    };
    Ok((pixels, width, height))
}

/// A number of pixels. JavaScript's own conversion would turn -1 into four thousand million and `NaN` into 0.
fn whole(pixels: f64) -> Result<u32, JsValue> {
    if pixels.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&pixels) {
        return Ok(pixels as u32);
    }
    Err(thrown(Error::new(ErrorKind::Picture, format!("{pixels} is no number of pixels"))))
}

/// A plain object; absent values are `null`.
fn plain(value: &impl Serialize) -> Result<JsValue, JsValue> {
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).map_err(Into::into)
}

/// A JavaScript `Error` with the code of ours.
fn thrown(error: Error) -> JsValue {
    let thrown: JsValue = js_sys::Error::new(&error.to_string()).into();
    // Setting a property of a fresh, extensible object cannot fail.
    let _ = Reflect::set(&thrown, &"code".into(), &error.kind().code().into());
    thrown
}

/// Milliseconds since the window or worker began; 0 where there is no such clock.
fn now() -> f64 {
    clock().map_or(0.0, |clock| clock.now())
}

/// The clock of the window or worker, if there is one.
fn clock() -> Option<web_sys::Performance> {
    let clock = Reflect::get(&js_sys::global(), &"performance".into()).ok();
    // Without `dyn_into`: the class is not visible in every kind of worker.
    clock.filter(JsValue::is_object).map(JsCast::unchecked_into)
}
