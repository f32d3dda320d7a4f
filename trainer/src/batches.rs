//! Batches, made ready ahead of the training step by threads of their own.

use crate::augment::{Mixed, Normalise, Studio, mix, write};
use crate::data::Pictures;
use crate::random::order;
use crate::recipe::Augment;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// Batches that wait to be taken: enough to hide the making of one, few enough to cost little memory.
const AHEAD: usize = 3;

/// Threads of training that one worker makes batches for: making a picture takes tens of microseconds, training on it
/// milliseconds.
const THREADS_PER_WORKER: usize = 4;

/// Beyond this, memory is what workers would wait for.
const MOST_WORKERS: usize = 4;

/// Pictures on their way into the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// `[picture][red, green, blue][row][column]`, normalised.
    pub images: Vec<f32>,
    /// Which picture of the data set each is.
    pub pictures: Vec<u32>,
    /// The class of each picture.
    pub labels: Vec<u16>,
    /// What was blended in, where the recipe asks for it.
    pub mixed: Option<Mixed>,
}

impl Batch {
    /// The class of which there is most in each picture.
    pub fn leading(&self) -> &[u16] {
        self.mixed.as_ref().filter(|mixed| mixed.own < 0.5).map_or(&self.labels, |mixed| &mixed.labels)
    }
}

/// How pictures are made into batches.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for a whole pass")]
enum Mode {
    /// `done` batches of the epoch came before.
    Training {
        seed: u64,
        epoch: u32,
        augment: Augment,
        side: usize,
        done: usize,
    },
    Evaluation,
}

/// The batches of one pass over some pictures; a function of the arguments alone, whatever the number of threads.
#[derive(Debug)]
pub struct Batches {
    // Dropped before the workers are waited for, so that one that waits to hand over sees that nobody listens.
    receivers: Vec<Receiver<Batch>>,
    workers: Vec<JoinHandle<()>>,
    taken: usize,
    left: usize,
}

impl Batches {
    /// One epoch of training on `pictures[indices]`: shuffled, augmented; a last batch of fewer than `size` pictures is
    /// left out. `epoch` is counted over all stages of the run, so that no two epochs see the same pictures. The first
    /// `done` batches, which an interrupted run has had, are passed over. The pictures are shrunk to `side`, where they are
    /// larger.
    #[expect(clippy::too_many_arguments, reason = "each says which pictures these are")]
    pub fn training(
        pictures: &Arc<Pictures>,
        indices: &[u32],
        size: usize,
        normalise: &Normalise,
        augment: Augment,
        (seed, epoch): (u64, u32),
        side: usize,
        done: usize,
    ) -> Self {
        let order =
            order(seed, epoch, indices.len()).into_iter().skip(done * size).map(|i| indices[i as usize]).collect();
        let left = (indices.len() / size).saturating_sub(done);
        let mode = Mode::Training { seed, epoch, augment, side, done };
        Self::start(pictures, order, size, left, normalise, mode)
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
        // One worker keeps several threads of training busy; which of them makes a batch changes nothing of it.
        let count = (rayon::current_num_threads() / THREADS_PER_WORKER).clamp(1, MOST_WORKERS);
        let order = Arc::new(order);
        let worker = |first: usize| {
            let (sender, receiver) = sync_channel(AHEAD.div_ceil(count));
            let (pictures, normalise, order) = (Arc::clone(pictures), normalise.clone(), Arc::clone(&order));
            let work = move || {
                let mut studio = Studio::default();
                for (number, indices) in order.chunks(size).enumerate().take(left).skip(first).step_by(count) {
                    let batch = batch(&pictures, (number, indices), &normalise, mode, &mut studio);
                    if sender.send(batch).is_err() {
                        break;
                    }
                }
            };
            (receiver, std::thread::spawn(work))
        };
        let (receivers, workers) = (0..count).map(worker).unzip();
        Self { receivers, workers, taken: 0, left }
    }
}

fn batch(
    pictures: &Pictures,
    (number, indices): (usize, &[u32]),
    normalise: &Normalise,
    mode: Mode,
    studio: &mut Studio,
) -> Batch {
    let side = match mode {
        Mode::Training { side, .. } => side,
        Mode::Evaluation => pictures.side,
    };
    let mut images = vec![0.0; indices.len() * side * side * 3];
    for (&index, target) in indices.iter().zip(images.chunks_exact_mut(side * side * 3)) {
        let picture = pictures.picture(index as usize);
        match mode {
            Mode::Training { seed, epoch, augment, .. } => {
                studio.write(picture, pictures.side, &augment, (seed, epoch, index), normalise, (target, side));
            }
            Mode::Evaluation => write(picture, side, None, normalise, target),
        }
    }
    let labels = indices.iter().map(|&index| pictures.labels[index as usize]).collect();
    let mut batch = Batch { images, pictures: indices.to_vec(), labels, mixed: None };
    if let Mode::Training { seed, epoch, augment, done, .. } = mode {
        mix(&mut batch, side, &augment, (seed, epoch), (done + number) as u64);
    }
    batch
}

impl Iterator for Batches {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        if self.left == 0 {
            return None;
        }
        let worker = self.taken % self.receivers.len();
        match self.receivers[worker].recv() {
            Ok(batch) => {
                (self.taken, self.left) = (self.taken + 1, self.left - 1);
                Some(batch)
            }
            // The worker ended early, which only a panic can do: an epoch must not end in silence.
            Err(_) => match self.workers.swap_remove(worker).join() {
                Err(panic) => std::panic::resume_unwind(panic),
                Ok(()) => None,
            },
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Batches {}

impl Drop for Batches {
    fn drop(&mut self) {
        self.receivers.clear();
        for worker in self.workers.drain(..) {
            // A panic, if any, was handed on by `next`.
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
        let augment = Augment { crop_padding: 1, flip: true, ..Augment::NONE };
        let all: Vec<u32> = (0..10).collect();
        Batches::training(&pictures(), &all, 4, &plain(), augment, (1, epoch), 4, 0).collect()
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
        let plainly = Augment { crop_padding: 1, flip: true, ..Augment::NONE };
        for augment in [plainly, Augment { mixup: Some(1.0), cutmix: Some(1.0), ..plainly }] {
            let from = |done| -> Vec<Batch> {
                Batches::training(&pictures(), &all, 3, &plain(), augment, (1, 0), 4, done).collect()
            };
            assert_eq!(from(1), from(0)[1..]);
            assert_eq!(from(2), from(0)[2..]);
        }
    }

    #[test]
    fn any_number_of_workers_makes_the_same_batches() {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| train(1))
        };
        assert_eq!(with(1), with(8));
        assert_eq!(with(1), with(16));
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
        let augment = Augment { crop_padding: 1, flip: true, ..Augment::NONE };
        let batch = |indices: &[u32]| {
            Batches::training(&pictures(), indices, indices.len(), &plain(), augment, (1, 0), 4, 0).next().unwrap()
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
