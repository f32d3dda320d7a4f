//! A region made ready to run: steps over planned buffers.

use crate::kernels::{
    Affine, Epilogue, FloatWeights, KernelError, Levels, MaxPool, PointwiseWeights, Residual, Scratch, Shift, Stem,
    mean, mirror_pixels, quantise, whole_pixels,
};
use std::sync::Mutex;

/// A buffer of the workspace and how much of it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) buffer: usize,
    pub(super) len: usize,
}

/// Where a value lies: bytes or floats, `[pixels, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Levels(Slot),
    Floats(Slot),
}

/// What runs after the sums of a product; see [`Epilogue`].
#[derive(Debug)]
pub(super) struct End {
    pub(super) affine: Affine,
    pub(super) residual: Option<Place>,
    /// The floats already hold the residual.
    pub(super) in_place: bool,
    pub(super) floats: Option<Slot>,
    pub(super) levels: Option<(Option<Affine>, u8, Slot)>,
}

/// What a step computes.
#[derive(Debug)]
pub(super) enum Action {
    Stem { stem: Stem, side: usize, mean: [f32; 3], gain: [f32; 3], end: End },
    Product { x: Slot, shift: Option<Shift>, weights: Box<PointwiseWeights>, end: End },
    Float { x: Place, weights: FloatWeights, end: End },
    MaxPool { x: Slot, pool: MaxPool, out: Slot },
    Mean { x: Slot, share: f32, out: Slot },
    Merge { x: Slot, share: f32, out: Slot },
    Affine { x: Slot, affine: Affine, out: Slot },
    Add { x: Slot, y: Place, out: Slot },
    Quantise { x: Slot, affine: Option<Affine>, top: u8, out: Slot },
}

/// One step and the nodes that it stands for.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) action: Action,
    /// The node that gives the step its name.
    pub(super) name: String,
}

/// An input or output of the region: floats `[channels, pixels]` outside, `place` inside.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) channels: usize,
    pub(super) pixels: usize,
    pub(super) place: Place,
}

/// Steps, and the sizes of the buffers that they share.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    /// Side of the picture that the stem takes, where there is a stem.
    pub(super) picture: Option<usize>,
    /// The step that adds up two views of the picture, where there are two: it and all before it run on each.
    pub(super) merge: Option<usize>,
    pub(super) inputs: Vec<Port>,
    pub(super) outputs: Vec<Port>,
    /// Lengths of the buffers of bytes and of floats.
    pub(super) levels: Vec<usize>,
    pub(super) floats: Vec<usize>,
    /// Workspaces that nobody uses at the moment: one for every thread that ever ran the program at the same time.
    pub(super) idle: Mutex<Vec<Workspace>>,
}

/// The buffers of one thread.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    levels: Vec<Vec<u8>>,
    floats: Vec<Vec<f32>>,
    whole: Vec<i16>,
    /// Whether the stem sees the picture's mirror image.
    mirrored: bool,
    /// The mirror image's sums, while the picture itself goes through.
    aside: Vec<f32>,
    /// Levels as floats, where a float layer takes them.
    widened: Vec<f32>,
    scratch: Scratch,
}

impl Program {
    /// Runs on a picture (empty where the program takes none) and the other inputs, in the order of their ports.
    /// `done` is told the number of every step behind it.
    pub(super) fn run(
        &self,
        picture: &[f32],
        inputs: &[&[f32]],
        outputs: &mut [&mut [f32]],
        done: &mut dyn FnMut(usize),
    ) -> Result<(), KernelError> {
        let mut work = self.borrow();
        let result = self.run_in(&mut work, picture, inputs, outputs, done);
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(work);
        result
    }

