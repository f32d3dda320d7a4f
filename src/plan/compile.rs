//! Turns the layers of a region into steps: what follows a product is drawn into it, and buffers are planned.
//!
//! The order of the f32 operations stays that of the graph, so drawing them in changes no bit.

use super::layer::{Layer, LayerId, Op, Shape};
use super::program::{Action, End, Place, Port, Program, Slot, Step};
use super::recognise::{Reason, Recogniser};
use super::region::Region;
use crate::kernels::{Affine, Shift};
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

/// Bytes that the buffers of a network may take. The largest of ours need a hundredth.
const MEMORY: usize = 1 << 30;

/// A step before its buffers are known. The first layer gives it its name.
struct Draft {
    head: LayerId,
    /// Scale and bias of the sums, where a layer of its own gives them.
    affine: Option<LayerId>,
    /// The addition, and what is added to the sums.
    add: Option<(LayerId, LayerId)>,
    /// The floats: head, affine or addition, whichever comes last.
    floats: LayerId,
    quantise: Option<LayerId>,
    /// The last node of all: steps run in this order.
    order: usize,
}

/// The program of a region; the layers' weights move into it.
///
/// # Errors
/// A kernel that refuses what it was planned for.
pub(super) fn compile(found: &mut Recogniser, region: &Region) -> Result<Program, Reason> {
    let mut drafts = drafts(found, region);
    drafts.sort_by_key(|draft| draft.order);
    let taken: HashSet<LayerId> = region.outputs.values().map(|&(layer, _)| layer).collect();
    let mut planner = Planner::new(&found.layers, &drafts, taken);
    let inputs = region.inputs.iter().map(|&input| {
        let shape = found.layers[input].shape;
        Port { channels: shape.channels, pixels: shape.pixels(), place: planner.place(&found.layers, input) }
    });
    let inputs: Vec<Port> = inputs.collect();
    let mut program = Program {
        steps: Vec::new(),
        picture: None,
        merge: None,
        inputs,
        outputs: Vec::new(),
        levels: Vec::new(),
        floats: Vec::new(),
        idle: Mutex::new(Vec::new()),
    };
    for (number, draft) in drafts.iter().enumerate() {
        let end = planner.end(&found.layers, draft, number)?;
        let op = std::mem::replace(&mut found.layers[draft.head].op, Op::Foreign);
        let name = found.graph.name(found.layers[draft.head].node);
        if let Op::Stem { .. } = &op {
            program.picture = Some(found.side);
        }
        check_views(found, &op, draft.head, &mut program.merge, number)?;
        let action = action(found, &mut planner, draft, op, end)?;
        program.steps.push(Step { action, name });
        planner.release(number);
    }
    program.outputs = region
        .outputs
        .values()
        .map(|&(layer, Shape { channels, height, width, .. })| Port {
            channels,
            pixels: height * width,
            place: planner.places[&layer],
        })
        .collect();
    (program.levels, program.floats) = (planner.levels.sizes, planner.floats.sizes);
    let bytes =
        |sizes: &[usize], each: usize| sizes.iter().fold(0_usize, |sum, s| sum.saturating_add(s.saturating_mul(each)));
    if bytes(&program.levels, 1).saturating_add(bytes(&program.floats, 4)) > MEMORY {
        return Err("its maps take more than a gigabyte".into());
    }
    let ready = program.borrow();
    program.idle = Mutex::new(vec![ready]);
    Ok(program)
}

/// Notes the step behind which there is one view where there were two. Up to it all steps run on each view, behind it none
/// may: a graph in which that is otherwise is left to tract.
fn check_views(
    found: &Recogniser,
    op: &Op,
    head: LayerId,
    merge: &mut Option<usize>,
    number: usize,
) -> Result<(), Reason> {
    let views = |id: LayerId| found.layers[id].shape.views;
    let merges = op.inputs().any(|input| views(input) > views(head));
    if merges && merge.replace(number).is_some() || views(head) > 1 && merge.is_some() {
        return Err("its views come together more than once".into());
    }
    Ok(())
}

