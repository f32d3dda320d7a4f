//! What a deployed network computes, in plain loops: slow, and written to be read.
//!
//! Every other form (the fast one beside it, the ONNX file in any runtime, the library's own operators) is tested
//! against this one. Maps are `[channels][rows][columns]`. Sums run over whole numbers wherever weights and activations
//! are quantised and are then exact in f32 up to 2^24, whatever their order; one multiplication and one addition
//! follow, each rounded to f32 by itself.

use super::{Affine, Block, Network, NetworkError, Pointwise, Prediction};

/// Classifies one picture, `[3][input][input]` in [0, 1].
///
/// # Errors
/// [`Inconsistent`](super::NetworkErrorKind::Inconsistent) where the network's parts do not fit each other or the
/// picture has another size.
pub fn evaluate(network: &Network, image: &[f32]) -> Result<Prediction, NetworkError> {
    network.check()?;
    let side = network.spec.input;
    if image.len() != 3 * side * side {
        let found = image.len();
        return Err(NetworkError::inconsistent(format!("a picture of {found} numbers, not 3 x {side} x {side}")));
    }
    let mut views = vec![trunk(network, image)];
    if network.spec.mirrored {
        let mirrored: Vec<f32> = image.chunks_exact(side).flat_map(|row| row.iter().rev()).copied().collect();
        views.push(trunk(network, &mirrored));
    }
    // The mean over all places of all views.
    let share = 1.0 / views.iter().map(Map::area).sum::<usize>() as f32;
    let sums = views.iter().map(Map::sums).reduce(|a, b| a.iter().zip(&b).map(|(a, b)| a + b).collect());
    let embedding: Vec<f32> = sums.unwrap_or_default().iter().map(|sum| sum * share).collect();
    let mut pooled = Map { side: 1, values: embedding.clone() };
    if network.rounds_pooled() {
        pooled.values.iter_mut().for_each(|v| *v = v.round_ties_even());
    }
    Ok(Prediction { logits: pointwise(&network.linear, &pooled).values, embedding })
}

/// The map of one view that is pooled.
fn trunk(network: &Network, image: &[f32]) -> Map {
    let mut map = stem(network, image);
    for (g, blocks) in network.groups.iter().enumerate() {
        for (index, block) in blocks.iter().enumerate() {
            // Only a group's first block may move over the map in steps.
            let stride = if index == 0 { network.spec.groups[g].stride } else { 1 };
            map = run_block(network, block, stride, map);
        }
        map = activate(network, apply(&network.closes[g], &map));
    }
    if let Some(head) = &network.head {
        map = activate(network, pointwise(head, &map));
    }
    map
}

/// A square map of any number of channels.
struct Map {
    side: usize,
    values: Vec<f32>,
}

impl Map {
    fn area(&self) -> usize {
        self.side * self.side
    }

    fn planes(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.area())
    }

    /// The sum of each channel over all places.
    fn sums(&self) -> Vec<f32> {
        self.planes().map(|plane| plane.iter().sum()).collect()
    }

    /// The value of a channel at a place, zero outside the map.
    fn at(&self, channel: usize, y: isize, x: isize) -> f32 {
        let inside = 0..self.side as isize;
        if inside.contains(&y) && inside.contains(&x) {
            self.values[(channel * self.side + y as usize) * self.side + x as usize]
        } else {
            0.0
        }
    }
}

/// Pixels as whole numbers, convolution, activation, and the maximum of 3x3 places where the specification asks for it.
fn stem(network: &Network, image: &[f32]) -> Map {
    let spec = &network.spec;
    let (kernel, stride) = (spec.stem.kernel, spec.stem.stride);
    let gain = network.gain();
    let area = spec.input * spec.input;
    let whole = |(i, &v): (usize, &f32)| ((v - network.mean[i / area]) * gain[i / area]).round_ties_even();
    let image = Map { side: spec.input, values: image.iter().enumerate().map(whole).collect() };
    let reach = (kernel / 2) as isize;
    let side = spec.input.div_ceil(stride);
    let mut values = Vec::new();
    for filter in network.stem.weight.chunks_exact(3 * kernel * kernel) {
        for (y, x) in places(side) {
            let mut sum = 0.0;
            for (tap, weight) in filter.iter().enumerate() {
                let (colour, dy, dx) = (tap / (kernel * kernel), tap / kernel % kernel, tap % kernel);
                let row = (y * stride + dy) as isize - reach;
                let column = (x * stride + dx) as isize - reach;
                sum += weight * image.at(colour, row, column);
            }
            values.push(sum);
        }
    }
    let map = activate(network, apply(&network.stem.affine, &Map { side, values }));
    if spec.stem.pool { max_pool(&map) } else { map }
}

