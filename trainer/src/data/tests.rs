use super::*;
use crate::fixture::{self, Plan};
use crate::recipe::{Recipe, Validation};
use image::{GrayImage, RgbaImage};
use jpeg_encoder::{ColorType, Encoder};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

fn recipe() -> Recipe {
    Recipe::parse(include_str!("../../tests/fixture/shapes.toml"), "shapes.toml").unwrap()
}

/// A small data set of generated pictures: 16 and 4 a class.
fn shapes() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let shapes = folder.path().join("shapes");
    fixture::write(&shapes, Plan { train: 16, test: 4, side: 32, seed: 1 }).unwrap();
    (folder, shapes)
}

fn refused(recipe: &Recipe, folder: &Path, parts: &[&str]) {
    let error = Dataset::load(recipe, folder).expect_err("must be refused");
    assert_eq!(error.kind(), crate::ErrorKind::Data);
    for part in parts {
        assert!(error.to_string().contains(part), "{part} is not in: {error}");
    }
}

#[test]
fn class_folders_load_sorted_with_their_labels() {
    let (_keep, folder) = shapes();
    let data = Dataset::load(&recipe(), &folder).unwrap();
    assert_eq!(data.train.classes, fixture::CLASSES);
    assert_eq!((data.train.len(), data.test.len()), (64, 16));
    assert_eq!(data.train.labels[..17], [[0; 16].as_slice(), &[1]].concat());
    // PNG files, the even ones, come back exactly as drawn.
    assert_eq!(data.train.picture(18), fixture::picture(1, 2, 32, 1));
    assert_eq!(data.test.picture(0), fixture::picture(0, 16, 32, 1));
    assert_eq!(data.train, Dataset::load(&recipe(), &folder).unwrap().train);
}

#[test]
fn missing_folder_missing_classes_and_empty_class_are_named() {
    let (_keep, folder) = shapes();
    refused(&recipe(), &folder.join("nowhere"), &["no folder", "nowhere"]);
    fs::create_dir(folder.join("train/hexagon")).unwrap();
    fs::write(folder.join("train/hexagon/notes.txt"), "none yet").unwrap();
    refused(&recipe(), &folder, &["1 classes", "hexagon", "no JPEG or PNG"]);
    let empty = TempDir::new().unwrap();
    fs::create_dir(empty.path().join("train")).unwrap();
    refused(&recipe(), empty.path(), &["train holds no classes"]);
}

#[test]
fn classes_that_do_not_agree_are_named() {
    let (_keep, folder) = shapes();
    let mut five = recipe();
    five.network.classes = 5;
    refused(&five, &folder, &["has 4 classes", "network.classes = 5"]);
    fs::rename(folder.join("test/disc"), folder.join("test/disk")).unwrap();
    refused(&recipe(), &folder, &["training split has classes that the test split has not: disc"]);
}

#[test]
fn pictures_without_labels_stand_behind_the_others_and_none_is_held_out() {
    let (_keep, folder) = shapes();
    let mut recipe = recipe();
    let labelled = Dataset::load(&recipe, &folder).unwrap();
    let loose = TempDir::new().unwrap();
    let (own, deeper) = (loose.path().join("b.png"), loose.path().join("a/a/a.png"));
    fs::create_dir_all(deeper.parent().unwrap()).unwrap();
    fs::copy(folder.join("train/disc/00002.png"), &own).unwrap();
    fs::copy(folder.join("train/disc/00006.png"), &deeper).unwrap();
    fs::write(loose.path().join("a/notes.txt"), "none").unwrap();
    let teacher = "[distill]\nteacher = \"none\"\npictures = ";
    let text = format!("{}\n{teacher}{:?}\n", recipe.to_toml(), loose.path().display().to_string());
    recipe = Recipe::parse(&text, "with pictures").unwrap();
    let data = Dataset::load(&recipe, &folder).unwrap();
    assert_eq!((&data.training, &data.validation), (&labelled.training, &labelled.validation));
    assert_eq!((&*data.unlabelled, data.train.len()), (&[64, 65][..], 66));
    assert_eq!(data.learned(), [&*data.training, &[64, 65]].concat());
    assert_eq!(data.train.labels[64..], [UNLABELLED; 2]);
    #[cfg(unix)]
    for link in ["a/up", "a/a/up"] {
        std::os::unix::fs::symlink(loose.path(), loose.path().join(link)).unwrap();
        assert_eq!(Dataset::load(&recipe, &folder).unwrap().train, data.train, "links in a circle");
    }
    for (index, path) in [(64, &own), (65, &deeper)] {
        assert_eq!(data.train.picture(index), decode(&fs::read(path).unwrap(), 32).unwrap());
    }
    for held_out in [data.test.picture(3), data.train.picture(data.validation[1] as usize)] {
        image::save_buffer(&deeper, held_out, 32, 32, image::ColorType::Rgb8).unwrap();
        refused(&recipe, &folder, &["1 of 2 pictures", "test or validation pictures", "a.png", "remove them"]);
    }
    fs::write(&deeper, "no picture").unwrap();
    refused(&recipe, &folder, &["1 of 2 pictures", "a.png"]);
    fs::remove_dir_all(loose.path()).unwrap();
    refused(&recipe, &folder, &["no folder", "distill.pictures"]);
    fs::create_dir_all(loose.path().join("empty")).unwrap();
    refused(&recipe, &folder, &["holds no JPEG or PNG files", "distill.pictures"]);
}

