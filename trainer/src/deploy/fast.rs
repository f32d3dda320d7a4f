//! What [`plain`](super::plain) computes, for many pictures: matrix products by `gemm`, pictures spread over the cores.
//!
//! With quantised weights and activations the result is the plain one bit for bit while sums stay below 2^24 (they do
//! up to 8-bit weights on 4-bit activations of 4,000 channels): whole numbers add up to the same in any order, the
//! stem keeps the plain order of its taps, and scale and bias are two separate operations here as there. Float weights
//! or activations are summed in another order and differ by rounding.

use super::{Affine, Network, NetworkError, Pointwise, Prediction};
use gemm::Parallelism;
use rayon::prelude::*;

/// A network made ready to run on batches.
pub struct Fast<'a> {
    network: &'a Network,
    /// Weights of every pointwise layer as numbers, in the order in which they run.
    layers: Vec<Layer<'a>>,
    /// For every block its displacements, and the position of its layers in `layers`.
    blocks: Vec<Step<'a>>,
}

struct Layer<'a> {
    input: usize,
    output: usize,
    weights: Vec<f32>,
    affine: &'a Affine,
}

struct Step<'a> {
    pre: Option<&'a Affine>,
    reduce: usize,
    shift: &'a [(i8, i8)],
    expand: usize,
    shortcut: Option<usize>,
    side: usize,
    stride: usize,
    /// The affine that closes the group, behind its last block.
    close: Option<&'a Affine>,
}

/// The maps of one picture in flight, kept from picture to picture.
#[derive(Default)]
struct Buffers {
    stream: Vec<f32>,
    input: Vec<f32>,
    reduced: Vec<f32>,
    shifted: Vec<f32>,
    sum: Vec<f32>,
    mirrored: Vec<f32>,
}

