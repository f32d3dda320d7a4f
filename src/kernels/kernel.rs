//! Which kernel computes a layer: one table, from measurement.

/// A way to compute a product of whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kernel {
    /// Plain loops: the reference.
    Scalar,
}

impl Kernel {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Scalar];
}