/// What a draft's head computes, on planned buffers.
fn action(
    found: &Recogniser,
    planner: &mut Planner,
    draft: &Draft,
    op: Op,
    end: Option<End>,
) -> Result<Action, Reason> {
    let missing = || Reason::from("a step without a place");
    let out = planner.places[&draft.floats];
    let place = |id: LayerId| planner.places.get(&id).copied().ok_or_else(missing);
    let levels = |id: LayerId| match place(id)? {
        Place::Levels(slot) => Ok(slot),
        Place::Floats(_) => Err(missing()),
    };
    let floats = |id: LayerId| match place(id)? {
        Place::Floats(slot) => Ok(slot),
        Place::Levels(_) => Err(missing()),
    };
    Ok(match (op, end, out) {
        (Op::Stem { stem, mean, gain }, Some(end), _) => Action::Stem { stem, side: found.side, mean, gain, end },
        (Op::Product { x, shift, weights }, Some(end), _) => {
            let Shape { height, width, .. } = found.layers[x].shape;
            let shift = shift.map(|g| Shift::new(&g.displacements, g.stride, height, width)).transpose();
            let shift = shift.map_err(|e| e.to_string())?;
            Action::Product { x: levels(x)?, shift, weights, end }
        }
        (Op::Float { x, weights }, Some(end), _) => Action::Float { x: place(x)?, weights, end },
        (Op::MaxPool { x, pool }, _, Place::Levels(out)) => Action::MaxPool { x: levels(x)?, pool, out },
        (Op::Mean { x, share }, _, Place::Floats(out)) => {
            let (x, merges) = (levels(x)?, found.layers[x].shape.views > found.layers[draft.head].shape.views);
            if merges { Action::Merge { x, share, out } } else { Action::Mean { x, share, out } }
        }
        (Op::Affine { x, affine }, _, Place::Floats(out)) => Action::Affine { x: floats(x)?, affine, out },
        (Op::Add { x, y }, _, Place::Floats(out)) => Action::Add { x: floats(x)?, y: place(y)?, out },
        (Op::Quantise { x, affine }, _, Place::Levels(out)) => {
            Action::Quantise { x: floats(x)?, affine, top: found.layers[draft.head].top.unwrap_or(0), out }
        }
        _ => return Err(missing()),
    })
}

/// Whether something may be drawn into this layer.
fn is_product(layer: &Layer) -> bool {
    matches!(layer.op, Op::Stem { .. } | Op::Product { .. } | Op::Float { .. })
}

fn drafts(found: &Recogniser, region: &Region) -> Vec<Draft> {
    let layers = &found.layers;
    let mut users: HashMap<LayerId, Vec<LayerId>> = HashMap::new();
    for &(_, id) in &region.layers {
        layers[id].op.inputs().for_each(|input| users.entry(input).or_default().push(id));
    }
    let taken: HashSet<LayerId> = region.outputs.values().map(|&(layer, _)| layer).collect();
    // The one layer that takes this one, where nobody else does.
    let only = |id: LayerId| match users.get(&id).map(Vec::as_slice) {
        Some(&[user]) if !taken.contains(&id) => Some(user),
        _ => None,
    };
    let mut drawn: HashSet<LayerId> = HashSet::new();
    let mut drafts = Vec::new();
    // Products behind a shift first: of two that are added, that one takes the other as its residual.
    let shifted = |id: LayerId| matches!(&layers[id].op, Op::Product { shift: Some(_), .. });
    let mut heads: Vec<LayerId> =
        region.layers.iter().map(|&(_, id)| id).filter(|&id| is_product(&layers[id])).collect();
    heads.sort_by_key(|&id| (!only_stride(&layers[id]) && shifted(id), layers[id].node));
    heads.reverse();
    for head in heads {
        let mut draft = Draft { head, affine: None, add: None, floats: head, quantise: None, order: layers[head].node };
        if let Some(user) = only(draft.floats)
            && let Op::Affine { .. } = layers[user].op
        {
            (draft.affine, draft.floats) = (Some(user), user);
        }
        if let Some(user) = only(draft.floats)
            && let Op::Add { x, y } = layers[user].op
            && !drawn.contains(&user)
        {
            let other = if x == draft.floats { y } else { x };
            (draft.add, draft.floats) = (Some((user, other)), user);
        }
        draft.order = layers[draft.floats].node;
        let next = users.get(&draft.floats).into_iter().flatten().min_by_key(|&&user| layers[user].node);
        if let Some(&next) = next
            && let Op::Quantise { .. } = layers[next].op
        {
            (draft.quantise, draft.order) = (Some(next), layers[next].node);
        }
        let parts = [draft.affine, draft.add.map(|(add, _)| add), draft.quantise];
        drawn.extend(parts.into_iter().flatten().chain([head]));
        drafts.push(draft);
    }
    for &(node, id) in &region.layers {
        if !drawn.contains(&id) {
            drafts.push(Draft { head: id, affine: None, add: None, floats: id, quantise: None, order: node });
        }
    }
    drafts
}

/// Whether a product only skips pixels.
fn only_stride(layer: &Layer) -> bool {
    match &layer.op {
        Op::Product { shift: Some(gather), .. } => gather.displacements.iter().all(|&d| d == (0, 0)),
        _ => true,
    }
}

/// Gives values their buffers; one that nobody needs any more is used again.
struct Planner {
    places: HashMap<LayerId, Place>,
    /// The last draft that takes a layer; the number of drafts for what leaves the region.
    last: HashMap<LayerId, usize>,
    levels: Buffers,
    floats: Buffers,
}

#[derive(Default)]
struct Buffers {
    sizes: Vec<usize>,
    free: Vec<usize>,
}

