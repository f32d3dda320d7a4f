//! Batches, made ready ahead of the training step by a thread of their own.

use crate::augment::{Draw, Normalise, write};
use crate::data::Pictures;
use crate::random::order;
use crate::recipe::Augment;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// Batches that wait to be taken: enough to hide the making of one, few enough to cost little memory.
const AHEAD: usize = 3;

/// Pictures on their way into the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// `[picture][red, green, blue][row][column]`, normalised.
    pub images: Vec<f32>,
    /// The class of each picture.
    pub labels: Vec<u16>,
}

/// How pictures are made into batches.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Training { seed: u64, epoch: u32, augment: Augment },
    Evaluation,
}

/// The batches of one pass over some pictures; a function of the arguments alone, whatever the number of threads.
#[derive(Debug)]
pub struct Batches {
    // Taken when dropped, so that a worker that waits to hand over sees that nobody listens.
    receiver: Option<Receiver<Batch>>,
    worker: Option<JoinHandle<()>>,
    left: usize,
}

impl Batches {
    /// One epoch of training on `pictures[indices]`: shuffled, augmented; a last batch of fewer than `size` pictures is
    /// left out. `epoch` is counted over all stages of the run, so that no two epochs see the same pictures. The first
    /// `done` batches, which an interrupted run has had, are passed over.
    pub fn training(
        pictures: &Arc<Pictures>,
        indices: &[u32],
        size: usize,
        normalise: &Normalise,
        augment: Augment,
        (seed, epoch): (u64, u32),
        done: usize,
    ) -> Self {
        let order =
            order(seed, epoch, indices.len()).into_iter().skip(done * size).map(|i| indices[i as usize]).collect();
        let left = (indices.len() / size).saturating_sub(done);
        Self::start(pictures, order, size, left, normalise, Mode::Training { seed, epoch, augment })
    }

    /// `pictures[indices]` in that order, as they are; the last batch may be short.
    pub fn evaluation(pictures: &Arc<Pictures>, indices: &[u32], size: usize, normalise: &Normalise) -> Self {
        let left = indices.len().div_ceil(size);
        Self::start(pictures, indices.to_vec(), size, left, normalise, Mode::Evaluation)
    }

    fn start(
        pictures: &Arc<Pictures>,
        order: Vec<u32>,
        size: usize,
        left: usize,
        normalise: &Normalise,
        mode: Mode,
    ) -> Self {
        let (sender, receiver) = sync_channel(AHEAD);
        let (pictures, normalise) = (Arc::clone(pictures), normalise.clone());
        let worker = std::thread::spawn(move || {
            for indices in order.chunks(size).take(left) {
                if sender.send(batch(&pictures, indices, &normalise, mode)).is_err() {
                    break;
                }
            }
        });
        Self { receiver: Some(receiver), worker: Some(worker), left }
    }
}

fn batch(pictures: &Pictures, indices: &[u32], normalise: &Normalise, mode: Mode) -> Batch {
    let side = pictures.side;
    let mut images = vec![0.0; indices.len() * side * side * 3];
    for (&index, target) in indices.iter().zip(images.chunks_exact_mut(side * side * 3)) {
        let draw = match mode {
            Mode::Training { seed, epoch, augment } => {
                Some((Draw::new(&augment, seed, epoch, index), augment.crop_padding))
            }
            Mode::Evaluation => None,
        };
        write(pictures.picture(index as usize), side, draw, normalise, target);
    }
    Batch { images, labels: indices.iter().map(|&index| pictures.labels[index as usize]).collect() }
}

