//! Random numbers that are a function of where they are used.
//!
//! No generator is carried from one use to the next: each is made from the run's seed, the purpose, the epoch and the
//! item. So neither the number of threads nor an interruption can change what is drawn.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// What random numbers are drawn for; no two purposes share a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// First values of a network's weights and shifts.
    Initial = 1,
    /// Which pictures validate.
    Validation = 2,
    /// The order of the pictures in an epoch.
    Order = 3,
    /// Crop and flip of a picture in an epoch.
    Augment = 4,
    /// Generated pictures.
    Fixture = 5,
    /// Windows, colours and erased rectangles of a picture in an epoch.
    Enrich = 6,
    /// Which batches are blended, and how.
    Mix = 7,
}

/// The generator for `item` in `epoch` under `seed`.
pub fn stream(seed: u64, purpose: Purpose, epoch: u32, item: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..12].copy_from_slice(&epoch.to_le_bytes());
    key[12] = purpose as u8;
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(item);
    rng
}

/// The numbers `0 .. count` in the order in which `epoch` takes them.
pub fn order(seed: u64, epoch: u32, count: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    order.shuffle(&mut stream(seed, Purpose::Order, epoch, 0));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn order_is_a_permutation_that_seed_and_epoch_decide() {
        let first = order(1, 0, 1000);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<u32>>());
        assert_eq!(first, order(1, 0, 1000));
        assert_ne!(first, order(1, 1, 1000));
        assert_ne!(first, order(2, 0, 1000));
        assert_ne!(first, sorted);
    }

    #[test]
    fn no_two_places_share_a_stream() {
        let mut drawn: Vec<u64> = [(1, Purpose::Order, 0, 0), (2, Purpose::Order, 0, 0), (1, Purpose::Augment, 0, 0)]
            .into_iter()
            .chain([(1, Purpose::Order, 1, 0), (1, Purpose::Order, 0, 1)])
            .map(|(seed, purpose, epoch, item)| stream(seed, purpose, epoch, item).next_u64())
            .collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 5);
    }
}
