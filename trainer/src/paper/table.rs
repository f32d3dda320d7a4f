//! The comparison as text.

use super::{Entry, Published, size_of};
use crate::inspect;
use lsspq::metrics::{Metrics, information_density};
use std::fmt::Write;

/// Published networks from the densest on, the sizes computed from their definitions beside the published ones; then the
/// models that were measured here, which stand on data sets of their own.
pub fn table(published: &Published, measured: &[(String, Metrics)]) -> String {
    let mut networks: Vec<&Entry> = published.networks.iter().collect();
    networks.sort_by(|a, b| density(b).total_cmp(&density(a)));
    let header = ["network", "weights", "top-1 %", "MiB", "density", "MiB", "density", "notes"];
    let above = ["ImageNet, 1000 classes", "", "published", "published", "published", "computed", "computed", ""];
    let mut rows = vec![above.map(String::from), header.map(String::from)];
    let (mut notes, mut accountings) = (Vec::new(), Vec::<String>::new());
    for entry in networks {
        let parts = entry.size.as_deref().and_then(size_of);
        let mut marks = format!("[{}]", entry.source);
        if let Some(note) = &entry.note {
            notes.push(format!("{}: {note}", entry.name));
            let _ = write!(marks, " {}", notes.len());
        }
        if let Some(parts) = &parts {
            accountings.push(format!("{}: {}", entry.name, parts.accounting));
        }
        let about = if entry.about { "about " } else { "" };
        // The published accuracy belongs to the published file; L-SSPQ50's bits are not known, so no density is
        // claimed for a file of ours that was never trained.
        let ours = parts.as_ref().filter(|_| entry.weights != "not stated");
        rows.push([
            entry.name.clone(),
            entry.weights.clone(),
            format!("{:.2}", entry.top1),
            format!("{about}{:.2}", entry.mib),
            format!("{:.3}", density(entry)),
            parts.as_ref().map_or("-".into(), |p| format!("{:.2}", p.mib())),
            ours.and_then(|p| information_density(entry.top1, p.mib())).map_or("-".into(), |d| format!("{d:.3}")),
            marks,
        ]);
    }
    let mut text = inspect::table(&rows, &[0, 1, 7]);
    text += "\nInformation density is log10(top-1 % / MiB). It grows without bound as a model shrinks: read it with the other columns.\n";
    text += "Guessing: 0.10 %. Sources:\n";
    for (name, source) in &published.sources {
        let _ = writeln!(text, "  [{name}] {source}");
    }
    text += "Notes:\n";
    for (number, note) in notes.iter().enumerate() {
        let _ = writeln!(text, "  {} {note}", number + 1);
    }
    text += "Computed sizes count:\n";
    for accounting in accountings {
        let _ = writeln!(text, "  {accounting}");
    }
    if !measured.is_empty() {
        let _ = writeln!(text, "\n{}", measured_here(measured));
    }
    text
}

fn density(entry: &Entry) -> f64 {
    information_density(entry.top1, entry.mib).unwrap_or(f64::NEG_INFINITY)
}

/// Models by what their own cards state: comparable with the rows of their data set alone.
fn measured_here(models: &[(String, Metrics)]) -> String {
    let header =
        ["measured here", "data set", "guessing %", "top-1 % (95 %)", "MiB", "density", "x smaller than float"];
    let mut rows = vec![header.map(String::from)];
    for (name, m) in models {
        let top1 = m.accuracy.map(|a| a.top1);
        rows.push([
            name.clone(),
            m.dataset.clone(),
            format!("{:.2}", m.chance_percent),
            top1.map_or("not measured".into(), |r| format!("{:.2} ({:.2} to {:.2})", r.percent, r.low, r.high)),
            format!("{:.3}", m.size_mib),
            m.information_density.map_or("-".into(), |d| format!("{d:.3}")),
            format!("{:.1}", m.float_twin_ratio),
        ]);
    }
    inspect::table(&rows, &[0, 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_and_computed_stand_apart_and_the_densest_is_first() {
        let text = table(&Published::load(), &[]);
        let line = |name: &str| text.lines().find(|l| l.starts_with(name)).unwrap_or_else(|| panic!("{text}"));
        let cells = |name: &str| line(name).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(cells("ResNet50")[1..7], ["32-bit", "76.35", "97.49", "-0.106", "97.49", "-0.106"]);
        assert_eq!(cells("SSPQ50")[1..7], ["1-bit", "73.66", "9.79", "0.876", "9.79", "0.877"]);
        assert_eq!(cells("ASL50")[5..7], ["84.74", "-0.069"]);
        assert_eq!(cells("EfficientNet-Lite0")[6..9], ["1.220", "-", "-"]);
        let position = |name: &str| text.find(&format!("\n{name}")).unwrap();
        assert!(position("MobileNet v1 4-bit") < position("L-SSPQ50") && position("L-SSPQ50") < position("ResNet50"));
        assert!(text.contains("10.1109/ACCESS.2021.3077597") && !text.contains("measured here"));
    }
}
