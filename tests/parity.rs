//! The golden answers are those of the native library on the shipped model. `LSSPQ_GOLDEN=write` renews them; the
//! browser tests hold WebAssembly against them.

mod golden;
mod pictures;

use golden::Golden;
use lsspq::Model;
use std::path::Path;

#[test]
fn the_shipped_model_gives_the_golden_answers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (model, file) = (root.join("www/models/cifar10.onnx"), root.join("tests/golden/cifar10.json"));
    let bytes = std::fs::read(&model).expect("www/models/cifar10.onnx is part of the project");
    let answers = Golden::of(&Model::load(&bytes).expect("the shipped model loads"), &pictures::all());
    if std::env::var("LSSPQ_GOLDEN").is_ok_and(|v| v == "write") {
        let text = serde_json::to_string(&answers).unwrap().replace("{\"picture", "\n{\"picture");
        return std::fs::write(&file, text + "\n").unwrap();
    }
    let text = std::fs::read_to_string(&file).expect("tests/golden/cifar10.json is part of the project");
    serde_json::from_str::<Golden>(&text).expect("golden answers are JSON").assert_matches(&answers);
}