    /// A workspace large enough for every step.
    pub(super) fn borrow(&self) -> Workspace {
        let idle = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| {
            let mut scratch = Scratch::new();
            for step in &self.steps {
                match &step.action {
                    Action::Stem { stem, .. } => stem.plan(&mut scratch),
                    Action::Product { weights, .. } => weights.plan(&mut scratch),
                    _ => {}
                }
            }
            Workspace {
                levels: self.levels.iter().map(|&len| vec![0; len]).collect(),
                floats: self.floats.iter().map(|&len| vec![0.0; len]).collect(),
                whole: vec![0; self.picture.map_or(0, |side| 3 * side * side)],
                mirrored: false,
                aside: Vec::new(),
                widened: Vec::new(),
                scratch,
            }
        })
    }

    fn run_in(
        &self,
        work: &mut Workspace,
        picture: &[f32],
        inputs: &[&[f32]],
        outputs: &mut [&mut [f32]],
        done: &mut dyn FnMut(usize),
    ) -> Result<(), KernelError> {
        for (port, values) in self.inputs.iter().zip(inputs) {
            work.read(port, values);
        }
        work.aside.clear();
        work.mirrored = true;
        for (number, step) in self.steps.iter().enumerate().take(self.merge.map_or(0, |merge| merge + 1)) {
            work.step(&step.action, picture)?;
            done(number);
        }
        work.mirrored = false;
        for (number, step) in self.steps.iter().enumerate() {
            work.step(&step.action, picture)?;
            done(number);
        }
        for (port, values) in self.outputs.iter().zip(outputs) {
            work.write(port, values);
        }
        Ok(())
    }
}

impl Workspace {
    fn levels(&self, slot: Slot) -> &[u8] {
        &self.levels[slot.buffer][..slot.len]
    }

    fn floats(&self, slot: Slot) -> &[f32] {
        &self.floats[slot.buffer][..slot.len]
    }

    /// Planes of floats from outside as pixels.
    fn read(&mut self, port: &Port, values: &[f32]) {
        let (channels, pixels) = (port.channels, port.pixels);
        let at = |i: usize| values.get(i % channels * pixels + i / channels).copied().unwrap_or_default();
        match port.place {
            // Whole numbers from 0 to a largest level, as they come from outside.
            Place::Levels(Slot { buffer, len }) => {
                self.levels[buffer][..len].iter_mut().enumerate().for_each(|(i, v)| *v = at(i) as u8);
            }
            Place::Floats(Slot { buffer, len }) => {
                self.floats[buffer][..len].iter_mut().enumerate().for_each(|(i, v)| *v = at(i));
            }
        }
    }

    /// Pixels as planes of floats.
    fn write(&self, port: &Port, values: &mut [f32]) {
        let (channels, pixels) = (port.channels, port.pixels);
        let place = |i: usize| i % pixels * channels + i / pixels;
        match port.place {
            Place::Levels(slot) => {
                let levels = self.levels(slot);
                values.iter_mut().enumerate().for_each(|(i, v)| *v = levels[place(i)].into());
            }
            Place::Floats(slot) => {
                let floats = self.floats(slot);
                values.iter_mut().enumerate().for_each(|(i, v)| *v = floats[place(i)]);
            }
        }
    }

