//! Reading a file of ours back into the deployed network that it was written from.

use super::constant::Constant;
use crate::deploy::{Affine, Block, Convolution, Network, NetworkError, Pointwise, Weights};
use lsspq::ModelCard;
use lsspq::spec::BlockShape;
use prost::Message;
use std::collections::HashMap;
use std::iter::Peekable;
use tract_onnx::pb::{ModelProto, NodeProto};

/// The network and the model card of a file that [`to_onnx`](super::to_onnx) wrote.
///
/// # Errors
/// [`Unreadable`](crate::deploy::NetworkErrorKind::Unreadable) where the bytes are no ONNX file, carry no model card, or
/// hold another graph than the card's specification gives; it says which operator was expected where.
pub fn from_onnx(bytes: &[u8]) -> Result<(Network, ModelCard), NetworkError> {
    let model = ModelProto::decode(bytes)
        .map_err(|e| NetworkError::unreadable(format!("no ONNX file, or only a part of one: {e}")))?;
    let entries = model.metadata_props.iter().map(|e| (e.key.as_str(), e.value.as_str()));
    let card = ModelCard::from_metadata(entries).map_err(|e| NetworkError::unreadable(e.to_string()))?;
    let graph = model.graph.ok_or_else(|| NetworkError::unreadable("the file has no graph"))?;
    let mut constants = HashMap::new();
    for tensor in &graph.initializer {
        let constant = Constant::decode(tensor)
            .ok_or_else(|| NetworkError::unreadable(format!("constant {} cannot be decoded", tensor.name)))?;
        constants.insert(tensor.name.as_str(), constant);
    }
    let mut live = Vec::new();
    for node in &graph.node {
        let inputs: Option<Vec<&Constant>> = node.input.iter().map(|name| constants.get(name.as_str())).collect();
        let Some(inputs) = inputs.filter(|inputs| !inputs.is_empty()) else {
            live.push(node);
            continue;
        };
        let values = Constant::evaluate(node, &inputs).filter(|values| values.len() == node.output.len());
        let values = values.ok_or_else(|| {
            let (op, outputs) = (&node.op_type, node.output.join(", "));
            NetworkError::unreadable(format!("constant {outputs}: {op} cannot be evaluated"))
        })?;
        constants.extend(node.output.iter().map(String::as_str).zip(values));
    }
    let network = Reader { live: live.into_iter().peekable(), constants }.network(&card)?;
    network.check()?;
    Ok((network, card))
}

/// Walks the nodes that are no constants in the order in which they are written.
struct Reader<'a> {
    live: Peekable<std::vec::IntoIter<&'a NodeProto>>,
    constants: HashMap<&'a str, Constant>,
}

/// The name of a value.
type Name<'a> = &'a str;

impl<'a> Reader<'a> {
    fn network(mut self, card: &ModelCard) -> Result<Network, NetworkError> {
        let spec = &card.spec;
        let quantised = spec.bits.activations.is_some();
        let mut seen = "image";
        if spec.mirrored {
            let (mirrored, [_, _, _, _]) = self.take("Slice", &["image"])?;
            seen = self.take("Concat", &["image", mirrored]).map(|(x, [])| x)?;
        }
        let (x, [mean]) = self.take("Sub", &[seen])?;
        let (x, [gain]) = self.take("Mul", &[x])?;
        let (x, []) = self.take("Round", &[x])?;
        let mean = triple(&mean)?;
        let deviation = triple(&gain)?.map(reciprocal);
        let (x, [weight]) = self.take("Conv", &[x])?;
        let (x, affine) = self.affine(x, spec.stem.channels)?;
        let stem = Convolution { weight: weight.values, affine };
        let mut x = self.activation(x, quantised)?;
        if spec.stem.pool {
            x = self.take("MaxPool", &[x]).map(|(x, [])| x)?;
        }
        let mut groups: Vec<Vec<Block>> = spec.groups.iter().map(|_| Vec::new()).collect();
        let mut closes = Vec::new();
        for shape in spec.blocks() {
            let (y, block) = self.block(x, &shape, quantised)?;
            x = y;
            groups[shape.group].push(block);
            if shape.index + 1 == spec.groups[shape.group].blocks {
                let (y, close) = self.affine(x, shape.output)?;
                closes.push(close);
                x = self.activation(y, quantised)?;
            }
        }
        let mut head = None;
        if spec.head.is_some() {
            let (y, layer) = self.layer("Conv", x, spec.bits.weights)?;
            head = Some(layer);
            x = self.activation(y, quantised)?;
        }
        let (mut x, [_axes]) = self.take("ReduceSum", &[x])?;
        if spec.mirrored {
            x = self.take("Reshape", &[x]).map(|(x, [_apart])| x)?;
            x = self.take("ReduceSum", &[x]).map(|(x, [_views])| x)?;
        }
        let (mut x, [_share]) = self.take("Mul", &[x])?;
        if head.is_some() && quantised {
            x = self.take("Round", &[x]).map(|(x, [])| x)?;
        }
        let (_, linear) = self.layer("Gemm", x, spec.bits.linear)?;
        if let Some(node) = self.live.next() {
            return Err(NetworkError::unreadable(format!("{} behind the linear layer", node.op_type)));
        }
        Ok(Network { spec: spec.clone(), mean, deviation, stem, groups, closes, head, linear })
    }

