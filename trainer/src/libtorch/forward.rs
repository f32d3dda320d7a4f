//! Forward passes, and the arithmetic of the backward ones, in LibTorch's operations.

use super::{After, LibTorch, MapOps};
use crate::kernels::norm::EPSILON;
use crate::quantise::steps;
use burn_tch::TchTensor;
use tch::{Device, Kind, Tensor};

/// The axes of a map that a channel's statistics are taken over.
const OVER: &[i64] = &[0, 2, 3];

/// A map that was normalised, and what its backward pass needs.
pub(super) struct Normed {
    /// `[images, channels, height, width]`.
    pub(super) map: Tensor,
    /// `[channels]`.
    mean: Tensor,
    /// One over the deviation, `[channels]`.
    inverse: Tensor,
    /// What cuDNN wants to find again.
    reserve: Option<Tensor>,
}

/// Gradients of a BatchNorm's input, scale and offset.
pub(super) struct NormGradients {
    pub(super) input: Tensor,
    pub(super) gamma: Tensor,
    pub(super) beta: Tensor,
}

fn per_channel(tensor: &Tensor) -> Tensor {
    tensor.view([1, -1, 1, 1])
}

impl Normed {
    /// BatchNorm by the batch's own statistics.
    pub(super) fn of(x: &Tensor, gamma: &Tensor, beta: &Tensor) -> Self {
        let none = None::<&Tensor>;
        if let Device::Cuda(_) = x.device() {
            let (map, mean, inverse, reserve) =
                x.cudnn_batch_norm(gamma, Some(beta), none, none, true, 0.0, f64::from(EPSILON));
            return Self { map, mean, inverse, reserve: Some(reserve) };
        }
        let (map, mean, inverse) =
            x.native_batch_norm(Some(gamma), Some(beta), none, none, true, 0.0, f64::from(EPSILON));
        Self { map, mean, inverse, reserve: None }
    }

    /// Means and biased variances, `[2, channels]`.
    pub(super) fn statistics(&self) -> Tensor {
        let variance = self.inverse.pow_tensor_scalar(-2) - f64::from(EPSILON);
        Tensor::stack(&[&self.mean, &variance], 0)
    }

    /// What the gradient `g` of the map means for what the map was made of.
    pub(super) fn backward(&self, g: &Tensor, x: &Tensor, gamma: &Tensor) -> NormGradients {
        if let Some(reserve) = &self.reserve {
            let none = None::<&Tensor>;
            let (mean, inverse) = (Some(&self.mean), Some(&self.inverse));
            let (input, gamma, beta) = x.cudnn_batch_norm_backward(
                &g.contiguous(),
                gamma,
                none,
                none,
                mean,
                inverse,
                f64::from(EPSILON),
                reserve,
            );
            return NormGradients { input, gamma, beta };
        }
        // With x^ = (x - mean) inverse over n values: the input's is gamma inverse (g - sum g / n - x^ sum(g x^) / n).
        let n = (x.numel() / gamma.numel()) as f64;
        let sum = |t: &Tensor| t.sum_dim_intlist(OVER, false, None);
        let beta = sum(g);
        let of_gamma = (sum(&(g * x)) - &self.mean * &beta) * &self.inverse;
        let scale = gamma * &self.inverse;
        let of_x = &scale * &self.inverse * &of_gamma / -n;
        let constant = &scale * &beta / -n - &of_x * &self.mean;
        let input = per_channel(&constant).addcmul(x, &per_channel(&of_x)).addcmul_(g, &per_channel(&scale));
        NormGradients { input, gamma: of_gamma, beta }
    }
}

impl After {
    pub(super) fn of(self, map: &Tensor) -> Tensor {
        match self {
            // The very map, which Burn may write over: the backward pass does not read it then.
            Self::Nothing => map.shallow_clone(),
            Self::Clip => map.clamp(0.0, 1.0),
            Self::Round(bits) => {
                let n = steps(bits);
                // What else it gives is another gradient than ours: it passes half a step beyond the ends.
                map.fake_quantize_per_tensor_affine_cachemask(1.0 / f64::from(n), 0, 0, n as i64).0
            }
        }
    }

    /// The gradient of the map, from that of the result.
    pub(super) fn backward(self, g: Tensor, map: &Tensor) -> Tensor {
        match self {
            Self::Nothing => g,
            Self::Clip | Self::Round(_) => map.hardtanh_backward(&g, 0.0, 1.0),
        }
    }
}

