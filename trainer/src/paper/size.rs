//! Sizes by the accounting of each publication.

use super::networks::{named, shifts};
use super::peers;
use crate::deploy::random;
use crate::export::{to_onnx, to_plain_onnx};
use crate::network::Network;
use burn::tensor::Device;
use lsspq::card::ModelCard;
use lsspq::size::{Layer, LayerKind, layers};
use lsspq::spec::NetworkSpec;

/// What a network is stored as: numbers of one width each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// What is counted and what is left out.
    pub accounting: String,
    /// Name, how many numbers, bits of each.
    pub parts: Vec<(&'static str, u64, u32)>,
}

impl Parts {
    pub(super) fn new(accounting: &str, parts: Vec<(&'static str, u64, u32)>) -> Self {
        Self { accounting: accounting.into(), parts }
    }

    /// Whole bytes, part by part.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|&(_, count, bits)| (count * u64::from(bits)).div_ceil(8)).sum()
    }

    /// [`Self::bytes`] in MiB of 2^20.
    pub fn mib(&self) -> f64 {
        self.bytes() as f64 / f64::from(1 << 20)
    }

    /// How many numbers there are.
    pub fn parameters(&self) -> u64 {
        self.parts.iter().map(|&(_, count, _)| count).sum()
    }
}

/// Computes the size of a network by its name; none where it has no definition.
pub fn size_of(name: &str) -> Option<Parts> {
    match name {
        "l-sspq50" => named(name).map(|spec| exported(&spec)),
        "sspq50" | "sspq101" | "sspq152" => named(name).map(|spec| sspq(&spec)),
        "reactnet-a" | "fracbnn" => peers::named(name),
        _ => named(name).map(|spec| float(&spec)),
    }
}

/// Every parameter in 32-bit float: two for a BatchNorm channel (gamma, beta), two for a displacement.
fn float(spec: &NetworkSpec) -> Parts {
    let count = layers(spec).iter().map(|l| l.float_parameters).sum();
    let shifts = if shifts(spec) { ", two per displacement" } else { "" };
    Parts::new(&format!("all parameters in float; two per BatchNorm channel{shifts}"), vec![("all", count, 32)])
}

/// As SSPQ's size comes about: packed pointwise weights; stem, linear layer and shifts in float; four values for each channel
/// of a BatchNorm (gamma, beta, mean, variance), but for those that close a group.
fn sspq(spec: &NetworkSpec) -> Parts {
    let all = layers(spec);
    let sum = |chosen: &dyn Fn(&Layer) -> bool, value: &dyn Fn(&Layer) -> u64| {
        all.iter().filter(|l| chosen(l)).map(value).sum::<u64>()
    };
    let closes_group = |l: &Layer| l.name.starts_with("groups.") && !l.name.contains("blocks");
    let kind = |kind: LayerKind| move |l: &Layer| l.kind == kind;
    let bits = spec.bits.weights.map_or(32, u32::from);
    Parts::new(
        "packed pointwise weights; float stem, linear layer and shifts; four values per BatchNorm channel, without those that close a group",
        vec![
            ("pointwise", sum(&kind(LayerKind::Pointwise), &|l| l.weights), bits),
            ("stem", sum(&kind(LayerKind::Stem), &|l| l.weights), 32),
            ("linear", sum(&kind(LayerKind::Linear), &|l| l.float_parameters), 32),
            ("shifts", sum(&kind(LayerKind::Shift), &|l| l.float_parameters), 32),
            ("BatchNorm", sum(&|l| l.kind == LayerKind::Norm && !closes_group(l), &|l| 2 * l.float_parameters), 32),
        ],
    )
}

/// The whole file that this project serves, with weights drawn at random: packed bits do not compress, so trained ones take
/// the same.
fn exported(spec: &NetworkSpec) -> Parts {
    let file = untrained(spec, 1);
    Parts::new("the whole ONNX file: weights, scales, shifts, graph, card", vec![("file", file.len() as u64, 8)])
}

