//! What was done, so that it can be undone.

use super::classes::{Class, Example};

/// The most steps that can be taken back.
const LONGEST: usize = 100;

/// One step, with all that is needed to take it back.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A class was added behind all others.
    AddedClass,
    /// A class was called otherwise.
    Renamed { class: usize, before: String },
    /// A class was removed.
    RemovedClass { at: usize, class: Class },
    /// That many pictures were added at the end of a class, in one go.
    Added { class: usize, count: usize },
    /// A picture was removed.
    Removed { class: usize, at: usize, example: Example },
}

/// The last steps, the newest last.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    steps: Vec<Step>,
}

impl History {
    pub(super) fn push(&mut self, step: Step) {
        if self.steps.len() == LONGEST {
            self.steps.remove(0);
        }
        self.steps.push(step);
    }

    /// Notes a picture added to a class. With `joined`, it belongs to those that were added to this class just before.
    pub(super) fn added(&mut self, to: usize, joined: bool) {
        match self.steps.last_mut() {
            Some(Step::Added { class, count }) if joined && *class == to => *count += 1,
            _ => self.push(Step::Added { class: to, count: 1 }),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Takes the newest step back.
    pub(super) fn undo(&mut self, classes: &mut Vec<Class>) -> bool {
        match self.steps.pop() {
            None => return false,
            Some(Step::AddedClass) => drop(classes.pop()),
            Some(Step::Renamed { class, before }) => classes[class].name = before,
            Some(Step::RemovedClass { at, class }) => classes.insert(at, class),
            Some(Step::Added { class, count }) => {
                let examples = &mut classes[class].examples;
                examples.truncate(examples.len() - count);
            }
            Some(Step::Removed { class, at, example }) => classes[class].examples.insert(at, example),
        }
        true
    }
}