/// Where each pixel of a shifted map is read.
pub(super) struct Places {
    /// The pixel's number in the map, `[1, channels, pixels]`.
    index: Tensor,
    /// 1 where it lies in the map, else 0, as the index.
    inside: Tensor,
    /// Rows and columns of the shifted map.
    side: [i64; 2],
}

impl Places {
    /// For displacements `[channels, 2]`, rounded, in a map of that many rows and columns.
    pub(super) fn of(shifts: &Tensor, [height, width]: [i64; 2], stride: i64) -> Self {
        let along = |size: i64, axis: i64| {
            let stand = Tensor::arange_start_step(0, size, stride, (Kind::Int64, shifts.device()));
            stand.unsqueeze(0) + shifts.select(1, axis).round().to_kind(Kind::Int64).unsqueeze(1)
        };
        let (rows, columns) = (along(height, 0).unsqueeze(2), along(width, 1).unsqueeze(1));
        let side = [rows.size()[1], columns.size()[2]];
        let within = |places: &Tensor, size: i64| places.ge(0).logical_and(&places.lt(size));
        let inside = within(&rows, height).logical_and(&within(&columns, width));
        let index = rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1);
        let flat = |t: Tensor| t.flatten(1, 2).unsqueeze(0);
        Self { index: flat(index), inside: flat(inside.to_kind(Kind::Float)), side }
    }

    /// The map as it is read from there, nothing outside it.
    pub(super) fn read(&self, map: &Tensor) -> Tensor {
        let images = map.size()[0];
        let index = self.index.expand([images, -1, -1], false);
        let mut read = map.flatten(2, 3).gather(2, &index, false);
        let read = read.g_mul_(&self.inside);
        read.unflatten(2, self.side)
    }

    /// The gradient of a map of that many rows and columns, from that of what was read.
    pub(super) fn write(&self, g: &Tensor, [height, width]: [i64; 2]) -> Tensor {
        let [images, channels] = [g.size()[0], g.size()[1]];
        let mut sums = Tensor::zeros([images, channels, height * width], (g.kind(), g.device()));
        let index = self.index.expand([images, -1, -1], false);
        let _ = sums.scatter_add_(2, &index, &(g.flatten(2, 3) * &self.inside));
        sums.unflatten(2, [height, width])
    }
}

/// Rows and columns of a map.
pub(super) fn side(map: &Tensor) -> [i64; 2] {
    let size = map.size();
    [size[2], size[3]]
}

/// The gradient of the map that was shifted.
pub(super) fn moved_backward(g: &Tensor, shifts: &Tensor, side: [i64; 2], stride: i64) -> Tensor {
    if stride == 1 {
        // Each pixel went to one place at most: the gradient comes back by the way that the map went, turned round.
        Places::of(&-shifts, side, 1).read(g)
    } else {
        Places::of(shifts, side, stride).write(g, side)
    }
}

/// The gradient of the displacements, `[channels, 2]`: what a pixel further on is more than the one that was read.
pub(super) fn shifts_backward(g: &Tensor, map: &Tensor, shifts: &Tensor, stride: i64) -> Tensor {
    let read = |further: [f32; 2]| {
        let further = Tensor::from_slice(&further).to_device(shifts.device());
        Places::of(&(shifts + further), side(map), stride).read(map)
    };
    let here = read([0.0, 0.0]);
    let gradients = [[1.0, 0.0], [0.0, 1.0]].map(|further| {
        let more = read(further) - &here;
        (more * g).sum_dim_intlist(OVER, false, None)
    });
    Tensor::stack(&gradients, 1)
}

impl MapOps for LibTorch {
    fn normed(input: TchTensor, gamma: TchTensor, beta: TchTensor, after: After) -> (TchTensor, TchTensor) {
        let normed = Normed::of(&input.tensor.contiguous(), &gamma.tensor, &beta.tensor);
        (TchTensor::new(after.of(&normed.map)), TchTensor::new(normed.statistics()))
    }

    fn moved(input: TchTensor, shifts: TchTensor, stride: usize) -> TchTensor {
        let map = input.tensor.contiguous();
        TchTensor::new(Places::of(&shifts.tensor, side(&map), stride as i64).read(&map))
    }
}
