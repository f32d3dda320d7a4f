//! The model card as a page of Markdown, for people who look at the file before they use it (Mitchell et al., FAT* 2019).

use crate::inspect::{compressed, thousands};
use crate::recipe::Recipe;
use lsspq::card::{Latency, ModelCard};
use lsspq::metrics::{Metrics, Rate, Rates};
use lsspq::{Error, Model};
use serde::Deserialize;
use std::fmt::Write;

/// Classes in a row of the table of classes, at most: two hundred of them shall not fill ten screens.
const COLUMNS: usize = 4;

/// The card of a model file. `file` is its name.
///
/// # Errors
/// Those of [`Model::load`].
pub fn markdown(bytes: &[u8], file: &str) -> Result<String, Error> {
    let model = Model::load(bytes)?;
    let card = model.card();
    let metrics = model.metrics();
    let mut text = format!("# {}\n\n{}\n", file.trim_end_matches(".onnx"), summary(card));
    let mut section = |title: &str, body: String| {
        if !body.is_empty() {
            // Writing to a string cannot fail, here and below.
            let _ = write!(text, "\n## {title}\n\n{}\n", body.trim_end());
        }
    };
    section("Data and licence", data(card));
    section("Accuracy", accuracy(card, &metrics));
    section("When it is sure", sure(card));
    section("Size and work", sizes(&metrics, bytes));
    section("Speed", card.latency.as_ref().map(speed).unwrap_or_default());
    section("Limits", card.limits.clone());
    section("Accuracy by class", classes(card));
    section("How to make it again", again(card));
    Ok(text)
}

fn summary(card: &ModelCard) -> String {
    let spec = &card.spec;
    let bits = |bits: Option<u8>| bits.map_or("float".to_owned(), |bits| format!("{bits}-bit"));
    let views = match spec.mirrored {
        true => " It looks at each picture and at its mirror image, and answers by the mean of both.",
        false => "",
    };
    format!(
        "`{}` tells {} classes apart on pictures of {side} x {side} pixels: {} weights ({} in the linear layer), {} \
         activations.{views}",
        spec.name,
        spec.classes,
        bits(spec.bits.weights),
        bits(spec.bits.linear),
        bits(spec.bits.activations),
        side = spec.input,
    )
}

fn data(card: &ModelCard) -> String {
    let mut text = format!("- Trained and tested on: {}\n", card.dataset);
    let recipe: Option<toml::Table> = toml::from_str(&card.recipe).ok();
    let said = |key: &str| recipe.as_ref()?.get("data")?.get(key)?.as_str().filter(|said| !said.is_empty());
    for (name, key) in [("Source of the pictures", "source"), ("Licence of the pictures", "licence")] {
        if let Some(said) = said(key) {
            let _ = writeln!(text, "- {name}: {said}");
        }
    }
    for (name, value) in [("Licence of the weights", &card.licence), ("Made by", &card.provenance)] {
        if !value.is_empty() {
            let _ = writeln!(text, "- {name}: {value}");
        }
    }
    text
}

fn accuracy(card: &ModelCard, metrics: &Metrics) -> String {
    let mut text = String::from("| | pictures | top-1 | 95 % interval | top-5 |\n|---|---|---|---|---|\n");
    let mut row = |name: String, rates: &Rates| {
        let Rate { percent, low, high } = rates.top1;
        let (images, top5) = (thousands(rates.images), rates.top5.percent);
        let _ = writeln!(text, "| {name} | {images} | {percent:.2} % | {low:.2} to {high:.2} | {top5:.2} % |");
    };
    if let Some(rates) = &metrics.accuracy {
        row("**this file, test split**".into(), rates);
    }
    if let Some(rates) = &metrics.float_twin_accuracy {
        row("float twin, test split".into(), rates);
    }
    let bits = |bits: Option<u8>| bits.map_or("float".to_owned(), |bits| format!("{bits} bits"));
    let seen = Recipe::parse(&card.recipe, "recipe").is_ok_and(|r| r.start.is_some_and(|start| start.validation_seen));
    let seen = if seen { ", of which some may not be new to the file that it began with" } else { "" };
    for (number, stage) in card.stages.iter().enumerate() {
        if let Some(rates) = stage.validation.and_then(Rates::new) {
            let (epochs, weights, activations) = (stage.epochs, bits(stage.weights), bits(stage.activations));
            let plural = if epochs == 1 { "" } else { "s" };
            let what = format!("{epochs} epoch{plural}, weights {weights}, activations {activations}");
            row(format!("stage {} ({what}), validation{seen}", number + 1), &rates);
        }
    }
    let _ = writeln!(text, "\nGuessing would give {:.2} %.", metrics.chance_percent);
    if let Some(loss) = metrics.loss_points {
        let _ = writeln!(text, "Loss against the float twin: {loss:.2} points.");
    }
    text
}

