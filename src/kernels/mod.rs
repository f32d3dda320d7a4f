//! Whole-number kernels of an L-SSPQ network, on plain slices.
//!
//! Nothing here knows ONNX, tract or JavaScript. One picture at a time; a map is `[height, width, channels]` row-major,
//! so that a pixel's channels lie side by side (NHWC). An activation of `k` bits is a `u8` from 0 to `2^k - 1`.
//!
//! | layer | here |
//! |---|---|
//! | (shift and) pointwise convolution or linear layer | [`PointwiseWeights::run`] with a [`Shift`] |
//! | scale, bias, residual, second scale and bias, clip and round behind it | [`Epilogue`] |
//! | stem | [`whole_pixels`], [`Stem`] |
//! | max-pool, global average | [`MaxPool`], [`mean`] |
//! | an activation alone | [`quantise()`] |
//! | linear layer in float | [`FloatWeights`] |
//!
//! Sums are exact; what follows them is computed in f32, each operation rounded by itself. So every form of a kernel
//! gives the same bits as the reference in `scalar`, and a float runtime gives them too as long as sums stay below 2^24.
//!
//! A block whose stream goes on, with its projecting shortcut:
//!
//! ```
//! use lsspq::kernels::{Affine, Epilogue, PointwiseWeights, Residual, Scratch, Shift};
//!
//! # fn main() -> Result<(), lsspq::kernels::KernelError> {
//! let (height, width, channels, inner, output) = (4, 4, 2, 3, 8);
//! let map = vec![7; height * width * channels];
//! let mut scratch = Scratch::new();
//!
//! let reduce = PointwiseWeights::pack(&[0, 1, 1, 0, 1, 1], inner, channels, 1, 4)?;
//! let reduce_affine = Affine::uniform(0.5, inner)?;
//! let mut reduced = vec![0; height * width * inner];
//! reduce.run(&map, None, Epilogue::levels(&reduce_affine, 15, &mut reduced), &mut scratch)?;
//! assert_eq!(reduced[..3], [0, 0, 7]);
//!
//! let shortcut = PointwiseWeights::pack(&[3; 16], output, channels, 2, 4)?;
//! let still = Shift::still(channels, 2, height, width)?;
//! let unit = Affine::uniform(1.0, output)?;
//! let mut stream = vec![0.0; still.output_pixels() * output];
//! shortcut.run(&map, Some(&still), Epilogue::floats(&unit, &mut stream), &mut scratch)?;
//! assert_eq!(stream[0], 42.0);
//!
//! let expand = PointwiseWeights::pack(&[2; 24], output, inner, 2, 4)?;
//! let shift = Shift::new(&[(0, 1), (-1, 0), (0, 0)], 2, height, width)?;
//! let pre = Affine::uniform(0.25, output)?;
//! let mut activated = vec![0; stream.len()];
//! let epilogue = Epilogue::activated(&unit, Residual::InPlace, &pre, 15, &mut activated).with_floats(&mut stream);
//! expand.run(&reduced, Some(&shift), epilogue, &mut scratch)?;
//! assert_eq!((stream[0], activated[0]), (49.0, 12));
//! # Ok(())
//! # }
//! ```

mod affine;
#[cfg(feature = "bench")]
pub mod bench;
mod drive;
mod epilogue;
mod error;
mod float;
mod kernel;
mod lane;
mod lookup;
mod paired;
mod panel;
mod pointwise;
mod pool;
mod quantise;
mod scalar;
mod scratch;
mod shift;
mod stem;
mod wide;

pub use affine::Affine;
pub use epilogue::{Epilogue, Levels, Residual};
pub use error::KernelError;
pub use float::FloatWeights;
pub use kernel::Kernel;
pub use pointwise::PointwiseWeights;
pub use pool::{MaxPool, mean};
pub use quantise::quantise;
pub use scratch::Scratch;
pub use shift::Shift;
pub use stem::{Stem, mirror_pixels, whole_pixels, whole_pixels_from_rgb};

#[cfg(test)]
mod tests;
