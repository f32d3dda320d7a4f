//! Gradients of quantisers, shift and whole blocks, both forms, against finite differences of the f64 reference.

use super::flow::Flow;
use super::reference::{self, Case, Front, Tape};
use super::{AnyBlock, Block, Engine, Mode, Network, Norm};
use crate::quantise;
use crate::random::{Purpose, stream};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use lsspq::spec::{Activation, Bits, BlockKind, BlockShape, Group, NetworkSpec, Stem};
use rand::RngExt;

fn device() -> Device {
    Device::flex().autodiff()
}

fn tensor<const D: usize>(values: &[f64], shape: [usize; D]) -> Tensor<D> {
    let values: Vec<f32> = values.iter().map(|&v| v as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), &device())
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f32>().map(f64::from).collect()
}

/// Numbers that f32 holds exactly, so that both sides see the same.
fn numbers(seed: u64, part: u64, len: usize, low: f64, high: f64) -> Vec<f64> {
    let mut random = stream(seed, Purpose::Fixture, 0, part);
    (0..len).map(|_| f64::from(random.random_range(low..high) as f32)).collect()
}

fn parts(case: &Case, seed: u64) -> Vec<Vec<f64>> {
    let ranges = [
        (-1.0, 1.5),
        (0.3, 0.8),
        (0.1, 0.4),
        (-0.8, 0.8),
        (0.3, 0.8),
        (0.1, 0.4),
        (-2.4, 2.4),
        (-0.8, 0.8),
        (0.5, 1.5),
        (-0.5, 0.5),
        (-0.8, 0.8),
    ];
    let lengths = case.lengths();
    (0..11).map(|i| numbers(seed, i as u64, lengths[i], ranges[i].0, ranges[i].1)).collect()
}

/// What a block in one of the two forms gives.
struct Tracked {
    output: Vec<f64>,
    /// Of each BatchNorm, and of the output where the block takes them.
    statistics: Vec<Vec<f64>>,
    /// Of the sum of `output * direction`, in the order of [`Case::lengths`].
    gradients: Vec<Vec<f64>>,
}

/// `known` are the statistics of the input.
fn tracked(case: &Case, parts: &[Vec<f64>], known: &[f64], direction: &[f64], engine: Engine) -> Tracked {
    let vector = |i: usize| Param::from_tensor(tensor(&parts[i], [parts[i].len()]));
    let matrix = |i: usize, rows: usize| Param::from_tensor(tensor(&parts[i], [rows, parts[i].len() / rows]));
    let norm = |i: usize, channels: usize| Norm {
        gamma: vector(i),
        beta: vector(i + 1),
        ..Norm::new(channels, 1.0, 0.0, &device())
    };
    let handed_on = case.is_handed_on().then(|| norm(1, case.input));
    let block = Block {
        pre: (case.front == Front::Own).then(|| norm(1, case.input)),
        reduce: matrix(3, case.width),
        middle: norm(4, case.width),
        shifts: matrix(6, case.width),
        expand: matrix(7, case.output),
        last: norm(8, case.output),
        shortcut: case.projects().then(|| matrix(10, case.output)),
        steps: None,
    };
    let shape = BlockShape {
        group: 0,
        index: usize::from(case.front == Front::Own),
        input: case.input,
        width: case.width,
        output: case.output,
        stride: case.stride,
        side: case.side,
        weight_bits: case.weights,
        kind: BlockKind::Shift {},
        activation: Activation::Clip,
    };
    let mode = Mode { batch_statistics: true, activations: case.activations, round_shifts: case.round_shifts, engine };
    let x = tensor(&parts[0], [case.images, case.input, case.side, case.side]).require_grad();
    let mut statistics = Vec::new();
    let mut keep = |(y, s): (Tensor<4>, Tensor<2>)| {
        statistics.push(host(s));
        y
    };
    let mut flow = match case.front {
        Front::HandedOnWithStatistics => Flow::with_statistics(x.clone(), tensor(known, [2, case.input])),
        _ => Flow::of(x.clone()),
    };
    if let Some(norm) = &handed_on {
        flow = flow.normed(norm, mode, &mut keep);
    }
    let out = block.forward(flow, &shape, mode, &mut keep).into_parts();
    assert!(out.pending.is_none(), "a block leaves nothing to be done");
    statistics.extend(out.statistics.map(host));
    let y = out.map;
    let side = case.output_side();
    let loss = (y.clone() * tensor(direction, [case.images, case.output, side, side])).sum();
    let grads = loss.backward();
    let of = |t: Option<Tensor<2>>| t.map(host).unwrap_or_default();
    let of_vector = |p: &Param<Tensor<1>>| host(p.val().grad(&grads).expect("a gradient"));
    let mut gradients = vec![host(x.grad(&grads).expect("a gradient of the input"))];
    let pre = block.pre.as_ref().or(handed_on.as_ref());
    gradients.push(pre.map(|n| of_vector(&n.gamma)).unwrap_or_default());
    gradients.push(pre.map(|n| of_vector(&n.beta)).unwrap_or_default());
    gradients.push(of(block.reduce.val().grad(&grads)));
    gradients.extend([of_vector(&block.middle.gamma), of_vector(&block.middle.beta)]);
    gradients.extend([of(block.shifts.val().grad(&grads)), of(block.expand.val().grad(&grads))]);
    gradients.extend([of_vector(&block.last.gamma), of_vector(&block.last.beta)]);
    gradients.push(block.shortcut.as_ref().map(|w| of(w.val().grad(&grads))).unwrap_or_default());
    Tracked { output: host(y), statistics, gradients }
}