fn sure(card: &ModelCard) -> String {
    let Some(c) = &card.calibration else { return String::new() };
    let rate = |part: u64, whole: u64| 100.0 * part as f64 / whole.max(1) as f64;
    format!(
        "An answer counts as sure from a probability of {:.3} on. Of {} validation pictures that held for {} ({:.1} %), and \
         {:.1} % of those answers were right; below it the page says that it is not sure.",
        c.threshold,
        thousands(c.images),
        thousands(c.answered),
        rate(c.answered, c.images),
        rate(c.right, c.answered)
    )
}

fn sizes(metrics: &Metrics, bytes: &[u8]) -> String {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let mut text = String::from("| | bytes | MiB |\n|---|---|---|\n");
    for (name, bytes) in [
        ("file as it is served", metrics.size_bytes),
        ("sent compressed (gzip)", compressed(bytes)),
        ("packed weights alone", metrics.weights_bytes),
        ("float twin", metrics.float_twin_bytes),
    ] {
        let _ = writeln!(text, "| {name} | {} | {:.3} |", thousands(bytes), mib(bytes));
    }
    let _ = writeln!(text, "\nMultiply-adds for one picture: {}.", thousands(metrics.multiply_adds));
    if let (Some(density), Some(rates)) = (metrics.information_density, &metrics.accuracy) {
        let _ = writeln!(
            text,
            "Information density: {density:.3}, log10 of {:.2} % over {:.3} MiB; it compares networks on this data set alone.",
            rates.top1.percent, metrics.size_mib
        );
    }
    text
}

fn speed(latency: &Latency) -> String {
    let Latency { median_ms, p95_ms, runs, picture: [width, height], browser, machine } = latency;
    format!(
        "{median_ms:.2} ms a picture (median of {runs}; 95th percentile {p95_ms:.2} ms), from {width} x {height} pixels to \
         probabilities, on one thread.\n\n- Machine: {machine}\n- Browser: {browser}\n\nMeasured by the page's own \
         benchmark."
    )
}

fn classes(card: &ModelCard) -> String {
    let columns = card.classes.len().min(COLUMNS);
    if columns == 0 {
        return String::new();
    }
    let mut text = format!("|{}\n|{}\n", " class | top-1 |".repeat(columns), "---|---|".repeat(columns));
    let cells: Vec<String> = card
        .labels
        .iter()
        .zip(&card.classes)
        .map(|(label, class)| {
            let percent = 100.0 * class.top1 as f64 / class.images.max(1) as f64;
            format!(" {} | {percent:.1} % |", label.replace('|', "\\|"))
        })
        .collect();
    for row in cells.chunks(columns) {
        let missing = " | |".repeat(columns - row.len());
        let _ = writeln!(text, "|{}{missing}", row.concat());
    }
    let least = card.classes.iter().map(|class| class.images).min().unwrap_or_default();
    let _ = writeln!(
        text,
        "\nOn the test split, at least {} pictures a class: a single figure is uncertain by up to {:.0} points.",
        thousands(least),
        // Half the 95 % interval of a share of one half.
        98.0 / (least.max(1) as f64).sqrt()
    );
    text
}

