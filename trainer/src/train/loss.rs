//! What training makes small.

use crate::batches::Batch;
use crate::data::UNLABELLED;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};

/// Mean over a batch of the cross-entropy of the logits `[images, classes]` with the labels, blended where the pictures
/// are, of which `smoothing` is spread evenly over all classes; 0 for what has no label.
pub(super) fn cross_entropy(logits: Tensor<2>, batch: &Batch, smoothing: f64) -> Tensor<1> {
    let [count, classes] = logits.dims();
    let device = logits.device();
    if smoothing == 0.0 && batch.mixed.is_none() && !batch.labels.contains(&UNLABELLED) {
        let labels: Vec<i64> = batch.labels.iter().map(|&l| l.into()).collect();
        let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [count]), &device);
        return log_softmax(logits, 1).gather(1, labels.reshape([count, 1])).mean().neg();
    }
    let targets = Tensor::from_data(TensorData::new(targets(batch, classes, smoothing), [count, classes]), &device);
    soft_cross_entropy(logits, targets)
}

/// Mean over a batch of the Kullback-Leibler divergence of the pupil's softened answers, by its logits `[images, classes]`, from the
/// teacher's, which are probabilities `[images][classes]`, times the square of the temperature, so that gradients keep their size
/// (Hinton, Vinyals and Dean, 2015).
pub(super) fn distilled(logits: Tensor<2>, teacher: &[f32], temperature: f64) -> Tensor<1> {
    let (shape, device) = (logits.dims(), logits.device());
    let targets = Tensor::from_data(TensorData::new(teacher.to_vec(), shape), &device);
    // Of the teacher's own entropy nothing can be learned, but without it the loss would not be 0 where the two agree.
    let entropy: f64 = teacher.iter().filter(|p| **p > 0.0).map(|&p| -f64::from(p) * f64::from(p).ln()).sum();
    (soft_cross_entropy(logits / temperature, targets) - entropy / shape[0] as f64) * (temperature * temperature)
}

/// The softmax of each row of logits `[images][classes]` divided by the temperature.
pub(super) fn softened(mut logits: Vec<f32>, classes: usize, temperature: f64) -> Vec<f32> {
    for row in logits.chunks_exact_mut(classes) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut().for_each(|l| *l = ((*l - largest) / temperature as f32).exp());
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|l| *l /= sum);
    }
    logits
}

/// Mean over a batch of `-sum(target * log softmax(logits))`.
fn soft_cross_entropy(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    (log_softmax(logits, 1) * targets).sum_dim(1).mean().neg()
}