/// The largest difference.
fn furthest(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn check(case: Case, seed: u64) {
    const NAMES: [&str; 11] = [
        "input",
        "gamma in front",
        "beta in front",
        "reduce",
        "gamma",
        "beta",
        "shifts",
        "expand",
        "last gamma",
        "last beta",
        "shortcut",
    ];
    // Closer to an edge, rounding in f32 may put a value on its other side, where the gradient is another one.
    let drawn = (0..20).map(|i| seed + 1000 * i).find_map(|seed| {
        let (parts, mut tape) = (parts(&case, seed), Tape::default());
        let expected = reference::block(&case, &parts, &mut tape);
        (tape.closest > 1e-6).then_some((parts, tape, expected))
    });
    let (parts, mut tape, (expected, statistics)) = drawn.expect("numbers without a value at the edge of a clip");
    let side = case.output_side();
    let direction = numbers(seed, 99, case.images * case.output * side * side, -1.0, 1.0);
    let mut loss = |parts: &[Vec<f64>]| -> f64 {
        tape.replay();
        reference::block(&case, parts, &mut tape).0.iter().zip(&direction).map(|(y, d)| y * d).sum()
    };
    let base = loss(&parts);
    let runs = [Engine::Fused, Engine::Composed]
        .map(|engine| (engine, tracked(&case, &parts, &statistics[0], &direction, engine)));
    for (engine, run) in &runs {
        let worst = furthest(&run.output, &expected);
        assert!(worst < 1e-4, "{engine:?}: the output is {worst} off, {case:?}");
        // The composed form does not take those of the output.
        assert_eq!(run.statistics.len(), statistics.len() - usize::from(*engine == Engine::Composed));
        for (i, (taken, expected)) in run.statistics.iter().zip(&statistics).enumerate() {
            let worst = furthest(taken, expected);
            assert!(worst < 1e-4, "{engine:?}: statistics {i} are {worst} off, {case:?}");
        }
    }
    for part in 0..11 {
        // Enough of each part to see an error, few enough to be quick.
        let step = (parts[part].len() / 12).max(1);
        let scale = runs[0].1.gradients[part].iter().map(|g| g.abs()).fold(0.0, f64::max).max(1e-3);
        for i in (0..parts[part].len()).step_by(step) {
            let mut moved = parts.clone();
            let h = 1e-6;
            moved[part][i] += h;
            let above = loss(&moved);
            // At a whole pixel the slopes to the left and right differ; the gradient is the one to the right.
            let slope = if part == 6 && case.round_shifts {
                (above - base) / h
            } else {
                moved[part][i] -= 2.0 * h;
                (above - loss(&moved)) / (2.0 * h)
            };
            for (engine, Tracked { gradients, .. }) in &runs {
                let error = (gradients[part][i] - slope).abs() / scale;
                assert!(
                    error < 2e-3,
                    "{engine:?}: gradient {i} of {} is {} instead of {slope}, {case:?}",
                    NAMES[part],
                    gradients[part][i]
                );
            }
        }
    }
}

const CASE: Case = Case {
    images: 3,
    side: 7,
    input: 6,
    width: 5,
    output: 8,
    stride: 1,
    front: Front::Nothing,
    weights: None,
    activations: None,
    round_shifts: false,
};

#[test]
fn float_block_with_fractional_shifts() {
    check(CASE, 1);
    check(Case { output: 6, front: Front::Own, ..CASE }, 2);
}

#[test]
fn block_with_stride_and_odd_side() {
    check(Case { stride: 2, ..CASE }, 3);
    check(Case { stride: 2, side: 6, ..CASE }, 4);
    check(Case { stride: 3, side: 8, ..CASE }, 5);
}

#[test]
fn quantised_block_of_every_weight_width() {
    for bits in 1..=8 {
        check(Case { weights: Some(bits), ..CASE }, 10 + u64::from(bits));
    }
}

#[test]
fn quantised_block_of_every_activation_width() {
    for bits in 2..=8 {
        let case = Case { weights: Some(4), activations: Some(bits), output: 6, front: Front::Own, ..CASE };
        check(case, 20 + u64::from(bits));
    }
}

#[test]
fn deployed_block_with_whole_pixel_shifts() {
    let case = Case { weights: Some(4), activations: Some(4), round_shifts: true, ..CASE };
    check(case, 31);
    check(Case { stride: 2, side: 8, ..case }, 32);
    check(Case { output: 6, front: Front::Own, ..case }, 33);
}

#[test]
fn more_pictures_than_tasks_and_small_maps_side_by_side() {
    check(Case { images: 37, side: 4, weights: Some(2), activations: Some(4), ..CASE }, 41);
    check(Case { images: 40, side: 2, output: 6, front: Front::Own, ..CASE }, 42);
}

/// The BatchNorm that closes a group is for the next block's branch and shortcut. The shortcut is the identity where
/// the widths are equal, else a product.
#[test]
fn block_behind_a_norm_that_is_handed_on() {
    let equal = Case { width: 6, output: 6, ..CASE };
    let mut seed = 70;
    for front in [Front::HandedOn, Front::HandedOnWithStatistics] {
        for (weights, activations) in [(None, None), (Some(4), None), (Some(4), Some(4)), (Some(2), Some(2))] {
            for shape in [equal, Case { stride: 2, ..equal }, CASE, Case { stride: 2, ..CASE }] {
                seed += 1;
                check(Case { front, weights, activations, ..shape }, seed);
            }
        }
        // Pictures side by side in a product, several in a task.
        let case = Case { front, images: 37, side: 4, ..equal };
        check(case, seed + 100);
        check(Case { activations: Some(4), round_shifts: true, ..case }, seed + 101);
        check(Case { stride: 2, activations: Some(4), ..case }, seed + 102);
    }
}

#[test]
fn weight_quantiser_values_and_gradients() {
    for bits in [None, Some(1), Some(2), Some(3), Some(4), Some(5), Some(8)] {
        let w = numbers(50, u64::from(bits.unwrap_or(0)), 30, -1.5, 1.5);
        let direction = numbers(51, 0, 30, -1.0, 1.0);
        let mut tape = Tape::default();
        let expected = reference::weights(&w, bits, &mut tape);
        let tracked = tensor(&w, [5, 6]).require_grad();
        let q = quantise::weights(tracked.clone(), bits);
        let grads = (q.clone() * tensor(&direction, [5, 6])).sum().backward();
        let worst = host(q).iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-6, "{bits:?}: {worst}");
        for (i, gradient) in host(tracked.grad(&grads).unwrap()).into_iter().enumerate() {
            let mut loss = |h: f64| -> f64 {
                let mut w = w.clone();
                w[i] += h;
                tape.replay();
                reference::weights(&w, bits, &mut tape).iter().zip(&direction).map(|(q, d)| q * d).sum()
            };
            let slope = (loss(1e-6) - loss(-1e-6)) / 2e-6;
            assert!((gradient - slope).abs() < 1e-4, "{bits:?}: gradient {i} is {gradient} instead of {slope}");
        }
    }
}

