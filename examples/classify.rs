//! Classifies pictures natively and prints what the network says as JSON, one object a picture:
//!
//! ```text
//! cargo run --release --example classify -- www/models/cifar10.onnx www/samples/cat.jpg
//! ```
//!
//! `--rgba WIDTHxHEIGHT FILE` reads raw RGBA pixels instead, one or more pictures of that size after each other. So the
//! page tests can hand over the very pixels that the browser saw.

use lsspq::Model;
use serde_json::json;
use std::error::Error;
use std::process::ExitCode;

/// RGBA pixels of one size, one picture or several after each other.
struct Pictures {
    file: String,
    width: u32,
    height: u32,
    rgba: Vec<u8>,
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    let usage = "usage: classify MODEL (PICTURE | --rgba WIDTHxHEIGHT FILE)...";
    let path = arguments.next().ok_or(usage)?;
    let bytes = std::fs::read(&path).map_err(|e| format!("{path}: {e}"))?;
    let model = Model::load(&bytes).map_err(|e| format!("{path}: {e}"))?;
    let mut answers = Vec::new();
    while let Some(argument) = arguments.next() {
        let pictures = if argument == "--rgba" {
            let size = arguments.next().ok_or(usage)?;
            read_raw(&size, arguments.next().ok_or(usage)?)?
        } else {
            decode(argument)?
        };
        let picture_bytes = pictures.width as usize * pictures.height as usize * 4;
        for rgba in pictures.rgba.chunks(picture_bytes.max(1)) {
            let output = model.run(&model.input(rgba, pictures.width, pictures.height)?)?;
            let predictions = model.predictions(&output, 5);
            answers.push(json!({ "file": pictures.file, "predictions": predictions, "logits": output.logits }));
        }
    }
    println!("{}", serde_json::to_string(&answers)?);
    Ok(())
}

/// A picture in any format that the decoder knows.
fn decode(file: String) -> Result<Pictures, Box<dyn Error>> {
    let picture = image::open(&file).map_err(|e| format!("{file}: {e}"))?.into_rgba8();
    let (width, height) = picture.dimensions();
    Ok(Pictures { file, width, height, rgba: picture.into_raw() })
}

/// Raw pixels; a rest that is no whole picture is an error when it is classified.
fn read_raw(size: &str, file: String) -> Result<Pictures, Box<dyn Error>> {
    let (width, height) = size.split_once('x').ok_or_else(|| format!("--rgba {size}: write WIDTHxHEIGHT"))?;
    let rgba = std::fs::read(&file).map_err(|e| format!("{file}: {e}"))?;
    Ok(Pictures { width: width.parse()?, height: height.parse()?, file, rgba })
}
