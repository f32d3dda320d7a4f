use super::*;

const SHAPES: &str = include_str!("../../tests/fixture/shapes.toml");

fn message(text: &str) -> String {
    Recipe::parse(text, "shapes.toml").expect_err("must be refused").to_string()
}

#[test]
fn shipped_recipes_are_valid() {
    let shipped = [
        ("shapes.toml", SHAPES),
        ("cifar10.toml", include_str!("../../recipes/cifar10.toml")),
        ("sweep.toml", include_str!("../../recipes/sweep.toml")),
    ];
    for (name, text) in shipped {
        Recipe::parse(text, name).unwrap();
    }
}

#[test]
fn recipes_of_peers_are_valid_and_have_the_budget_of_the_shipped_network() {
    let shipped = Recipe::parse(include_str!("../../recipes/cifar10.toml"), "cifar10.toml").unwrap();
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/recipes/peers"));
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let recipe = Recipe::load(&entry.unwrap().path()).unwrap();
        assert_eq!((recipe.epochs(), &recipe.data), (shipped.epochs(), &shipped.data), "{}", recipe.name);
        assert_eq!(Recipe::parse(&recipe.to_toml(), "resolved").unwrap(), recipe);
        count += 1;
    }
    assert_eq!(count, 6);
    assert_eq!(Some(shipped.network), crate::paper::networks::named("l-sspq-c10"));
}

#[test]
fn a_network_is_named_or_spelt_out_and_an_unknown_name_is_answered_with_the_names() {
    let table = SHAPES.split_once("[network]").unwrap().1.split_once("[[stages]]").unwrap();
    let named = |name: &str| {
        let head = SHAPES.split_once("[data]").unwrap();
        format!(
            "network = {name:?}\n{}[data]{}[[stages]]{}",
            head.0,
            head.1.split_once("[network]").unwrap().0,
            table.1
        )
    };
    assert_eq!(Recipe::parse(&named("l-sspq-c10@w2"), "shapes.toml").unwrap().network.bits.weights, Some(2));
    let message = message(&named("l-sspq-c11"));
    assert!(message.contains("l-sspq-c11") && message.contains("mobilenet-v2"), "{message}");
}

#[test]
fn resolved_recipe_reads_back_as_itself() {
    for text in [SHAPES, include_str!("../../recipes/cifar10.toml")] {
        let recipe = Recipe::parse(text, "recipe").unwrap();
        let resolved = recipe.to_toml();
        assert_eq!(Recipe::parse(&resolved, "resolved").unwrap(), recipe, "{resolved}");
    }
}

#[test]
fn resolved_recipe_writes_defaults_out() {
    let text =
        SHAPES.replace("activations = 4\nround", "round").replace("[augment]\ncrop_padding = 2\nflip = true", "");
    let resolved = Recipe::parse(&text, "recipe").unwrap().to_toml();
    for line in ["crop_padding = 4", "weight_decay = 0.0001", "activations = 4\nround_shifts = true", "step_size = 1"] {
        assert!(resolved.contains(line), "{line} is not in\n{resolved}");
    }
}

#[test]
fn unknown_key_is_named_with_file_line_and_what_is_allowed() {
    let text = SHAPES.replace("crop_padding = 2", "crop_pading = 2");
    let message = message(&text);
    for part in ["shapes.toml", "line 18", "crop_pading", "`crop_padding`, `flip`"] {
        assert!(message.contains(part), "{part} is not in\n{message}");
    }
}

