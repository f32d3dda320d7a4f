//! Whole numbers against floats: for networks of many shapes and bits, the library's own operators ([`Model::load`])
//! give the very numbers that the trainer's plain loops and tract in float ([`Model::load_float`]) give.

use lsspq::spec::{Activation, Bits, BlockKind, Group, Head, NetworkSpec, Stem};
use lsspq::{Model, ModelCard};
use lsspq_trainer::deploy::{Network, plain, random};
use lsspq_trainer::export;
use prost::Message;
use tract_onnx::pb::{ModelProto, NodeProto, TensorProto};

fn spec(weights: u8, activations: u8) -> NetworkSpec {
    let block = BlockKind::default();
    let group = |width, blocks, stride, expansion| Group { width, blocks, stride, expansion, weight_bits: None, block };
    NetworkSpec {
        name: format!("w{weights} a{activations}"),
        input: 13,
        classes: 5,
        stem: Stem { kernel: 3, channels: 18, stride: 1, pool: false },
        // The first group's shortcut is the identity on a quantised activation.
        groups: vec![group(9, 2, 1, 2), group(7, 2, 2, 3), group(16, 1, 1, 2)],
        head: Some(Head { channels: 21, features: None }),
        bits: Bits { weights: Some(weights), linear: Some(weights), activations: Some(activations) },
        activation: Activation::Clip,
        mirrored: false,
    }
}

fn card(spec: &NetworkSpec) -> ModelCard {
    let labels = (0..spec.classes).map(|class| format!("class {class}")).collect();
    ModelCard { provenance: "random weights, for tests".into(), ..ModelCard::new(spec.clone(), labels, "none") }
}

/// A random network with shifts of up to three pixels.
fn network(spec: &NetworkSpec, seed: u64) -> Network {
    let mut network = random(spec, seed).unwrap();
    for (b, block) in network.groups.iter_mut().flatten().enumerate() {
        for (c, shift) in block.shift.iter_mut().enumerate() {
            let at = |n: usize| ((n * 5 + c * 3 + b) % 7) as i8 - 3;
            *shift = (at(c), at(c / 2 + 1));
        }
    }
    network
}

fn picture(side: usize, number: usize) -> Vec<f32> {
    (0..3 * side * side).map(|i| ((i * 7919 + i / 11 * 31 + number * 104_729) % 256) as f32 / 255.0).collect()
}

/// Holds a network's file in whole numbers against the plain loops and against tract.
fn assert_exact(network: &Network) {
    let spec = &network.spec;
    let bytes = export::to_onnx(network, &card(spec)).unwrap();
    let (whole, float) = (Model::load(&bytes).unwrap(), Model::load_float(&bytes).unwrap());
    assert!(whole.is_whole(), "{spec:?}: {:#?}", whole.plan());
    assert!(!float.is_whole());
    for number in 0..3 {
        let picture = picture(spec.input, number);
        let (ours, theirs) = (whole.run(&picture).unwrap(), float.run(&picture).unwrap());
        let plain = plain::evaluate(network, &picture).unwrap();
        assert_eq!(ours.embedding, plain.embedding, "{spec:?}");
        // The linear layer sums floats, in any order, where there is no head or its weights are float.
        let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-4);
        match spec.head.is_some() && spec.bits.linear.is_some() {
            true => assert_eq!(ours.logits, plain.logits, "{spec:?}"),
            false => assert!(near(&ours.logits, &plain.logits), "{spec:?}"),
        }
        assert!(near(&ours.logits, &theirs.logits) && near(&ours.embedding, &theirs.embedding), "{spec:?}");
    }
}

#[test]
fn every_width_of_weights_and_activations_is_exact() {
    for bits in 1..=8 {
        assert_exact(&network(&spec(bits, 4), bits.into()));
        assert_exact(&network(&spec(2, bits.max(2)), u64::from(bits) + 20));
    }
    assert_exact(&network(&spec(8, 8), 40));
}

#[test]
fn every_shape_is_exact() {
    let change = |seed: u64, change: fn(&mut NetworkSpec)| {
        let mut spec = spec(3, 4);
        change(&mut spec);
        assert_exact(&network(&spec, seed));
    };
    change(50, |s| (s.stem, s.input) = (Stem { kernel: 7, channels: 17, stride: 2, pool: true }, 31));
    change(51, |s| (s.stem, s.input) = (Stem { kernel: 5, channels: 3, stride: 3, pool: true }, 40));
    change(52, |s| s.groups[1].stride = 3);
    change(53, |s| s.groups[0].stride = 4);
    change(54, |s| s.head = None);
    change(55, |s| s.bits.linear = None);
    change(56, |s| s.bits.linear = Some(8));
    change(57, |s| s.groups[1].weight_bits = Some(6));
    change(58, |s| {
        let block = BlockKind::default();
        s.groups = vec![Group { width: 70, blocks: 3, stride: 1, expansion: 1, weight_bits: Some(1), block }];
    });
    change(59, |s| s.classes = 33);
}

