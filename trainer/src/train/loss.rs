//! What training makes small.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};

/// Mean over a batch of the cross-entropy of the logits `[images, classes]` with the labels, of which `smoothing` is
/// spread evenly over all classes.
pub(super) fn cross_entropy(logits: Tensor<2>, labels: &[u16], smoothing: f64) -> Tensor<1> {
    let [count, classes] = logits.dims();
    let device = logits.device();
    if smoothing == 0.0 {
        let labels: Vec<i64> = labels.iter().map(|&l| l.into()).collect();
        let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [count]), &device);
        return log_softmax(logits, 1).gather(1, labels.reshape([count, 1])).mean().neg();
    }
    let targets = Tensor::from_data(TensorData::new(targets(labels, classes, smoothing), [count, classes]), &device);
    soft_cross_entropy(logits, targets)
}

/// Mean over a batch of `-sum(target * log softmax(logits))`.
fn soft_cross_entropy(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    (log_softmax(logits, 1) * targets).sum_dim(1).mean().neg()
}

/// What the softmax shall be, `[images][classes]`.
fn targets(labels: &[u16], classes: usize, smoothing: f64) -> Vec<f32> {
    let mut targets = vec![(smoothing / classes as f64) as f32; labels.len() * classes];
    for (row, &label) in targets.chunks_exact_mut(classes).zip(labels) {
        row[usize::from(label)] += (1.0 - smoothing) as f32;
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn logits() -> Tensor<2> {
        Tensor::from_data([[1.0f32, -2.0, 0.5], [0.0, 3.0, 1.0]], &Device::flex())
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
            let found = number(cross_entropy(logits(), &[2, 0], smoothing));
            assert!((found - wanted).abs() < 1e-5, "{smoothing}: {found} is not {wanted}");
        }
    }

    #[test]
    fn both_forms_agree_on_hard_labels() {
        let hard = Tensor::from_data(TensorData::new(targets(&[1, 1], 3, 0.0), [2, 3]), &Device::flex());
        let (soft, plain) = (soft_cross_entropy(logits(), hard), cross_entropy(logits(), &[1, 1], 0.0));
        assert!((number(soft) - number(plain)).abs() < 1e-6);
    }
}
