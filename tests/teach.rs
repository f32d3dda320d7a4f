//! Teaching on the embeddings of the shipped model.

mod common;
mod pictures;

use image::imageops::{FilterType, crop_imm, resize};
use lsspq::teach::{HeadKind, Teacher};
use lsspq::{ErrorKind, Model};
use std::path::Path;

fn model() -> Model {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/models/cifar10.onnx");
    Model::load(&std::fs::read(path).unwrap()).unwrap()
}

/// The embedding of a photograph as a hand-held camera would see it: each `number` is another window, and another light.
fn seen(model: &Model, photograph: &pictures::Picture, number: u32) -> Vec<f32> {
    let whole = image::RgbaImage::from_raw(photograph.width, photograph.height, photograph.rgba.clone()).unwrap();
    let side = whole.width().min(whole.height());
    let window = side - side * (number % 5) / 20;
    let (left, top) = ((whole.width() - window) * (number % 3) / 2, (whole.height() - window) * (number % 4) / 3);
    let mut view = resize(&crop_imm(&whole, left, top, window, window).to_image(), 64, 64, FilterType::Triangle);
    let light = 85 + number * 7 % 31;
    view.pixels_mut().flat_map(|p| &mut p.0[..3]).for_each(|v| *v = (u32::from(*v) * light / 100).min(255) as u8);
    model.embed(&view, 64, 64).unwrap()
}

/// Three photographs, each taught under its name with views of even numbers; how many views of odd numbers are recognised of 30.
fn recognised(model: &Model, each: u32) -> (Teacher, usize) {
    let photographs: Vec<_> = pictures::all().into_iter().take(3).collect();
    let mut teacher = Teacher::new(model);
    for photograph in &photographs {
        let class = teacher.add_class(&photograph.name).unwrap();
        for number in 0..each {
            teacher.add(class, &seen(model, photograph, 2 * number), number > 0).unwrap();
        }
    }
    teacher.train();
    let right = |class: usize, number: u32| {
        let found = teacher.predict(&seen(model, &photographs[class], 2 * number + 1), 1).unwrap();
        found[0].index == class && found[0].label == photographs[class].name
    };
    let right =
        (0..3).flat_map(|class| (0..10).map(move |number| (class, number))).filter(|&(c, n)| right(c, n)).count();
    (teacher, right)
}

#[test]
fn photographs_are_recognised_from_a_few_views_of_each() {
    let model = model();
    let (teacher, right) = recognised(&model, 4);
    assert_eq!(teacher.head().unwrap().kind(), HeadKind::NearestMean);
    assert!(right >= 28, "{right} of 30");
    let (teacher, right) = recognised(&model, 12);
    assert_eq!(teacher.head().unwrap().kind(), HeadKind::Logistic);
    assert!(right >= 29, "{right} of 30");
    let held_out = teacher.held_out().unwrap();
    assert_eq!(held_out.pictures(), 36);
    assert!(held_out.right() >= 34, "{held_out:?}");
}

#[test]
fn the_file_is_small_and_only_for_the_model_it_was_taught_to() {
    let model = model();
    let (mut teacher, _) = recognised(&model, 10);
    let bytes = teacher.to_bytes();
    // 30 pictures of 256 features in half precision, and a head of 3 classes in float.
    assert!(bytes.len() < 30 * 256 * 2 + 3 * 257 * 4 + 150, "{} bytes", bytes.len());
    let opened = Teacher::from_bytes(&model, &bytes).unwrap();
    let embedding = seen(&model, &pictures::generated(3), 1);
    assert_eq!(opened.predict(&embedding, 3).unwrap(), teacher.predict(&embedding, 3).unwrap());
    let other = Model::load(&common::colours()).unwrap();
    assert_eq!(Teacher::from_bytes(&other, &bytes).unwrap_err().kind(), ErrorKind::OtherModel);
    assert_ne!(other.sha256(), model.sha256());
}

#[test]
fn classes_of_real_pictures_are_told_apart_after_fifteen_of_each() {
    let Some(folder) = std::env::var_os("LSSPQ_DATA") else {
        eprintln!("skipped: LSSPQ_DATA is not set");
        return;
    };
    let model = model();
    let embeddings = |class: &str| -> Vec<Vec<f32>> {
        let folder = Path::new(&folder).join("cifar10-images/test").join(class);
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let decoded = files.iter().take(75).map(|file| image::open(file).unwrap().into_rgba8());
        decoded.map(|p| model.embed(&p, p.width(), p.height()).unwrap()).collect()
    };
    let classes = ["frog", "ship", "horse"].map(embeddings);
    let mut teacher = Teacher::new(&model);
    for (class, all) in classes.iter().enumerate() {
        teacher.add_class(&format!("class {class}")).unwrap();
        all[..15].iter().for_each(|embedding| drop(teacher.add(class, embedding, true)));
    }
    teacher.train();
    let first = |embedding: &[f32]| teacher.predict(embedding, 1).unwrap()[0].index;
    let right: usize = (0..3).map(|class| classes[class][15..].iter().filter(|e| first(e) == class).count()).sum();
    eprintln!("{right} of 180 right after 15 pictures of each class; held out: {:?}", teacher.held_out());
    // Guessing gives 60.
    assert!(right >= 160, "{right} of 180");
    let held_out = teacher.held_out().unwrap();
    assert!(held_out.pictures() == 45 && held_out.right() >= 38, "{held_out:?}");
}