#[test]
fn activation_gradient_passes_inside_and_stops_outside() {
    let x = tensor(&[-0.5, 0.1, 0.5, 0.93, 1.5], [5]).require_grad();
    let y = quantise::activations(x.clone(), Some(2));
    let thirds: Vec<i64> = host(y.clone()).iter().map(|v| (v * 3.0).round() as i64).collect();
    assert_eq!(thirds, [0, 0, 2, 3, 3]);
    let grads = y.sum().backward();
    assert_eq!(host(x.grad(&grads).unwrap()), [0.0, 1.0, 1.0, 1.0, 0.0]);
}

#[test]
fn a_layer_of_zeros_stays_finite() {
    for bits in [1, 2, 4, 8] {
        let q = host(quantise::weights(tensor(&[0.0; 6], [2, 3]), Some(bits)));
        assert!(q.iter().all(|v| v.is_finite()), "{bits}: {q:?}");
    }
}

/// Pictures of a batch: more than tasks, so that products of small maps are side by side.
const PICTURES: usize = 17;

fn pictures(seed: u64) -> Vec<f64> {
    numbers(60, seed, PICTURES * 3 * 8 * 8, -2.0, 2.0)
}

/// Loss and gradients of every parameter of a network on made-up pictures, in the order of its parameters.
fn network_gradients(spec: &NetworkSpec, pictures: &[f64], mode: Mode) -> (f64, Vec<Vec<f64>>) {
    let network = Network::new(spec, 3, &device());
    let count = pictures.len() / (3 * 8 * 8);
    let output = network.forward(spec, tensor(pictures, [count, 3, 8, 8]), mode);
    let loss = (output.logits * tensor(&numbers(61, 0, count * 3, -1.0, 1.0), [count, 3])).sum();
    let mut gradients = Gradients { of: loss.backward(), found: Vec::new() };
    network.visit(&mut gradients);
    (f64::from(loss.into_scalar::<f32>()), gradients.found)
}