#[test]
fn broken_files_are_named_and_counted() {
    let (_keep, folder) = shapes();
    let jpeg = fs::read(folder.join("train/disc/00001.jpg")).unwrap();
    fs::write(folder.join("train/disc/00001.jpg"), &jpeg[..jpeg.len() - 40]).unwrap();
    fs::write(folder.join("train/disc/00002.png"), "no picture").unwrap();
    fs::write(folder.join("train/disc/00003.jpg"), "").unwrap();
    refused(&recipe(), &folder, &["3 of 64", "00001.jpg", "end is missing", "00002.png", "00003.jpg", "empty"]);
    for index in 4..16 {
        let extension = if index % 2 == 0 { "png" } else { "jpg" };
        fs::write(folder.join(format!("train/disc/{index:05}.{extension}")), "no picture").unwrap();
    }
    refused(&recipe(), &folder, &["15 of 64", "and 10 more"]);
}

#[test]
fn png_that_ends_early_is_broken() {
    let (_keep, folder) = shapes();
    let png = fs::read(folder.join("train/disc/00000.png")).unwrap();
    for length in [10, png.len() / 2, png.len() - 20] {
        assert!(decode(&png[..length], 32).is_err(), "{length} of {} bytes", png.len());
    }
}

#[test]
fn pictures_in_other_formats_are_not_passed_over() {
    let (_keep, folder) = shapes();
    fs::write(folder.join("train/disc/one.WEBP"), "").unwrap();
    refused(&recipe(), &folder, &["1 pictures", "neither JPEG nor PNG", "one.WEBP"]);
}

/// Whether every pixel lies within 4 of `wanted`: JPEG is not exact.
fn all_near(picture: &[u8], wanted: [u8; 3]) -> bool {
    picture.chunks(3).all(|pixel| pixel.iter().zip(wanted).all(|(&a, b)| a.abs_diff(b) <= 4))
}

#[test]
fn grey_and_cmyk_jpeg_become_rgb() {
    let encode = |bytes: &[u8], colour: ColorType| {
        let mut jpeg = Vec::new();
        Encoder::new(&mut jpeg, 95).encode(bytes, 8, 8, colour).unwrap();
        decode(&jpeg, 8).unwrap()
    };
    assert!(all_near(&encode(&[90; 64], ColorType::Luma), [90, 90, 90]));
    // Full yellow and half magenta, no black: red 255, green 127, blue 0. A quarter of black takes a quarter away.
    for colour in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        let orange = encode(&[0, 128, 255, 0].repeat(64), colour);
        assert!(all_near(&orange, [255, 127, 0]), "{colour:?}: {:?}", &orange[..3]);
        let darker = encode(&[0, 128, 255, 64].repeat(64), colour);
        assert!(all_near(&darker, [191, 95, 0]), "{colour:?}: {:?}", &darker[..3]);
    }
}

#[test]
fn transparent_and_grey_png_become_rgb_over_white() {
    let png = |image: image::DynamicImage| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        decode(&bytes.into_inner(), 8).unwrap()
    };
    let half = RgbaImage::from_pixel(8, 8, image::Rgba([200, 0, 0, 51]));
    assert_eq!(png(half.into())[..3], [244, 204, 204]);
    let clear = RgbaImage::from_pixel(8, 8, image::Rgba([0, 0, 0, 0]));
    assert_eq!(png(clear.into())[..3], [255, 255, 255]);
    assert_eq!(png(GrayImage::from_pixel(8, 8, image::Luma([77])).into())[..3], [77, 77, 77]);
}

