//! Pairs of pictures blended into each other, and their labels with them.

use crate::batches::Batch;
use crate::random::{Purpose, stream};
use crate::recipe::Augment;
use rand::{Rng, RngExt};
use rand_distr::{Beta, Distribution};

/// The other half of each pair.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixed {
    /// The picture that was blended in.
    pub pictures: Vec<u32>,
    /// The class of that picture.
    pub labels: Vec<u16>,
    /// How much of each picture is its own, 0 to 1.
    pub own: f32,
}

/// Blends batch `number` of an epoch as the recipe says: a function of the arguments alone. The first picture is paired
/// with the last, and so on: the order of an epoch is random already.
pub(crate) fn mix(batch: &mut Batch, side: usize, augment: &Augment, (seed, epoch): (u64, u32), number: u64) {
    if augment.mixup.is_none() && augment.cutmix.is_none() {
        return;
    }
    let mut random = stream(seed, Purpose::Mix, epoch, number);
    let (applies, second) = (random.random_bool(augment.mix_probability), random.random_bool(0.5));
    if !applies {
        return;
    }
    let own = match (augment.mixup, augment.cutmix) {
        (Some(alpha), cutmix) if cutmix.is_none() || second => mixup(batch, share(alpha, &mut random)),
        (_, Some(alpha)) => cutmix(batch, side, share(alpha, &mut random), &mut random),
        _ => return,
    };
    let pictures = batch.pictures.iter().rev().copied().collect();
    batch.mixed = Some(Mixed { pictures, labels: batch.labels.iter().rev().copied().collect(), own });
}

fn share(alpha: f64, random: &mut impl Rng) -> f64 {
    Beta::new(alpha, alpha).expect("a recipe's alpha is positive").sample(random)
}

/// Runs over the pairs of pictures.
fn pairs(batch: &mut Batch, mut change: impl FnMut(&mut [f32], &mut [f32])) {
    let picture = batch.images.len() / batch.labels.len().max(1);
    let mut pictures = batch.images.chunks_exact_mut(picture.max(1));
    while let (Some(first), Some(last)) = (pictures.next(), pictures.next_back()) {
        change(first, last);
    }
}

/// Weighted means; returns how much is a picture's own, at least half, so that it keeps its first label.
fn mixup(batch: &mut Batch, share: f64) -> f32 {
    let own = share.max(1.0 - share) as f32;
    pairs(batch, |a, b| {
        for (a, b) in a.iter_mut().zip(b) {
            (*a, *b) = (own * *a + (1.0 - own) * *b, own * *b + (1.0 - own) * *a);
        }
    });
    own
}

/// Exchanges one rectangle, of about `1 - share` of the area, anywhere; returns the part that is a picture's own.
fn cutmix(batch: &mut Batch, side: usize, share: f64, random: &mut impl Rng) -> f32 {
    let reach = (side as f64 * (1.0 - share).sqrt() / 2.0).round() as usize;
    let mut range = || {
        let middle = random.random_range(0..side);
        middle.saturating_sub(reach)..(middle + reach).min(side)
    };
    let (rows, columns) = (range(), range());
    pairs(batch, |a, b| {
        for (a, b) in a.chunks_exact_mut(side).zip(b.chunks_exact_mut(side)).enumerate().filter_map(|(row, lines)| {
            // Lines of all three colours, one behind the other.
            rows.contains(&(row % side)).then_some(lines)
        }) {
            a[columns.clone()].swap_with_slice(&mut b[columns.clone()]);
        }
    });
    1.0 - (rows.len() * columns.len()) as f32 / (side * side) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five pictures of 4x4 that hold their own number everywhere.
    fn batch() -> Batch {
        let images = (0..5).flat_map(|i| [i as f32; 48]).collect();
        Batch { images, pictures: (20..25).collect(), labels: (10..15).collect(), mixed: None }
    }

    fn mixed(augment: Augment, number: u64) -> Batch {
        let mut batch = batch();
        mix(&mut batch, 4, &augment, (1, 0), number);
        batch
    }

    #[test]
    fn mixup_is_the_weighted_mean_of_pairs() {
        for number in 0..50 {
            let batch = mixed(Augment { mixup: Some(0.5), ..Augment::NONE }, number);
            let Mixed { pictures, labels, own } = batch.mixed.unwrap();
            assert_eq!((pictures, labels), (vec![24, 23, 22, 21, 20], vec![14, 13, 12, 11, 10]));
            assert!((0.5..=1.0).contains(&own));
            for (i, picture) in batch.images.chunks(48).enumerate() {
                let wanted = own * i as f32 + (1.0 - own) * (4 - i) as f32;
                assert!(picture.iter().all(|v| (v - wanted).abs() < 1e-6));
            }
        }
    }

    #[test]
    fn cutmix_exchanges_a_rectangle_and_counts_its_area() {
        let mut shares = Vec::new();
        for number in 0..50 {
            let batch = mixed(Augment { cutmix: Some(1.0), ..Augment::NONE }, number);
            let own = batch.mixed.unwrap().own;
            shares.push(own);
            for (i, picture) in batch.images.chunks(48).enumerate().filter(|(i, _)| *i != 2) {
                let kept = picture.iter().filter(|&&v| v == i as f32).count();
                assert!(picture.iter().all(|&v| v == i as f32 || v == (4 - i) as f32));
                assert_eq!(kept as f32 / 48.0, own);
                assert_eq!(picture[..16], picture[16..32], "the colours are cut alike");
            }
        }
        assert!(shares.iter().any(|&s| s > 0.7) && shares.iter().any(|&s| s < 0.5), "{shares:?}");
    }

    #[test]
    fn both_take_turns_and_the_probability_holds() {
        let both = Augment { mixup: Some(0.5), cutmix: Some(1.0), mix_probability: 0.5, ..Augment::NONE };
        let (mut blended, mut cut, mut plain) = (0, 0, 0);
        for number in 0..400 {
            let batch = mixed(both, number);
            let whole = |v: &f32| v.fract() == 0.0;
            match batch.mixed {
                None => plain += 1,
                Some(_) if batch.images[..48].iter().all(whole) => cut += 1,
                Some(_) => blended += 1,
            }
        }
        assert!((150..250).contains(&plain) && blended > 50 && cut > 50, "{plain} {blended} {cut}");
        assert_eq!(mixed(both, 3), mixed(both, 3));
    }

    #[test]
    fn off_leaves_the_batch_as_it_is() {
        assert_eq!(mixed(Augment::NONE, 0), batch());
    }
}