#[test]
fn two_views_are_exact() {
    for (seed, head, pool) in [(70, true, false), (71, false, false), (72, true, true)] {
        let mut spec = spec(3, 4);
        (spec.mirrored, spec.stem.pool) = (true, pool);
        spec.head = spec.head.filter(|_| head);
        assert_exact(&network(&spec, seed));
    }
}

#[test]
fn every_layer_of_two_views_is_timed_once() {
    let mut spec = spec(2, 4);
    spec.mirrored = true;
    let model = Model::load(&export::to_onnx(&network(&spec, 73), &card(&spec)).unwrap()).unwrap();
    // A clock that goes on by one with each look: what runs on two views takes two.
    let mut now = 0.0;
    let mut clock = || {
        now += 1.0;
        now
    };
    let (_, times) = model.profile(&picture(spec.input, 0), &mut clock).unwrap();
    assert_eq!(times.iter().map(|t| t.layer).collect::<Vec<_>>(), (0..model.plan().len()).collect::<Vec<_>>());
    let pooling = model.plan().iter().position(|l| l.operator == "pooling").unwrap();
    assert!(times[..=pooling].iter().all(|t| t.time == 2.0) && times[pooling + 1..].iter().all(|t| t.time == 1.0));
}

/// A file of two views with something else in it than a mirror image beside the picture; it must still answer as tract does.
#[test]
fn views_that_are_no_mirror_image_are_left_to_tract() {
    let mut spec = spec(2, 4);
    spec.mirrored = true;
    let bytes = export::to_onnx(&network(&spec, 74), &card(&spec)).unwrap();
    type Change = fn(&mut NodeProto);
    let changes: [(&str, Change); 3] = [
        // The mirror image first: the same answers, in another order than ours.
        ("Concat", |node| node.input.swap(0, 1)),
        // In steps of three columns forwards, which leaves one: no mirror image, and nothing to be put beside the picture.
        ("Slice", |node| node.input[4] = node.input[3].clone()),
        ("ReduceSum", |node| node.name = "sums".into()),
    ];
    for (operator, change) in changes {
        let mut model = ModelProto::decode(&bytes[..]).unwrap();
        let nodes = &mut model.graph.as_mut().unwrap().node;
        let first = |n: &&mut NodeProto| n.op_type == operator && (operator == "ReduceSum" || n.input[0] == "image");
        change(nodes.iter_mut().find(first).unwrap());
        let changed = model.encode_to_vec();
        let (Ok(ours), Ok(theirs)) = (Model::load(&changed), Model::load_float(&changed)) else {
            assert_eq!(operator, "Slice");
            continue;
        };
        // A name makes no difference.
        assert_eq!(ours.is_whole(), operator == "ReduceSum");
        let picture = picture(spec.input, 0);
        assert_eq!(ours.run(&picture).unwrap().embedding, theirs.run(&picture).unwrap().embedding, "{operator}");
    }
}

#[test]
fn far_and_absent_shifts_are_exact() {
    let mut network = network(&spec(2, 4), 60);
    network.groups[0][0].shift.fill((0, 0));
    network.groups[0][1].shift[0] = (-9, 2);
    network.groups[1][0].shift.fill((0, 0));
    assert_exact(&network);
}

#[test]
fn float_networks_are_left_to_tract_with_a_reason() {
    let widths = [(None, Some(4)), (Some(2), None), (None, None)];
    for ((weights, activations), mirrored) in widths.iter().flat_map(|w| [(*w, false), (*w, true)]) {
        let mut spec = NetworkSpec { mirrored, ..spec(2, 4) };
        (spec.bits.weights, spec.bits.linear, spec.bits.activations) = (weights, weights, activations);
        let network = random(&spec, 70).unwrap();
        let model = Model::load(&export::to_onnx(&network, &card(&spec)).unwrap()).unwrap();
        assert!(!model.is_whole());
        let reasons: Vec<&str> = model.plan().iter().filter_map(|l| l.reason.as_deref()).collect();
        let wanted = if activations.is_some() { "weights are float" } else { "no quantised activation" };
        assert!(reasons.iter().any(|r| r.contains(wanted)), "{reasons:#?}");
        let picture = picture(spec.input, 1);
        let (mixed, plain) = (model.run(&picture).unwrap(), plain::evaluate(&network, &picture).unwrap());
        assert_eq!(mixed.logits.len(), plain.logits.len());
        assert!(mixed.logits.iter().zip(&plain.logits).all(|(a, b)| (a - b).abs() < 0.2), "{mixed:?} {plain:?}");
    }
}

/// The file of a network after a change of its graph.
fn changed(network: &Network, change: impl FnOnce(&mut ModelProto)) -> Vec<u8> {
    let mut proto = ModelProto::decode(&export::to_onnx(network, &card(&network.spec)).unwrap()[..]).unwrap();
    change(&mut proto);
    proto.encode_to_vec()
}