/// The ONNX file of a network before it is trained, with random weights and numbered labels.
///
/// # Panics
/// Where no network can be built from the specification: validate it first.
pub fn untrained(spec: &NetworkSpec, seed: u64) -> Vec<u8> {
    let labels = (0..spec.classes).map(|i| format!("class {i}")).collect();
    let provenance = format!("{} {}; untrained", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    let card = ModelCard { seed, provenance, ..ModelCard::new(spec.clone(), labels, "none: random weights") };
    let file = if spec.is_shift_network() {
        to_onnx(&random(spec, seed).expect("a validated specification"), &card)
    } else {
        let network = Network::new(spec, seed, &Device::flex());
        to_plain_onnx(&network, spec, [0.5; 3], [0.25; 3], &card)
    };
    file.expect("a network that was built from its specification")
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsspq::Model;

    fn mib(name: &str) -> f64 {
        size_of(name).unwrap_or_else(|| panic!("{name}")).mib()
    }

    #[test]
    fn published_sizes_follow_from_the_layers() {
        for (name, published) in [("resnet50", 97.49), ("asl50", 84.74), ("res-ib-shift50", 54.41), ("sspq50", 9.79)] {
            assert!((mib(name) - published).abs() <= 0.01, "{name}: {:.4} MiB, published are {published}", mib(name));
        }
    }

    /// Counts that the reference implementations report, and that of ASL50 in its publication's accounting.
    #[test]
    fn parameters_are_those_of_the_reference_implementations() {
        let count = |name| size_of(name).unwrap_or_else(|| panic!("{name}")).parameters();
        assert_eq!(count("resnet50"), 25_557_032);
        assert_eq!(count("asl50"), 22_213_288);
        assert_eq!(count("res-ib-shift50"), 14_262_312);
        assert_eq!(count("mobilenet-v2"), 3_504_872);
        assert_eq!(count("mobilenet-v3-large"), 5_483_032);
        assert_eq!(count("mobilenet-v3-small"), 2_542_856);
    }

    /// The layers of the trainable networks and the tables of their publications count the same weights.
    #[test]
    fn trainable_binary_networks_have_the_weights_of_the_tables() {
        let all = layers(&named("reactnet-a").unwrap());
        let binary: u64 = all.iter().filter(|l| l.bits == Some(1)).map(|l| l.weights).sum();
        assert_eq!(binary, 28_253_184);
        // ResNet20 without its stem, projections and linear layer.
        let all = layers(&named("fracbnn20").unwrap());
        let binary: u64 = all.iter().filter(|l| l.bits == Some(1)).map(|l| l.weights).sum();
        assert_eq!(binary, 9 * (6 * 16 * 16 + 16 * 32 + 5 * 32 * 32 + 32 * 64 + 5 * 64 * 64));
    }

    #[test]
    fn deeper_networks_differ_by_their_blocks_alone() {
        // 17 more blocks of group 2: 1024 -> 256 -> 1024, three BatchNorms, one shift.
        let block = 2 * 1024 * 256 / 8 + 4 * (4 * (1024 + 256 + 1024) + 2 * 256);
        let [fifty, hundred] = ["sspq50", "sspq101"].map(|n| size_of(n).unwrap().bytes());
        assert_eq!(hundred - fifty, 17 * block);
    }

    #[test]
    fn l_sspq50_is_served_in_less_than_the_published_size() {
        let mut spec = named("l-sspq50").unwrap();
        let file = untrained(&spec, 1);
        assert!((file.len() as f64) < 3.55 * f64::from(1 << 20), "{} bytes", file.len());
        let two = file.len();
        let model = Model::load(&file).unwrap();
        assert_eq!((model.card().spec.clone(), model.card().labels.len()), (spec.clone(), 1000));
        spec.bits.weights = Some(1);
        spec.bits.linear = Some(1);
        let one = untrained(&spec, 1).len();
        // Half the bits of 11,591,680 weights; the rest of the file stays.
        assert_eq!((two - one).abs_diff(11_591_680 / 8) / 1000, 0, "{two} and {one} bytes");
    }
}
