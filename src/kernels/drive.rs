//! The loops around an inner loop: blocks of pixels, tiles of outputs.

use super::epilogue::Epilogue;
use super::lane::{LANE, Lane};
use super::panel::{PIXELS, Source};
use super::scratch::Scratch;

/// A kernel's inner loops on one kind of processor: tiles of `N` outputs and [`PIXELS`] pixels.
pub(super) trait Tiles<const N: usize> {
    /// Lanes of the panel of [`PIXELS`] pixels.
    fn panel_lanes(&self) -> usize;

    /// Makes the panel of [`PIXELS`] rows of activations.
    fn fill(&self, rows: &[Lane], panel: &mut [Lane]);

    /// The sums of one tile.
    fn sums(&self, tile: usize, panel: &[Lane], sums: &mut [[i32; N]; PIXELS]);
}

/// Multiplies all pixels by all outputs.
///
/// `block` is a number of pixels, a multiple of [`PIXELS`]: their panels are made first, then each tile of weights goes
/// over all of them.
pub(super) fn drive<const N: usize>(
    tiles: &impl Tiles<N>,
    source: Source,
    outputs: usize,
    block: usize,
    epilogue: &mut Epilogue,
    scratch: &mut Scratch,
) {
    let row_lanes = PIXELS * source.channels.div_ceil(LANE);
    let panel_lanes = tiles.panel_lanes();
    let (rows, panels) = scratch.split(row_lanes, panel_lanes * (block / PIXELS));
    let mut sums = [[0; N]; PIXELS];
    for start in (0..source.pixels).step_by(block) {
        let end = source.pixels.min(start + block);
        for (first, panel) in (start..end).step_by(PIXELS).zip(panels.chunks_exact_mut(panel_lanes)) {
            source.gather(first, rows);
            tiles.fill(rows, panel);
        }
        for tile in 0..outputs.div_ceil(N) {
            for (first, panel) in (start..end).step_by(PIXELS).zip(panels.chunks_exact(panel_lanes)) {
                tiles.sums(tile, panel, &mut sums);
                epilogue.finish_tile(outputs, first..end.min(first + PIXELS), tile * N, &sums);
            }
        }
    }
}