struct Gradients {
    of: burn::tensor::Gradients,
    found: Vec<Vec<f64>>,
}

impl ModuleVisitor for Gradients {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found.extend(param.val().grad(&self.of).map(host));
    }
}

fn small_network(expansion: usize, pool: bool) -> NetworkSpec {
    let group =
        |width, stride| Group { width, blocks: 2, stride, expansion, weight_bits: None, block: BlockKind::default() };
    NetworkSpec {
        name: "small".into(),
        input: 8,
        classes: 3,
        stem: Stem { kernel: 3, channels: 6, stride: 1, pool },
        groups: vec![group(6, 1), group(8, 2)],
        head: None,
        bits: Bits { weights: Some(4), linear: None, activations: None },
        activation: Activation::Clip,
        mirrored: false,
    }
}

/// The logits of a network in f64, and how close to an edge of a clip a value came.
fn network_reference(spec: &NetworkSpec, pictures: &[f64]) -> (Vec<f64>, f64) {
    let network = Network::new(spec, 3, &device());
    let vector = |p: &Param<Tensor<1>>| host(p.val());
    let matrix = |p: &Param<Tensor<2>>| host(p.val());
    let mut tape = Tape::default();
    let mut side = spec.input;
    let mut x = reference::stem(pictures, [3, side], &matrix(&network.stem), spec.stem.channels);
    let mut handed_on = Some(&network.stem_norm);
    if spec.stem.pool {
        let [gamma, beta] = [vector(&network.stem_norm.gamma), vector(&network.stem_norm.beta)];
        x = reference::normed(&x, side, [&gamma, &beta], &mut tape);
        x = reference::pooled(&x, [spec.stem.channels, side], &mut tape);
        (side, handed_on) = (side.div_ceil(2), None);
    }
    let shapes = spec.blocks();
    for (i, (block, shape)) in network.blocks.iter().zip(&shapes).enumerate() {
        let AnyBlock::Shift(block) = block else { panic!("a block that shifts") };
        let front = match (&block.pre, handed_on) {
            (Some(_), _) => Front::Own,
            (None, Some(_)) => Front::HandedOn,
            (None, None) => Front::Nothing,
        };
        let case = Case {
            images: pictures.len() / (3 * 8 * 8),
            side,
            input: shape.input,
            width: shape.width,
            output: shape.output,
            stride: shape.stride,
            front,
            weights: shape.weight_bits,
            activations: None,
            round_shifts: false,
        };
        let before = block.pre.as_ref().or(handed_on.take());
        let norm = |n: &Norm| [vector(&n.gamma), vector(&n.beta)];
        let [gamma, beta] = before.map(norm).unwrap_or_default();
        let [middle_gamma, middle_beta] = norm(&block.middle);
        let [last_gamma, last_beta] = norm(&block.last);
        let parts = [
            x,
            gamma,
            beta,
            matrix(&block.reduce),
            middle_gamma,
            middle_beta,
            matrix(&block.shifts),
            matrix(&block.expand),
            last_gamma,
            last_beta,
            block.shortcut.as_ref().map(matrix).unwrap_or_default(),
        ];
        x = reference::block(&case, &parts, &mut tape).0;
        side = case.output_side();
        if shapes.get(i + 1).is_none_or(|next| next.group != shape.group) {
            handed_on = Some(&network.closes[shape.group]);
        }
    }
    let close = handed_on.expect("a norm that closes the last group");
    let x = reference::normed(&x, side, [&vector(&close.gamma), &vector(&close.beta)], &mut tape);
    let plane = side * side;
    let means: Vec<f64> = x.chunks(plane).map(|x| x.iter().sum::<f64>() / plane as f64).collect();
    let (weights, bias) = (matrix(&network.linear), vector(&network.bias));
    let channels = weights.len() / bias.len();
    let logits = means.chunks(channels).flat_map(|means| {
        let of = |w: &[f64]| w.iter().zip(means).map(|(w, m)| w * m).sum::<f64>();
        weights.chunks(channels).zip(&bias).map(|(w, b)| of(w) + b).collect::<Vec<_>>()
    });
    (logits.collect(), tape.closest)
}

