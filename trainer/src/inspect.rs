//! What a network is made of and what it weighs, as text for people.

mod sizes;
mod stages;

pub use sizes::{before_training, compressed, sizes};
pub use stages::stages;

use lsspq::metrics::{Metrics, Rates};
use lsspq::size::{Layer, LayerKind, Totals, layers};
use lsspq::spec::NetworkSpec;
use lsspq::{Error, Model};
use std::fmt::Write;

/// The layers of a network with their shapes, weights, bits, bytes and multiply-adds, and the sums over them.
pub fn network(spec: &NetworkSpec) -> String {
    let mut rows = vec![["layer", "channels", "map", "weights", "bits", "bytes", "multiply-adds"].map(String::from)];
    rows.extend(layers(spec).iter().filter(|l| l.kind != LayerKind::Norm).map(row));
    let totals = Totals::of(spec);
    rows.push([
        "total".into(),
        String::new(),
        String::new(),
        thousands(totals.weights),
        String::new(),
        thousands(totals.weights_bytes),
        thousands(totals.multiply_adds),
    ]);
    let side = spec.input;
    let twice = if spec.mirrored { ", as they are and mirrored" } else { "" };
    let mut text = format!("{}: {side} x {side} pixels{twice}, {} classes\n\n", spec.name, spec.classes);
    text += &table(&rows, &[0, 1, 2]);
    let twin = totals.float_twin_bytes;
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(text, "\nfloat twin: {} bytes ({:.3} MiB)", thousands(twin), mib(twin));
    text
}

/// [`network`] for a model file, how each layer runs, and what its card says: data set, accuracy, size, density.
///
/// # Errors
/// Those of [`Model::load`].
pub fn file(bytes: &[u8]) -> Result<String, Error> {
    let model = Model::load(bytes)?;
    let (card, metrics) = (model.card(), model.metrics());
    let mut text = network(&card.spec);
    let _ = writeln!(text, "{}\n{}", plan(&model), figures(&metrics));
    for (number, stage) in card.stages.iter().enumerate() {
        let bits = |bits: Option<u8>| bits.map_or("float".into(), |b| format!("{b}-bit"));
        let (weights, activations) = (bits(stage.weights), bits(stage.activations));
        let _ =
            write!(text, "stage {}: {} epochs, {weights} weights, {activations} activations", number + 1, stage.epochs);
        let rates = stage.validation.and_then(Rates::new);
        let _ = writeln!(text, "{}", rates.map_or(String::new(), |r| format!(", top-1 {}", percent(&r))));
    }
    for (name, value) in [("licence", &card.licence), ("provenance", &card.provenance)] {
        if !value.is_empty() {
            let _ = writeln!(text, "{name}: {value}");
        }
    }
    let _ = writeln!(text, "classes: {}", card.labels.join(", "));
    Ok(text)
}

/// How every layer of a file runs: the kernel that computes it in whole numbers, or why it runs in float.
fn plan(model: &Model) -> String {
    let mut rows = vec![["runs", "as", "by"].map(String::from)];
    rows.extend(model.plan().iter().map(|layer| {
        let by = match (&layer.kernel, &layer.reason) {
            (Some(kernel), _) => kernel.clone(),
            (None, Some(reason)) => format!("float: {reason}"),
            (None, None) => "float".into(),
        };
        [layer.name.clone(), layer.operator.clone(), by]
    }));
    let float = model.plan().iter().filter(|layer| layer.kernel.is_none()).count();
    let steps = model.plan().len();
    let sum = match (model.is_whole(), float) {
        (true, _) => format!("whole numbers throughout, in {steps} steps"),
        (false, _) if float < steps => {
            format!("whole numbers in {} steps of {steps}, the others in float", steps - float)
        }
        _ => "float throughout".into(),
    };
    format!("{}runs in {sum}\n", table(&rows, &[0, 1, 2]))
}

/// The figures of a file; density stands beside accuracy, size, data set and chance level or not at all.
fn figures(m: &Metrics) -> String {
    let mut text = format!(
        "file: {} bytes ({:.3} MiB), {:.1} times smaller than the float twin\n",
        thousands(m.size_bytes),
        m.size_mib,
        m.float_twin_ratio
    );
    let _ = writeln!(text, "data set: {} (guessing: {:.2} %)", m.dataset, m.chance_percent);
    match &m.accuracy {
        Some(rates) => {
            let _ = writeln!(text, "top-1: {}; top-5: {:.2} %", percent(rates), rates.top5.percent);
        }
        None => text += "top-1: not measured\n",
    }
    if let Some(rates) = &m.float_twin_accuracy {
        let loss = m.loss_points.unwrap_or_default();
        let _ = writeln!(text, "float twin: top-1 {}; loss {loss:.2} points", percent(rates));
    }
    if let (Some(density), Some(rates)) = (m.information_density, &m.accuracy) {
        let (top1, size, data, chance) = (rates.top1.percent, m.size_mib, &m.dataset, m.chance_percent);
        let _ = writeln!(
            text,
            "information density: {density:.3} (log10 of {top1:.2} % / {size:.3} MiB; {data}, chance {chance:.2} %)"
        );
    }
    text
}