fn again(card: &ModelCard) -> String {
    if card.recipe.is_empty() {
        return String::new();
    }
    format!(
        "Seed {}. {}{}With the recipe below as `recipe.toml` and the pictures in a folder `DIR`:\n\n    lsspq train recipe.toml \
         --data DIR\n\nThe same seed gives the same numbers on the same kind of processor.\n\n```toml\n{}\n```\n",
        card.seed,
        began(&card.recipe).unwrap_or_default(),
        learned_from(&card.recipe).unwrap_or_default(),
        card.recipe.trim_end()
    )
}

/// Which file the run began with, if it did with one.
fn began(recipe: &str) -> Option<String> {
    let recipe: toml::Table = toml::from_str(recipe).ok()?;
    let said = |key: &str| recipe.get("start")?.get(key)?.as_str();
    let sum = said("sha256").map(|sum| format!(" (SHA-256 `{sum}`)")).unwrap_or_default();
    Some(format!("It began with the weights of `{}`{sum}. ", said("from")?))
}

/// Which network the run learned from beside the labels, if it did from one.
fn learned_from(recipe: &str) -> Option<String> {
    let recipe: toml::Table = toml::from_str(recipe).ok()?;
    let said = |key: &str| recipe.get("distill")?.get(key)?.as_str();
    let about = said("about").map(|about| format!(": {}", about.trim_end_matches('.'))).unwrap_or_default();
    Some(format!("Beside the labels it learned from the teacher `{}`{about}. ", said("teacher")?))
}

/// What the page's benchmark copies as JSON.
#[derive(Deserialize)]
struct Benchmark {
    #[serde(default)]
    model: Measured,
    picture: Picture,
    runs: u32,
    milliseconds: Parts,
    browser: String,
    device: Device,
}

#[derive(Default, Deserialize)]
struct Measured {
    /// None where the browser gives none.
    sha256: Option<String>,
}

#[derive(Deserialize)]
struct Picture {
    width: u32,
    height: u32,
}

#[derive(Deserialize)]
struct Parts {
    total: Spread,
}

#[derive(Deserialize)]
struct Spread {
    median: f64,
    p95: f64,
}

#[derive(Deserialize)]
struct Device {
    cores: u32,
}

