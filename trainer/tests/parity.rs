//! One file, three engines, one answer: the trainer's own evaluator on the network read from a file, the native library
//! and onnxruntime (where `LSSPQ_PYTHON` names a Python that has it; `cargo xtask test` sets it) agree on the first
//! class of every picture and on the logits to a tolerance.
//!
//! Pictures are real where `LSSPQ_DATA` names the folder of the data sets, drawn by rule otherwise; some have another
//! size than the network's input. What was shown and what came out is left in the folder `LSSPQ_PARITY` (or cargo's for
//! temporary files), for the browser's tests to be held to the same:
//!
//! - `parity.json`: `{"tolerance": T, "pictures": [[width, height], ...], "models": ["NAME", ...]}`
//! - `pictures.rgba`: the pixels of all pictures, one after the other
//! - `NAME.onnx` and `NAME.logits`: a model, and the native library's logits as little-endian float32
//!   `[pictures][classes]`

use lsspq::spec::{Activation, Bits, BlockKind, Group, Head, NetworkSpec, Stem};
use lsspq::{Model, ModelCard};
use lsspq_trainer::deploy::{Network, fast::Fast, random};
use lsspq_trainer::paper::networks;
use lsspq_trainer::{data, export, fixture};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Pictures shown.
const PICTURES: usize = 240;

/// Logits may differ by this much. Sums of whole numbers are exact in every engine, the stem's too, and the rest is the
/// same few operations; only where weights or activations are float does the order of sums show.
const TOLERANCE: f32 = 1e-3;

struct Picture {
    rgba: Vec<u8>,
    width: u32,
    height: u32,
}

#[test]
fn every_engine_says_the_same() {
    let (pictures, origin) = real().map_or_else(|| (drawn(), "drawn"), |real| (real, "real"));
    let folder = std::env::var_os("LSSPQ_PARITY").map_or_else(temporary, PathBuf::from);
    fs::create_dir_all(&folder).unwrap();
    let mut names = Vec::new();
    for (name, bytes) in models(&pictures) {
        let library = native(&bytes, &pictures);
        let (network, _) = export::from_onnx(&bytes).unwrap();
        let inputs = inputs(&bytes, &pictures);
        let trainer = Fast::new(&network).unwrap().evaluate(&inputs).unwrap().logits;
        let classes = network.spec.classes;
        agree(&format!("{name}: trainer and library"), classes, &trainer, &library);
        let model = folder.join(format!("{name}.onnx"));
        fs::write(&model, &bytes).unwrap();
        fs::write(folder.join(format!("{name}.logits")), raw(&library)).unwrap();
        match onnxruntime(&model, &inputs) {
            Some(logits) => agree(&format!("{name}: trainer and onnxruntime"), classes, &trainer, &logits),
            None => eprintln!("SKIPPED: {name} in onnxruntime, LSSPQ_PYTHON is not set (`cargo xtask test` sets it)"),
        }
        eprintln!("{name}: {} {origin} pictures agree", pictures.len());
        names.push(name);
    }
    let pixels: Vec<u8> = pictures.iter().flat_map(|p| p.rgba.iter().copied()).collect();
    fs::write(folder.join("pictures.rgba"), pixels).unwrap();
    let sizes: Vec<[u32; 2]> = pictures.iter().map(|p| [p.width, p.height]).collect();
    let about = serde_json::json!({ "tolerance": TOLERANCE, "pictures": sizes, "models": names });
    fs::write(folder.join("parity.json"), about.to_string()).unwrap();
}

