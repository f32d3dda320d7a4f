//! The forward and backward pass of a batch, on one device or shared out among several.
//!
//! Several devices work as Burn's own training on several devices does: each has a copy of the network and a part of
//! the batch, the gradients are brought together on the first and one optimiser steps there. Each part is normalised by
//! its own statistics; the running ones take in those of the whole batch. Burn also reduces gradients collectively, on
//! CUDA and remote devices alone and with an optimiser on each; that would spare the copies.

use super::{Teacher, loss};
use crate::batches::Batch;
use crate::network::{Mode, Network, Output};
use crate::recipe::Recipe;
use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};

/// What is the same for all batches of a stage.
#[derive(Clone, Copy)]
pub(super) struct Pass<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) teacher: Option<&'a Teacher>,
    pub(super) mode: Mode,
    /// Of the stage's pictures, in pixels.
    pub(super) side: usize,
    /// Of the run.
    pub(super) epoch: u32,
}

/// What a batch came to.
pub(super) struct Passed {
    pub(super) gradients: GradientsParams,
    /// On the first device.
    pub(super) output: Output,
    /// Mean over the pictures.
    pub(super) loss: f32,
}

impl Pass<'_> {
    /// Both passes, on devices with gradients of which the first holds the network.
    pub(super) fn run(&self, network: &Network, mut batch: Batch, devices: &[Device]) -> Passed {
        if let [device] = devices {
            let taught = self.taught(&batch);
            return self.part(network, &mut batch, taught, device, None);
        }
        let whole = batch.labels.len() as f32;
        let parts: Vec<_> = split(batch, devices.len())
            .into_iter()
            .zip(devices)
            .map(|(part, device)| (network.clone(), self.taught(&part), part, device))
            .collect();
        let Self { recipe, mode, side, epoch, .. } = *self;
        let passed: Vec<Passed> = std::thread::scope(|scope| {
            let work = |(network, taught, mut part, device): (Network, _, Batch, &_)| {
                let share = part.labels.len() as f32 / whole;
                let pass = Pass { recipe, teacher: None, mode, side, epoch };
                pass.part(&network.fork(device), &mut part, taught, device, Some(share))
            };
            let started: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || work(part))).collect();
            let join = |handle: std::thread::ScopedJoinHandle<'_, Passed>| {
                handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            started.into_iter().map(join).collect()
        });
        bring_together(network, passed, &devices[0])
    }

    /// What the teacher says of a batch: probabilities, `[images][classes]`.
    fn taught(&self, batch: &Batch) -> Option<Vec<f32>> {
        let (teacher, distill) = (self.teacher?, self.recipe.distill.as_ref()?);
        Some(teacher.softened(batch, self.epoch, distill.temperature))
    }

    /// Both passes of a part of a batch, which is that share of it; none is the whole. The loss is multiplied by the
    /// share.
    fn part(
        &self,
        network: &Network,
        batch: &mut Batch,
        taught: Option<Vec<f32>>,
        device: &Device,
        share: Option<f32>,
    ) -> Passed {
        let recipe = self.recipe;
        let (count, side) = (batch.labels.len(), self.side);
        let pixels = std::mem::take(&mut batch.images);
        let images = Tensor::from_data(TensorData::new(pixels, [count, 3, side, side]), device);
        let output = network.forward(&recipe.network, images, self.mode);
        let loss = loss::cross_entropy(output.logits.clone(), batch, recipe.training.label_smoothing);
        let loss = match (taught, &recipe.distill) {
            (Some(taught), Some(d)) => {
                loss * (1.0 - d.weight) + loss::distilled(output.logits.clone(), &taught, d.temperature) * d.weight
            }
            _ => loss,
        };
        let loss = match share {
            Some(share) => loss * share,
            None => loss,
        };
        let gradients = GradientsParams::from_grads(loss.backward(), network);
        Passed { gradients, output, loss: loss.into_scalar::<f32>() }
    }
}

