//! Runs that begin with what was learned before.

use crate::place::{Place, RECIPE, one_epoch_each, printed};
use npyz::WriterBuilder;
use std::fs;

#[test]
fn run_learns_from_answers_that_another_program_gave_to_its_pictures() {
    let place = Place::new();
    assert!(printed(&place, &["pictures", "shapes.toml", "--out", "arrays"]).contains("144 pictures of 32 pixels"));
    let labels = fs::read(place.path("arrays/labels.npy")).unwrap();
    let labels = npyz::NpyFile::new(&labels[..]).unwrap().into_vec::<u16>().unwrap();
    assert_eq!(labels.len(), 144);
    let unseen = ["pictures", "shapes.toml", "--out", "unseen", "--test"];
    assert!(printed(&place, &unseen).contains("unseen: 16 pictures of 32 pixels"));
    // A teacher that is sure of every picture's class, or of the next one.
    let answer = |turn: u16| {
        let file = fs::File::create(place.path("answers.npy")).unwrap();
        let options = npyz::WriteOptions::new().default_dtype().shape(&[144, 4]);
        let mut writer = options.writer(file).begin_nd().unwrap();
        let sure = |label: &u16| (0..4).map(|class| if class == (label + turn) % 4 { 5.0_f32 } else { 0.0 }).collect();
        writer.extend(labels.iter().flat_map(|label| -> Vec<f32> { sure(label) })).unwrap();
        writer.finish().unwrap();
    };
    let smaller =
        RECIPE.replacen("batch = 32", "batch = 32\ninput = 24", 1).replace("flip = true", "flip = true\ncutmix = 1.0");
    let about = "A list that knows everything.";
    place.recipe(&format!("{smaller}\n[distill]\nteacher = \"answers.npy\"\nabout = \"{about}\"\nweight = 1.0\n"));
    let train = ["train", "shapes.toml", "--epochs", "1,1", "--plain", "--overwrite"];
    answer(1);
    place.refused(&train, 2, &["distill.teacher", "answers.npy", "another order"]);
    answer(0);
    assert!(printed(&place, &train).contains("shapes.onnx"));
    assert!(printed(&place, &["publish", "runs/shapes", "--models", "models"]).contains("shapes"));
    let card = fs::read_to_string(place.path("models/shapes.md")).unwrap();
    assert!(card.contains("learned from the teacher `answers.npy`: A list that knows everything. With"), "{card}");
}

#[test]
fn run_learns_from_answers_to_its_pictures_as_each_epoch_alters_them() {
    let place = Place::new();
    one_epoch_each(&place);
    let altered = ["pictures", "shapes.toml", "--out", "altered", "--altered"];
    assert!(printed(&place, &altered).contains("altered: 144 pictures of 32 pixels in each of 2 epochs"));
    let shape = |name: &str| {
        let bytes = fs::read(place.path("altered").join(name)).unwrap();
        npyz::NpyFile::new(&bytes[..]).unwrap().shape().to_vec()
    };
    assert_eq!((shape("pictures.npy"), shape("labels.npy")), (vec![2, 144, 32, 32, 3], vec![144]));
    place.refused(&["pictures", "shapes.toml", "--out", "altered", "--altered", "--test"], 2, &["--altered", "--test"]);
    let labels = fs::read(place.path("altered/labels.npy")).unwrap();
    let labels = npyz::NpyFile::new(&labels[..]).unwrap().into_vec::<u16>().unwrap();
    let answer = |epochs: usize| {
        let file = fs::File::create(place.path("answers.npy")).unwrap();
        let options = npyz::WriteOptions::new().default_dtype().shape(&[epochs as u64, 144, 4]);
        let mut writer = options.writer(file).begin_nd().unwrap();
        let sure = |label: &u16| (0..4).map(|class| if class == *label { 5.0_f32 } else { 0.0 }).collect::<Vec<_>>();
        writer.extend(labels.repeat(epochs).iter().flat_map(sure)).unwrap();
        writer.finish().unwrap();
    };
    let recipe = fs::read_to_string(place.path("shapes.toml")).unwrap();
    place.recipe(&format!("{recipe}\n[distill]\nteacher = \"answers.npy\"\nweight = 1.0\n"));
    answer(1);
    place.refused(&["train", "shapes.toml", "--plain"], 2, &["distill.teacher", "1 epochs", "--altered"]);
    answer(2);
    assert!(printed(&place, &["train", "shapes.toml", "--plain"]).contains("shapes.onnx"));
}

