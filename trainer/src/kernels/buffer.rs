//! Buffers that are kept and handed out again.
//!
//! A training step asks for the same sizes in the same order as the last one. Memory that goes back to the system in
//! between is page-faulted in anew (hundreds of thousands of faults a step), which costs more than the arithmetic.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

/// Free buffers by length.
type Free<T> = Mutex<Option<HashMap<usize, Vec<Vec<T>>>>>;

/// What buffers hold; each kind has a pool of its own.
pub trait Pooled: Copy + Default + 'static {
    #[doc(hidden)]
    fn free() -> &'static Free<Self>;
}

impl Pooled for f32 {
    fn free() -> &'static Free<Self> {
        static FREE: Free<f32> = Mutex::new(None);
        &FREE
    }
}

impl Pooled for [f64; 2] {
    fn free() -> &'static Free<Self> {
        static FREE: Free<[f64; 2]> = Mutex::new(None);
        &FREE
    }
}

/// A slice from the pool; it goes back when dropped.
#[derive(Debug)]
pub struct Kept<T: Pooled>(Vec<T>);

/// Values.
pub type Buffer = Kept<f32>;

/// Two sums for each channel.
pub type Sums = Kept<[f64; 2]>;

impl<T: Pooled> Kept<T> {
    /// A buffer of that length with whatever its last user left in it (zeros when it is new).
    pub fn take(len: usize) -> Self {
        let free = T::free()
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .get_or_insert_default()
            .get_mut(&len)
            .and_then(Vec::pop);
        Self(free.unwrap_or_else(|| vec![T::default(); len]))
    }

    /// A buffer of that length filled with zeros.
    pub fn zeros(len: usize) -> Self {
        let mut buffer = Self::take(len);
        buffer.fill(T::default());
        buffer
    }
}

impl<T: Pooled> Drop for Kept<T> {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.0);
        if !values.is_empty() {
            let mut free = T::free().lock().unwrap_or_else(|e| e.into_inner());
            free.get_or_insert_default().entry(values.len()).or_default().push(values);
        }
    }
}

impl<T: Pooled> Deref for Kept<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Pooled> DerefMut for Kept<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

/// Gives all free buffers back to the system, such as between stages of different batch sizes.
pub fn release() {
    *f32::free().lock().unwrap_or_else(|e| e.into_inner()) = None;
    *<[f64; 2]>::free().lock().unwrap_or_else(|e| e.into_inner()) = None;
}
