//! A region as one operator of tract's: floats `[1, channels, height, width]` or `[1, channels]` in and out, whole numbers
//! inside.

use super::layer::Shape;
use super::program::Program;
use std::sync::Arc;
use tract_onnx::tract_hir::internal::*;

/// A region and the facts that tract asks for.
#[derive(Clone, Debug)]
pub(super) struct RegionOp {
    pub(super) program: Arc<Program>,
    /// Whether the first operand is the picture.
    pub(super) picture: bool,
    /// The shape of every output.
    pub(super) outputs: Vec<Shape>,
}

impl PartialEq for RegionOp {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.program, &other.program)
    }
}

impl Eq for RegionOp {}

/// The shape of a value as tract counts it.
fn dimensions(shape: &Shape) -> TVec<usize> {
    if shape.flat { tvec![1, shape.channels] } else { tvec![1, shape.channels, shape.height, shape.width] }
}

impl Expansion for RegionOp {
    fn name(&self) -> StaticName {
        "LsspqRegion".into()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.outputs.len())
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        _inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        for (shape, output) in self.outputs.iter().zip(outputs) {
            s.equals(&output.datum_type, f32::datum_type())?;
            let dimensions: TVec<TDim> = dimensions(shape).iter().map(|d| d.to_dim()).collect();
            s.equals(&output.shape, dimensions)?;
        }
        Ok(())
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        model.wire_node(prefix, self.clone(), inputs)
    }
}

impl Op for RegionOp {
    fn name(&self) -> StaticName {
        "LsspqRegion".into()
    }

    op_as_typed_op!();
}

impl EvalOp for RegionOp {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let mut outputs = Vec::new();
        for shape in &self.outputs {
            outputs.push(Tensor::zero::<f32>(&dimensions(shape))?);
        }
        {
            let views = inputs.iter().map(|i| i.to_plain_array_view::<f32>()).collect::<TractResult<Vec<_>>>()?;
            let contiguous = views.iter().map(|v| v.as_slice().context("an operand has gaps"));
            let slices = contiguous.collect::<TractResult<Vec<&[f32]>>>()?;
            let (picture, inputs): (&[f32], &[&[f32]]) = match (self.picture, &slices[..]) {
                (true, [picture, inputs @ ..]) => (picture, inputs),
                _ => (&[], &slices),
            };
            let mut views =
                outputs.iter_mut().map(|o| o.to_plain_array_view_mut::<f32>()).collect::<TractResult<Vec<_>>>()?;
            let contiguous = views.iter_mut().map(|v| v.as_slice_mut().context("a result has gaps"));
            let mut slices = contiguous.collect::<TractResult<Vec<&mut [f32]>>>()?;
            self.program.run(picture, inputs, &mut slices, &mut |_| {})?;
        }
        Ok(outputs.into_iter().map(|o| o.into_tvalue()).collect())
    }
}

impl TypedOp for RegionOp {
    as_op!();

    fn output_facts(&self, _inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(self.outputs.iter().map(|shape| f32::fact(dimensions(shape))).collect())
    }
}