#[test]
fn other_sizes_are_cropped_to_the_centre_and_resized() {
    // Green in the middle square, red beside it.
    let wide =
        RgbaImage::from_fn(24, 8, |x, _| image::Rgba(if x / 8 == 1 { [0, 255, 0, 255] } else { [255, 0, 0, 255] }));
    let mut bytes = std::io::Cursor::new(Vec::new());
    wide.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    for side in [8, 4, 16] {
        let picture = decode(bytes.get_ref(), side).unwrap();
        assert_eq!(picture.len(), side * side * 3);
        assert!(picture.chunks(3).all(|pixel| pixel == [0, 255, 0]), "{side}");
    }
}

#[test]
fn validation_is_stratified_and_decided_by_the_seed() {
    let pictures = fixture::pictures(20, 0, 8, 1);
    let (training, validation) = split(&pictures, Validation::PerClass(3), 1).unwrap();
    assert_eq!((training.len(), validation.len()), (68, 12));
    for class in 0..4 {
        assert_eq!(validation.iter().filter(|&&i| pictures.labels[i as usize] == class).count(), 3);
    }
    let mut all = [training.clone(), validation.clone()].concat();
    all.sort_unstable();
    assert_eq!(all, (0..80).collect::<Vec<u32>>());
    assert_eq!(split(&pictures, Validation::PerClass(3), 1).unwrap(), (training, validation.clone()));
    assert_ne!(split(&pictures, Validation::PerClass(3), 2).unwrap().1, validation);
    assert_eq!(split(&pictures, Validation::Fraction(0.25), 1).unwrap().1.len(), 20);
    assert_eq!(split(&pictures, Validation::PerClass(0), 1).unwrap().0.len(), 80);
    let error = split(&pictures, Validation::PerClass(20), 1).unwrap_err().to_string();
    assert!(error.contains("class cross") && error.contains("only 20"), "{error}");
}

#[test]
fn batch_larger_than_the_training_split_is_refused() {
    let (_keep, folder) = shapes();
    let mut recipe = recipe();
    recipe.stages[1].batch = 64;
    refused(&recipe, &folder, &["stages[1].batch = 64", "only 56 training pictures"]);
}

/// Tiny-ImageNet's layout with the generated pictures of two classes, labels in the file's order.
fn tiny() -> TempDir {
    let folder = TempDir::new().unwrap();
    let root = folder.path();
    fs::write(root.join("wnids.txt"), "n2\nn1\n").unwrap();
    fs::write(root.join("words.txt"), "n0\tnothing\nn1\tdisc, disk\nn2\tcross\n").unwrap();
    let save = |path: PathBuf, class: usize, index: u32| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let image = image::RgbImage::from_raw(16, 16, fixture::picture(class, index, 16, 1)).unwrap();
        image.save_with_format(path, image::ImageFormat::Png).unwrap();
    };
    for (id, class) in [("n1", 1), ("n2", 0)] {
        for index in 0..3 {
            // The true files are JPEG; the decoder goes by what is inside.
            save(root.join(format!("train/{id}/images/{id}_{index}.JPEG")), class, index);
        }
        fs::write(root.join(format!("train/{id}/{id}_boxes.txt")), "").unwrap();
    }
    save(root.join("val/images/val_0.JPEG"), 1, 3);
    save(root.join("val/images/val_1.JPEG"), 0, 3);
    fs::write(root.join("val/val_annotations.txt"), "val_0.JPEG\tn1\t0\t0\t9\t9\nval_1.JPEG\tn2\t0\t0\t9\t9\n")
        .unwrap();
    folder
}

fn tiny_data() -> Data {
    Data { format: Format::TinyImagenet, ..recipe().data }
}

#[test]
fn tiny_imagenet_layout_loads_with_readable_labels() {
    let folder = tiny();
    let train = Pictures::load(&tiny_data(), folder.path(), Part::Train, 16).unwrap();
    assert_eq!(train.classes, ["cross", "disc"]);
    assert_eq!(train.labels, [0, 0, 0, 1, 1, 1]);
    assert_eq!(train.picture(4), fixture::picture(1, 1, 16, 1));
    let test = Pictures::load(&tiny_data(), folder.path(), Part::Test, 16).unwrap();
    assert_eq!(test.labels, [1, 0]);
    assert_eq!(test.picture(1), fixture::picture(0, 3, 16, 1));
}