/// The published network at its full size, with random weights: the file that is served is no larger than claimed, and runs
/// everywhere alike.
#[test]
fn l_sspq50_says_the_same_in_every_engine_at_224_pixels() {
    let draw = |number: usize| {
        let rgb = fixture::picture(number % fixture::CLASSES.len(), number as u32, 224, 2);
        Picture { rgba: lsspq::preprocess::rgba_from_rgb(&rgb), width: 224, height: 224 }
    };
    let pictures: Vec<Picture> = (0..6).map(draw).collect();
    for bits in [1, 2, 4] {
        let mut spec = networks::named("l-sspq50").unwrap();
        (spec.bits.weights, spec.bits.linear) = (Some(bits), Some(bits));
        let name = format!("l-sspq50-w{bits}");
        let mut network = random(&spec, 1).unwrap();
        let bytes = export::to_onnx(&network, &card(&spec)).unwrap();
        let inputs = inputs(&bytes, &pictures);
        spread(&mut network, &inputs);
        let bytes = export::to_onnx(&network, &card(&spec)).unwrap();
        let mib = bytes.len() as f64 / f64::from(1 << 20);
        eprintln!("{name}: {} bytes, {mib:.3} MiB", bytes.len());
        assert!(bits > 2 || mib <= 3.55, "{name} is served in {mib:.3} MiB");
        let library = native(&bytes, &pictures);
        let trainer = Fast::new(&network).unwrap().evaluate(&inputs).unwrap().logits;
        agree(&format!("{name}: trainer and library"), 1000, &trainer, &library);
        let model = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.onnx"));
        fs::write(&model, &bytes).unwrap();
        match onnxruntime(&model, &inputs) {
            Some(logits) => agree(&format!("{name}: trainer and onnxruntime"), 1000, &trainer, &logits),
            None => eprintln!("SKIPPED: {name} in onnxruntime, LSSPQ_PYTHON is not set (`cargo xtask test` sets it)"),
        }
    }
}

fn temporary() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("parity")
}

/// Random networks of several widths of weights and activations, and every model that the page ships.
fn models(pictures: &[Picture]) -> Vec<(String, Vec<u8>)> {
    let mut models = Vec::new();
    let widths = [(Some(1), Some(4)), (Some(2), Some(4)), (Some(3), Some(3)), (Some(4), Some(4)), (Some(8), Some(6))];
    for (seed, (weights, activations)) in widths.into_iter().chain([(Some(2), None), (None, None)]).enumerate() {
        let spec = spec(weights, activations);
        let card = card(&spec);
        let mut network = random(&spec, seed as u64).unwrap();
        let bytes = export::to_onnx(&network, &card).unwrap();
        spread(&mut network, &inputs(&bytes, pictures));
        models.push((spec.name.clone(), export::to_onnx(&network, &card).unwrap()));
        if weights == Some(2) {
            network.spec.mirrored = true;
            let card = ModelCard { spec: network.spec.clone(), ..card };
            models.push((format!("{}-mirrored", spec.name), export::to_onnx(&network, &card).unwrap()));
        }
    }
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../www/models");
    let mut files: Vec<PathBuf> = fs::read_dir(shipped).into_iter().flatten().map(|e| e.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "onnx")) {
        let name = format!("shipped-{}", file.file_stem().unwrap().to_str().unwrap());
        models.push((name, fs::read(file).unwrap()));
    }
    models
}

fn spec(weights: Option<u8>, activations: Option<u8>) -> NetworkSpec {
    let group = |width, stride, expansion| Group {
        width,
        blocks: 2,
        stride,
        expansion,
        weight_bits: None,
        block: BlockKind::Shift {},
    };
    let name = |bits: Option<u8>| bits.map_or("float".into(), |b| b.to_string());
    NetworkSpec {
        name: format!("random-w{}-a{}", name(weights), name(activations)),
        input: 32,
        classes: 10,
        stem: Stem { kernel: 3, channels: 24, stride: 1, pool: false },
        groups: vec![group(24, 1, 1), group(20, 2, 4), group(33, 2, 2)],
        head: Some(Head { channels: 64, features: None }),
        bits: Bits { weights, linear: weights, activations },
        activation: Activation::Clip,
        mirrored: false,
    }
}

fn card(spec: &NetworkSpec) -> ModelCard {
    let labels = (0..spec.classes).map(|class| format!("class {class}")).collect();
    ModelCard { provenance: "random weights, for tests".into(), ..ModelCard::new(spec.clone(), labels, "none") }
}

/// Shifts and stretches the logits of a random network so that every class wins now and then: one that gives the same
/// class for every picture would agree with anything.
fn spread(network: &mut Network, inputs: &[f32]) {
    let logits = Fast::new(network).unwrap().evaluate(inputs).unwrap().logits;
    let classes = network.spec.classes;
    let count = (logits.len() / classes) as f32;
    for class in 0..classes {
        let own = || logits.iter().skip(class).step_by(classes);
        let mean = own().sum::<f32>() / count;
        let deviation = (own().map(|l| (l - mean).powi(2)).sum::<f32>() / count).sqrt().max(1e-6);
        let affine = &mut network.linear.affine;
        affine.scale[class] *= 2.0 / deviation;
        affine.bias[class] = (affine.bias[class] - mean) * 2.0 / deviation;
    }
}