/// Consecutive parts of a batch, as equal as can be.
fn split(batch: Batch, parts: usize) -> Vec<Batch> {
    let count = batch.labels.len();
    let picture = batch.images.len() / count.max(1);
    (0..parts)
        .map(|i| {
            let range = count * i / parts..count * (i + 1) / parts;
            let mixed = batch.mixed.as_ref().map(|mixed| crate::augment::Mixed {
                pictures: mixed.pictures[range.clone()].to_vec(),
                labels: mixed.labels[range.clone()].to_vec(),
                own: mixed.own,
            });
            Batch {
                images: batch.images[range.start * picture..range.end * picture].to_vec(),
                pictures: batch.pictures[range.clone()].to_vec(),
                labels: batch.labels[range].to_vec(),
                mixed,
            }
        })
        .collect()
}

/// Sums losses and gradients, in the order of the devices.
fn bring_together(network: &Network, parts: Vec<Passed>, device: &Device) -> Passed {
    let inner = device.clone().without_autodiff();
    let mut sum = GradientsAccumulator::new();
    let mut loss = 0.0;
    let outputs = parts.into_iter().map(|part| {
        sum.accumulate(network, part.gradients.to_device(&inner, network));
        loss += part.loss;
        part.output
    });
    let output = Output::merge(outputs.collect(), device);
    Passed { gradients: sum.grads(), output, loss }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::Mixed;
    use crate::network::Engine;

    /// More pictures than three devices can share out evenly.
    const PICTURES: usize = 7;

    fn recipe() -> Recipe {
        Recipe::parse(include_str!("../../tests/fixture/shapes.toml"), "shapes.toml").unwrap()
    }

    fn batch(recipe: &Recipe) -> Batch {
        let len = PICTURES * 3 * recipe.network.input.pow(2);
        let images = (0..len).map(|i| ((i * i + 7 * i) % 29) as f32 / 14.0 - 1.0).collect();
        let labels: Vec<u16> = (0..PICTURES as u16).map(|i| i % 4).collect();
        let pictures: Vec<u32> = (0..PICTURES as u32).collect();
        let pairs = pictures.iter().rev().copied().collect();
        let mixed = Mixed { pictures: pairs, labels: labels.iter().rev().copied().collect(), own: 0.75 };
        Batch { images, pictures, labels, mixed: Some(mixed) }
    }

    fn passed(devices: usize, engine: Engine, batch_statistics: bool) -> (Network, Passed) {
        let (recipe, device) = (recipe(), Device::flex().autodiff());
        let network = Network::new(&recipe.network, 3, &device);
        let mode = Mode { batch_statistics, activations: None, round_shifts: false, engine };
        let pass = Pass { recipe: &recipe, teacher: None, mode, side: recipe.network.input, epoch: 0 };
        let passed = pass.run(&network, batch(&recipe), &vec![device; devices]);
        (network, passed)
    }

    /// Gradients of all weights.
    fn gradients(network: &Network, passed: &Passed) -> Vec<f32> {
        let of = |id| passed.gradients.get::<2>(id).unwrap().into_data().iter::<f32>().collect::<Vec<_>>();
        network.weight_ids().into_iter().flat_map(of).collect()
    }

    fn assert_near(found: &[f32], wanted: &[f32]) {
        assert_eq!(found.len(), wanted.len());
        let largest = wanted.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() <= 1e-5 * largest, "{found} is not {wanted}");
        }
    }

    #[test]
    fn shared_batch_has_the_loss_and_the_gradients_of_the_whole() {
        // With given statistics, so that no part is normalised by its own; the fused operations do not learn with them.
        let (network, whole) = passed(1, Engine::Composed, false);
        for devices in [2, 3] {
            let (shared_network, shared) = passed(devices, Engine::Composed, false);
            assert!((shared.loss - whole.loss).abs() < 1e-5, "{} {}", shared.loss, whole.loss);
            assert_near(&gradients(&shared_network, &shared), &gradients(&network, &whole));
            let logits = |p: &Passed| p.output.logits.clone().into_data().iter::<f32>().collect::<Vec<_>>();
            assert_near(&logits(&shared), &logits(&whole));
        }
    }

    #[test]
    fn running_statistics_take_in_those_of_the_whole_batch() {
        // Those of the first BatchNorm, before which nothing was normalised part by part.
        let first = |devices| {
            let (mut network, passed) = passed(devices, Engine::Composed, true);
            network.absorb(&recipe().network, passed.output, 1.0);
            network.stem_norm.running.val().into_data().iter::<f32>().collect::<Vec<_>>()
        };
        let whole = first(1);
        for devices in [2, 3] {
            assert_near(&first(devices), &whole);
        }
    }
}
