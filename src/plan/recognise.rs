//! Finds what we can compute: one pass over the nodes, in their order, by what they do and never by what they are called.
//!
//! Scales, biases and clips are not computed where they stand: a value that passed through them is remembered as an
//! [`Expr`] of the value before, until a Round makes it a quantised activation, or somebody takes it as it is.

use super::constant::{Constant, integer, list, text};
use super::graph::{Graph, Node, ValueId};
use super::layer::{Gather, Layer, LayerId, Op, Shape};
use super::operand::{Window, colours, per_channel};
use super::picture::Picture;
use crate::kernels::{Affine, MaxPool};
use std::collections::{HashMap, HashSet};

/// Why a node is left to tract.
pub(super) type Reason = String;

/// A layer's value behind scale, bias and clip.
#[derive(Clone)]
pub(super) struct Expr {
    pub(super) base: LayerId,
    pub(super) scale: Option<Vec<f32>>,
    pub(super) bias: Option<Vec<f32>>,
    /// Upper bound of a clip whose lower bound is 0.
    pub(super) clip: Option<u8>,
    pub(super) flat: bool,
}

/// What is known of a value.
#[derive(Clone)]
pub(super) enum State {
    Unknown,
    Picture(Picture),
    /// The picture as it came, its rows backwards.
    Mirrored,
    /// Sums of two views, each in a row of its own: `[2, 1, channels]`.
    Apart(LayerId),
    Expr(Expr),
    /// Levels read with displacements: free before a product, nothing anywhere else.
    Shifted {
        x: LayerId,
        gather: Gather,
        height: usize,
        width: usize,
    },
}

/// The layers that were recognised, and for every node that was not, why.
pub(super) struct Recogniser<'a> {
    pub(super) graph: &'a Graph<'a>,
    pub(super) layers: Vec<Layer>,
    pub(super) reasons: HashMap<usize, Reason>,
    pub(super) states: Vec<State>,
    /// Side of the square picture.
    pub(super) side: usize,
    /// Shapes of the values that tract gives, where they are known.
    shapes: &'a HashMap<String, Shape>,
}

impl<'a> Recogniser<'a> {
    /// Looks at every node but those that are `left` to tract.
    pub(super) fn run(
        graph: &'a Graph<'a>,
        side: usize,
        shapes: &'a HashMap<String, Shape>,
        left: &HashSet<usize>,
    ) -> Self {
        let mut states = vec![State::Unknown; graph.values.len()];
        states[graph.input] = State::Picture(Picture::default());
        let mut all = Self { graph, layers: Vec::new(), reasons: HashMap::new(), states, side, shapes };
        for (at, node) in graph.nodes.iter().enumerate() {
            let found = match left.contains(&at) {
                true => Err("it would stand alone between float operators".to_owned()),
                false => all.node(at, node),
            };
            match (found, &node.outputs[..]) {
                (Ok(state), &[output]) => all.states[output] = state,
                (Ok(_), _) => {}
                (Err(reason), _) => {
                    all.reasons.insert(at, reason);
                }
            }
        }
        all
    }

    fn node(&mut self, at: usize, node: &Node) -> Result<State, Reason> {
        let &[output] = &node.outputs[..] else { return Err("it has several outputs".into()) };
        match &*node.proto.op_type {
            "Conv" => self.convolution(at, node, output),
            "Gemm" => self.linear(at, node, output),
            "Mul" => self.multiply(at, node, output),
            "Add" => self.add(at, node, output),
            "Sub" => self.subtract(node),
            "Clip" => self.clip(node),
            "Round" => self.round(at, node, output),
            "MaxPool" => self.max_pool(at, node, output),
            "ReduceSum" | "GlobalAveragePool" => self.pool(at, node, output),
            "Flatten" => self.flatten(node),
            "Slice" => self.mirror(node),
            "Concat" => self.beside(node),
            "Reshape" => self.apart(node),
            "Identity" => Ok(self.states[self.input(node, 0)?].clone()),
            other => Err(format!("{other} is no operator of an L-SSPQ network")),
        }
    }

    /// Operand `i`, which must not be a constant.
    pub(super) fn input(&self, node: &Node, i: usize) -> Result<ValueId, Reason> {
        let id = node.inputs.get(i).copied().flatten().ok_or("an operand is missing")?;
        match self.graph.values[id].constant {
            Some(_) => Err("its operand is a constant".into()),
            None => Ok(id),
        }
    }

