//! Which of the recognised layers we compute, and how they are cut out of the graph.
//!
//! Beginning at the graph's outputs, everything that is needed is either a layer of ours or a node of tract's. Each gets a
//! level: the number of times that the work has changed hands on the way to it. Layers of one level make a *region*,
//! which runs in one go: values only ever flow to the same or a higher level, so regions and tract's nodes never wait
//! for each other in a circle. A network that is recognised as a whole is one region and leaves nothing to tract.

use super::graph::{Graph, ValueId};
use super::layer::{LayerId, Op, Shape};
use super::recognise::{Reason, Recogniser};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// How often recognition starts over with a few nodes less.
const ROUNDS: usize = 32;

/// The parts of a graph.
pub(super) struct Cut<'a> {
    pub(super) found: Recogniser<'a>,
    /// In the order in which they run.
    pub(super) regions: Vec<Region>,
    /// Nodes that tract computes, and why.
    pub(super) left: BTreeMap<usize, Reason>,
}

/// Layers that are computed in one go.
#[derive(Default)]
pub(super) struct Region {
    /// In the order of their nodes.
    pub(super) layers: BTreeSet<(usize, LayerId)>,
    /// Layers of other hands that are taken.
    pub(super) inputs: BTreeSet<LayerId>,
    /// Values that others take, each with the layer it is and the shape in which they take it.
    pub(super) outputs: BTreeMap<ValueId, (LayerId, Shape)>,
}

impl<'a> Cut<'a> {
    /// Cuts a graph on pictures of that side. `shapes` are those of tract's values, as far as they are known. None where
    /// there is nothing for us to compute.
    pub(super) fn of(graph: &'a Graph<'a>, side: usize, shapes: &'a HashMap<String, Shape>) -> Option<Self> {
        let mut stand_alone = HashSet::new();
        for _ in 0..ROUNDS {
            let mut found = Recogniser::run(graph, side, shapes, &stand_alone);
            let multiplies = |l: &super::layer::Layer| matches!(l.op, Op::Product { .. });
            if !found.layers.iter().any(multiplies) {
                return None;
            }
            let needed = Needed::of(&mut found);
            let regions = regions(&found, &needed);
            // Floats between floats gain nothing from changing hands twice.
            let idle = regions.iter().filter(|r| !r.layers.iter().any(|&(_, l)| multiplies(&found.layers[l])));
            let idle: Vec<usize> = idle.flat_map(|r| r.layers.iter().map(|&(node, _)| node)).collect();
            if idle.is_empty() {
                let reason = |&node: &usize| found.reasons.get(&node).cloned();
                let why = |node| (node, reason(&node).unwrap_or_else(|| "only float operators take its result".into()));
                let left = needed.nodes.iter().copied().map(why).collect();
                return Some(Self { found, regions, left });
            }
            stand_alone.extend(idle);
        }
        None
    }
}

/// What leads to the graph's outputs.
struct Needed {
    layers: BTreeSet<(usize, LayerId)>,
    nodes: BTreeSet<usize>,
    /// Our values that tract's nodes or the graph's outputs take, each with its layer and whether it is a vector.
    given: BTreeMap<ValueId, (LayerId, bool)>,
}

impl Needed {
    fn of(found: &mut Recogniser) -> Self {
        let mut needed = Self { layers: BTreeSet::new(), nodes: BTreeSet::new(), given: BTreeMap::new() };
        let graph = found.graph;
        let mut values: Vec<ValueId> = graph.outputs.clone();
        let mut seen = HashSet::new();
        while let Some(value) = values.pop() {
            if !seen.insert(value) {
                continue;
            }
            if let Some((layer, flat)) = found.own(value) {
                needed.given.insert(value, (layer, flat));
                let mut layers = vec![layer];
                while let Some(id) = layers.pop() {
                    let layer = &found.layers[id];
                    if let Op::Foreign = layer.op {
                        values.push(layer.value);
                    } else if needed.layers.insert((layer.node, id)) {
                        layers.extend(layer.op.inputs());
                    }
                }
            } else if let Some(node) = graph.values[value].node
                && needed.nodes.insert(node)
            {
                values.extend(dependent(graph, node));
            }
        }
        needed
    }
}

/// The operands of a node that depend on the picture.
fn dependent<'a>(graph: &'a Graph, node: usize) -> impl Iterator<Item = ValueId> + 'a {
    let unknown = |id: &ValueId| graph.values[*id].constant.is_none();
    graph.nodes[node].inputs.iter().copied().flatten().filter(unknown)
}

fn regions(found: &Recogniser, needed: &Needed) -> Vec<Region> {
    let graph = found.graph;
    // Even levels are tract's, odd ones ours; the picture has level 0.
    let mut node_levels: HashMap<usize, usize> = HashMap::new();
    let mut layer_levels: HashMap<LayerId, usize> = HashMap::new();
    let mut steps: Vec<(usize, Option<LayerId>)> = needed.nodes.iter().map(|&node| (node, None)).collect();
    steps.extend(needed.layers.iter().map(|&(node, layer)| (node, Some(layer))));
    steps.sort_unstable();
    let even = |level: usize| level.next_multiple_of(2);
    for (node, layer) in steps {
        match layer {
            None => {
                let level = |value: ValueId| match needed.given.get(&value) {
                    Some((layer, _)) => even(layer_levels.get(layer).copied().unwrap_or(0)),
                    None => graph.values[value].node.and_then(|n| node_levels.get(&n)).copied().unwrap_or(0),
                };
                let level = dependent(graph, node).map(level).max().unwrap_or(0);
                node_levels.insert(node, level);
            }
            Some(id) => {
                let level = |input: LayerId| match found.layers[input].op {
                    Op::Foreign => node_levels.get(&found.layers[input].node).copied().unwrap_or(0) + 1,
                    _ => layer_levels.get(&input).copied().unwrap_or(1),
                };
                let level = found.layers[id].op.inputs().map(level).max().unwrap_or(1);
                layer_levels.insert(id, level);
            }
        }
    }
    let mut regions: BTreeMap<usize, Region> = BTreeMap::new();
    for &(node, id) in &needed.layers {
        let level = layer_levels[&id];
        let region = regions.entry(level).or_default();
        region.layers.insert((node, id));
        for input in found.layers[id].op.inputs() {
            let from = layer_levels.get(&input);
            if from != Some(&level) {
                regions.entry(level).or_default().inputs.insert(input);
                if let Some(&from) = from {
                    let layer = &found.layers[input];
                    regions.entry(from).or_default().outputs.insert(layer.value, (input, layer.shape));
                }
            }
        }
    }
    for (&value, &(layer, flat)) in &needed.given {
        let shape = Shape { flat, ..found.layers[layer].shape };
        regions.entry(layer_levels[&layer]).or_default().outputs.insert(value, (layer, shape));
    }
    regions.into_values().collect()
}
