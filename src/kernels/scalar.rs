//! The reference: what a product is, in plain loops. Every other form is tested to give the same bits.

use super::epilogue::Epilogue;
use super::panel::Source;

/// `sum over i of weights[o][i] * activation[p][i]` for every pixel `p` and output `o`, and the epilogue on it.
///
/// `weights` is `[output, input]`.
pub(super) fn product(weights: &[i16], source: Source, epilogue: &mut Epilogue) {
    let Source { input, channels, pixels, shift } = source;
    let outputs = weights.len() / channels;
    for pixel in 0..pixels {
        for (output, row) in weights.chunks_exact(channels).enumerate() {
            let activation = |channel: usize| match shift {
                None => input[pixel * channels + channel],
                Some(shift) => shift.source(pixel, channel).map_or(0, |at| input[at]),
            };
            let sum: i32 = row.iter().enumerate().map(|(i, &w)| i32::from(w) * i32::from(activation(i))).sum();
            epilogue.finish_one(outputs, pixel, output, sum as f32);
        }
    }
}
