//! Making a folded network smaller without changing what it computes.

use super::{Affine, Network};
use half::f16;

impl Network {
    /// Moves the biases of the residual streams into the affines that read them, and leaves zeros behind.
    ///
    /// What a block adds to every place of a channel alike, the pre-activations and the group's close can add just as
    /// well, because all that reads the stream is affine. A bias of zeros takes no place in a file and no time. The
    /// biases that receive are rounded to float16 again.
    pub fn move_biases(&mut self) {
        for (blocks, close) in self.groups.iter_mut().zip(&mut self.closes) {
            let mut missing = vec![0.0; close.bias.len()];
            for block in blocks {
                if let Some(pre) = &mut block.pre {
                    receive(pre, &missing);
                }
                for layer in [Some(&mut block.expand), block.shortcut.as_mut()].into_iter().flatten() {
                    missing.iter_mut().zip(&mut layer.affine.bias).for_each(|(sum, bias)| *sum += std::mem::take(bias));
                }
            }
            receive(close, &missing);
        }
    }
}

/// Adds to an affine what its input lacks.
fn receive(affine: &mut Affine, missing: &[f32]) {
    for ((bias, scale), missing) in affine.bias.iter_mut().zip(&affine.scale).zip(missing) {
        let sum = *bias + scale * missing;
        let half = f16::from_f32(sum);
        *bias = if half.is_finite() { half.to_f32() } else { sum };
    }
}

#[cfg(test)]
mod tests {
    use crate::deploy::random::tests::spec;
    use crate::deploy::{plain, random};

    #[test]
    fn moved_biases_change_nothing_but_rounding() {
        let mut spec = spec(4, 4);
        // Float activations show every difference and hide none behind a level.
        spec.bits.activations = None;
        let mut network = random(&spec, 8).unwrap();
        let image: Vec<f32> = (0..3 * 81).map(|i| (i * 37 % 101) as f32 / 100.0).collect();
        let before = plain::evaluate(&network, &image).unwrap().logits;
        network.move_biases();
        assert!(network.groups.iter().flatten().all(|b| b.expand.affine.bias.iter().all(|&v| v == 0.0)));
        let after = plain::evaluate(&network, &image).unwrap().logits;
        assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 5e-3), "{before:?} {after:?}");
    }
}
