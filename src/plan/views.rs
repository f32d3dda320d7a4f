//! Recognises two views of one picture: it and its mirror image go side by side through the network, as a batch, until their
//! pooled sums are added.

use super::constant::integer;
use super::graph::{Node, ValueId};
use super::layer::{LayerId, Op, Shape};
use super::picture::Picture;
use super::recognise::{Expr, Reason, Recogniser, State};

impl Recogniser<'_> {
    /// A Slice that reads the picture's rows backwards.
    pub(super) fn mirror(&self, node: &Node) -> Result<State, Reason> {
        let State::Picture(picture) = self.states[self.input(node, 0)?] else {
            return Err("it cuts out behind the picture".into());
        };
        let one = |i: usize| match self.constant(node, i)?.integers().as_deref() {
            Some(&[value]) => Ok::<i64, Reason>(value),
            _ => Err("it cuts along several axes".into()),
        };
        let (side, start, end, axis, step) = (self.side as i64, one(1)?, one(2)?, one(3)?, one(4)?);
        let backwards = step == -1 && [-1, side - 1].contains(&start) && end < -side;
        if picture.is_untouched() && backwards && [3, -1].contains(&axis) {
            Ok(State::Mirrored)
        } else {
            Err("it cuts out and mirrors no picture as it came".into())
        }
    }

    /// A Concat of the picture and its mirror image along the batch.
    pub(super) fn beside(&self, node: &Node) -> Result<State, Reason> {
        let (first, second) = (&self.states[self.input(node, 0)?], &self.states[self.input(node, 1)?]);
        match (first, second, node.inputs.len(), integer(node.proto, "axis")) {
            (State::Picture(picture), State::Mirrored, 2, Some(0)) if picture.is_untouched() => {
                Ok(State::Picture(Picture { views: 2, ..*picture }))
            }
            _ => Err("it puts other things beside each other than a picture and its mirror image".into()),
        }
    }

    /// A Reshape that tells the views of pooled sums apart, `[2, -1, channels]`.
    pub(super) fn apart(&mut self, node: &Node) -> Result<State, Reason> {
        let expr = self.expr(self.input(node, 0)?)?;
        let Expr { base, scale: None, bias: None, clip: None, flat: true } = expr else {
            return Err("it reshapes what is no vector of sums".into());
        };
        let (layer, target) = (&self.layers[base], self.constant(node, 1)?.integers());
        let wanted = [2, -1, layer.shape.channels as i64];
        let sums = matches!(layer.op, Op::Mean { share: 1.0, .. }) && layer.shape.views == 2;
        if sums && target.as_deref() == Some(&wanted) && integer(node.proto, "allowzero").unwrap_or(0) == 0 {
            Ok(State::Apart(base))
        } else {
            Err("it reshapes other things than the sums of two views".into())
        }
    }

    /// A ReduceSum over the views of pooled sums.
    pub(super) fn together(&mut self, at: usize, node: &Node, output: ValueId, sums: LayerId) -> Result<State, Reason> {
        let axes = match &*node.proto.op_type {
            "ReduceSum" => self.constant(node, 1)?.integers(),
            _ => None,
        };
        if axes.is_none_or(|axes| axes != [0]) || integer(node.proto, "keepdims").unwrap_or(1) != 0 {
            return Err("it sums other things than two views".into());
        }
        let (Op::Mean { x, share }, channels) = (&self.layers[sums].op, self.layers[sums].shape.channels) else {
            return Err("it sums what is not pooled".into());
        };
        let (x, share) = (*x, *share);
        Ok(State::Expr(self.layer(Op::Mean { x, share }, Shape::vector(channels), None, output, at)))
    }
}
