//! The shift before a product.

use super::error::KernelError;
use super::lane::{LANE, Lane, lane, lanes, merge};

/// Reads every channel at its own displacement, at every `stride`-th place of a map `[height, width, channels]`.
///
/// The output at `(y, x)` is the input at `(y * stride + dy, x * stride + dx)`, zero outside the map. Output rows and
/// columns are those of the input over the stride, rounded up.
#[derive(Clone, Debug)]
pub struct Shift {
    displacements: Vec<(i8, i8)>,
    stride: usize,
    height: usize,
    width: usize,
    /// For each [`LANE`] channels, the displacements among them.
    reads: Vec<Vec<Read>>,
}

/// What [`LANE`] channels read at one displacement.
#[derive(Clone, Debug)]
struct Read {
    dy: isize,
    dx: isize,
    /// All ones in the channels of this displacement.
    mask: Lane,
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
        let reads = displacements.chunks(LANE).map(reads).collect();
        Ok(Self { displacements: displacements.to_vec(), stride, height, width, reads })
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

    /// All channels of an output pixel, as [`source`](Self::source) says, filled up with zeros.
    ///
    /// Sixteen channels are read at once at each displacement among them, and masked: with the nine displacements of
    /// one pixel's reach that is fewer instructions than byte by byte, and few where channels of one displacement are
    /// neighbours.
    #[inline]
    pub(super) fn read(&self, input: &[u8], pixel: usize, row: &mut [Lane]) {
        let columns = self.width.div_ceil(self.stride);
        let (y, x) = (pixel / columns * self.stride, pixel % columns * self.stride);
        let channels = self.channels();
        for (first, (reads, out)) in (0..).step_by(LANE).zip(self.reads.iter().zip(row)) {
            let mut sum = lane(&[0; LANE]);
            for read in reads {
                let (y, x) = (y.wrapping_add_signed(read.dy), x.wrapping_add_signed(read.dx));
                if y >= self.height || x >= self.width {
                    continue;
                }
                let values = &input[(y * self.width + x) * channels + first..];
                sum = match values.first_chunk() {
                    Some(values) => merge(sum, lane(values), read.mask),
                    None => {
                        let mut last = [0; LANE];
                        last[..values.len()].copy_from_slice(values);
                        merge(sum, lane(&last), read.mask)
                    }
                };
            }
            *out = sum;
        }
    }
}

/// The displacements of at most [`LANE`] channels, each with its channels.
fn reads(displacements: &[(i8, i8)]) -> Vec<Read> {
    let mut distinct = displacements.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let read = |&(dy, dx): &(i8, i8)| {
        let mask: Vec<u8> = displacements.iter().map(|&d| if d == (dy, dx) { u8::MAX } else { 0 }).collect();
        Read { dy: dy.into(), dx: dx.into(), mask: lanes(&mask)[0] }
    };
    distinct.iter().map(read).collect()
}