impl Iterator for Batches {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        if self.left == 0 {
            return None;
        }
        match self.receiver.as_ref()?.recv() {
            Ok(batch) => {
                self.left -= 1;
                Some(batch)
            }
            Err(_) => {
                // The worker ended early, which only a panic can do: an epoch must not end in silence.
                match self.worker.take().map(JoinHandle::join) {
                    Some(Err(panic)) => std::panic::resume_unwind(panic),
                    _ => None,
                }
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Batches {}

impl Drop for Batches {
    fn drop(&mut self) {
        self.receiver = None;
        if let Some(worker) = self.worker.take() {
            // Its panic, if any, was handed on by `next`.
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10 pictures of 4x4 whose bytes all are 10 times their index.
    fn pictures() -> Arc<Pictures> {
        let pixels = (0..10u8).flat_map(|i| [10 * i; 48]).collect();
        let labels = (0..10).map(|i| i % 2).collect();
        Arc::new(Pictures { side: 4, pixels, labels, classes: vec!["even".into(), "odd".into()] })
    }

    fn plain() -> Normalise {
        Normalise::new([0.0; 3], [1.0 / 255.0; 3])
    }

    fn train(epoch: u32) -> Vec<Batch> {
        let augment = Augment { crop_padding: 1, flip: true };
        let all: Vec<u32> = (0..10).collect();
        Batches::training(&pictures(), &all, 4, &plain(), augment, (1, epoch), 0).collect()
    }

    #[test]
    fn training_drops_the_short_batch_and_evaluation_keeps_it() {
        assert_eq!(train(0).iter().map(|b| b.labels.len()).collect::<Vec<_>>(), [4, 4]);
        let all: Vec<u32> = (0..10).collect();
        let batches = Batches::evaluation(&pictures(), &all, 4, &plain());
        assert_eq!(batches.len(), 3);
        assert_eq!(batches.map(|b| b.labels.len()).collect::<Vec<_>>(), [4, 4, 2]);
    }

    #[test]
    fn an_epoch_taken_up_in_the_middle_goes_on_with_the_same_batches() {
        let all: Vec<u32> = (0..10).collect();
        let augment = Augment { crop_padding: 1, flip: true };
        let rest: Vec<Batch> = Batches::training(&pictures(), &all, 4, &plain(), augment, (1, 0), 1).collect();
        assert_eq!(rest, train(0)[1..]);
    }

    #[test]
    fn evaluation_keeps_order_pixels_and_labels() {
        let batches: Vec<Batch> = Batches::evaluation(&pictures(), &[7, 2, 5], 2, &plain()).collect();
        let first = |row: &[f32]| row[0].round() as i32;
        assert_eq!(batches[0].images.chunks(48).map(first).collect::<Vec<_>>(), [70, 20]);
        assert_eq!(batches[1].images.chunks(48).map(first).collect::<Vec<_>>(), [50]);
        assert_eq!((&*batches[0].labels, &*batches[1].labels), (&[1, 0][..], &[1][..]));
    }

    #[test]
    fn an_epoch_is_a_function_of_seed_and_epoch_whatever_the_threads() {
        let alone = train(3);
        assert_eq!(alone, train(3));
        assert_ne!(alone, train(4));
        let together: Vec<_> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| train(3))).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        assert!(together.iter().all(|run| *run == alone));
    }

    #[test]
    fn a_picture_is_augmented_alike_wherever_it_stands_in_the_epoch() {
        let augment = Augment { crop_padding: 1, flip: true };
        let batch = |indices: &[u32]| {
            Batches::training(&pictures(), indices, indices.len(), &plain(), augment, (1, 0), 0).next().unwrap()
        };
        let (alone, among) = (batch(&[7]), batch(&[1, 7, 3]));
        assert!(among.images.chunks(48).any(|row| row == alone.images), "picture 7 is not in the larger batch");
    }

    #[test]
    fn dropping_early_ends_the_worker() {
        let all: Vec<u32> = (0..10).cycle().take(10_000).collect();
        let mut batches = Batches::evaluation(&pictures(), &all, 1, &plain());
        batches.next().unwrap();
        // Joins the worker: this test would never end if it went on waiting.
        drop(batches);
    }

    #[test]
    #[should_panic(expected = "out of range")]
    fn a_broken_worker_is_no_short_epoch() {
        Batches::evaluation(&pictures(), &[99], 1, &plain()).for_each(drop);
    }
}