/// The maximum of the 3x3 places around every second place; what is outside the map never wins, activations being >= 0.
fn max_pool(map: &Map) -> Map {
    let side = map.side.div_ceil(2);
    let mut values = Vec::new();
    for channel in 0..map.values.len() / map.area() {
        for (y, x) in places(side) {
            let around = (0..9).map(|i| map.at(channel, (2 * y + i / 3) as isize - 1, (2 * x + i % 3) as isize - 1));
            values.push(around.fold(0.0, f32::max));
        }
    }
    Map { side, values }
}

fn run_block(network: &Network, block: &Block, stride: usize, x: Map) -> Map {
    let reduced = match &block.pre {
        Some(pre) => pointwise(&block.reduce, &activate(network, apply(pre, &x))),
        None => pointwise(&block.reduce, &x),
    };
    let shifted = shift(&activate(network, reduced), &block.shift, stride);
    let mut sum = pointwise(&block.expand, &shifted);
    let shortcut = match &block.shortcut {
        Some(convolution) => {
            let still = vec![(0, 0); convolution.input];
            pointwise(convolution, &shift(&x, &still, stride))
        }
        None => x,
    };
    sum.values.iter_mut().zip(&shortcut.values).for_each(|(a, b)| *a += b);
    sum
}

/// Every channel read at its own displacement, at every `stride`-th place.
fn shift(map: &Map, displacements: &[(i8, i8)], stride: usize) -> Map {
    let side = map.side.div_ceil(stride);
    let mut values = Vec::new();
    for (channel, &(dy, dx)) in displacements.iter().enumerate() {
        for (y, x) in places(side) {
            values.push(map.at(channel, (y * stride) as isize + dy as isize, (x * stride) as isize + dx as isize));
        }
    }
    Map { side, values }
}

fn pointwise(layer: &Pointwise, x: &Map) -> Map {
    let weights = layer.weights.values();
    let area = x.area();
    let mut values = Vec::new();
    for row in weights.chunks_exact(layer.input) {
        for place in 0..area {
            values.push(row.iter().zip(x.planes()).map(|(weight, plane)| weight * plane[place]).sum());
        }
    }
    apply(&layer.affine, &Map { side: x.side, values })
}

fn apply(affine: &Affine, map: &Map) -> Map {
    let area = map.area();
    let value = |(i, v): (usize, &f32)| affine.scale[i / area] * v + affine.bias[i / area];
    Map { side: map.side, values: map.values.iter().enumerate().map(value).collect() }
}

fn activate(network: &Network, mut map: Map) -> Map {
    map.values.iter_mut().for_each(|v| *v = network.activate(*v));
    map
}

fn places(side: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..side * side).map(move |i| (i / side, i % side))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::random;
    use crate::deploy::random::tests::spec;

    #[test]
    fn features_of_two_views_are_the_mean_of_those_of_each() {
        let mut network = random(&spec(2, 4), 8).unwrap();
        let side = network.spec.input;
        let image: Vec<f32> = (0..3 * side * side).map(|i| ((i * 7919) % 256) as f32 / 255.0).collect();
        let mirrored: Vec<f32> = (0..image.len()).map(|i| image[i / side * side + (side - 1 - i % side)]).collect();
        let [one, other] = [&image, &mirrored].map(|image| evaluate(&network, image).unwrap());
        assert_ne!(one, other);
        network.spec.mirrored = true;
        let both = evaluate(&network, &image).unwrap();
        for ((mean, a), b) in both.embedding.iter().zip(&one.embedding).zip(&other.embedding) {
            assert!((mean - (a + b) / 2.0).abs() < 1e-6, "{mean} is not the mean of {a} and {b}");
        }
        assert_eq!(both, evaluate(&network, &mirrored).unwrap());
    }
}
