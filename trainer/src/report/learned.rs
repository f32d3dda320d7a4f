//! What training moved: where the channels are shifted to, and which levels the weights took.

use crate::deploy::{self, Pointwise, Weights};
use crate::network::Network;
use crate::quantise::{self, MAX_SHIFT};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use serde::Serialize;

/// Bars of the histogram to a pixel.
const BARS_PER_PIXEL: usize = 4;

/// Displacements and weights of a network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Learned {
    /// Over all shifts of the network.
    pub shifts: Shifts,
    /// For every layer of whole-number weights, from the picture to the logits; empty before the model file is written.
    pub levels: Vec<Levels>,
}

/// Where channels are shifted to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Shifts {
    /// How many displacements, down and to the right counted alike, lie in each quarter of a pixel from `-reach` on.
    pub histogram: Vec<u64>,
    /// `[down][right]` from `-reach` to `reach` whole pixels: how many channels rounded to it.
    pub rounded: Vec<Vec<u64>>,
    /// The farthest displacement in whole pixels.
    pub reach: usize,
    /// Mean distance between a displacement and the whole pixel that it rounded to.
    pub mean_rounding: f64,
}

/// Levels of the weights of one layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Levels {
    /// Its place, as in the table of layers.
    pub layer: String,
    /// Bits of a weight.
    pub bits: u8,
    /// How many weights have each level, the lowest first.
    pub counts: Vec<u64>,
}

impl Learned {
    /// Of a network as it was trained, and of the same as it is deployed.
    pub fn new(network: &Network, deployed: Option<&deploy::Network>) -> Self {
        let mut found = Displacements { path: Vec::new(), pairs: Vec::new() };
        network.visit(&mut found);
        Self { shifts: Shifts::new(&found.pairs), levels: deployed.map(levels).unwrap_or_default() }
    }
}

/// A displacement as it was learned and as it rounded: down, right.
type Pair = ([f32; 2], [f32; 2]);

impl Shifts {
    fn new(pairs: &[Pair]) -> Self {
        let reach = MAX_SHIFT as usize;
        let mut shifts = Self {
            histogram: vec![0; 2 * reach * BARS_PER_PIXEL],
            rounded: vec![vec![0; 2 * reach + 1]; 2 * reach + 1],
            reach,
            mean_rounding: 0.0,
        };
        let mut distance = 0.0;
        for (learned, rounded) in pairs {
            for (&value, &whole) in learned.iter().zip(rounded) {
                let bar = ((value + MAX_SHIFT) * BARS_PER_PIXEL as f32).floor() as usize;
                let last = shifts.histogram.len() - 1;
                shifts.histogram[bar.min(last)] += 1;
                distance += f64::from((value - whole).abs());
            }
            let [down, right] = rounded.map(|whole| (whole + MAX_SHIFT) as usize);
            shifts.rounded[down][right] += 1;
        }
        shifts.mean_rounding = distance / (2 * pairs.len()).max(1) as f64;
        shifts
    }

    /// How many channels are shifted, those that stay where they are among them.
    pub fn channels(&self) -> u64 {
        self.rounded.iter().flatten().sum()
    }
}

/// Collects every parameter `shifts`, `[channels, 2]`.
struct Displacements {
    path: Vec<String>,
    pairs: Vec<Pair>,
}

impl ModuleVisitor for Displacements {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let dims = param.val().dims();
        if self.path.last().is_some_and(|name| name == "shifts") && dims[..] == [dims[0], 2] {
            let values: Tensor<2> = param.val().reshape([dims[0], 2]);
            let host =
                |round| -> Vec<f32> { quantise::shifts(values.clone(), round).into_data().iter::<f32>().collect() };
            let (learned, rounded) = (host(false), host(true));
            let pairs = learned.chunks_exact(2).zip(rounded.chunks_exact(2));
            self.pairs.extend(pairs.map(|(l, r)| ([l[0], l[1]], [r[0], r[1]])));
        }
    }
}

fn levels(network: &deploy::Network) -> Vec<Levels> {
    let mut all = Vec::new();
    let mut add = |layer: String, pointwise: &Pointwise| {
        if let Weights::Levels { bits, levels } = &pointwise.weights {
            let mut counts = vec![0; 1 << bits];
            levels.iter().for_each(|&level| counts[usize::from(level)] += 1);
            all.push(Levels { layer, bits: *bits, counts });
        }
    };
    for (g, group) in network.groups.iter().enumerate() {
        for (b, block) in group.iter().enumerate() {
            let name = |part: &str| format!("groups.{g}.blocks.{b}.{part}");
            add(name("reduce"), &block.reduce);
            add(name("expand"), &block.expand);
            if let Some(shortcut) = &block.shortcut {
                add(name("shortcut"), shortcut);
            }
        }
    }
    if let Some(head) = &network.head {
        add("head".into(), head);
    }
    add("linear".into(), &network.linear);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::random;
    use crate::deploy::random::tests::spec;
    use burn::tensor::Device;

    #[test]
    fn displacements_fall_into_the_bar_and_the_cell_where_they_belong() {
        let shifts = Shifts::new(&[([-3.0, 3.0], [-3.0, 3.0]), ([0.3, -0.1], [0.0, 0.0])]);
        let at = |bar: usize| shifts.histogram[bar];
        assert_eq!((shifts.histogram.len(), at(0), at(23), at(13), at(11)), (24, 1, 1, 1, 1));
        assert_eq!((shifts.rounded[0][6], shifts.rounded[3][3], shifts.channels()), (1, 1, 2));
        assert!((shifts.mean_rounding - 0.1).abs() < 1e-6, "{}", shifts.mean_rounding);
    }

    #[test]
    fn every_shifted_channel_and_every_weight_is_counted_once() {
        let spec = spec(2, 4);
        let network = Network::new(&spec, 1, &Device::flex());
        let learned = Learned::new(&network, Some(&random(&spec, 1).unwrap()));
        let width: usize = spec.blocks().iter().map(|b| b.width).sum();
        assert_eq!(learned.shifts.channels(), width as u64);
        let layers = lsspq::size::layers(&spec);
        for levels in &learned.levels {
            let layer = layers.iter().find(|l| l.name == levels.layer).unwrap();
            assert_eq!((levels.counts.iter().sum::<u64>(), Some(levels.bits)), (layer.weights, layer.bits));
        }
        assert_eq!(learned.levels.len(), layers.iter().filter(|l| l.bits.is_some()).count());
    }
}