#[test]
fn impossible_values_are_named_with_key_and_what_is_allowed() {
    let cases: [(&str, &str, &[&str]); 16] = [
        ("activations = \"float\"", "activations = 9", &["activations = 9", "2 to 8 (bits) or \"float\""]),
        ("activations = \"float\"", "activations = \"half\"", &["half", "2 to 8 (bits) or \"float\""]),
        ("weights = 2", "weights = 9", &["network.bits.weights = 9", "allowed is 1 to 8"]),
        ("batch = 32\nactivations = \"float\"", "batch = 1", &["stages[0].batch = 1", "allowed is 2 to"]),
        ("epochs = 4", "epochs = 0", &["stages[0].epochs = 0", "allowed is 1 to"]),
        ("base_rate = 0.1", "base_rate = -0.1", &["stages[0].schedule.base_rate = -0.1", "more than 0"]),
        ("base_rate = 0.1", "base_rate = nan", &["stages[0].schedule.base_rate = NaN", "more than 0"]),
        ("warmup_interval = 1", "warmup_interval = 5", &["schedule.warmup_interval = 5", "allowed is 0 to 4"]),
        (
            "\"stepped-cosine-compounding\"",
            "\"linear\"",
            &["linear", "`stepped-cosine-compounding` or `cosine-stepped`"],
        ),
        ("\"class-folder\"", "\"zip\"", &["zip", "`class-folder`, `tiny-imagenet`, `cifar-binary`"]),
        ("validation = 0.1", "validation = 0.9", &["validation = 0.9", "0.0 to 0.5"]),
        ("deviation = [0.25,", "deviation = [0.0,", &["data.deviation[0] = 0", "allowed is"]),
        ("crop_padding = 2", "crop_padding = 17", &["augment.crop_padding = 17", "allowed is 0 to 16"]),
        (
            "activations = \"float\"",
            "activations = \"float\"\naugment = { crop_padding = 17 }",
            &["stages[0].augment.crop_padding = 17", "allowed is 0 to 16"],
        ),
        ("seed = 7", "seed = -7", &["seed = -7"]),
        ("name = \"shapes\"", "name = \"../shapes\"", &["name = \"../shapes\"", "letters, digits"]),
    ];
    for (from, to, parts) in cases {
        let text = SHAPES.replacen(from, to, 1);
        assert_ne!(text, SHAPES, "{from} is not in the recipe");
        let message = message(&text);
        for part in ["shapes.toml"].iter().chain(parts) {
            assert!(message.contains(part), "{part} is not in\n{message}");
        }
    }
}

#[test]
fn last_stage_must_end_as_the_network_is_deployed() {
    let message_of = |from: &str, to: &str| message(&SHAPES.replace(from, to));
    assert!(message_of("round_shifts = true", "").contains("stages[1].round_shifts = false: allowed is true"));
    let bits = message_of("activations = 4\nround", "activations = 8\nround");
    assert!(bits.contains("stages[1].activations = 8") && bits.contains("network.bits.activations says, 4"), "{bits}");
}

#[test]
fn flags_replace_seed_and_epochs() {
    let mut recipe = Recipe::parse(SHAPES, "shapes.toml").unwrap();
    recipe.override_with(Some(3), &[2, 1]).unwrap();
    assert_eq!((recipe.seed, recipe.stages[0].epochs, recipe.stages[1].epochs), (3, 2, 1));
    assert!(recipe.override_with(None, &[2]).unwrap_err().to_string().contains("one per stage: 2"));
}

#[test]
fn data_folder_is_looked_for_in_order_and_every_place_is_named() {
    let data = Recipe::parse(SHAPES, "shapes.toml").unwrap().data;
    let (base, beside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let find = |given| data.folder(given, Some(base.path()), Some(beside.path()));
    let message = find(None).unwrap_err().to_string();
    for place in [base.path(), beside.path()] {
        assert!(message.contains(&place.join("shapes").display().to_string()), "{message}");
    }
    std::fs::create_dir(beside.path().join("shapes")).unwrap();
    assert_eq!(find(None).unwrap(), beside.path().join("shapes"));
    std::fs::create_dir(base.path().join("shapes")).unwrap();
    assert_eq!(find(None).unwrap(), base.path().join("shapes"));
    assert_eq!(find(Some(beside.path())).unwrap(), beside.path());
}

#[test]
fn number_of_classes_is_taken_from_the_folder_where_it_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("own.toml");
    let text = include_str!("../../recipes/own-pictures.toml");
    assert!(!text.contains("\nclasses"), "the recipe names a number of classes");
    std::fs::write(&recipe, text).unwrap();
    for class in ["cat", "dog", "horse"] {
        let class = folder.path().join("pictures").join(class);
        std::fs::create_dir_all(&class).unwrap();
        std::fs::write(class.join("1.jpg"), "never decoded").unwrap();
    }
    let own = folder.path().join("pictures");
    let recipe_for = |given: &Path| Recipe::load_for(&recipe, Some(given), None, None);
    assert_eq!(recipe_for(&own).unwrap().network.classes, 3);
    let message = recipe_for(folder.path()).unwrap_err().to_string();
    assert!(message.contains("classes in"), "{message}");
    // A text that is no recipe gets the error of the whole, not one of the folder.
    std::fs::write(&recipe, "name = 1").unwrap();
    assert!(recipe_for(&own).unwrap_err().to_string().contains("own.toml"));
}

