//! BatchNorm's parameters and running statistics.

use crate::fused::NormTensors;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

/// Scale, offset, and the statistics evaluation uses.
#[derive(Module, Debug)]
pub struct Norm {
    pub(crate) gamma: Param<Tensor<1>>,
    pub(crate) beta: Param<Tensor<1>>,
    /// Means, then variances: `[2, channels]`. Not trained by gradients.
    pub(crate) running: Param<Tensor<2>>,
    /// The learned range of the activation behind it, one number; none is from 0 to 1.
    pub(crate) range: Option<Param<Tensor<1>>>,
}

impl Norm {
    /// A norm of that many channels.
    pub fn new(channels: usize, gamma: f32, beta: f32, device: &Device) -> Self {
        let mut running = vec![0.0; channels];
        running.resize(2 * channels, 1.0f32);
        let running = Tensor::<1>::from_data(running.as_slice(), device).reshape([2, channels]);
        Self {
            gamma: Param::from_tensor(Tensor::full([channels], gamma, device)),
            beta: Param::from_tensor(Tensor::full([channels], beta, device)),
            running: Param::from_tensor(running).set_require_grad(false),
            range: None,
        }
    }

    /// As tensors of the current values.
    pub fn tensors(&self) -> NormTensors {
        NormTensors { gamma: self.gamma.val(), beta: self.beta.val(), running: self.running.val() }
    }

    /// Moves the running statistics towards a batch's.
    pub fn absorb(&mut self, batch: Tensor<2>, momentum: f32) {
        self.running = self.running.clone().map(|old| {
            let device = old.device();
            let old = old.detach();
            let batch = batch.detach().to_device(&device);
            (old * (1.0 - momentum) + batch * momentum).detach().set_require_grad(false)
        });
    }
}
