//! Runs a checked graph, one picture at a time: in whole numbers where it is recognised, with tract where it is not.
//!
//! tract's operators may still panic on values that no check of ours knows. Natively such a panic is caught and becomes
//! an [`Error`]. In WebAssembly a panic ends the module instance: JavaScript sees a `RuntimeError`, and whoever loads
//! files of strangers there does it in a worker that can be started anew. No memory is shared with a caught panic:
//! what tract was building is dropped.

use crate::error::{Error, ErrorKind};
use crate::onnx::ModelFile;
use crate::plan::{Mixed, Plan, PlannedLayer, Whole, plan};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tract_onnx::model::{Onnx, OnnxOpRegister};
use tract_onnx::prelude::*;

/// The operators that tract knows.
pub(crate) fn known_operators() -> OnnxOpRegister {
    tract_onnx::onnx().op_register
}

/// A graph ready to run, for a batch of one.
#[derive(Debug)]
pub(crate) struct Engine {
    runner: Runner,
    layers: Vec<PlannedLayer>,
    side: usize,
}

#[derive(Debug)]
enum Runner {
    /// Whole numbers alone.
    Whole(Box<Whole>),
    /// tract, with or without regions of ours; position of the two outputs.
    Tract { plan: Arc<TypedRunnableModel>, logits: usize, embedding: usize },
}

impl Engine {
    /// Recognises what it can; tract makes the rest ready: folds what is constant, then picks kernels.
    pub(crate) fn build(file: &ModelFile) -> Result<Self, Error> {
        let (plan, layers) = plan(file);
        let runner = match plan {
            Plan::Whole(whole) => Runner::Whole(whole),
            Plan::Mixed(mixed) => match tract(file, Some(&mixed)) {
                Ok(runner) => runner,
                // A region that tract cannot place must not cost the file: all of it runs in float then.
                Err(_) => return Self::build_float(file),
            },
            Plan::Float => tract(file, None)?,
        };
        Ok(Self { runner, layers, side: file.card.spec.input })
    }

    /// Leaves all of it to tract in float: the plain form that whole numbers are tested against.
    pub(crate) fn build_float(file: &ModelFile) -> Result<Self, Error> {
        Ok(Self { runner: tract(file, None)?, layers: Vec::new(), side: file.card.spec.input })
    }

    /// Every layer and how it runs; nothing of a graph that was left to tract as a whole.
    pub(crate) fn layers(&self) -> &[PlannedLayer] {
        &self.layers
    }

    /// Whether nothing runs in tract.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.runner, Runner::Whole(_))
    }

    /// Logits and embedding of one input `[3, side, side]`. `done` is told the position in [`layers`](Self::layers) of
    /// every layer behind it, where the whole network runs in whole numbers.
    pub(crate) fn run(&self, input: &[f32], done: &mut dyn FnMut(usize)) -> Result<(Vec<f32>, Vec<f32>), Error> {
        let failed = |e: String| Error::new(ErrorKind::Inference, format!("the network failed: {e}"));
        let (plan, logits, embedding) = match &self.runner {
            Runner::Whole(whole) => return whole.run(input, done).map_err(failed),
            Runner::Tract { plan, logits, embedding } => (plan, logits, embedding),
        };
        let outputs = guarded(ErrorKind::Inference, "the network failed", || {
            let tensor = Tensor::from_shape(&[1, 3, self.side, self.side], input)?;
            plan.run(tvec!(tensor.into()))
        })?;
        let values = |slot: &usize| -> Result<Vec<f32>, Error> {
            let value = outputs.get(*slot).and_then(|v| v.as_plain_ram());
            let slice = value.as_ref().and_then(|v| v.as_slice::<f32>().ok());
            slice.map(<[f32]>::to_vec).ok_or_else(|| Error::new(ErrorKind::Inference, "an output is no plain tensor"))
        };
        Ok((values(logits)?, values(embedding)?))
    }
}

/// tract on the file's graph, or on one with regions of ours in it; checks that the outputs are those of the card.
fn tract(file: &ModelFile, mixed: Option<&Mixed>) -> Result<Runner, Error> {
    let spec = &file.card.spec;
    let plan = guarded(ErrorKind::Unsupported, "the graph cannot be run", || optimised(file, mixed))?;
    let outputs = [("logits", file.logits, spec.classes), ("embedding", file.embedding, spec.embedding())];
    for (name, slot, length) in outputs {
        let fact = plan.model().output_fact(slot).map_err(|e| Error::new(ErrorKind::Unsupported, e.to_string()))?;
        if fact.datum_type != f32::datum_type() || fact.shape.as_concrete() != Some(&[1, length]) {
            let what = format!(
                "the output `{name}` is {:?} {:?}, the model card asks for float32 [N, {length}]",
                fact.datum_type, fact.shape
            );
            return Err(Error::new(ErrorKind::Unsupported, what));
        }
    }
    Ok(Runner::Tract { plan, logits: file.logits, embedding: file.embedding })
}

fn optimised(file: &ModelFile, mixed: Option<&Mixed>) -> TractResult<Arc<TypedRunnableModel>> {
    let side = file.card.spec.input;
    // Shapes are worked out from the input; those that a file states beside its values are not needed to be right.
    let onnx = Onnx { ignore_value_info: true, ..tract_onnx::onnx() };
    let mut model = match mixed {
        Some(mixed) => mixed.read(&onnx)?,
        None => onnx.model_for_proto_model(&file.proto)?,
    };
    model.set_input_fact(0, InferenceFact::dt_shape(f32::datum_type(), [1, 3, side, side]))?;
    model.into_optimized()?.into_runnable()
}

/// Runs something of tract's; its errors and panics become errors of ours.
pub(crate) fn guarded<T>(kind: ErrorKind, what: &str, action: impl FnOnce() -> TractResult<T>) -> Result<T, Error> {
    match catch_unwind(AssertUnwindSafe(action)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Error::new(kind, format!("{what}: {error:#}"))),
        Err(_) => Err(Error::new(kind, format!("{what}: an operator met values that it cannot take"))),
    }
}