#[test]
fn steps_are_learned_by_shift_networks_alone() {
    let parse = |text: &str| {
        let (before, rest) = text.split_at(text.find("[[stages]]").unwrap());
        Recipe::parse(&format!("{before}\n[quantiser]\nweights = \"lsq\"\n\n{rest}"), "the recipe")
    };
    parse(include_str!("../../recipes/cifar10.toml")).unwrap();
    let message = parse(include_str!("../../recipes/peers/resnet20.toml")).unwrap_err().to_string();
    assert!(message.contains("quantiser") && message.contains("shift blocks"), "{message}");
}

#[test]
fn a_stage_trains_on_pictures_of_at_most_full_size_and_none_beside_a_teacher() {
    let parse = |text: String| Recipe::parse(&text, "the recipe").map_err(|e| e.to_string());
    let stage = |line: &str| SHAPES.replacen("batch = 32", &format!("batch = 32\n{line}"), 1);
    assert_eq!(parse(stage("input = 24")).unwrap().stages[0].input, Some(24));
    for side in [7, 33] {
        let message = parse(stage(&format!("input = {side}"))).unwrap_err();
        assert!(message.contains("stages[0].input") && message.contains("8 to 32"), "{message}");
    }
    let taught = format!("{}\n[distill]\nteacher = \"runs/teacher\"\n", stage("input = 24"));
    let message = parse(taught).unwrap_err();
    assert!(message.contains("stages[0].input") && message.contains("teacher"), "{message}");
    let answers = format!("{}\n[distill]\nteacher = \"runs/answers.npy\"\n", stage("input = 24"));
    assert!(parse(answers).unwrap().distill.unwrap().has_answered());
}

#[test]
fn pictures_without_labels_want_a_teacher_that_counts() {
    let parse = |lines: &str| {
        let text = format!("{SHAPES}\n[distill]\nteacher = \"runs/teacher\"\n{lines}\n");
        Recipe::parse(&text, "the recipe").map_err(|e| e.to_string())
    };
    let recipe = parse("pictures = \"more\"").unwrap();
    assert_eq!(recipe.distill.unwrap().pictures.unwrap(), std::path::Path::new("more"));
    let message = parse("pictures = \"more\"\nweight = 0.0").unwrap_err();
    assert!(message.contains("distill.weight") && message.contains("more than 0"), "{message}");
    assert!(parse("pictures = \"\"").unwrap_err().contains("distill.pictures"));
    let shared = parse("pictures = \"/home/ann/more\"").unwrap().to_shared_toml();
    assert!(shared.contains("pictures = \"more\""), "{shared}");
}

#[test]
fn a_shared_recipe_tells_nothing_of_the_folders_of_the_machine() {
    let with = |data: &str, from: &str, teacher: &str| {
        let text = SHAPES.replacen("path = \"shapes\"", &format!("path = \"{data}\""), 1);
        let text = format!("{text}\n[start]\nfrom = \"{from}\"\n[distill]\nteacher = \"{teacher}\"\n");
        Recipe::parse(&text, "the recipe").unwrap()
    };
    let relative = with("pictures/shapes", "runs/before/before.onnx", "runs/teacher");
    assert_eq!(relative.to_shared_toml(), relative.to_toml());
    let absolute = with("/home/ann/pictures/shapes", "/home/ann/before.onnx", "/home/ann/runs/teacher");
    let shared = absolute.to_shared_toml();
    assert!(!shared.contains("/home"), "{shared}");
    assert_eq!(Recipe::parse(&shared, "shared").unwrap(), with("shapes", "before.onnx", "teacher"));
}

#[test]
fn what_is_only_said_of_a_file_may_change_while_its_run_goes_on() {
    let old = Recipe::parse(SHAPES, "shapes.toml").unwrap();
    let changed = |change: fn(&mut Recipe)| {
        let mut recipe = old.clone();
        change(&mut recipe);
        assert_ne!(recipe, old);
        recipe
    };
    let said: [fn(&mut Recipe); 4] = [
        |r| r.limits = "Only shapes.".into(),
        |r| r.licence = "0BSD".into(),
        |r| r.data.licence = "CC0".into(),
        |r| r.data.source = "drawn".into(),
    ];
    for change in said {
        assert!(changed(change).continues(&old, old.stages.len()));
    }
    let learned: [fn(&mut Recipe); 4] = [
        |r| r.seed += 1,
        |r| r.data.path = "elsewhere".into(),
        |r| r.network.mirrored = true,
        |r| r.stages[0].epochs += 1,
    ];
    for change in learned {
        assert!(!changed(change).continues(&old, 1));
    }
    // A stage that has not begun is free, and so is one that is added.
    assert!(changed(|r| r.stages[1].epochs += 1).continues(&old, 1));
    assert!(changed(|r| r.stages.push(r.stages[1].clone())).continues(&old, old.stages.len()));
}