/// The latency in what the page's benchmark copied of a file with one of those SHA-256 (hexadecimal digits); `machine` says in
/// words where that was, or else the number of cores stands for it.
///
/// # Errors
/// A text that is no such JSON, or one of another file, in words.
pub fn latency(json: &str, sha256: &[&str], machine: Option<&str>) -> Result<Latency, String> {
    let found: Benchmark = serde_json::from_str(json)
        .map_err(|e| format!("no result of the page's benchmark, as its button copies it: {e}"))?;
    let is_other = |other: &String| !sha256.iter().any(|known| other.eq_ignore_ascii_case(known));
    if let Some(other) = found.model.sha256.filter(is_other) {
        let known = sha256.last().unwrap_or(&"");
        return Err(format!("the benchmark measured another file, with SHA-256 {other}: measure this one, {known}"));
    }
    let Spread { median, p95 } = found.milliseconds.total;
    if !(median > 0.0 && p95 >= median) || found.runs == 0 {
        return Err(format!("the benchmark gives a median of {median} ms and a 95th percentile of {p95} ms"));
    }
    Ok(Latency {
        median_ms: median,
        p95_ms: p95,
        runs: found.runs,
        picture: [found.picture.width, found.picture.height],
        browser: found.browser,
        machine: machine.map_or_else(|| format!("{} cores", found.device.cores), str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::random;
    use crate::deploy::random::tests::spec;
    use crate::export::tests::card;
    use crate::export::{from_onnx, to_onnx, with_card};
    use lsspq::calibration::Calibration;
    use lsspq::card::{Accuracy, ClassAccuracy, StageResult};

    const COPIED: &str = r#"{"model": {"name": "x", "sha256": "c0ffee"}, "picture": {"width": 640, "height": 480}, "warmUp": 10, "runs": 100,
        "milliseconds": {"inference": {"median": 1, "p95": 2}, "preprocess": {"median": 0.5, "p95": 0.6},
        "total": {"median": 1.5, "p95": 2.25}}, "browser": "Some/1.0", "device": {"cores": 2, "memoryGiB": null}}"#;

    #[test]
    fn a_full_card_says_everything_and_an_empty_one_leaves_sections_out() {
        let spec = spec(2, 4);
        let bytes = to_onnx(&random(&spec, 1).unwrap(), &card(&spec)).unwrap();
        let plain = markdown(&bytes, "x.onnx").unwrap();
        assert!(plain.starts_with("# x\n"), "{plain}");
        for missing in
            ["## Speed", "## Limits", "## Accuracy by class", "## When it is sure", "## How to make it again"]
        {
            assert!(!plain.contains(missing), "{missing} in {plain}");
        }
        let mut full = card(&spec);
        let validation = Some(Accuracy { images: 400, top1: 300, top5: 390 });
        full.accuracy = Some(Accuracy { images: 1000, top1: 700, top5: 900 });
        full.float_twin = Some(Accuracy { images: 1000, top1: 724, top5: 900 });
        full.classes = vec![ClassAccuracy { images: 100, top1: 71 }; spec.classes];
        full.stages = vec![StageResult { epochs: 7, weights: Some(2), activations: None, validation }];
        full.calibration = Some(Calibration { threshold: 0.625, images: 400, answered: 200, right: 182 });
        full.latency = Some(latency(COPIED, &["c0ffee"], Some("a pocket computer")).unwrap());
        full.limits = "It has never seen a giraffe.".into();
        full.recipe = "name = \"x\"\n[data]\nsource = \"a drawer\"\nlicence = \"CC0-1.0\"\n".into();
        full.seed = 12;
        let text = markdown(&with_card(&bytes, &full).unwrap(), "x.onnx").unwrap();
        for part in [
            "70.00 %",
            "72.40 %",
            "Loss against the float twin: 2.40 points",
            "7 epochs, weights 2 bits, activations float",
            "75.00 %",
            "0.625",
            "200 (50.0 %)",
            "91.0 % of those",
            "1.50 ms",
            "2.25 ms",
            "640 x 480",
            "a pocket computer",
            "Some/1.0",
            "giraffe",
            "a drawer",
            "CC0-1.0",
            "| 71.0 % |",
            "up to 10 points",
            "lsspq train recipe.toml",
            "Seed 12",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        let rows: Vec<usize> =
            text.lines().filter(|l| l.starts_with("| class")).map(|l| l.matches('|').count()).collect();
        assert!(rows.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
    }

    #[test]
    fn another_card_leaves_the_network_as_it_is() {
        let spec = spec(2, 4);
        let network = random(&spec, 1).unwrap();
        let bytes = to_onnx(&network, &card(&spec)).unwrap();
        assert_eq!(with_card(&bytes, &card(&spec)).unwrap(), bytes);
        let changed = ModelCard { limits: "few".into(), ..card(&spec) };
        let (same, read) = from_onnx(&with_card(&bytes, &changed).unwrap()).unwrap();
        assert_eq!((same, read), (network, changed));
        let mut other = card(&spec);
        other.spec.name = "another".into();
        assert!(with_card(&bytes, &other).unwrap_err().to_string().contains("another"));
        assert!(with_card(b"no model", &card(&spec)).is_err());
    }

    #[test]
    fn a_text_that_is_no_benchmark_is_refused() {
        assert_eq!(latency(COPIED, &["C0FFEE"], None).unwrap().machine, "2 cores");
        for broken in ["{}", "", &COPIED.replace("2.25", "1"), &COPIED.replace("\"runs\": 100", "\"runs\": 0")] {
            latency(broken, &["c0ffee"], None).unwrap_err();
        }
        assert!(latency(COPIED, &["decaf"], None).unwrap_err().contains("another file"));
        // A page that is not served securely knows no hash.
        latency(&COPIED.replace("\"c0ffee\"", "null"), &["decaf"], None).unwrap();
    }
}
