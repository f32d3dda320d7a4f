//! The reference: what a product is, in plain loops. Every other form is tested to give the same bits.

use super::epilogue::Epilogue;
use super::shift::Shift;

/// `sum over i of weights[o][i] * activation[p][i]` for every pixel `p` and output `o`, and the epilogue on it.
///
/// `weights` is `[output, input]`; `input` is `[pixels, input]`, or the map that `shift` reads.
pub(super) fn product(
    weights: &[i16],
    input_channels: usize,
    input: &[u8],
    pixels: usize,
    shift: Option<&Shift>,
    epilogue: &mut Epilogue,
) {
    let outputs = weights.len() / input_channels;
    for pixel in 0..pixels {
        for (output, row) in weights.chunks_exact(input_channels).enumerate() {
            let activation = |channel: usize| match shift {
                None => input[pixel * input_channels + channel],
                Some(shift) => shift.source(pixel, channel).map_or(0, |at| input[at]),
            };
            let sum: i32 = row.iter().enumerate().map(|(i, &w)| i32::from(w) * i32::from(activation(i))).sum();
            epilogue.finish_one(outputs, pixel, output, sum as f32);
        }
    }
}
