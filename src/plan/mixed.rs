//! A graph of which only parts are recognised: each region becomes one operator in what tract reads.

use super::graph::Graph;
use super::layer::{Op, Shape};
use super::operator::RegionOp;
use super::program::Step;
use super::region::Cut;
use super::{Plan, PlannedLayer, compile, left};
use crate::onnx::{INPUT, ModelFile};
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tract_onnx::model::Onnx;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto};
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::expand;

/// Operator type of a region's node, which tract does not know: the operator is put there when it has read the graph.
const REGION: &str = "LsspqRegion";

/// A graph whose recognised parts are single nodes.
pub(crate) struct Mixed {
    proto: ModelProto,
    /// The regions' operators, by the name of their node.
    regions: HashMap<String, RegionOp>,
}

impl Mixed {
    /// The graph as tract reads it, with the regions in place.
    pub(crate) fn read(&self, onnx: &Onnx) -> TractResult<InferenceModel> {
        let mut model = onnx.model_for_proto_model(&self.proto)?;
        for node in &mut model.nodes {
            if let Some(region) = self.regions.get(&node.name) {
                node.op = expand(region.clone());
            }
        }
        Ok(model)
    }
}

/// The shapes of all values for one picture, as tract works them out; none where it cannot.
pub(super) fn shapes(file: &ModelFile) -> Option<HashMap<String, Shape>> {
    let side = file.card.spec.input;
    let analysed = || -> TractResult<_> {
        let onnx = Onnx { ignore_value_info: true, ..tract_onnx::onnx() };
        let mut read = onnx.parse(&file.proto, None)?;
        read.model.set_input_fact(0, InferenceFact::dt_shape(f32::datum_type(), [1, 3, side, side]))?;
        // What cannot be worked out is simply not known.
        let _ = read.model.analyse(true);
        let mut shapes = HashMap::new();
        for (name, outlet) in read.outlets_by_name {
            let fact = read.model.outlet_fact(outlet)?;
            let dims = fact.shape.as_concrete_finite()?;
            let shape = match dims.as_deref() {
                Some(&[1, channels, height, width]) => Shape::map(channels, height, width),
                Some(&[1, channels]) => Shape::vector(channels),
                _ => continue,
            };
            if fact.datum_type == f32::datum_type().into() && shape.len() > 0 {
                shapes.insert(name, shape);
            }
        }
        Ok(shapes)
    };
    // tract may panic on values that no check of ours knows.
    catch_unwind(AssertUnwindSafe(analysed)).ok()?.ok()
}

/// The plan of a graph of which parts are recognised.
pub(super) fn mixed(
    file: &ModelFile,
    graph: &Graph,
    side: usize,
    shapes: &HashMap<String, Shape>,
) -> Option<(Plan, Vec<PlannedLayer>)> {
    let mut cut = Cut::of(graph, side, shapes)?;
    // A region runs on one view at a time and tract on all of them: they would have to change hands in step.
    if cut.regions.iter().flat_map(|r| &r.layers).any(|&(_, id)| cut.found.layers[id].shape.views > 1) {
        return None;
    }
    let whole = file.proto.graph.as_ref()?;
    let taken: HashSet<&str> = graph.values.iter().map(|v| v.name).chain(whole.node.iter().map(|n| &*n.name)).collect();
    let (mut nodes, mut regions, mut steps) = (Vec::new(), HashMap::new(), Vec::new());
    for (number, region) in cut.regions.iter().enumerate() {
        let takes_picture = |&(_, id): &(usize, usize)| matches!(cut.found.layers[id].op, Op::Stem { .. });
        let picture = region.layers.iter().any(takes_picture);
        let mut name = format!("{REGION}.{number}");
        while taken.contains(&*name) {
            name.push('\'');
        }
        let named = |value: usize| graph.values[value].name.to_owned();
        let operands = region.inputs.iter().map(|&input| named(cut.found.layers[input].value));
        nodes.push(NodeProto {
            name: name.clone(),
            op_type: REGION.into(),
            input: picture.then(|| INPUT.to_owned()).into_iter().chain(operands).collect(),
            output: region.outputs.keys().map(|&value| named(value)).collect(),
            ..NodeProto::default()
        });
        let outputs = region.outputs.values().map(|&(_, shape)| shape).collect();
        let program = Arc::new(compile::compile(&mut cut.found, region).ok()?);
        steps.extend(program.steps.iter().map(Step::planned));
        regions.insert(name, RegionOp { program, picture, outputs });
    }
    let kept: HashSet<*const NodeProto> =
        cut.left.keys().map(|&node| std::ptr::from_ref(graph.nodes[node].proto)).collect();
    let live: HashSet<*const NodeProto> = graph.nodes.iter().map(|node| std::ptr::from_ref(node.proto)).collect();
    let stays = |node: &&NodeProto| {
        let node = std::ptr::from_ref(*node);
        kept.contains(&node) || !live.contains(&node)
    };
    nodes.extend(whole.node.iter().filter(stays).cloned());
    let graph_proto = pruned(whole, nodes);
    let proto = ModelProto { graph: Some(graph_proto), ..without_graph(&file.proto) };
    steps.extend(cut.left.iter().map(|(&node, reason)| left(graph, node, reason.clone())));
    Some((Plan::Mixed(Box::new(Mixed { proto, regions })), steps))
}

/// Everything of a message but its graph, which may be large.
fn without_graph(proto: &ModelProto) -> ModelProto {
    ModelProto { ir_version: proto.ir_version, opset_import: proto.opset_import.clone(), ..ModelProto::default() }
}

/// The graph with those nodes, less the nodes and constants that lead to no output.
fn pruned(whole: &GraphProto, nodes: Vec<NodeProto>) -> GraphProto {
    let mut givers: HashMap<String, usize> = HashMap::new();
    for (at, node) in nodes.iter().enumerate() {
        givers.extend(node.output.iter().filter(|o| !o.is_empty()).map(|o| (o.clone(), at)));
    }
    let mut wanted: Vec<String> = whole.output.iter().map(|o| o.name.clone()).collect();
    let (mut values, mut used) = (HashSet::new(), vec![false; nodes.len()]);
    while let Some(name) = wanted.pop() {
        if let Some(&at) = givers.get(&name)
            && !std::mem::replace(&mut used[at], true)
        {
            wanted.extend(nodes[at].input.iter().cloned());
        }
        values.insert(name);
    }
    GraphProto {
        node: nodes.into_iter().zip(used).filter(|(_, used)| *used).map(|(node, _)| node).collect(),
        initializer: whole.initializer.iter().filter(|t| values.contains(&t.name)).cloned().collect(),
        input: whole.input.iter().filter(|i| i.name == INPUT).cloned().collect(),
        output: whole.output.clone(),
        ..GraphProto::default()
    }
}
