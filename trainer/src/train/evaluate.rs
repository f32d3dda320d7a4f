//! Accuracy of the network as it is being trained.

use crate::augment::Normalise;
use crate::batches::Batches;
use crate::data::{Pictures, UNLABELLED};
use crate::network::{Mode, Network};
use crate::recipe::Recipe;
use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use lsspq::card::Accuracy;
use std::sync::Arc;

/// Pictures in a batch of evaluation; it changes nothing but speed and memory.
const BATCH: usize = 250;

/// Top-1 and top-5 on `pictures[indices]`, with running statistics.
pub fn evaluate(network: &Network, recipe: &Recipe, mode: Mode, pictures: &Arc<Pictures>, indices: &[u32]) -> Accuracy {
    let network = network.clone().valid();
    let device = network.device();
    let side = recipe.network.input;
    let mut total = Accuracy { images: 0, top1: 0, top5: 0 };
    for batch in Batches::evaluation(pictures, indices, BATCH, &Normalise::from(&recipe.data)) {
        let count = batch.labels.len();
        let images = Tensor::from_data(TensorData::new(batch.images, [count, 3, side, side]), &device);
        let logits = network.forward(&recipe.network, images, mode).logits;
        let [top1, top5] = ranks(&logits, &batch.labels);
        total.images += count as u64;
        total.top1 += top1;
        total.top5 += top5;
    }
    total
}

/// How many rows have their label in the first place.
pub(super) fn correct(logits: &Tensor<2>, labels: &[u16]) -> u64 {
    ranks(logits, labels)[0]
}

/// How many rows have their label in the first place, and among the first five; of equal logits the first class wins. Rows
/// without a label count for nothing.
fn ranks(logits: &Tensor<2>, labels: &[u16]) -> [u64; 2] {
    let [_, classes] = logits.dims();
    let logits: Vec<f32> = logits.clone().into_data().iter::<f32>().collect();
    let mut counts = [0, 0];
    for (row, &label) in logits.chunks_exact(classes).zip(labels).filter(|(_, label)| **label != UNLABELLED) {
        let own = row[usize::from(label)];
        let before = row[..usize::from(label)].iter().filter(|&&l| l >= own).count();
        let rank = before + row[usize::from(label)..].iter().filter(|&&l| l > own).count();
        counts[0] += u64::from(rank == 0);
        counts[1] += u64::from(rank < 5);
    }
    counts
}
