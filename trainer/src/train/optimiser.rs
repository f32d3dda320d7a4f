//! Stochastic gradient descent by Burn, with decay on the weights alone.

use crate::network::Network;
use crate::recipe::Optimiser;
use burn::module::ParamGroup;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{ModuleOptimizer, SgdConfig};

/// An optimiser without momentum yet.
pub(super) fn new(network: &Network, config: &Optimiser) -> ModuleOptimizer {
    // Burn damps the gradient by a tenth unless told not to.
    let momentum =
        (config.momentum > 0.0).then(|| MomentumConfig::new().with_momentum(config.momentum).with_dampening(0.0));
    let sgd = SgdConfig::new().with_momentum(momentum);
    let decay = (config.weight_decay > 0.0).then(|| WeightDecayConfig::new(config.weight_decay as f32));
    let decayed = sgd.clone().with_weight_decay(decay).build();
    sgd.init().with_group(ParamGroup::from_ids(network.weight_ids()), decayed, None)
}