    /// Operand `i`, which must be a constant.
    pub(super) fn constant(&self, node: &Node, i: usize) -> Result<&'a Constant, Reason> {
        let constant = self.optional(node, i)?;
        constant.ok_or_else(|| "an operand is missing".into())
    }

    /// Operand `i`, which may be left out.
    pub(super) fn optional(&self, node: &Node, i: usize) -> Result<Option<&'a Constant>, Reason> {
        let Some(id) = node.inputs.get(i).copied().flatten() else { return Ok(None) };
        let constant = self.graph.values[id].constant.as_ref();
        constant.map(Some).ok_or_else(|| "its weights are not known when the file is loaded".into())
    }

    /// The two operands of Mul or Add: what depends on the picture, and the constant where there is one.
    fn operands(&self, node: &Node) -> Result<(ValueId, Option<&'a Constant>, Option<ValueId>), Reason> {
        let (&[Some(a), Some(b)], values) = (&node.inputs[..], &self.graph.values) else {
            return Err("it has not two operands".into());
        };
        match (&values[a].constant, &values[b].constant) {
            (Some(constant), None) => Ok((b, Some(constant), None)),
            (None, Some(constant)) => Ok((a, Some(constant), None)),
            (None, None) => Ok((a, None, Some(b))),
            _ => Err("both operands are constants".into()),
        }
    }

    /// What a value is as an expression; a value of tract's becomes a layer where its shape is known.
    pub(super) fn expr(&mut self, id: ValueId) -> Result<Expr, Reason> {
        match &self.states[id] {
            State::Expr(expr) => return Ok(expr.clone()),
            State::Picture(_) | State::Mirrored => return Err("it works on the picture itself".into()),
            State::Apart(_) => return Err("it takes views that were not added up".into()),
            State::Shifted { .. } => return Err("a shift is only known before a pointwise convolution".into()),
            State::Unknown => {}
        }
        let value = &self.graph.values[id];
        let (Some(&shape), Some(node)) = (self.shapes.get(value.name), value.node) else {
            return Err("its input comes from an operator that runs in float".into());
        };
        let expr = self.layer(Op::Foreign, shape, None, id, node);
        self.states[id] = State::Expr(expr.clone());
        Ok(expr)
    }

    /// A value as a layer of its own: scale and bias are computed where there are any.
    pub(super) fn materialise(&mut self, id: ValueId) -> Result<LayerId, Reason> {
        let expr = self.expr(id)?;
        if expr.clip.is_some() {
            return Err("an activation is clipped but not rounded".into());
        }
        let Some(affine) = self.affine(&expr)? else { return Ok(expr.base) };
        if self.layers[expr.base].top.is_some() {
            return Err("a quantised activation is scaled".into());
        }
        let shape = Shape { flat: expr.flat, ..self.layers[expr.base].shape };
        let node = self.graph.values[id].node.ok_or("a value without a node")?;
        let made = self.layer(Op::Affine { x: expr.base, affine }, shape, None, id, node);
        self.states[id] = State::Expr(made.clone());
        Ok(made.base)
    }

    /// The layer that a value is, and whether it is taken as a vector; none where tract computes it.
    pub(super) fn own(&mut self, id: ValueId) -> Option<(LayerId, bool)> {
        let State::Expr(expr) = &self.states[id] else { return None };
        let flat = expr.flat;
        if matches!(self.layers[expr.base].op, Op::Foreign) {
            return None;
        }
        self.materialise(id).ok().map(|layer| (layer, flat))
    }

    pub(super) fn affine(&self, expr: &Expr) -> Result<Option<Affine>, Reason> {
        if expr.scale.is_none() && expr.bias.is_none() {
            return Ok(None);
        }
        let channels = self.layers[expr.base].shape.channels;
        let scale = expr.scale.clone().unwrap_or_else(|| vec![1.0; channels]);
        let bias = expr.bias.clone().unwrap_or_else(|| vec![0.0; channels]);
        Affine::new(&scale, &bias).map(Some).map_err(|e| e.to_string())
    }

    pub(super) fn layer(&mut self, op: Op, shape: Shape, top: Option<u8>, value: ValueId, node: usize) -> Expr {
        self.layers.push(Layer { op, shape, top, value, node });
        Expr { base: self.layers.len() - 1, scale: None, bias: None, clip: None, flat: shape.flat }
    }

    /// A quantised activation: the layer and its largest level.
    pub(super) fn levels(&mut self, id: ValueId) -> Result<(LayerId, u8), Reason> {
        let expr = self.expr(id)?;
        let top = self.layers[expr.base].top;
        match (top, &expr) {
            (Some(top), Expr { scale: None, bias: None, clip: None, .. }) => Ok((expr.base, top)),
            _ => Err("its input is no quantised activation".into()),
        }
    }

    /// The shape that an expression is taken as.
    pub(super) fn shape(&self, expr: &Expr) -> Shape {
        Shape { flat: expr.flat, ..self.layers[expr.base].shape }
    }

    fn multiply(&mut self, at: usize, node: &Node, output: ValueId) -> Result<State, Reason> {
        let (x, constant, _) = self.operands(node)?;
        let constant = constant.ok_or("it multiplies two values")?;
        if let State::Picture(picture @ Picture { gain: None, rounded: false, .. }) = self.states[x] {
            return Ok(State::Picture(Picture { gain: Some(colours(constant)?), ..picture }));
        }
        let expr = self.expr(x)?;
        let scale = per_channel(constant, self.shape(&expr)).ok_or("its factor is not one number a channel")?;
        match (&self.layers[expr.base].op, &expr) {
            // The mean of a map: the sum times one number.
            (&Op::Mean { x, share: 1.0 }, Expr { scale: None, bias: None, clip: None, flat, .. })
                if scale.iter().all(|&s| s == scale[0]) =>
            {
                let shape = Shape { flat: *flat, ..self.layers[expr.base].shape };
                Ok(State::Expr(self.layer(Op::Mean { x, share: scale[0] }, shape, None, output, at)))
            }
            (_, Expr { scale: None, bias: None, clip: None, .. }) => {
                Ok(State::Expr(Expr { scale: Some(scale), ..expr }))
            }
            _ => {
                let base = self.materialise(x)?;
                Ok(State::Expr(Expr { base, scale: Some(scale), bias: None, ..expr }))
            }
        }
    }

    fn add(&mut self, at: usize, node: &Node, output: ValueId) -> Result<State, Reason> {
        let (x, constant, y) = self.operands(node)?;
        if let Some(constant) = constant {
            let expr = self.expr(x)?;
            let bias = per_channel(constant, self.shape(&expr)).ok_or("its term is not one number a channel")?;
            if expr.bias.is_none() && expr.clip.is_none() {
                return Ok(State::Expr(Expr { bias: Some(bias), ..expr }));
            }
            let base = self.materialise(x)?;
            return Ok(State::Expr(Expr { base, scale: None, bias: Some(bias), ..expr }));
        }
        let y = y.ok_or("an operand is missing")?;
        let (mut x, mut y) = (self.materialise(x)?, self.materialise(y)?);
        if self.layers[x].top.is_some() {
            std::mem::swap(&mut x, &mut y);
        }
        let (first, second) = (&self.layers[x], &self.layers[y]);
        if first.top.is_some() {
            return Err("it adds two quantised activations".into());
        }
        if first.shape != second.shape {
            return Err("it adds values of different shapes".into());
        }
        if matches!((&first.op, &second.op), (Op::Foreign, Op::Foreign)) {
            return Err("both operands run in float".into());
        }
        let shape = first.shape;
        Ok(State::Expr(self.layer(Op::Add { x, y }, shape, None, output, at)))
    }

    fn subtract(&mut self, node: &Node) -> Result<State, Reason> {
        let (x, constant) = (self.input(node, 0)?, self.constant(node, 1)?);
        match self.states[x] {
            State::Picture(picture @ Picture { mean: None, gain: None, rounded: false, .. }) => {
                Ok(State::Picture(Picture { mean: Some(colours(constant)?), ..picture }))
            }
            _ => Err("it subtracts behind the picture".into()),
        }
    }

    fn clip(&mut self, node: &Node) -> Result<State, Reason> {
        let x = self.input(node, 0)?;
        let bounds = (self.constant(node, 1)?.scalar(), self.constant(node, 2)?.scalar());
        let (Some(0.0), Some(high)) = bounds else { return Err("it does not clip from 0 to a level".into()) };
        if high.fract() != 0.0 || !(1.0..=255.0).contains(&high) {
            return Err(format!("{high} is no largest level of at most 8 bits"));
        }
        let expr = self.expr(x)?;
        if expr.clip.is_some() || self.layers[expr.base].top.is_some() {
            return Err("it clips twice".into());
        }
        Ok(State::Expr(Expr { clip: Some(high as u8), ..expr }))
    }

    fn round(&mut self, at: usize, node: &Node, output: ValueId) -> Result<State, Reason> {
        let x = self.input(node, 0)?;
        if let State::Picture(picture @ Picture { gain: Some(_), rounded: false, .. }) = self.states[x] {
            return Ok(State::Picture(Picture { rounded: true, ..picture }));
        }
        let expr = self.expr(x)?;
        let affine = self.affine(&expr)?;
        let top = match (expr.clip, &self.layers[expr.base].op, &affine) {
            (Some(top), ..) => top,
            // A mean of levels lies among the levels, so there need not be a clip.
            (None, &Op::Mean { x, share }, None) => {
                let Layer { top, shape, .. } = &self.layers[x];
                let (top, views) = (top.unwrap_or(0), shape.views / self.layers[expr.base].shape.views);
                let pixels = shape.pixels() * views;
                let high = (f32::from(top) * pixels as f32 * share).round();
                if share < 0.0 || !(0.0..=255.0).contains(&high) {
                    return Err("it rounds beyond 8 bits".into());
                }
                high as u8
            }
            _ => return Err("it rounds what is not clipped".into()),
        };
        let shape = self.shape(&expr);
        Ok(State::Expr(self.layer(Op::Quantise { x: expr.base, affine }, shape, Some(top), output, at)))
    }

    fn max_pool(&mut self, at: usize, node: &Node, output: ValueId) -> Result<State, Reason> {
        let x = self.input(node, 0)?;
        let side = list(node.proto, "kernel_shape").and_then(|k| Some([usize::try_from(*k.first()?).ok()?; 2]));
        let window = Window::of(node, side.ok_or("its window is missing")?)?;
        let unusual = |name: &str| integer(node.proto, name).unwrap_or(0) != 0;
        if unusual("ceil_mode")
            || unusual("storage_order")
            || text(node.proto, "auto_pad").is_some_and(|p| p != b"NOTSET")
        {
            return Err("its windows are laid out by the runtime".into());
        }
        let (x, top) = self.levels(x)?;
        let Shape { channels, height, width, flat, views } = self.layers[x].shape;
        let Window { side, stride, pad } = window;
        let pool = MaxPool { window: side, stride, pad, height, width, channels };
        let (rows, columns) = pool.output_size();
        // Every window must see a pixel.
        let seen = |count: usize, side: usize| count > 0 && (count - 1) * stride < side + pad;
        if flat || pad >= side || !seen(rows, height) || !seen(columns, width) {
            return Err("its windows leave the map".into());
        }
        let shape = Shape { views, ..Shape::map(channels, rows, columns) };
        Ok(State::Expr(self.layer(Op::MaxPool { x, pool }, shape, Some(top), output, at)))
    }

    fn pool(&mut self, at: usize, node: &Node, output: ValueId) -> Result<State, Reason> {
        let input = self.input(node, 0)?;
        if let State::Apart(sums) = self.states[input] {
            return self.together(at, node, output, sums);
        }
        let (x, _) = self.levels(input)?;
        let shape = self.layers[x].shape;
        if shape.flat || shape.pixels() > 1 << 16 {
            return Err("it pools no map, or too large a one".into());
        }
        let (share, flat) = if node.proto.op_type == "ReduceSum" {
            let axes = self.constant(node, 1)?.integers();
            if axes.is_none_or(|axes| axes != [2, 3] && axes != [-2, -1]) {
                return Err("it sums over other axes than rows and columns".into());
            }
            (1.0, integer(node.proto, "keepdims").unwrap_or(1) == 0)
        } else {
            (1.0 / shape.pixels() as f32, false)
        };
        let shape = Shape { flat, views: shape.views, ..Shape::vector(shape.channels) };
        Ok(State::Expr(self.layer(Op::Mean { x, share }, shape, None, output, at)))
    }

    fn flatten(&mut self, node: &Node) -> Result<State, Reason> {
        let x = self.input(node, 0)?;
        let expr = self.expr(x)?;
        if integer(node.proto, "axis").unwrap_or(1) != 1 || self.shape(&expr).pixels() != 1 {
            return Err("it flattens more than one pixel".into());
        }
        Ok(State::Expr(Expr { flat: true, ..expr }))
    }
}
