//! The float file of every kind of network, run by tract and compared with the network it was written from.

use super::tests::{card, tract};
use super::to_plain_onnx;
use crate::augment::whole_pixel;
use crate::network::{Engine, Mode, Network};
use crate::paper::networks::{changed, names};
use burn::tensor::{Device, Tensor, TensorData};
use lsspq::Model;
use lsspq::spec::NetworkSpec;

const PICTURES: usize = 8;
const MEAN: [f32; 3] = [0.5, 0.4, 0.45];
const DEVIATION: [f32; 3] = [0.25, 0.2, 0.3];

/// The networks that are written in float: L-SSPQ's are by way of another activation.
fn small(name: &str) -> NetworkSpec {
    let reference =
        if changed(name).unwrap().unwrap().bits.activations.is_some() { format!("{name}@float") } else { name.into() };
    let mut spec = changed(&format!("{reference}@cifar10@x0.125")).unwrap().unwrap();
    // Statistics over a pixel of each picture would be those of rounding errors.
    spec.input = 16;
    if spec.trunk_output().1 == 1 {
        spec.input = 32;
    }
    spec.groups.iter_mut().for_each(|g| g.blocks = g.blocks.min(2));
    if spec.is_shift_network() {
        spec.activation = lsspq::spec::Activation::Relu;
        spec.bits.weights = Some(2);
    }
    spec
}

#[test]
fn every_network_runs_in_tract_as_it_was_trained() {
    let device = Device::flex();
    for name in names() {
        let spec = small(name);
        let mut network = Network::new(&spec, 11, &device);
        let side = spec.input;
        let images: Vec<f32> = (0..PICTURES * 3 * side * side).map(|i| ((i * 7919) % 256) as f32 / 255.0).collect();
        let normal = |(i, v): (usize, &f32)| {
            let colour = i / (side * side) % 3;
            (v - whole_pixel(MEAN[colour])) / DEVIATION[colour]
        };
        let normalised: Vec<f32> = images.iter().enumerate().map(normal).collect();
        let input = Tensor::<4>::from_data(TensorData::new(normalised, [PICTURES, 3, side, side]), &device);
        let mut mode = Mode { batch_statistics: true, activations: None, round_shifts: true, engine: Engine::Composed };
        let output = network.forward(&spec, input.clone(), mode);
        // Half of it: where a channel is dead, a variance of nothing would make rounding errors large.
        network.absorb(&spec, output, 0.5);
        mode.batch_statistics = false;
        let output = network.forward(&spec, input, mode);
        let file = to_plain_onnx(&network, &spec, MEAN, DEVIATION, &card(&spec)).unwrap();
        let (logits, embedding) = tract(&file, side, &images);
        for (trained, ran) in [(output.logits, logits), (output.embedding, embedding)] {
            let trained: Vec<f32> = trained.into_data().iter::<f32>().collect();
            let largest = trained.iter().fold(0f32, |m, v| m.max(v.abs()));
            let worst = trained.iter().zip(&ran).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst <= 2e-3 * largest.max(1.0), "{name}: {worst} of {largest}");
        }
        let model = Model::load(&file).unwrap();
        assert_eq!(model.card().spec, spec, "{name}");
        model.run(&images[..3 * side * side]).unwrap();
    }
}

#[test]
fn binary_weights_are_packed() {
    let size = |bits: Option<u8>| {
        let mut spec = changed("l-sspq34-cifar100@float").unwrap().unwrap();
        spec.activation = lsspq::spec::Activation::Relu;
        spec.bits.weights = bits;
        let network = Network::new(&spec, 1, &Device::flex());
        to_plain_onnx(&network, &spec, MEAN, DEVIATION, &card(&spec)).unwrap().len()
    };
    let (float, one) = (size(None), size(Some(1)));
    assert!(float > 7 * one, "{float} and {one} bytes");
}
