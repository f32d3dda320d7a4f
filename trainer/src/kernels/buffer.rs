//! Buffers that are kept and handed out again.
//!
//! A training step asks for the same sizes in the same order as the last one. Memory that goes back to the system in
//! between is page-faulted in anew (hundreds of thousands of faults a step), which costs more than the arithmetic.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

/// Free buffers by length.
static FREE: Mutex<Option<HashMap<usize, Vec<Vec<f32>>>>> = Mutex::new(None);

/// A slice of f32 from the pool; it goes back when dropped.
#[derive(Debug)]
pub struct Buffer(Vec<f32>);

impl Buffer {
    /// A buffer of that length with whatever its last user left in it (zeros when it is new).
    pub fn take(len: usize) -> Self {
        let free =
            FREE.lock().unwrap_or_else(|e| e.into_inner()).get_or_insert_default().get_mut(&len).and_then(Vec::pop);
        Self(free.unwrap_or_else(|| vec![0.0; len]))
    }

    /// A buffer of that length filled with zeros.
    pub fn zeros(len: usize) -> Self {
        let mut buffer = Self::take(len);
        buffer.fill(0.0);
        buffer
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.0);
        if !values.is_empty() {
            let mut free = FREE.lock().unwrap_or_else(|e| e.into_inner());
            free.get_or_insert_default().entry(values.len()).or_default().push(values);
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

/// Gives all free buffers back to the system, such as between stages of different batch sizes.
pub fn release() {
    *FREE.lock().unwrap_or_else(|e| e.into_inner()) = None;
}