    fn block(&mut self, x: Name<'a>, shape: &BlockShape, quantised: bool) -> Result<(Name<'a>, Block), NetworkError> {
        let (mut inner, mut pre) = (x, None);
        if shape.pre_activated() {
            let (y, affine) = self.affine(x, shape.input)?;
            pre = Some(affine);
            inner = self.activation(y, quantised)?;
        }
        let (reduced, reduce) = self.layer("Conv", inner, shape.weight_bits)?;
        let reduced = self.activation(reduced, quantised)?;
        let (shifted, [kernels]) = self.take("Conv", &[reduced])?;
        let shift = displacements(&kernels)
            .ok_or_else(|| NetworkError::unreadable(format!("the kernels of shift {shifted} are not one-hot")))?;
        let (expanded, expand) = self.layer("Conv", shifted, shape.weight_bits)?;
        let (mut short, mut shortcut) = (x, None);
        if shape.projects() {
            let (y, layer) = self.layer("Conv", x, shape.weight_bits)?;
            (short, shortcut) = (y, Some(layer));
        }
        let (y, []) = self.take("Add", &[expanded, short])?;
        Ok((y, Block { pre, reduce, shift, expand, shortcut }))
    }

    /// A pointwise convolution or the linear layer, with its scale and bias.
    fn layer(&mut self, op: &str, x: Name<'a>, bits: Option<u8>) -> Result<(Name<'a>, Pointwise), NetworkError> {
        let (x, [weights]) = self.take(op, &[x])?;
        let &[output, input, ..] = &weights.shape[..] else {
            return Err(NetworkError::unreadable(format!("the weights of {x} are no matrix")));
        };
        let weights = match bits {
            None => Weights::Float(weights.values),
            Some(bits) => Weights::Levels { bits, levels: levels(&weights.values, bits)? },
        };
        let (x, affine) = self.affine(x, output)?;
        Ok((x, Pointwise { input, output, weights, affine }))
    }

    fn affine(&mut self, x: Name<'a>, channels: usize) -> Result<(Name<'a>, Affine), NetworkError> {
        let (x, [scale]) = self.take("Mul", &[x])?;
        // A scalar is the scale of all channels.
        let scale = if scale.shape.is_empty() { vec![scale.values[0]; channels] } else { scale.values };
        // Without a bias the node is not there; an Add of two values that are no constants is a shortcut.
        let constant = |name: &String| self.constants.contains_key(name.as_str());
        if !self.live.peek().is_some_and(|next| next.op_type == "Add" && next.input.iter().any(constant)) {
            return Ok((x, Affine { bias: vec![0.0; channels], scale }));
        }
        let (x, [bias]) = self.take("Add", &[x])?;
        Ok((x, Affine { scale, bias: bias.values }))
    }

    fn activation(&mut self, x: Name<'a>, quantised: bool) -> Result<Name<'a>, NetworkError> {
        let (x, [_low, _high]) = self.take("Clip", &[x])?;
        if quantised { self.take("Round", &[x]).map(|(x, [])| x) } else { Ok(x) }
    }

    /// The next node, which must be that operator on those values; gives its output and its constant operands.
    fn take<const N: usize>(&mut self, op: &str, inputs: &[&str]) -> Result<(Name<'a>, [Constant; N]), NetworkError> {
        let expected = |found: String| NetworkError::unreadable(format!("{op} was expected, the file has {found}"));
        let node = self.live.next().ok_or_else(|| expected("no more nodes".into()))?;
        let wrong = || expected(format!("{} of {}", node.op_type, node.input.join(", ")));
        let (fixed, live): (Vec<_>, Vec<_>) = node.input.iter().partition(|n| self.constants.contains_key(n.as_str()));
        if node.op_type != op || live != inputs {
            return Err(wrong());
        }
        let output = node.output.first().ok_or_else(wrong)?;
        let fixed: Vec<Constant> = fixed.into_iter().map(|name| self.constants[name.as_str()].clone()).collect();
        Ok((output, fixed.try_into().map_err(|_| wrong())?))
    }
}

fn triple(constant: &Constant) -> Result<[f32; 3], NetworkError> {
    let values = constant.values.clone();
    values.try_into().map_err(|_| NetworkError::unreadable("the normalisation is not that of three colours"))
}

/// A number whose reciprocal is `value`: the quotient itself, or a neighbour where that misses by rounding.
fn reciprocal(value: f32) -> f32 {
    let near = 1.0 / value;
    let candidates = [near, near.next_up(), near.next_down()];
    candidates.into_iter().find(|&c| 1.0 / c == value).unwrap_or(near)
}

fn levels(values: &[f32], bits: u8) -> Result<Vec<u8>, NetworkError> {
    let top = ((1_u32 << bits) - 1) as f32;
    let level = |&value: &f32| {
        let level = (value + top) / 2.0;
        let fits = level.fract() == 0.0 && (0.0..=top).contains(&level);
        fits.then_some(level as u8).ok_or_else(|| NetworkError::unreadable(format!("{value} is no {bits}-bit weight")))
    };
    values.iter().map(level).collect()
}

/// Where the one is in every kernel, seen from the middle.
fn displacements(kernels: &Constant) -> Option<Vec<(i8, i8)>> {
    let &[_, 1, side, _] = &kernels.shape[..] else { return None };
    let one = |kernel: &[f32]| {
        let at = kernel.iter().position(|&v| v == 1.0)?;
        let from_middle = |place: usize| i8::try_from(place as isize - (side / 2) as isize).ok();
        let others = kernel.iter().filter(|&&v| v != 0.0).count();
        Some((from_middle(at / side)?, from_middle(at % side)?)).filter(|_| others == 1)
    };
    kernels.values.chunks_exact(side.checked_mul(side).filter(|&area| area > 0)?).map(one).collect()
}
