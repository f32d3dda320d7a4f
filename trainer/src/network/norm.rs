//! BatchNorm's parameters and running statistics.

use crate::fused::NormTensors;
use crate::kernels::norm::{EPSILON, Statistics};
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

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

    /// Makes it multiply by a scale and add a bias in evaluation, with statistics of nothing.
    pub(super) fn evaluate_as(&mut self, scale: Vec<f32>, bias: Vec<f32>) {
        let statistics = Statistics { mean: vec![0.0; scale.len()], variance: vec![1.0; scale.len()] };
        self.set(&scale, &bias, &statistics);
    }

    /// Takes the running statistics of another norm and goes on doing in evaluation what it did. Gives how far they are from
    /// those it had, in deviations.
    pub(super) fn rebase(&mut self, measured: &Self) -> f32 {
        let (scale, bias) = super::scale_and_bias(self);
        let of =
            |norm: &Self| Statistics::from_slice(&norm.running.val().into_data().iter::<f32>().collect::<Vec<_>>());
        let (old, new) = (of(self), of(measured));
        self.set(&scale, &bias, &new);
        let distance = |c: usize| {
            let deviation = |statistics: &Statistics| (statistics.variance[c] + EPSILON).sqrt();
            let moved = (new.mean[c] - old.mean[c]).abs() + (deviation(&new) - deviation(&old)).abs();
            moved / deviation(&new)
        };
        (0..new.mean.len()).map(distance).fold(0.0, f32::max)
    }

    fn set(&mut self, scale: &[f32], bias: &[f32], statistics: &Statistics) {
        let device = self.running.val().device();
        let channels = scale.len();
        let row = |values: Vec<f32>| Param::from_data(TensorData::new(values, [channels]), &device);
        let roots = statistics.variance.iter().map(|v| (v + EPSILON).sqrt());
        self.gamma = row(scale.iter().zip(roots).map(|(scale, root)| scale * root).collect());
        let moved = scale.iter().zip(&statistics.mean).map(|(scale, mean)| scale * mean);
        self.beta = row(bias.iter().zip(moved).map(|(bias, moved)| bias + moved).collect());
        let running = Tensor::from_data(TensorData::new(statistics.to_vec(), [2, channels]), &device);
        self.running = Param::from_tensor(running).set_require_grad(false);
    }
}