#[test]
fn tiny_imagenet_names_what_is_wrong_with_it() {
    let folder = tiny();
    let message = |part| Pictures::load(&tiny_data(), folder.path(), part, 16).unwrap_err().to_string();
    let list = folder.path().join("val/val_annotations.txt");
    fs::write(&list, "val_0.JPEG\tn1\nval_1.JPEG\tn9\n").unwrap();
    assert!(message(Part::Test).contains("line 2: class \"n9\" is not in wnids.txt"), "{}", message(Part::Test));
    fs::write(&list, "val_0.JPEG\tn1\n").unwrap();
    assert!(message(Part::Test).contains("1 classes have no pictures"));
    fs::remove_dir_all(folder.path().join("train/n1/images")).unwrap();
    assert!(message(Part::Train).contains("n1"));
    fs::remove_file(folder.path().join("wnids.txt")).unwrap();
    assert!(message(Part::Train).contains("wnids.txt cannot be read"));
}

/// A record of CIFAR's binary form: all red, green and blue bytes alike.
fn record(labels: &[u8], [r, g, b]: [u8; 3]) -> Vec<u8> {
    [labels, &[r; 1024], &[g; 1024], &[b; 1024]].concat()
}

#[test]
fn cifar_binary_files_load() {
    let data = Data { format: Format::CifarBinary, ..recipe().data };
    let ten = TempDir::new().unwrap();
    fs::write(ten.path().join("batches.meta.txt"), "airplane\nautomobile\n\n").unwrap();
    for batch in 1..=5 {
        fs::write(ten.path().join(format!("data_batch_{batch}.bin")), record(&[batch % 2], [batch, 7, 9])).unwrap();
    }
    fs::write(ten.path().join("test_batch.bin"), record(&[1], [3, 2, 1])).unwrap();
    let train = Pictures::load(&data, ten.path(), Part::Train, 32).unwrap();
    assert_eq!(train.classes, ["airplane", "automobile"]);
    assert_eq!(train.labels, [1, 0, 1, 0, 1]);
    assert_eq!(train.picture(3)[..6], [4, 7, 9, 4, 7, 9]);
    assert_eq!(Pictures::load(&data, ten.path(), Part::Test, 16).unwrap().pixels, [3, 2, 1].repeat(256));

    let hundred = TempDir::new().unwrap();
    fs::write(hundred.path().join("fine_label_names.txt"), "apple\nbaby\nbear\n").unwrap();
    fs::write(hundred.path().join("train.bin"), record(&[9, 2], [5, 6, 7])).unwrap();
    let train = Pictures::load(&data, hundred.path(), Part::Train, 32).unwrap();
    assert_eq!((&*train.labels, train.picture(0)[..3].to_vec()), (&[2][..], vec![5, 6, 7]));
}

#[test]
fn cifar_label_out_of_range_and_cut_off_file_are_named() {
    let data = Data { format: Format::CifarBinary, ..recipe().data };
    let folder = TempDir::new().unwrap();
    let message = || Pictures::load(&data, folder.path(), Part::Test, 32).unwrap_err().to_string();
    assert!(message().contains("batches.meta.txt cannot be read"), "{}", message());
    fs::write(folder.path().join("batches.meta.txt"), "airplane\nautomobile\n").unwrap();
    assert!(message().contains("test_batch.bin cannot be read"));
    let two = [record(&[0], [0; 3]), record(&[2], [0; 3])].concat();
    fs::write(folder.path().join("test_batch.bin"), &two).unwrap();
    assert!(message().contains("test_batch.bin: record 1 has label 2, allowed is 0 to 1"), "{}", message());
    fs::write(folder.path().join("test_batch.bin"), &two[..4000]).unwrap();
    assert!(message().contains("cut off"));
}

/// [`decode`] against the library's own preprocessing of the same pixels.
#[test]
fn a_picture_is_trained_on_as_the_library_sees_it() {
    let drawn = image::RgbImage::from_raw(57, 57, fixture::picture(0, 0, 57, 1)).unwrap();
    let wide = image::imageops::crop_imm(&drawn, 3, 9, 50, 41).to_image();
    let mut png = std::io::Cursor::new(Vec::new());
    wide.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let seen = lsspq::preprocess::input_from_rgba(&lsspq::preprocess::rgba_from_rgb(&wide), 50, 41, 32).unwrap();
    let trained = decode(png.get_ref(), 32).unwrap();
    for (i, pixel) in trained.chunks(3).enumerate() {
        for colour in 0..3 {
            assert_eq!(f32::from(pixel[colour]) / 255.0, seen[colour * 1024 + i]);
        }
    }
}