/// What the softmax shall be, `[images][classes]`; of each picture that share of which the label is known.
fn targets(batch: &Batch, classes: usize, smoothing: f64) -> Vec<f32> {
    let mut targets = vec![0.0; batch.labels.len() * classes];
    let mut add = |labels: &[u16], share: f32| {
        let labelled = targets.chunks_exact_mut(classes).zip(labels).filter(|(_, label)| **label != UNLABELLED);
        for (row, &label) in labelled {
            row.iter_mut().for_each(|target| *target += (smoothing / classes as f64) as f32 * share);
            row[usize::from(label)] += (1.0 - smoothing) as f32 * share;
        }
    };
    let own = batch.mixed.as_ref().map_or(1.0, |mixed| mixed.own);
    add(&batch.labels, own);
    if let Some(mixed) = &batch.mixed {
        add(&mixed.labels, 1.0 - own);
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::Mixed;
    use burn::tensor::Device;

    fn logits() -> Tensor<2> {
        Tensor::from_data([[1.0f32, -2.0, 0.5], [0.0, 3.0, 1.0]], &Device::flex())
    }

    fn batch(labels: [u16; 2]) -> Batch {
        Batch { images: Vec::new(), pictures: vec![0, 1], labels: labels.to_vec(), mixed: None }
    }

    fn number(loss: Tensor<1>) -> f64 {
        loss.into_scalar::<f32>().into()
    }

    /// `log softmax` of one class, in f64.
    fn log_share(row: [f64; 3], class: usize) -> f64 {
        row[class] - row.iter().map(|l| l.exp()).sum::<f64>().ln()
    }

    const ROWS: [[f64; 3]; 2] = [[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]];

    #[test]
    fn smoothed_loss_is_the_mean_over_labels_and_all_classes() {
        let own = (log_share(ROWS[0], 2) + log_share(ROWS[1], 0)) / 2.0;
        let all = ROWS.iter().map(|&row| (0..3).map(|c| log_share(row, c)).sum::<f64>() / 3.0).sum::<f64>() / 2.0;
        for smoothing in [0.0, 0.1, 0.5] {
            let wanted = -((1.0 - smoothing) * own + smoothing * all);
            let found = number(cross_entropy(logits(), &batch([2, 0]), smoothing));
            assert!((found - wanted).abs() < 1e-5, "{smoothing}: {found} is not {wanted}");
        }
    }

    #[test]
    fn both_forms_agree_on_hard_labels() {
        let hard = Tensor::from_data(TensorData::new(targets(&batch([1, 1]), 3, 0.0), [2, 3]), &Device::flex());
        let (soft, plain) = (soft_cross_entropy(logits(), hard), cross_entropy(logits(), &batch([1, 1]), 0.0));
        assert!((number(soft) - number(plain)).abs() < 1e-6);
    }

    #[test]
    fn blended_labels_have_the_blended_loss() {
        let mut blended = batch([2, 0]);
        blended.mixed = Some(Mixed { pictures: vec![1, 0], labels: vec![0, 2], own: 0.7 });
        let loss = |labels| number(cross_entropy(logits(), &batch(labels), 0.1));
        let wanted = 0.7 * loss([2, 0]) + 0.3 * loss([0, 2]);
        assert!((number(cross_entropy(logits(), &blended, 0.1)) - wanted).abs() < 1e-5);
    }

    #[test]
    fn what_has_no_label_has_no_loss_but_the_teachers() {
        let one = -log_share(ROWS[0], 2) / 2.0;
        for smoothing in [0.0, 0.1] {
            let spread: f64 = -(0..3).map(|c| log_share(ROWS[0], c)).sum::<f64>() / 6.0;
            let wanted = (1.0 - smoothing) * one + smoothing * spread;
            let found = number(cross_entropy(logits(), &batch([2, UNLABELLED]), smoothing));
            assert!((found - wanted).abs() < 1e-5, "{smoothing}: {found} is not {wanted}");
        }
        let mut blended = batch([2, UNLABELLED]);
        blended.mixed = Some(Mixed { pictures: vec![1, 0], labels: vec![UNLABELLED, 2], own: 0.7 });
        let wanted = -(0.7 * log_share(ROWS[0], 2) + 0.3 * log_share(ROWS[1], 2)) / 2.0;
        assert!((number(cross_entropy(logits(), &blended, 0.0)) - wanted).abs() < 1e-5);
        assert_eq!(number(cross_entropy(logits(), &batch([UNLABELLED; 2]), 0.1)), 0.0);
    }

    #[test]
    fn divergence_is_none_from_oneself_and_that_of_the_formula_from_another() {
        let own = ROWS.concat().into_iter().map(|l| l as f32).collect();
        assert!(number(distilled(logits(), &softened(own, 3, 3.0), 3.0)).abs() < 1e-6);
        let other = vec![0.0, 1.0, 0.0, 2.0, 0.0, -1.0];
        let rows = [[0.0, 1.0, 0.0], [2.0, 0.0, -1.0]];
        let wanted: f64 = (0..2)
            .map(|i| {
                let [own, teacher] = [ROWS[i], rows[i]].map(|row| row.map(|l| l / 2.0));
                (0..3).map(|c| log_share(teacher, c).exp() * (log_share(teacher, c) - log_share(own, c))).sum::<f64>()
            })
            .sum();
        let found = number(distilled(logits(), &softened(other, 3, 2.0), 2.0));
        assert!((found - 4.0 * wanted / 2.0).abs() < 1e-5, "{found} instead of {}", 2.0 * wanted);
    }
}