impl<'a> Fast<'a> {
    /// Makes a network ready.
    ///
    /// # Errors
    /// [`Inconsistent`](super::NetworkErrorKind::Inconsistent) where the network's parts do not fit each other.
    pub fn new(network: &'a Network) -> Result<Self, NetworkError> {
        network.check()?;
        let mut layers = Vec::new();
        let mut add = |p: &'a Pointwise| {
            let (input, output) = (p.input, p.output);
            layers.push(Layer { input, output, weights: p.weights.values(), affine: &p.affine });
            layers.len() - 1
        };
        let mut blocks = Vec::new();
        for shape in network.spec.blocks() {
            let block = &network.groups[shape.group][shape.index];
            let last = shape.index + 1 == network.groups[shape.group].len();
            blocks.push(Step {
                pre: block.pre.as_ref(),
                reduce: add(&block.reduce),
                shift: &block.shift,
                expand: add(&block.expand),
                shortcut: block.shortcut.as_ref().map(&mut add),
                side: shape.side,
                stride: shape.stride,
                close: last.then(|| &network.closes[shape.group]),
            });
        }
        if let Some(head) = &network.head {
            add(head);
        }
        add(&network.linear);
        Ok(Self { network, layers, blocks })
    }

    /// Classifies pictures, `[pictures][3][input][input]` in [0, 1], on all cores of the current rayon pool.
    ///
    /// # Errors
    /// [`Inconsistent`](super::NetworkErrorKind::Inconsistent) where `images` is no whole number of pictures.
    pub fn evaluate(&self, images: &[f32]) -> Result<Prediction, NetworkError> {
        let size = 3 * self.network.spec.input * self.network.spec.input;
        if !images.len().is_multiple_of(size) {
            let found = images.len();
            return Err(NetworkError::inconsistent(format!(
                "{found} numbers are no whole number of pictures of {size}"
            )));
        }
        let spec = &self.network.spec;
        let count = images.len() / size;
        let mut all =
            Prediction { logits: vec![0.0; count * spec.classes], embedding: vec![0.0; count * spec.embedding()] };
        images
            .par_chunks_exact(size)
            .zip(all.logits.par_chunks_exact_mut(spec.classes))
            .zip(all.embedding.par_chunks_exact_mut(spec.embedding()))
            .for_each_init(Buffers::default, |buffers, ((image, logits), embedding)| {
                self.picture(image, buffers, logits, embedding);
            });
        Ok(all)
    }

    fn picture(&self, image: &[f32], b: &mut Buffers, logits: &mut [f32], embedding: &mut [f32]) {
        let spec = &self.network.spec;
        embedding.fill(0.0);
        self.view(image, b, embedding);
        if spec.mirrored {
            let mut mirrored = std::mem::take(&mut b.mirrored);
            mirrored.clear();
            mirrored.extend(image.chunks_exact(spec.input).flat_map(|row| row.iter().rev()));
            self.view(&mirrored, b, embedding);
            b.mirrored = mirrored;
        }
        let share = 1.0 / (spec.trunk_output().1.pow(2) * spec.views()) as f32;
        embedding.iter_mut().for_each(|sum| *sum *= share);
        b.input.clear();
        let rounds = self.network.rounds_pooled();
        b.input.extend(embedding.iter().map(|v| if rounds { v.round_ties_even() } else { *v }));
        let linear = &self.layers[self.layers.len() - 1];
        product(linear, &b.input, 1, &mut b.sum);
        affine(linear.affine, 1, &mut b.sum);
        logits.copy_from_slice(&b.sum);
    }

    /// Adds every channel's sum over the map that is pooled.
    fn view(&self, image: &[f32], b: &mut Buffers, sums: &mut [f32]) {
        self.stem(image, b);
        for step in &self.blocks {
            self.block(step, b);
        }
        let area = self.network.spec.trunk_output().1.pow(2);
        if self.network.head.is_some() {
            let head = &self.layers[self.layers.len() - 2];
            product(head, &b.stream, area, &mut b.sum);
            affine(head.affine, area, &mut b.sum);
            self.activate(&mut b.sum);
            std::mem::swap(&mut b.sum, &mut b.stream);
        }
        for (sum, plane) in sums.iter_mut().zip(b.stream.chunks_exact(area)) {
            *sum += plane.iter().sum::<f32>();
        }
    }

    /// Convolves tap by tap over whole maps, which adds up each place in the plain order.
    fn stem(&self, image: &[f32], b: &mut Buffers) {
        let (spec, network) = (&self.network.spec, self.network);
        let (kernel, stride, side) = (spec.stem.kernel, spec.stem.stride, spec.input);
        let (out, gain) = (side.div_ceil(stride), network.gain());
        b.input.clear();
        for (colour, plane) in image.chunks_exact(side * side).enumerate() {
            b.input.extend(plane.iter().map(|v| ((v - network.mean[colour]) * gain[colour]).round_ties_even()));
        }
        // One map per tap of the kernel: the picture as that tap sees it.
        let area = out * out;
        let reach = (kernel / 2) as isize;
        b.shifted.resize(3 * kernel * kernel * area, 0.0);
        for (tap, seen) in b.shifted.chunks_exact_mut(area).enumerate() {
            let (colour, dy, dx) = (tap / (kernel * kernel), tap / kernel % kernel, tap % kernel);
            let plane = &b.input[colour * side * side..][..side * side];
            read_shifted(plane, side, stride, (dy as isize - reach, dx as isize - reach), seen);
        }
        b.stream.clear();
        b.stream.resize(spec.stem.channels * area, 0.0);
        let filters = network.stem.weight.chunks_exact(3 * kernel * kernel);
        for (sums, filter) in b.stream.chunks_exact_mut(area).zip(filters) {
            for (weight, seen) in filter.iter().zip(b.shifted.chunks_exact(area)) {
                sums.iter_mut().zip(seen).for_each(|(sum, value)| *sum += weight * value);
            }
        }
        affine(&network.stem.affine, area, &mut b.stream);
        self.activate(&mut b.stream);
        if spec.stem.pool {
            max_pool(&b.stream, out, &mut b.sum);
            std::mem::swap(&mut b.sum, &mut b.stream);
        }
    }

    fn block(&self, step: &Step<'_>, b: &mut Buffers) {
        let area = step.side * step.side;
        let reduce = &self.layers[step.reduce];
        match step.pre {
            Some(pre) => {
                b.input.clone_from(&b.stream);
                affine(pre, area, &mut b.input);
                self.activate(&mut b.input);
                product(reduce, &b.input, area, &mut b.reduced);
            }
            None => product(reduce, &b.stream, area, &mut b.reduced),
        }
        affine(reduce.affine, area, &mut b.reduced);
        self.activate(&mut b.reduced);
        let side = step.side.div_ceil(step.stride);
        let out = side * side;
        b.shifted.resize(reduce.output * out, 0.0);
        let planes = b.reduced.chunks_exact(area).zip(b.shifted.chunks_exact_mut(out));
        for ((plane, shifted), &(dy, dx)) in planes.zip(step.shift) {
            read_shifted(plane, step.side, step.stride, (dy.into(), dx.into()), shifted);
        }
        let expand = &self.layers[step.expand];
        product(expand, &b.shifted, out, &mut b.sum);
        affine(expand.affine, out, &mut b.sum);
        if let Some(shortcut) = step.shortcut.map(|i| &self.layers[i]) {
            if step.stride > 1 {
                b.shifted.resize(shortcut.input * out, 0.0);
                for (plane, kept) in b.stream.chunks_exact(area).zip(b.shifted.chunks_exact_mut(out)) {
                    read_shifted(plane, step.side, step.stride, (0, 0), kept);
                }
                product(shortcut, &b.shifted, out, &mut b.reduced);
            } else {
                product(shortcut, &b.stream, out, &mut b.reduced);
            }
            affine(shortcut.affine, out, &mut b.reduced);
            std::mem::swap(&mut b.reduced, &mut b.stream);
        }
        b.stream.iter_mut().zip(&b.sum).for_each(|(a, sum)| *a += sum);
        if let Some(close) = step.close {
            affine(close, out, &mut b.stream);
            self.activate(&mut b.stream);
        }
    }

    fn activate(&self, map: &mut [f32]) {
        map.iter_mut().for_each(|v| *v = self.network.activate(*v));
    }
}