/// The pictures as the library prepares them, `[picture][3][side][side]`.
fn inputs(bytes: &[u8], pictures: &[Picture]) -> Vec<f32> {
    let model = Model::load(bytes).unwrap();
    pictures.iter().flat_map(|p| model.input(&p.rgba, p.width, p.height).unwrap()).collect()
}

fn native(bytes: &[u8], pictures: &[Picture]) -> Vec<f32> {
    let model = Model::load(bytes).unwrap();
    let logits = |p: &Picture| model.run(&model.input(&p.rgba, p.width, p.height).unwrap()).unwrap().logits;
    pictures.iter().flat_map(logits).collect()
}

/// Logits of onnxruntime, after the onnx checker has passed the file; none where no Python is named.
fn onnxruntime(model: &Path, inputs: &[f32]) -> Option<Vec<f32>> {
    let python = std::env::var_os("LSSPQ_PYTHON")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/python/check_onnx.py");
    let (input, output) = (model.with_extension("inputs"), model.with_extension("onnxruntime"));
    fs::write(&input, raw(inputs)).unwrap();
    let status = Command::new(python).arg(script).args([model, &input, &output]).status().unwrap();
    assert!(status.success(), "{}: check_onnx.py failed", model.display());
    let logits = fs::read(&output).unwrap();
    fs::remove_file(&input).unwrap();
    fs::remove_file(&output).unwrap();
    Some(logits.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect())
}

/// The same first class and logits within the tolerance for every picture.
fn agree(what: &str, classes: usize, a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len(), "{what}");
    let (mut largest, mut winners) = (0_f32, vec![0; classes]);
    for (picture, (a, b)) in a.chunks(classes).zip(b.chunks(classes)).enumerate() {
        assert_eq!(first(a), first(b), "{what}: picture {picture}: {a:?} {b:?}");
        winners[first(a)] += 1;
        let difference = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        largest = largest.max(difference);
    }
    eprintln!("{what}: logits differ by {largest:e} at most");
    assert!(largest <= TOLERANCE, "{what}: a logit differs by {largest}, more than {TOLERANCE}");
    assert!(winners.iter().filter(|&&count| count > 0).count() > 1, "{what}: every picture is the same class");
}

fn first(logits: &[f32]) -> usize {
    (0..logits.len()).rev().max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap()
}

fn raw(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// The first test pictures of every class of CIFAR-10 (JPEG).
fn real() -> Option<Vec<Picture>> {
    let folder = PathBuf::from(std::env::var_os("LSSPQ_DATA")?).join("cifar10-images/test");
    let sorted = |folder: &Path| {
        let entries =
            fs::read_dir(folder).unwrap_or_else(|e| panic!("LSSPQ_DATA is set, but {}: {e}", folder.display()));
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let classes = sorted(&folder);
    let files = classes.iter().flat_map(|class| sorted(class).into_iter().take(PICTURES.div_ceil(classes.len())));
    let picture = |file: PathBuf| {
        let rgb = data::decode(&fs::read(file).unwrap(), 32).unwrap();
        Picture { rgba: lsspq::preprocess::rgba_from_rgb(&rgb), width: 32, height: 32 }
    };
    Some(files.map(picture).collect())
}

/// Pictures drawn by rule, square ones and cut ones of several sizes.
fn drawn() -> Vec<Picture> {
    let picture = |number: usize| {
        let side = [32, 32, 48, 75][number % 4];
        let rgb = fixture::picture(number / 4 % fixture::CLASSES.len(), number as u32, side, 1);
        // Every fourth loses its lower half.
        let height = if number % 4 == 3 { side / 2 } else { side };
        let rgba = lsspq::preprocess::rgba_from_rgb(&rgb[..side * height * 3]);
        Picture { rgba, width: side as u32, height: height as u32 }
    };
    (0..PICTURES).map(picture).collect()
}