#[test]
fn run_begins_with_the_weights_of_a_file_and_goes_on_without_it() {
    let place = Place::new();
    one_epoch_each(&place);
    printed(&place, &["train", "shapes.toml", "--plain"]);
    fs::rename(place.path("runs/shapes/shapes.onnx"), place.path("file.onnx")).unwrap();

    // The network is that of the file, but for the classes, which are fewer.
    let (start, rest) = RECIPE.split_once("[network]").unwrap();
    let stages = &rest[rest.find("[[stages]]").unwrap()..];
    place.recipe(&format!(
        "{start}{}",
        stages.replace("epochs = 4", "epochs = 1").replace("warmup_interval = 1", "warmup_interval = 0")
    ));
    for split in ["train", "test"] {
        fs::remove_dir_all(place.path(&format!("shapes/{split}/disc"))).unwrap();
    }
    place.refused(&["train", "shapes.toml", "--out", "runs/b"], 2, &["shapes.toml", "missing field `network`"]);
    let train = ["train", "shapes.toml", "--from", "file.onnx", "--plain", "--out", "runs/b"];
    let recipe = printed(&place, &[&train[..4], &["--dry-run"]].concat());
    // With a class fewer, other pictures are held out than those that the file never saw.
    let seen = "validation_seen = true";
    for part in ["[start]", "from = \"file.onnx\"", "sha256 = \"", "classes = 3", "name = \"l-sspq-shapes\"", seen] {
        assert!(recipe.contains(part), "{part} is not in: {recipe}");
    }
    printed(&place, &train);
    let card = fs::read_to_string(place.path("runs/b/shapes.md")).unwrap();
    assert!(card.contains("may not be new to the file") && !card.contains("When it is sure"), "{card}");
    let shown = printed(&place, &["inspect", "runs/b/shapes.onnx"]);
    assert!(shown.contains("l-sspq-shapes: 32 x 32 pixels, 3 classes"), "{shown}");

    // A run that has begun needs the file no more, but where it is another one it says so.
    let mut more = fs::read_to_string(place.path("runs/b/recipe.toml")).unwrap();
    more.push_str(&stages[stages.rfind("[[stages]]").unwrap()..].replace("epochs = 2", "epochs = 1"));
    place.recipe(&more);
    fs::rename(place.path("file.onnx"), place.path("away.onnx")).unwrap();
    let text = printed(&place, &["train", "shapes.toml", "--resume", "--plain", "--out", "runs/b"]);
    assert!(text.contains("epoch   4/4"), "{text}");
    fs::copy(place.path("runs/b/shapes.onnx"), place.path("file.onnx")).unwrap();
    place.refused(&["train", "shapes.toml", "--out", "runs/c"], 2, &["start.from = \"file.onnx\"", "its sum is"]);
    place.refused(
        &["train", "shapes.toml", "--from", "nowhere.onnx", "--out", "runs/c"],
        2,
        &["start.from = \"nowhere.onnx\""],
    );
    place.refused(&["train", "shapes.toml", "--from", "runs/b", "--out", "runs/c"], 2, &["runs/b", "lsspq export RUN"]);
    fs::write(place.path("text.onnx"), "no network").unwrap();
    printed(&place, &["export", "--network", "mobilenet-v2@cifar10@x0.25", "--out", "mobile.onnx"]);
    printed(&place, &["export", "--network", "l-sspq34-cifar100", "--out", "random.onnx"]);
    let from = |file, parts: &[&str]| {
        place.refused(&["train", "shapes.toml", "--from", file, "--out", "runs/c"], 2, parts);
    };
    from("text.onnx", &["start.from = \"text.onnx\""]);
    from("mobile.onnx", &["mobilenet-v2-cifar10-x0.25 is no network of shift blocks"]);
    from("random.onnx", &["another stem than the recipe's", "leave [network] out"]);
    place.recipe(&format!("{start}{stages}").replace("activations = 4", "activations = 8"));
    from("random.onnx", &["it was never trained"]);
    assert!(!place.path("runs/c").exists(), "a refused run left a folder");
}
