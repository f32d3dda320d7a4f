//! The shift before a product.

use super::error::KernelError;

/// Reads every channel at its own displacement, at every `stride`-th place of a map `[height, width, channels]`.
///
/// The output at `(y, x)` is the input at `(y * stride + dy, x * stride + dx)`, zero outside the map. Output rows and
/// columns are those of the input over the stride, rounded up.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    displacements: Vec<(i8, i8)>,
    stride: usize,
    height: usize,
    width: usize,
}

impl Shift {
    /// Of `(dy, dx)` a channel, for maps of that height and width.
    ///
    /// # Errors
    /// No channel, a map without pixels, or a stride of zero.
    pub fn new(displacements: &[(i8, i8)], stride: usize, height: usize, width: usize) -> Result<Self, KernelError> {
        if displacements.is_empty() || stride == 0 || height == 0 || width == 0 {
            let channels = displacements.len();
            let what = format!("a shift of stride {stride} on a map of {height} x {width} x {channels}");
            return Err(KernelError::new(what));
        }
        Ok(Self { displacements: displacements.to_vec(), stride, height, width })
    }

    /// No displacement: only the stride, as before a projecting shortcut.
    ///
    /// # Errors
    /// As [`Shift::new`].
    pub fn still(channels: usize, stride: usize, height: usize, width: usize) -> Result<Self, KernelError> {
        Self::new(&vec![(0, 0); channels], stride, height, width)
    }

    /// Channels of the map.
    pub fn channels(&self) -> usize {
        self.displacements.len()
    }

    /// Pixels of the input map.
    pub fn input_pixels(&self) -> usize {
        self.height * self.width
    }

    /// Rows and columns of the output map.
    pub fn output_size(&self) -> (usize, usize) {
        (self.height.div_ceil(self.stride), self.width.div_ceil(self.stride))
    }

    /// Pixels of the output map.
    pub fn output_pixels(&self) -> usize {
        let (height, width) = self.output_size();
        height * width
    }

    /// The index in `[height, width, channels]` that an output pixel's channel reads; none is outside the map.
    #[inline]
    pub(super) fn source(&self, pixel: usize, channel: usize) -> Option<usize> {
        let columns = self.width.div_ceil(self.stride);
        let (dy, dx) = self.displacements[channel];
        let y = (pixel / columns * self.stride).checked_add_signed(dy.into()).filter(|&y| y < self.height)?;
        let x = (pixel % columns * self.stride).checked_add_signed(dx.into()).filter(|&x| x < self.width)?;
        Some((y * self.width + x) * self.channels() + channel)
    }
}
