//! Gradients held to a norm.

use crate::network::Network;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData, Transaction};

/// Scales the gradients of all parameters by one factor so that their Euclidean norm is at most `limit`; returns the norm
/// they had. Burn clips each parameter by itself, which turns the step's direction.
pub(super) fn clip(gradients: &mut GradientsParams, network: &Network, limit: f64) -> f64 {
    let mut all = Values { gradients, values: Transaction::default() };
    network.visit(&mut all);
    // In the order of the module, in f64: the same sum on every machine and with any number of threads.
    let squares = |data: TensorData| {
        let values = data.as_slice::<f32>().expect("gradients are f32");
        values.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>()
    };
    let norm = all.values.execute().into_iter().map(squares).sum::<f64>().sqrt();
    // Written so that a norm that is no number scales nothing: the caller reports it.
    if norm > limit && norm.is_finite() {
        network.visit(&mut Scale { gradients, factor: limit / norm });
    }
    norm
}

/// All gradients, read at once: a device is waited for once and not for each.
struct Values<'a> {
    gradients: &'a GradientsParams,
    values: Transaction,
}

impl ModuleVisitor for Values<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.values = std::mem::take(&mut self.values).register(gradient);
        }
    }
}

struct Scale<'a> {
    gradients: &'a mut GradientsParams,
    factor: f64,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.gradients.register(param.id, gradient * self.factor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::random::tests::spec;
    use crate::network::{Engine, Mode};
    use burn::tensor::{Device, Distribution};

    /// A network and gradients of something of it.
    fn gradients() -> (Network, GradientsParams) {
        let device = Device::flex().autodiff();
        let network = Network::new(&spec(2, 4), 1, &device);
        let images = Tensor::<4>::random([4, 3, 9, 9], Distribution::Default, &device);
        let mode = Mode { batch_statistics: true, activations: None, round_shifts: false, engine: Engine::Fused };
        let loss = network.forward(&spec(2, 4), images, mode).logits.square().sum();
        (network.clone(), GradientsParams::from_grads(loss.backward(), &network))
    }

    fn first(network: &Network, gradients: &GradientsParams) -> Vec<f32> {
        let ids = network.weight_ids();
        gradients.get::<2>(ids[0]).unwrap().into_data().iter::<f32>().collect()
    }

    #[test]
    fn long_gradients_are_brought_to_the_norm_and_keep_their_direction() {
        let (network, mut gradients) = gradients();
        let before = first(&network, &gradients);
        let norm = clip(&mut gradients, &network, 0.5);
        assert!(norm > 0.5, "{norm}");
        for (before, after) in before.iter().zip(first(&network, &gradients)) {
            assert!((f64::from(*before) * 0.5 / norm - f64::from(after)).abs() < 1e-6);
        }
        let again = clip(&mut gradients, &network, 0.5);
        assert!((again - 0.5).abs() < 1e-5, "{again}");
    }

    #[test]
    fn short_gradients_stay_as_they_are() {
        let (network, mut gradients) = gradients();
        let before = first(&network, &gradients);
        clip(&mut gradients, &network, 1e9);
        assert_eq!(first(&network, &gradients), before);
    }
}
