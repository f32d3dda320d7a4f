//! A file's graph with its constants known: what is left are the nodes that depend on the picture.

use super::constant::Constant;
use std::collections::HashMap;
use tract_onnx::pb::{GraphProto, NodeProto};

/// Position of a value in [`Graph::values`].
pub(super) type ValueId = usize;

/// Numbers that all constants of a file together may take to evaluate. The largest networks of ours take a tenth.
const BUDGET: usize = 1 << 28;

/// The nodes that depend on the picture, in an order in which they can run, and the constants that they take.
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) values: Vec<Value<'a>>,
    pub(super) outputs: Vec<ValueId>,
    /// The value that is the graph's one input.
    pub(super) input: ValueId,
}

/// A node and its values; an optional input that is left out is none.
pub(super) struct Node<'a> {
    pub(super) proto: &'a NodeProto,
    pub(super) inputs: Vec<Option<ValueId>>,
    pub(super) outputs: Vec<ValueId>,
}

/// A value that nodes take.
pub(super) struct Value<'a> {
    pub(super) name: &'a str,
    pub(super) constant: Option<Constant>,
    /// The node that gives it; none for the input and for constants.
    pub(super) node: Option<usize>,
}

impl<'a> Graph<'a> {
    /// Reads a graph that has one input besides its initialisers; none where it has not, or where a node stands before
    /// one that it needs.
    pub(super) fn read(proto: &'a GraphProto) -> Option<Self> {
        let mut reader = Reader::new(proto)?;
        for node in &proto.node {
            reader.add(node)?;
        }
        let Reader { mut ids, nodes, values, .. } = reader;
        let outputs = proto.output.iter().map(|o| ids.remove(&*o.name)).collect::<Option<_>>()?;
        Some(Self { nodes, values, outputs, input: 0 })
    }

    /// How a node is called in messages: by its name, or by its first output where it has none.
    pub(super) fn name(&self, node: usize) -> String {
        let node = &self.nodes[node];
        match (&*node.proto.name, node.outputs.first()) {
            ("", Some(&output)) => self.values[output].name.to_owned(),
            (name, _) => name.to_owned(),
        }
    }
}

struct Reader<'a> {
    ids: HashMap<&'a str, ValueId>,
    nodes: Vec<Node<'a>>,
    values: Vec<Value<'a>>,
    /// How many nodes have yet to read a value.
    readers: HashMap<&'a str, usize>,
    spent: usize,
}

impl<'a> Reader<'a> {
    fn new(proto: &'a GraphProto) -> Option<Self> {
        let stored = |name: &str| proto.initializer.iter().any(|t| t.name == name);
        let mut inputs = proto.input.iter().filter(|i| !stored(&i.name));
        let (Some(input), None) = (inputs.next(), inputs.next()) else { return None };
        let mut reader =
            Self { ids: HashMap::new(), nodes: Vec::new(), values: Vec::new(), readers: HashMap::new(), spent: 0 };
        reader.value(&input.name, None, None);
        for tensor in &proto.initializer {
            // One that cannot be decoded is a value that nobody knows; tract may know it.
            reader.value(&tensor.name, Constant::decode(tensor), None);
        }
        for name in proto.node.iter().flat_map(|n| &n.input).chain(proto.output.iter().map(|o| &o.name)) {
            *reader.readers.entry(name).or_default() += 1;
        }
        Some(reader)
    }

    fn value(&mut self, name: &'a str, constant: Option<Constant>, node: Option<usize>) -> ValueId {
        self.ids.insert(name, self.values.len());
        self.values.push(Value { name, constant, node });
        self.values.len() - 1
    }

    fn add(&mut self, proto: &'a NodeProto) -> Option<()> {
        let id = |name: &String| match &**name {
            "" => Some(None),
            name => self.ids.get(name).map(|&id| Some(id)),
        };
        let inputs: Vec<Option<ValueId>> = proto.input.iter().map(id).collect::<Option<_>>()?;
        let operands = self.take(&inputs);
        let known = operands.and_then(|operands| {
            self.spent = operands.iter().fold(self.spent, |sum, o| sum.saturating_add(o.len()));
            let known = (self.spent < BUDGET).then(|| Constant::evaluate(proto, operands))??;
            self.spent = known.iter().fold(self.spent, |sum, o| sum.saturating_add(o.len()));
            (known.len() == proto.output.len()).then_some(known)
        });
        if let Some(known) = known {
            for (name, constant) in proto.output.iter().zip(known) {
                self.value(name, Some(constant), None);
            }
            return Some(());
        }
        let at = self.nodes.len();
        let outputs = proto.output.iter().filter(|o| !o.is_empty()).map(|o| self.value(o, None, Some(at))).collect();
        self.nodes.push(Node { proto, inputs, outputs });
        Some(())
    }

    /// The operands of a node of constants. What no other node reads is given away, so that it may be changed in place.
    fn take(&mut self, inputs: &[Option<ValueId>]) -> Option<Vec<Constant>> {
        let all =
            inputs.iter().map(|id| id.filter(|&id| self.values[id].constant.is_some())).collect::<Option<Vec<_>>>()?;
        let mut operands = Vec::new();
        for id in all {
            let value = &mut self.values[id];
            let readers = self.readers.entry(value.name).or_default();
            *readers = readers.saturating_sub(1);
            // Names and short lists stay: they cost nothing, and the node may turn out to be none that is known.
            let last = *readers == 0 && value.constant.as_ref().is_some_and(|c| c.len() > 256);
            operands.push(if last { value.constant.take()? } else { value.constant.clone()? });
        }
        (!operands.is_empty()).then_some(operands)
    }
}