    fn step(&mut self, action: &Action, picture: &[f32]) -> Result<(), KernelError> {
        match action {
            Action::Stem { stem, side, mean, gain, end } => {
                let (mut whole, mut scratch) = (std::mem::take(&mut self.whole), std::mem::take(&mut self.scratch));
                let mut pixels = whole_pixels(picture, *mean, *gain, &mut whole);
                if self.mirrored {
                    pixels = pixels.and_then(|()| mirror_pixels(&mut whole, *side));
                }
                let result =
                    pixels.and_then(|()| self.end(end, |_, epilogue| stem.run(&whole, epilogue, &mut scratch)));
                (self.whole, self.scratch) = (whole, scratch);
                result
            }
            Action::Product { x, shift, weights, end } => {
                let mut scratch = std::mem::take(&mut self.scratch);
                let run = |work: &Self, epilogue: Epilogue| {
                    weights.run(work.levels(*x), shift.as_ref(), epilogue, &mut scratch)
                };
                let result = self.end(end, run);
                self.scratch = scratch;
                result
            }
            Action::Float { x: Place::Floats(x), weights, end } => {
                self.end(end, |work, epilogue| weights.run(work.floats(*x), epilogue))
            }
            Action::Float { x: Place::Levels(x), weights, end } => {
                let mut widened = std::mem::take(&mut self.widened);
                widened.clear();
                widened.extend(self.levels(*x).iter().map(|&v| f32::from(v)));
                let result = self.end(end, |_, epilogue| weights.run(&widened, epilogue));
                self.widened = widened;
                result
            }
            Action::MaxPool { x, pool, out } => self.with_levels(*out, |work, out| pool.run(work.levels(*x), out)),
            Action::Mean { x, share, out } => self.with_floats(*out, |work, out| mean(work.levels(*x), *share, out)),
            // Both sums are whole numbers, so that only the product rounds, as it does in the graph.
            Action::Merge { x, share, out } if self.mirrored => {
                let mut aside = std::mem::take(&mut self.aside);
                aside.resize(out.len, 0.0);
                let result = mean(self.levels(*x), 1.0, &mut aside);
                self.aside = aside;
                result
            }
            Action::Merge { x, share, out } => self.with_floats(*out, |work, out| {
                mean(work.levels(*x), 1.0, out)?;
                out.iter_mut().zip(&work.aside).for_each(|(sum, other)| *sum = (*sum + other) * share);
                Ok(())
            }),
            Action::Quantise { x, affine, top, out } => {
                self.with_levels(*out, |work, out| quantise(work.floats(*x), affine.as_ref(), *top, out))
            }
            Action::Affine { x, affine, out } => self.with_floats(*out, |work, out| {
                let (scale, bias) = (affine.scale(), affine.bias());
                for (x, out) in work.floats(*x).chunks_exact(scale.len()).zip(out.chunks_exact_mut(scale.len())) {
                    for (((x, out), scale), bias) in x.iter().zip(out).zip(scale).zip(bias) {
                        let scaled = scale * x;
                        *out = scaled + bias;
                    }
                }
                Ok(())
            }),
            Action::Add { x, y, out } => self.with_floats(*out, |work, out| {
                let pairs = work.floats(*x).iter().zip(out);
                match *y {
                    Place::Floats(y) => pairs.zip(work.floats(y)).for_each(|((x, out), y)| *out = x + y),
                    Place::Levels(y) => pairs.zip(work.levels(y)).for_each(|((x, out), &y)| *out = x + f32::from(y)),
                }
                Ok(())
            }),
        }
    }

    /// Lends out one buffer of bytes beside all the others.
    fn with_levels<T>(&mut self, slot: Slot, action: impl FnOnce(&Self, &mut [u8]) -> T) -> T {
        let mut out = std::mem::take(&mut self.levels[slot.buffer]);
        let result = action(self, &mut out[..slot.len]);
        self.levels[slot.buffer] = out;
        result
    }

    /// Lends out one buffer of floats beside all the others.
    fn with_floats<T>(&mut self, slot: Slot, action: impl FnOnce(&Self, &mut [f32]) -> T) -> T {
        let mut out = std::mem::take(&mut self.floats[slot.buffer]);
        let result = action(self, &mut out[..slot.len]);
        self.floats[slot.buffer] = out;
        result
    }

    /// Runs a product with what comes behind its sums.
    fn end(
        &mut self,
        end: &End,
        run: impl FnOnce(&Self, Epilogue) -> Result<(), KernelError>,
    ) -> Result<(), KernelError> {
        let mut floats = end.floats.map(|slot| std::mem::take(&mut self.floats[slot.buffer]));
        let mut levels = end.levels.as_ref().map(|(.., slot)| std::mem::take(&mut self.levels[slot.buffer]));
        let residual = match end.residual {
            _ if end.in_place => Residual::InPlace,
            None => Residual::None,
            Some(Place::Floats(slot)) => Residual::Floats(self.floats(slot)),
            Some(Place::Levels(slot)) => Residual::Levels(self.levels(slot)),
        };
        let epilogue = Epilogue {
            affine: &end.affine,
            residual,
            floats: end.floats.zip(floats.as_mut()).map(|(slot, out)| &mut out[..slot.len]),
            levels: end.levels.as_ref().zip(levels.as_mut()).map(|((affine, top, slot), out)| Levels {
                affine: affine.as_ref(),
                top: *top,
                out: &mut out[..slot.len],
            }),
        };
        let result = run(self, epilogue);
        if let (Some(slot), Some(out)) = (end.floats, floats) {
            self.floats[slot.buffer] = out;
        }
        if let (Some((.., slot)), Some(out)) = (&end.levels, levels) {
            self.levels[slot.buffer] = out;
        }
        result
    }
}
