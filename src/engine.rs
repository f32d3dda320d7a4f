//! Runs a checked graph with tract, one picture at a time.
//!
//! tract's operators may still panic on values that no check of ours knows. Natively such a panic is caught and becomes
//! an [`Error`]. In WebAssembly a panic ends the module instance: JavaScript sees a `RuntimeError`, and whoever loads
//! files of strangers there does it in a worker that can be started anew. No memory is shared with a caught panic:
//! what tract was building is dropped.

use crate::error::{Error, ErrorKind};
use crate::onnx::ModelFile;
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
    plan: Arc<TypedRunnableModel>,
    side: usize,
    /// Position and length of the two outputs.
    logits: (usize, usize),
    embedding: (usize, usize),
}

impl Engine {
    /// Optimises the graph: folds what is constant, then picks kernels.
    pub(crate) fn build(file: &ModelFile) -> Result<Self, Error> {
        let spec = &file.card.spec;
        let side = spec.input;
        let logits = (file.logits, spec.classes);
        let embedding = (file.embedding, spec.embedding());
        let plan = guarded(ErrorKind::Unsupported, "the graph cannot be run", || plan(file))?;
        for (name, (slot, length)) in [("logits", logits), ("embedding", embedding)] {
            let fact = plan.model().output_fact(slot).map_err(|e| Error::new(ErrorKind::Unsupported, e.to_string()))?;
            if fact.datum_type != f32::datum_type() || fact.shape.as_concrete() != Some(&[1, length]) {
                let what = format!(
                    "the output `{name}` is {:?} {:?}, the model card asks for float32 [N, {length}]",
                    fact.datum_type, fact.shape
                );
                return Err(Error::new(ErrorKind::Unsupported, what));
            }
        }
        Ok(Self { plan, side, logits, embedding })
    }

    /// Logits and embedding of one input `[3, side, side]`.
    pub(crate) fn run(&self, input: &[f32]) -> Result<(Vec<f32>, Vec<f32>), Error> {
        let outputs = guarded(ErrorKind::Inference, "the network failed", || {
            let tensor = Tensor::from_shape(&[1, 3, self.side, self.side], input)?;
            self.plan.run(tvec!(tensor.into()))
        })?;
        let values = |(slot, _): (usize, usize)| -> Result<Vec<f32>, Error> {
            let value = outputs.get(slot).and_then(|v| v.as_plain_ram());
            let slice = value.as_ref().and_then(|v| v.as_slice::<f32>().ok());
            slice.map(<[f32]>::to_vec).ok_or_else(|| Error::new(ErrorKind::Inference, "an output is no plain tensor"))
        };
        Ok((values(self.logits)?, values(self.embedding)?))
    }
}

fn plan(file: &ModelFile) -> TractResult<Arc<TypedRunnableModel>> {
    let side = file.card.spec.input;
    // Shapes are worked out from the input; those that a file states beside its values are not needed to be right.
    let onnx = Onnx { ignore_value_info: true, ..tract_onnx::onnx() };
    let mut model = onnx.model_for_proto_model(&file.proto)?;
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