impl Buffers {
    /// The smallest free buffer that is large enough, else the largest free one, grown, else a new one.
    fn take(&mut self, len: usize) -> Slot {
        let fits = |&(_, &buffer): &(usize, &usize)| self.sizes[buffer] >= len;
        let all = || self.free.iter().enumerate();
        let chosen = all()
            .filter(fits)
            .min_by_key(|&(_, &b)| self.sizes[b])
            .or_else(|| all().max_by_key(|&(_, &b)| self.sizes[b]));
        let buffer = match chosen.map(|(at, _)| at) {
            Some(at) => self.free.swap_remove(at),
            None => {
                self.sizes.push(0);
                self.sizes.len() - 1
            }
        };
        self.sizes[buffer] = self.sizes[buffer].max(len);
        Slot { buffer, len }
    }
}

impl Planner {
    fn new(layers: &[Layer], drafts: &[Draft], taken: HashSet<LayerId>) -> Self {
        let mut last = HashMap::new();
        for (number, draft) in drafts.iter().enumerate() {
            let other = draft.add.map(|(_, other)| other);
            for input in layers[draft.head].op.inputs().chain(other) {
                last.insert(input, number);
            }
        }
        last.extend(taken.into_iter().map(|layer| (layer, drafts.len())));
        Self { places: HashMap::new(), last, levels: Buffers::default(), floats: Buffers::default() }
    }

    /// A new place for a layer's value.
    fn place(&mut self, layers: &[Layer], id: LayerId) -> Place {
        let len = layers[id].shape.len();
        let place = match layers[id].top {
            Some(_) => Place::Levels(self.levels.take(len)),
            None => Place::Floats(self.floats.take(len)),
        };
        self.places.insert(id, place);
        place
    }

    /// Places for all that a draft gives, and what comes behind its sums if it has any.
    fn end(&mut self, layers: &[Layer], draft: &Draft, number: usize) -> Result<Option<End>, Reason> {
        if !is_product(&layers[draft.head]) {
            self.place(layers, draft.head);
            return Ok(None);
        }
        let mut affine = match draft.affine.map(|id| &layers[id].op) {
            Some(Op::Affine { affine, .. }) => Some(affine.clone()),
            _ => None,
        };
        let residual = draft.add.and_then(|(_, other)| self.places.get(&other).copied());
        let kept = self.last.contains_key(&draft.floats);
        // A stream that ends here goes on in its own buffer.
        let in_place = match (draft.add, residual) {
            (Some((_, other)), Some(Place::Floats(_))) => kept && self.last.get(&other) == Some(&number),
            _ => false,
        };
        let floats = match residual {
            Some(Place::Floats(slot)) if in_place => {
                self.places.insert(draft.floats, Place::Floats(slot));
                Some(slot)
            }
            _ if kept || draft.quantise.is_none() => match self.place(layers, draft.floats) {
                Place::Floats(slot) => Some(slot),
                Place::Levels(_) => return Err(Reason::from("sums that are levels")),
            },
            _ => None,
        };
        let levels = match draft.quantise.map(|id| (id, &layers[id])) {
            Some((id, Layer { op: Op::Quantise { affine: second, .. }, top: Some(top), .. })) => {
                let mut second = second.clone();
                if affine.is_none() && draft.add.is_none() && floats.is_none() {
                    affine = second.take();
                }
                let Place::Levels(slot) = self.place(layers, id) else {
                    return Err(Reason::from("levels that are floats"));
                };
                Some((second, *top, slot))
            }
            _ => None,
        };
        let affine = match affine {
            Some(affine) => affine,
            None => Affine::uniform(1.0, layers[draft.head].shape.channels).map_err(|e| e.to_string())?,
        };
        // What nobody takes still has a place to be found.
        self.places.entry(draft.floats).or_insert(Place::Floats(Slot { buffer: 0, len: 0 }));
        Ok(Some(End { affine, residual, in_place, floats, levels }))
    }

    /// Frees the buffers of what no later draft takes.
    fn release(&mut self, number: usize) {
        let ended = self.last.iter().filter(|&(_, &last)| last == number).map(|(&layer, _)| layer).collect::<Vec<_>>();
        for layer in ended {
            let Some(place) = self.places.get(&layer).copied() else { continue };
            // A stream in place is the next one's buffer now.
            let handed_on = self.places.iter().any(|(&other, &its)| {
                other != layer && same_buffer(its, place) && self.last.get(&other).is_some_and(|&last| last > number)
            });
            self.places.remove(&layer);
            match place {
                _ if handed_on => {}
                Place::Levels(slot) => self.levels.free.push(slot.buffer),
                Place::Floats(slot) => self.floats.free.push(slot.buffer),
            }
        }
    }
}

fn same_buffer(a: Place, b: Place) -> bool {
    match (a, b) {
        (Place::Levels(a), Place::Levels(b)) | (Place::Floats(a), Place::Floats(b)) => {
            a.buffer == b.buffer && a.len > 0 && b.len > 0
        }
        _ => false,
    }
}
