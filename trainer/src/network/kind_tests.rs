//! Every kind of network: a forward and a backward step, both forms, and how its statistics find their BatchNorms.

use super::{Engine, Mode, Network};
use crate::paper::networks::{changed, names};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use lsspq::spec::NetworkSpec;

fn images(spec: &NetworkSpec, count: usize) -> Tensor<4> {
    let length = count * 3 * spec.input * spec.input;
    let values: Vec<f32> = (0..length).map(|i| ((i * 7919) % 509) as f32 / 254.0 - 1.0).collect();
    let shape = [count, 3, spec.input, spec.input];
    Tensor::from_data(TensorData::new(values, shape), &Device::flex().autodiff())
}

fn mode(spec: &NetworkSpec, engine: Engine) -> Mode {
    Mode { batch_statistics: true, activations: spec.bits.activations, round_shifts: false, engine }
}

/// Counts parameters that got a gradient with a number in it that is not zero, and names the others.
struct Reached<'a> {
    gradients: &'a Gradients,
    path: Vec<String>,
    count: usize,
    missed: Vec<String>,
}

impl ModuleVisitor for Reached<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let values = param.val().grad(self.gradients).map(|g| g.into_data().iter::<f32>().collect::<Vec<_>>());
        let values = values.unwrap_or_default();
        assert!(values.iter().all(|v| v.is_finite()), "{} has a gradient that is no number", self.path.join("."));
        if values.iter().any(|&v| v != 0.0) {
            self.count += 1;
        } else {
            self.missed.push(self.path.join("."));
        }
    }
}

/// As narrow as the network goes, one block a group, small pictures.
fn small(reference: &str) -> NetworkSpec {
    let mut spec = changed(&format!("{reference}@cifar10@x0.125")).unwrap().unwrap();
    // Wide enough for maps of 1 pixel to be rare, small enough to be quick.
    spec.input = 16;
    spec.groups.iter_mut().for_each(|g| g.blocks = g.blocks.min(2));
    spec.validate().unwrap();
    spec
}

#[test]
fn every_network_steps_forward_and_backward() {
    for name in names() {
        let spec = small(name);
        let network = Network::new(&spec, 3, &Device::flex().autodiff());
        let output = network.forward(&spec, images(&spec, 4), mode(&spec, Engine::Fused));
        assert_eq!(output.logits.dims(), [4, 10], "{name}");
        assert_eq!(output.embedding.dims(), [4, spec.embedding()], "{name}");
        let squares = output.logits.clone() * output.logits;
        let gradients = squares.sum().backward();
        let mut reached = Reached { gradients: &gradients, path: Vec::new(), count: 0, missed: Vec::new() };
        network.visit(&mut reached);
        // Running statistics have none by design; some channels of a few pictures may all be clipped.
        reached.missed.retain(|path| !path.ends_with("running"));
        let all = reached.count + reached.missed.len();
        assert!(
            reached.missed.len() * 20 <= all,
            "{name}: {} of {all} without: {:?}",
            reached.missed.len(),
            reached.missed
        );
    }
}

#[test]
fn both_forms_of_every_network_agree() {
    for name in names() {
        // A rounded activation may fall to either side of a half, and 1-bit weights double what follows from it.
        let reference = if changed(name).unwrap().unwrap().bits.activations.is_some() {
            format!("{name}@float")
        } else {
            name.into()
        };
        let spec = small(&reference);
        let network = Network::new(&spec, 5, &Device::flex().autodiff());
        let logits = |engine| {
            let output = network.forward(&spec, images(&spec, 4), mode(&spec, engine));
            output.logits.into_data().iter::<f32>().collect::<Vec<_>>()
        };
        let (fused, composed) = (logits(Engine::Fused), logits(Engine::Composed));
        let largest = fused.iter().fold(0f32, |m, v| m.max(v.abs()));
        let worst = fused.iter().zip(&composed).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= 2e-3 * largest.max(1.0), "{name}: {worst} of {largest}");
    }
}

#[test]
fn statistics_reach_the_norms_they_come_from() {
    for name in names() {
        let spec = small(name);
        let mut network = Network::new(&spec, 7, &Device::flex().autodiff());
        let mut mode = mode(&spec, Engine::Fused);
        let output = network.forward(&spec, images(&spec, 4), mode);
        let trained = output.logits.clone().into_data().iter::<f32>().collect::<Vec<_>>();
        // With a momentum of 1 the running statistics become the batch's: evaluation then repeats training.
        network.absorb(&spec, output, 1.0);
        mode.batch_statistics = false;
        let output = network.forward(&spec, images(&spec, 4), mode);
        let evaluated = output.logits.into_data().iter::<f32>().collect::<Vec<_>>();
        let largest = trained.iter().fold(0f32, |m, v| m.max(v.abs()));
        let worst = trained.iter().zip(&evaluated).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= 2e-3 * largest.max(1.0), "{name}: {worst} of {largest}");
    }
}

#[test]
fn other_kinds_of_blocks_are_neither_quantised_in_activations_nor_mirrored() {
    let refused = |change: fn(&mut NetworkSpec)| {
        let mut spec = small("resnet20");
        change(&mut spec);
        spec.validate().unwrap_err().to_string()
    };
    assert!(refused(|s| s.mirrored = true).starts_with("mirrored: allowed only where"));
    assert!(refused(|s| s.bits.activations = Some(4)).starts_with("bits.activations: allowed only where"));
}