/// Puts a node between the node called `before` and its operand `slot`.
fn insert(proto: &mut ModelProto, before: &str, slot: usize, op: &str, operands: &[&str]) {
    let graph = proto.graph.as_mut().unwrap();
    let at = graph.node.iter().position(|n| n.name == before).unwrap();
    let output = format!("{before}.{slot}");
    let old = std::mem::replace(&mut graph.node[at].input[slot], output.clone());
    let input = std::iter::once(old).chain(operands.iter().map(|&o| o.to_owned())).collect();
    graph.node.insert(at, NodeProto { op_type: op.into(), input, output: vec![output], ..NodeProto::default() });
}

fn scalar(name: &str, value: f32) -> TensorProto {
    TensorProto { name: name.into(), data_type: 1, raw_data: value.to_le_bytes().to_vec(), ..TensorProto::default() }
}

/// Holds a file of which parts run in float against tract alone; gives the reasons.
fn assert_mixed(bytes: &[u8], what: &str) -> Vec<String> {
    let (mixed, float) = (Model::load(bytes).unwrap(), Model::load_float(bytes).unwrap());
    assert!(!mixed.is_whole(), "{what}");
    let products = mixed.plan().iter().filter(|l| l.kernel.is_some() && l.operator.ends_with("pointwise")).count();
    assert!(products > 0, "{what}: {:#?}", mixed.plan());
    for number in 0..3 {
        let picture = picture(mixed.card().spec.input, number);
        let (ours, theirs) = (mixed.run(&picture).unwrap(), float.run(&picture).unwrap());
        assert!(ours.logits.iter().zip(&theirs.logits).all(|(a, b)| (a - b).abs() <= 1e-4), "{what}");
        assert_eq!(ours.embedding, theirs.embedding, "{what}");
    }
    mixed.plan().iter().filter_map(|l| l.reason.clone()).collect()
}

#[test]
fn a_graph_of_which_parts_are_unknown_runs_in_both_hands_alike() {
    let network = network(&spec(2, 4), 80);
    // An operator that no L-SSPQ network has, and that leaves levels as they are.
    for (node, slot) in [("R1", 0), ("E1", 0), ("P2", 0), ("S3", 0), ("head", 0), ("linear", 0), ("stem", 0)] {
        let reasons = assert_mixed(&changed(&network, |p| insert(p, node, slot, "Floor", &[])), node);
        assert!(reasons.iter().any(|r| r.contains("Floor is no operator")), "{node}: {reasons:#?}");
    }
    // Weights that are no whole numbers.
    let halves = |p: &mut ModelProto| {
        p.graph.as_mut().unwrap().initializer.push(scalar("quarter", 0.25));
        insert(p, "R2", 1, "Mul", &["quarter"]);
    };
    let reasons = assert_mixed(&changed(&network, halves), "float weights");
    assert!(reasons.iter().any(|r| r.contains("weights are float")), "{reasons:#?}");
}

#[test]
fn an_identity_costs_nothing() {
    let network = network(&spec(2, 4), 81);
    let bytes =
        changed(&network, |p| ["R0", "E1", "P2", "linear"].iter().for_each(|n| insert(p, n, 0, "Identity", &[])));
    let (whole, float) = (Model::load(&bytes).unwrap(), Model::load_float(&bytes).unwrap());
    assert!(whole.is_whole(), "{:#?}", whole.plan());
    let picture = picture(network.spec.input, 2);
    assert_eq!(whole.run(&picture).unwrap().embedding, float.run(&picture).unwrap().embedding);
}

#[test]
fn damaged_files_never_panic() {
    let files = [false, true].map(|mirrored| {
        let spec = NetworkSpec { mirrored, ..spec(3, 4) };
        export::to_onnx(&network(&spec, 90), &card(&spec)).unwrap()
    });
    let mut state = 5_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for number in 0..300 {
        let mut bytes = files[number % 2].clone();
        for _ in 0..=next(3) {
            let place = next(bytes.len());
            bytes[place] ^= 1 << next(8);
        }
        if let Ok(model) = Model::load(&bytes) {
            // It may run or fail, in words.
            let _ = model.run(&picture(model.card().spec.input, 0));
        }
    }
}

#[test]
fn a_profile_has_a_time_for_every_layer() {
    let network = network(&spec(2, 4), 91);
    let model = Model::load(&export::to_onnx(&network, &card(&network.spec)).unwrap()).unwrap();
    let mut ticks = 0.0;
    let picture = picture(network.spec.input, 0);
    let mut clock = || {
        ticks += 1.0;
        ticks
    };
    let (output, times) = model.profile(&picture, &mut clock).unwrap();
    assert_eq!(output, model.run(&picture).unwrap());
    assert_eq!(times.iter().map(|t| t.layer).collect::<Vec<_>>(), (0..model.plan().len()).collect::<Vec<_>>());
    assert!(times.iter().all(|t| t.time == 1.0));
}