/// The fused form hands BatchNorms between groups on to the next block, takes statistics where maps are made, and runs a
/// block as one operation.
///
/// Rounding in f32 may put a value that lies at the edge of a clip on its other side, where the gradient is another one,
/// and through BatchNorm that moves every gradient before it. So the pictures are such that no value is there.
#[test]
fn whole_networks_have_the_gradients_of_the_composed_form() {
    for (expansion, pool) in [(4, false), (1, false), (4, true), (1, true)] {
        let spec = small_network(expansion, pool);
        let far = (0..300).map(pictures).find_map(|p| {
            let (logits, closest) = network_reference(&spec, &p);
            (closest > 1e-5).then_some((p, logits))
        });
        let (pictures, logits) = far.expect("pictures without a value at an edge");
        let expected: f64 = logits.iter().zip(numbers(61, 0, PICTURES * 3, -1.0, 1.0)).map(|(y, d)| y * d).sum();
        let mode = |engine| Mode { batch_statistics: true, activations: None, round_shifts: false, engine };
        let (loss, gradients) = network_gradients(&spec, &pictures, mode(Engine::Fused));
        let (composed_loss, composed) = network_gradients(&spec, &pictures, mode(Engine::Composed));
        assert!((loss - expected).abs() < 1e-4, "{loss} instead of {expected}");
        assert!((composed_loss - expected).abs() < 1e-4, "composed: {composed_loss} instead of {expected}");
        assert_eq!(gradients.len(), composed.len());
        for (i, (fused, composed)) in gradients.iter().zip(&composed).enumerate() {
            // Offsets that a BatchNorm further on takes away have a gradient of nothing but rounding.
            let largest = composed.iter().map(|g| g.abs()).fold(0.05, f64::max);
            let worst = furthest(fused, composed);
            assert!(worst < 1e-4 * largest, "parameter {i} is {worst} off, of {largest}, expansion {expansion}");
        }
    }
}

#[test]
fn a_step_is_the_same_to_the_bit_on_any_number_of_threads() {
    let mode = Mode { batch_statistics: true, activations: Some(4), round_shifts: false, engine: Engine::Fused };
    let (spec, pictures) = (small_network(4, false), pictures(0));
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| network_gradients(&spec, &pictures, mode))
    };
    let alone = on(1);
    for threads in [2, 3, 5] {
        assert_eq!(on(threads), alone, "{threads} threads");
    }
}
