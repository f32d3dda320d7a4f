//! Burn's optimisers, with decay on the weights alone.

use crate::network::Network;
use crate::recipe::{Optimiser, OptimiserKind};
use burn::module::ParamGroup;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamWConfig, ModuleOptimizer, SgdConfig};

/// An optimiser without memory yet.
pub(super) fn new(network: &Network, config: &Optimiser) -> ModuleOptimizer {
    let weights = ParamGroup::from_ids(network.weight_ids());
    match config.kind {
        OptimiserKind::Sgd => {
            // Burn damps the gradient by a tenth unless told not to.
            let momentum = MomentumConfig::new().with_momentum(config.momentum).with_dampening(0.0);
            let momentum = (config.momentum > 0.0).then(|| momentum.with_nesterov(config.nesterov));
            let sgd = SgdConfig::new().with_momentum(momentum);
            let decay = (config.weight_decay > 0.0).then(|| WeightDecayConfig::new(config.weight_decay as f32));
            let decayed = sgd.clone().with_weight_decay(decay).build();
            sgd.init().with_group(weights, decayed, None)
        }
        OptimiserKind::Adamw => {
            let adam = AdamWConfig::new()
                .with_beta_1(config.momentum as f32)
                .with_beta_2(config.beta_2.unwrap_or(0.999) as f32)
                .with_epsilon(1e-8)
                .with_weight_decay(0.0);
            let decayed = adam.clone().with_weight_decay(config.weight_decay as f32).build();
            adam.init().with_group(weights, decayed, None)
        }
    }
}
