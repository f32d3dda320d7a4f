//! Recognises what has weights: the stem, pointwise convolutions and the shifts before them, the linear layer.

use super::constant::{Constant, integer, text};
use super::graph::{Node, ValueId};
use super::layer::{Gather, Op, Shape};
use super::operand::{Window, pack, per_channel};
use super::picture::Picture;
use super::recognise::{Expr, Reason, Recogniser, State};
use crate::kernels::{FloatWeights, Stem};

impl Recogniser<'_> {
    pub(super) fn convolution(&mut self, at: usize, node: &Node, output: ValueId) -> Result<State, Reason> {
        if text(node.proto, "auto_pad").is_some_and(|pad| pad != b"NOTSET") {
            return Err("its padding is left to the runtime".into());
        }
        if node.inputs.get(2).copied().flatten().is_some() {
            return Err("the convolution has a bias of its own".into());
        }
        let x = self.input(node, 0)?;
        let weights = self.constant(node, 1)?;
        let &[outputs, inner, rows, columns] = &weights.shape[..] else {
            return Err("it is not two-dimensional".into());
        };
        let window = Window::of(node, [rows, columns])?;
        let groups = integer(node.proto, "group").unwrap_or(1);
        if groups != 1 {
            if usize::try_from(groups) != Ok(outputs) || inner != 1 {
                return Err(format!("its {groups} groups are no depthwise convolution"));
            }
            return self.shift(x, weights, &window);
        }
        if let State::Picture(picture) = self.states[x] {
            return self.stem(at, output, weights, &window, picture);
        }
        if window.side != 1 {
            return Err(format!("it is a {0}x{0} convolution, neither the stem nor a shift", window.side));
        }
        if window.pad != 0 {
            return Err("it pads a pointwise convolution".into());
        }
        let (x, top, gather, (height, width)) = match self.states[x].clone() {
            State::Shifted { x, gather, height, width } if window.stride == 1 => {
                (x, self.layers[x].top.unwrap_or(u8::MAX), Some(gather), (height, width))
            }
            State::Shifted { .. } => return Err("a shift and a stride behind it".into()),
            _ => {
                let (x, top) = self.levels(x)?;
                let Shape { channels, height, width, flat, .. } = self.layers[x].shape;
                if flat {
                    return Err("it convolves a vector".into());
                }
                let stride = window.stride;
                let gather = (stride > 1).then(|| Gather { displacements: vec![(0, 0); channels], stride });
                (x, top, gather, (height.div_ceil(stride), width.div_ceil(stride)))
            }
        };
        if self.layers[x].shape.channels != inner {
            return Err("its weights do not fit its input".into());
        }
        let weights = Box::new(pack(weights, outputs, inner, top)?);
        let shape = Shape { views: self.layers[x].shape.views, ..Shape::map(outputs, height, width) };
        Ok(State::Expr(self.layer(Op::Product { x, shift: gather, weights }, shape, None, output, at)))
    }

    /// A depthwise convolution with one-hot kernels.
    fn shift(&mut self, x: ValueId, kernels: &Constant, window: &Window) -> Result<State, Reason> {
        let (x, _) = self.levels(x)?;
        let shape = self.layers[x].shape;
        if window.side != 2 * window.pad + 1 || shape.channels != kernels.shape[0] || shape.flat {
            return Err("its depthwise convolution does not keep the size of the map".into());
        }
        let values = kernels.floats().ok_or("its kernels are no floats")?;
        let area = window.side * window.side;
        let displacement = |kernel: &[f32]| {
            let at = kernel.iter().position(|&v| v != 0.0).filter(|&at| kernel[at] == 1.0)?;
            let alone = kernel[at + 1..].iter().all(|&v| v == 0.0);
            let from_middle = |place: usize| i8::try_from(place as i64 - window.pad as i64).ok();
            alone.then_some((from_middle(at / window.side)?, from_middle(at % window.side)?))
        };
        let displacements = values.chunks_exact(area).map(displacement).collect::<Option<Vec<_>>>();
        let displacements = displacements.ok_or("its depthwise kernels are no shifts")?;
        let stride = window.stride;
        let (height, width) = (shape.height.div_ceil(stride), shape.width.div_ceil(stride));
        Ok(State::Shifted { x, gather: Gather { displacements, stride }, height, width })
    }

    fn stem(
        &mut self,
        at: usize,
        output: ValueId,
        weights: &Constant,
        window: &Window,
        picture: Picture,
    ) -> Result<State, Reason> {
        let Picture { mean, gain: Some(gain), rounded: true, .. } = picture else {
            return Err("the stem's pixels are no whole numbers".into());
        };
        let mean = mean.unwrap_or_default();
        // The kernel's pixels go from -255 to 255; a picture goes from 0 to 1.
        let fits = |(m, g): (&f32, &f32)| (m.abs().max((1.0 - m).abs()) * g.abs()) < 255.5;
        if !mean.iter().zip(&gain).all(fits) {
            return Err("the stem's pixels go beyond 255".into());
        }
        if window.pad != window.side / 2 || window.side.is_multiple_of(2) || weights.shape[1] != 3 {
            return Err("the stem does not keep the size of the picture".into());
        }
        let values = weights.floats().ok_or("the stem's weights are no floats")?;
        let outputs = weights.shape[0];
        let stem = Stem::pack(&values, outputs, window.side, window.stride, self.side, self.side);
        let stem = stem.map_err(|e| e.to_string())?;
        let (height, width) = stem.output_size();
        let shape = Shape { views: picture.views, ..Shape::map(outputs, height, width) };
        Ok(State::Expr(self.layer(Op::Stem { stem, mean, gain }, shape, None, output, at)))
    }

    pub(super) fn linear(&mut self, at: usize, node: &Node, output: ValueId) -> Result<State, Reason> {
        let float = |name: &str| node.proto.attribute.iter().find(|a| a.name == name).is_none_or(|a| a.f == 1.0);
        if !float("alpha") || !float("beta") || integer(node.proto, "transA").unwrap_or(0) != 0 {
            return Err("the linear layer scales or transposes".into());
        }
        let x = self.input(node, 0)?;
        let (weights, bias) = (self.constant(node, 1)?, self.optional(node, 2)?);
        let &[rows, columns] = &weights.shape[..] else { return Err("its weights are no matrix".into()) };
        let transposed = integer(node.proto, "transB").unwrap_or(0) != 0;
        let (outputs, inputs) = if transposed { (rows, columns) } else { (columns, rows) };
        let base = self.materialise(x)?;
        let taken = self.expr(x)?;
        if self.shape(&taken) != Shape::vector(inputs) {
            return Err("its weights do not fit its input".into());
        }
        let shape = Shape::vector(outputs);
        let packed = self.layers[base].top.filter(|_| transposed).map(|top| pack(weights, outputs, inputs, top));
        let op = match packed {
            Some(Ok(weights)) => Op::Product { x: base, shift: None, weights: Box::new(weights) },
            _ => {
                let mut values = weights.floats().ok_or("its weights are no floats")?;
                if !transposed {
                    values = (0..outputs * inputs).map(|i| values[i % inputs * outputs + i / inputs]).collect();
                }
                let weights = FloatWeights::pack(&values, outputs, inputs).map_err(|e| e.to_string())?;
                Op::Float { x: base, weights }
            }
        };
        let bias = match bias {
            Some(bias) => Some(per_channel(bias, shape).ok_or("its bias is not one number a class")?),
            None => None,
        };
        Ok(State::Expr(Expr { bias, ..self.layer(op, shape, None, output, at) }))
    }
}