/// `out = weights * x`, with `x` as `[input][area]` and `out` as `[output][area]`.
fn product(layer: &Layer<'_>, x: &[f32], area: usize, out: &mut Vec<f32>) {
    let (rows, depth) = (layer.output, layer.input);
    assert!(layer.weights.len() == rows * depth && x.len() == depth * area);
    out.resize(rows * area, 0.0);
    let (row, weights_row) = (area as isize, depth as isize);
    // SAFETY: the three matrices are row-major with rows of `area`, `depth` and `area` numbers, their lengths are
    // those asserted and made above, and `out` is borrowed mutably, so that it overlaps neither factor.
    unsafe {
        gemm::gemm(
            rows,
            area,
            depth,
            out.as_mut_ptr(),
            1,
            row,
            false,
            layer.weights.as_ptr(),
            1,
            weights_row,
            x.as_ptr(),
            1,
            row,
            0.0_f32,
            1.0_f32,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

fn affine(affine: &Affine, area: usize, map: &mut [f32]) {
    for ((plane, scale), bias) in map.chunks_exact_mut(area).zip(&affine.scale).zip(&affine.bias) {
        plane.iter_mut().for_each(|v| *v = scale * *v + bias);
    }
}

/// Copies `plane[y * stride + dy][x * stride + dx]` for every place of `out`, zero outside the plane.
fn read_shifted(plane: &[f32], side: usize, stride: usize, (dy, dx): (isize, isize), out: &mut [f32]) {
    let out_side = side.div_ceil(stride);
    // The first place that reads inside the plane, and the first behind it that does not.
    let span = |d: isize| {
        let first = (-d).max(0) as usize;
        let end = (side as isize - d).max(0) as usize;
        (first.div_ceil(stride).min(out_side), end.div_ceil(stride).min(out_side))
    };
    let ((top, bottom), (left, right)) = (span(dy), span(dx));
    for (y, row) in out.chunks_exact_mut(out_side).enumerate() {
        if y < top || y >= bottom || left >= right {
            row.fill(0.0);
            continue;
        }
        let source = (y * stride).wrapping_add_signed(dy) * side;
        let start = source + (left * stride).wrapping_add_signed(dx);
        row[..left].fill(0.0);
        row[right..].fill(0.0);
        row[left..right].iter_mut().zip(plane[start..].iter().step_by(stride)).for_each(|(to, from)| *to = *from);
    }
}

/// The maximum of the 3x3 places around every second place of maps of non-negative values.
fn max_pool(map: &[f32], side: usize, out: &mut Vec<f32>) {
    out.clear();
    let reach = |centre: usize| centre.saturating_sub(1)..(centre + 2).min(side);
    for plane in map.chunks_exact(side * side) {
        for y in (0..side).step_by(2) {
            for x in (0..side).step_by(2) {
                let row = |y: usize| plane[y * side..][reach(x)].iter().copied().fold(0.0, f32::max);
                out.push(reach(y).map(row).fold(0.0, f32::max));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::random::tests::spec;
    use crate::deploy::{plain, random};
    use lsspq::spec::NetworkSpec;

    fn pictures(spec: &NetworkSpec, count: usize) -> Vec<f32> {
        let size = 3 * spec.input * spec.input;
        (0..count * size).map(|i| ((i * 7919) % 256) as f32 / 255.0).collect()
    }

    fn both(spec: &NetworkSpec, seed: u64) -> (Prediction, Prediction) {
        let mut network = random(spec, seed).unwrap();
        // Displacements larger than the map, too.
        network.groups[0][0].shift[0] = (-20, 3);
        network.groups[1][0].shift[1] = (2, -3);
        let images = pictures(spec, 3);
        let mut slow = Prediction::default();
        for image in images.chunks(images.len() / 3) {
            let one = plain::evaluate(&network, image).unwrap();
            slow.logits.extend(one.logits);
            slow.embedding.extend(one.embedding);
        }
        (slow, Fast::new(&network).unwrap().evaluate(&images).unwrap())
    }

    #[test]
    fn quantised_networks_agree_with_the_plain_form_bit_for_bit() {
        for (weights, activations) in [(1, 2), (2, 4), (3, 3), (4, 4), (8, 4), (5, 8)] {
            for (kernel, stride, pool) in [(3, 1, false), (5, 2, false), (7, 2, true)] {
                let mut spec = spec(weights, activations);
                (spec.stem.kernel, spec.stem.stride, spec.stem.pool) = (kernel, stride, pool);
                spec.input = 17 + usize::from(weights);
                spec.groups[1].stride = 1 + usize::from(activations) % 3;
                let (slow, fast) = both(&spec, 11);
                assert_eq!(slow, fast, "{spec:?}");
            }
        }
    }

    #[test]
    fn a_network_without_head_agrees_bit_for_bit_in_the_embedding() {
        let mut spec = spec(4, 4);
        spec.head = None;
        let (slow, fast) = both(&spec, 2);
        assert_eq!(slow.embedding, fast.embedding);
        close(&slow.logits, &fast.logits);
    }

    #[test]
    fn both_views_are_averaged_bit_for_bit_as_in_the_plain_form() {
        for head in [true, false] {
            let mut spec = spec(2, 4);
            spec.mirrored = true;
            spec.head = spec.head.filter(|_| head);
            let (slow, fast) = both(&spec, 6);
            assert_eq!(slow.embedding, fast.embedding);
            close(&slow.logits, &fast.logits);
        }
    }

    #[test]
    fn float_networks_agree_to_rounding() {
        let mut spec = spec(4, 4);
        (spec.bits.weights, spec.bits.linear, spec.bits.activations) = (None, None, None);
        let (slow, fast) = both(&spec, 4);
        close(&slow.logits, &fast.logits);
    }

    fn close(a: &[f32], b: &[f32]) {
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-4 * (1.0 + a.abs())), "{a:?} {b:?}");
    }

    #[test]
    fn half_a_picture_is_refused() {
        let network = random(&spec(2, 4), 1).unwrap();
        assert!(Fast::new(&network).unwrap().evaluate(&[0.0; 100]).is_err());
    }
}