fn percent(rates: &Rates) -> String {
    let top1 = rates.top1;
    format!("{:.2} % (95 %: {:.2} to {:.2}) of {} pictures", top1.percent, top1.low, top1.high, rates.images)
}

fn row(layer: &Layer) -> [String; 7] {
    let map = if layer.side_in == layer.side_out {
        format!("{0}x{0}", layer.side_in)
    } else {
        format!("{0}x{0} -> {1}x{1}", layer.side_in, layer.side_out)
    };
    let weighted = |text: String| if layer.weights > 0 { text } else { String::new() };
    [
        layer.name.clone(),
        format!("{} -> {}", layer.input, layer.output),
        map,
        weighted(thousands(layer.weights)),
        weighted(layer.bits.map_or("float".into(), |b| b.to_string())),
        weighted(thousands(layer.weights_bytes())),
        weighted(thousands(layer.multiply_adds)),
    ]
}

/// Columns as wide as their widest cell, those named to the left, the others to the right.
pub(crate) fn table<const N: usize>(rows: &[[String; N]], left: &[usize]) -> String {
    let width = |column: usize| rows.iter().map(|r| r[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let _ =
                if left.contains(&column) { write!(line, "{cell:width$}  ") } else { write!(line, "{cell:>width$}  ") };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Digits in groups of three.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::random;
    use crate::deploy::random::tests::spec;
    use crate::export::tests::card;
    use crate::export::to_onnx;
    use lsspq::card::Accuracy;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn every_weighted_layer_has_a_line_and_the_totals_are_last() {
        let text = network(&spec(2, 4));
        let find = |name: &str| text.lines().find(|l| l.starts_with(name)).unwrap_or_else(|| panic!("{name}: {text}"));
        let cells = |name: &str| find(name).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(cells("groups.0.blocks.0.reduce")[1..], ["16", "->", "8", "9x9", "128", "2", "32", "10,368"]);
        assert_eq!(cells("stem")[5..7], ["432", "float"]);
        assert_eq!(cells("groups.1.blocks.0.shift")[1..], ["12", "->", "12", "9x9", "->", "5x5"]);
        assert!(find("linear").contains("20 -> 5"));
        assert!(find("total").split_whitespace().count() == 4);
    }

    #[test]
    fn l_sspq50_is_shown_at_every_width_with_the_size_of_its_file() {
        for (reference, reduce, limit) in
            [("l-sspq50@w1", "512", 1.6), ("l-sspq50", "1,024", 3.0), ("l-sspq50@w4", "2,048", 5.8)]
        {
            let text = before_training(&crate::paper::networks::changed(reference).unwrap().unwrap());
            let line = text.lines().find(|l| l.starts_with("groups.0.blocks.0.reduce")).unwrap();
            // 64 x 64 weights.
            assert_eq!(line.split_whitespace().nth(7), Some(reduce), "{line}");
            let file = text.lines().find(|l| l.starts_with("file as it is served")).unwrap();
            let mib: f64 = file.split_whitespace().rev().nth(1).unwrap().parse().unwrap();
            assert!(mib < limit && mib > limit - 0.3, "{file}");
        }
    }

    #[test]
    fn density_is_shown_only_with_an_accuracy() {
        let spec = spec(2, 4);
        let mut card = card(&spec);
        let text = |card: &lsspq::ModelCard| file(&to_onnx(&random(&spec, 1).unwrap(), card).unwrap()).unwrap();
        assert!(text(&card).contains("not measured") && !text(&card).contains("density"));
        card.accuracy = Some(Accuracy { images: 1000, top1: 850, top5: 990 });
        let with = text(&card);
        let line = with.lines().find(|l| l.starts_with("information density")).unwrap();
        assert!(line.contains("85.00 %") && line.contains("generated") && line.contains("chance 20.00 %"), "{line}");
    }

    #[test]
    fn every_layer_says_how_it_runs() {
        let text = |weights| {
            let mut spec = spec(2, 4);
            spec.bits.weights = weights;
            file(&to_onnx(&random(&spec, 1).unwrap(), &card(&spec)).unwrap()).unwrap()
        };
        let whole = text(Some(2));
        assert!(whole.contains("runs in whole numbers throughout, in "), "{whole}");
        assert!(whole.lines().any(|l| l.starts_with("E0 ") && l.contains("shift + pointwise")), "{whole}");
        let mixed = text(None);
        assert!(mixed.lines().any(|l| l.starts_with("R0 ") && l.contains("float: its ")), "{mixed}");
        assert!(mixed.lines().any(|l| l.starts_with("linear ") && l.contains("pointwise")), "{mixed}");
    }

    #[test]
    fn a_file_that_is_no_model_is_an_error() {
        assert!(file(b"not a model").is_err());
    }
}
