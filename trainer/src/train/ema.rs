//! A moving average of a network in training: of its weights and of its BatchNorm statistics.

use crate::network::Network;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// The average so far. It carries no gradients.
pub(super) struct Average {
    network: Network,
    decay: f64,
}

impl Average {
    /// Of a network that has not been stepped since, or as it was saved.
    pub(super) fn new(network: &Network, decay: f64) -> Self {
        Self { network: network.valid(), decay }
    }

    /// Takes the network in as it is after step `steps` of the stage, counted from 1.
    ///
    /// The first steps count for more than the decay says, `(1 + steps) / (10 + steps)` of the old average being kept,
    /// or the first values, which are random, would be in the average for thousands of steps.
    pub(super) fn update(&mut self, network: &Network, steps: u64) {
        let decay = self.decay.min((1 + steps) as f64 / (10 + steps) as f64);
        let mut current = Current(Vec::new());
        network.valid().visit(&mut current);
        let mut blend = Blend { current: current.0.into_iter(), decay };
        self.network = self.network.clone().map(&mut blend);
    }

    /// Puts in its place a network of the same parameters.
    pub(super) fn replace(&mut self, network: Network) {
        self.network = network;
    }

    /// The average as a network to evaluate.
    pub(super) fn network(&self) -> &Network {
        &self.network
    }
}

/// Every parameter, flat, in the order of the module.
struct Current(Vec<Tensor<1>>);

impl ModuleVisitor for Current {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let count = param.val().dims().iter().product::<usize>();
        self.0.push(param.val().reshape([count]));
    }
}

struct Blend {
    current: std::vec::IntoIter<Tensor<1>>,
    decay: f64,
}

impl ModuleMapper for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let current = self.current.next().expect("an average has the parameters of its network");
        param.map(|old| {
            let shape = old.dims();
            old * self.decay + current.reshape(shape) * (1.0 - self.decay)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::random::tests::spec;
    use crate::network::{Engine, Mode};
    use burn::tensor::Device;

    fn values(network: &Network) -> Vec<f32> {
        let mut all = Current(Vec::new());
        network.valid().visit(&mut all);
        all.0.into_iter().flat_map(|t| t.into_data().iter::<f32>().collect::<Vec<_>>()).collect()
    }

    #[test]
    fn every_parameter_and_statistic_moves_by_what_the_decay_leaves() {
        let device = Device::flex().autodiff();
        let [old, new] = [1, 2].map(|seed| {
            let mut network = Network::new(&spec(2, 4), seed, &device);
            let images = Tensor::full([2, 3, 9, 9], seed as f32, &device);
            let mode = Mode { batch_statistics: true, activations: None, round_shifts: false, engine: Engine::Fused };
            let output = network.forward(&spec(2, 4), images, mode);
            network.absorb(&spec(2, 4), output, 0.5);
            network
        });
        let mut average = Average::new(&old, 0.75);
        average.update(&new, 1000);
        let (old, new, average) = (values(&old), values(&new), values(average.network()));
        assert_eq!(old.len(), average.len());
        let moved = old.iter().zip(&new).filter(|(a, b)| a != b).count();
        assert!(moved > old.len() / 2, "the two networks hardly differ");
        for ((old, new), average) in old.iter().zip(&new).zip(&average) {
            assert!((0.75 * old + 0.25 * new - average).abs() < 1e-6);
        }
    }

    #[test]
    fn the_first_steps_count_for_more() {
        let device = Device::flex().autodiff();
        let [old, new] = [1, 2].map(|seed| Network::new(&spec(2, 4), seed, &device));
        let mut average = Average::new(&old, 0.9999);
        average.update(&new, 1);
        let (old, new, average) = (values(&old)[0], values(&new)[0], values(average.network())[0]);
        assert!((2.0 / 11.0 * old + 9.0 / 11.0 * new - average).abs() < 1e-6);
    }
}
