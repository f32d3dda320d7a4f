//! The report as one HTML page that needs nothing else.

use super::plot::{self, Axes};
use super::{Learned, Report, Test};
use crate::inspect::{mib, thousands};
use lsspq::metrics::{Metrics, Rate, Rates};
use lsspq::size::LayerKind;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Up to so many classes the whole confusion matrix is shown; beyond, the pairs taken for each other most often.
const MATRIX: usize = 20;
/// Pairs shown then.
const PAIRS: usize = 30;

pub(super) fn page(report: &Report) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (report.name) " – training report" }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                header {
                    h1 { (report.name) }
                    p { (report.network) " on " (report.dataset) ", seed " (report.seed) }
                    (figures(report))
                }
                main {
                    (curves(report))
                    @if let Some(test) = &report.test { (classes(test)) (confusion(test)) (mistakes(test)) }
                    (layers(report))
                    @if let Some(learned) = &report.learned { (shifts(learned)) (levels(learned)) }
                    section { h2 { "Recipe" } details { summary { "As it was followed, defaults included" } pre { (report.recipe) } } }
                }
                footer { p { "Made by " (report.program) "." } }
            }
        }
    }
}

fn interval(rate: &Rate) -> String {
    format!("{:.2} % ({:.2} to {:.2})", rate.percent, rate.low, rate.high)
}

/// The figures at the top; density stands beside accuracy, size, data set and chance level.
fn figures(report: &Report) -> Markup {
    let Some(m) = &report.figures else {
        return html! { p { "The run has not ended: there is no model file yet." } };
    };
    let Metrics { accuracy, size_bytes, size_mib, float_twin_ratio, chance_percent, multiply_adds, .. } = m;
    html! {
        dl.figures {
            @match accuracy {
                Some(rates) => {
                    div { dt { "Top-1 on the test split (95 %)" } dd { (interval(&rates.top1)) " of " (thousands(rates.images)) } }
                    div { dt { "Guessing" } dd { (format!("{chance_percent:.2} %")) } }
                }
                None => div { dt { "Top-1 on the test split" } dd { "not measured" } },
            }
            div { dt { "Model file" } dd { (thousands(*size_bytes)) " bytes (" (format!("{size_mib:.3}")) " MiB)" } }
            div { dt { "Smaller than the float twin" } dd { (format!("{float_twin_ratio:.1}")) " times" } }
            div { dt { "Multiply-adds" } dd { (thousands(*multiply_adds)) } }
            @if let Some(density) = m.information_density {
                div { dt { "Information density, log10(top-1 % / MiB)" } dd { (format!("{density:.3}")) } }
            }
        }
    }
}

/// A plot with its title; `says` is the plot in words, for those who cannot see it.
fn plotted(title: &str, says: &str, svg: String) -> Markup {
    html! {
        @if !svg.is_empty() {
            figure { figcaption { (title) } div.plot role="img" aria-label=(says) { (PreEscaped(svg)) } }
        }
    }
}

fn percent_of(accuracy: &lsspq::card::Accuracy) -> f64 {
    100.0 * accuracy.top1 as f64 / accuracy.images.max(1) as f64
}

fn curves(report: &Report) -> Markup {
    let epochs = &report.epochs;
    let (Some(first), Some(last)) = (epochs.first(), epochs.last()) else {
        return html! { section { h2 { "Training" } p { "No epoch has ended yet." } } };
    };
    let points = |value: &dyn Fn(&crate::train::EpochRecord) -> f64| -> Vec<(f64, f64)> {
        epochs.iter().map(|e| (f64::from(e.epoch + 1), value(e))).collect()
    };
    let changes: Vec<f64> =
        epochs.windows(2).filter(|p| p[0].stage != p[1].stage).map(|p| f64::from(p[1].epoch) + 0.5).collect();
    let axes = |y, log| Axes { x: "epoch", y, marks: &changes, log };
    // The rate holds through an epoch: the line goes in steps.
    let rates: Vec<(f64, f64)> =
        epochs.iter().flat_map(|e| [(f64::from(e.epoch), e.rate), (f64::from(e.epoch + 1), e.rate)]).collect();
    let validated: Vec<(f64, f64)> =
        epochs.iter().filter_map(|e| e.validation.as_ref().map(|v| (f64::from(e.epoch + 1), percent_of(v)))).collect();
    let mut accuracy = vec![("training", points(&|e| 100.0 * e.accuracy))];
    if !validated.is_empty() {
        accuracy.push(("validation", validated));
    }
    let stages = if changes.is_empty() { String::new() } else { " A vertical line stands between stages.".into() };
    html! {
        section {
            h2 { "Training" }
            p { (epochs.len()) " epochs in " (last.stage + 1) " stages, " (format!("{:.0}", epochs.iter().map(|e| e.seconds).sum::<f64>() / 60.0)) " minutes." (stages) }
            div.plots {
                (plotted("Loss on the training pictures", &format!("The loss goes from {:.3} in the first epoch to {:.3} in the last.", first.loss, last.loss), plot::lines(axes("loss", false), &[("training", points(&|e| e.loss))])))
                (plotted("Accuracy", &format!("Accuracy on the training pictures goes from {:.1} to {:.1} %.", 100.0 * first.accuracy, 100.0 * last.accuracy), plot::lines(axes("top-1 %", false), &accuracy)))
                (plotted("Learning rate as it was", &format!("The rate goes from {} in the first epoch to {} in the last.", first.rate, last.rate), plot::lines(axes("rate", true), &[("rate", rates)])))
            }
            details {
                summary { "All epochs in figures" }
                div.wide { table {
                    caption { "Every epoch as it was logged" }
                    thead { tr { @for name in ["epoch", "stage", "activations", "rate", "loss", "training %", "validation %", "pictures/s"] { th scope="col" { (name) } } } }
                    tbody { @for e in epochs { tr {
                        th scope="row" { (e.epoch + 1) }
                        td { (e.stage + 1) }
                        td { (e.activations.map_or("float".into(), |b| format!("{b}-bit"))) }
                        td { (format!("{:.6}", e.rate)) }
                        td { (format!("{:.4}", e.loss)) }
                        td { (format!("{:.2}", 100.0 * e.accuracy)) }
                        td { (e.validation.as_ref().map_or("–".into(), |v| format!("{:.2}", percent_of(v)))) }
                        td { (format!("{:.0}", e.images_per_second)) }
                    } } }
                } }
            }
        }
    }
}

fn classes(test: &Test) -> Markup {
    let rates = |accuracy| Rates::new(accuracy).map(|r| r.top1);
    html! {
        section {
            h2 { "Classes" }
            div.wide { table {
                caption { "Top-1 of every class on the test split, with its 95 % interval (Wilson)" }
                thead { tr { th scope="col" { "class" } th scope="col" { "pictures" } th scope="col" { "top-1 %" } th scope="col" { "95 %" } th scope="col" { "" } } }
                tbody { @for (label, accuracy) in test.labels.iter().zip(&test.classes) { @if let Some(rate) = rates(*accuracy) {
                    tr {
                        th scope="row" { (label) }
                        td { (accuracy.images) }
                        td { (format!("{:.2}", rate.percent)) }
                        td { (format!("{:.1} to {:.1}", rate.low, rate.high)) }
                        td.bar aria-hidden="true" { span.span style=(format!("--low:{:.2}%;--high:{:.2}%;--at:{:.2}%", rate.low, rate.high, rate.percent)) {} }
                    }
                } } }
            } }
        }
    }
}

fn confusion(test: &Test) -> Markup {
    let shade = |count: u64, row: &[u64]| format!("--p:{:.3}", count as f64 / row.iter().sum::<u64>().max(1) as f64);
    let label = |class: usize| test.labels.get(class).map_or("", String::as_str);
    html! {
        section {
            h2 { "Who is taken for whom" }
            @if test.labels.len() <= MATRIX {
                div.wide { table.heat {
                    caption { "Pictures of each class (row) by what the model took them for (column)" }
                    thead { tr { td {} @for label in &test.labels { th.turned scope="col" { span { (label) } } } } }
                    tbody { @for (label, row) in test.labels.iter().zip(&test.confusion) { tr {
                        th scope="row" { (label) }
                        @for &count in row { td style=(shade(count, row)) { (count) } }
                    } } }
                } }
            } @else {
                div.wide { table {
                    caption { "The pairs of classes taken for each other most often" }
                    thead { tr { th scope="col" { "class" } th scope="col" { "taken for" } th scope="col" { "pictures" } } }
                    tbody { @for (class, answer, count) in test.mixed_up().into_iter().take(PAIRS) { tr {
                        th scope="row" { (label(class)) } td.word { (label(answer)) } td { (count) }
                    } } }
                } }
            }
        }
    }
}

fn mistakes(test: &Test) -> Markup {
    let label = |class: usize| test.labels.get(class).map_or("", String::as_str);
    html! {
        section {
            h2 { "Worst mistakes" }
            p { "Wrong answers on the test split that the model was surest of." }
            ul.mistakes { @for m in &test.mistakes { li {
                img src=(m.picture) width="96" height="96" alt=(format!("Test picture {}, a {}", m.number, label(m.class)));
                p { strong { (label(m.answer)) } " " (format!("{:.0} %", 100.0 * m.probability)) br; "is: " (label(m.class)) }
            } } }
            @if test.mistakes.is_empty() { p { "There are none." } }
        }
    }
}

fn layers(report: &Report) -> Markup {
    let shown = report.layers.iter().filter(|l| l.kind != LayerKind::Norm);
    let map = |from, to| if from == to { format!("{from}×{from}") } else { format!("{from}×{from} → {to}×{to}") };
    let total = |of: fn(&lsspq::size::Layer) -> u64| thousands(report.layers.iter().map(of).sum());
    let twin: u64 = report.layers.iter().map(|l| 4 * l.float_parameters).sum();
    html! {
        section {
            h2 { "Layers" }
            p { "In 32-bit float the same network takes " (thousands(twin)) " bytes (" (format!("{:.3}", mib(twin))) " MiB)." }
            div.wide { table {
                caption { "Shape, parameters, bits, bytes and multiply-adds of every layer" }
                thead { tr { @for name in ["layer", "channels", "map", "weights", "parameters", "bits", "bytes", "multiply-adds"] { th scope="col" { (name) } } } }
                tbody { @for l in shown { tr {
                    th scope="row" { (l.name) }
                    td { (l.input) " → " (l.output) @if l.kernel > 1 { ", " (l.kernel) "×" (l.kernel) } }
                    td { (map(l.side_in, l.side_out)) }
                    td { @if l.weights > 0 { (thousands(l.weights)) } }
                    td { (thousands(l.float_parameters)) }
                    td { @if l.weights > 0 { (l.bits.map_or("float".into(), |b| b.to_string())) } }
                    td { @if l.weights > 0 { (thousands(l.weights_bytes())) } }
                    td { @if l.multiply_adds > 0 { (thousands(l.multiply_adds)) } }
                } } }
                tfoot { tr {
                    th scope="row" { "all, BatchNorm included" } td {} td {}
                    td { (total(|l| l.weights)) } td { (total(|l| l.float_parameters)) } td {}
                    td { (total(|l| l.weights_bytes())) } td { (total(|l| l.multiply_adds)) }
                } }
            } }
        }
    }
}

fn shifts(learned: &Learned) -> Markup {
    let shifts = &learned.shifts;
    if shifts.channels() == 0 {
        return html! {};
    }
    let reach = shifts.reach as i64;
    let most = shifts.rounded.iter().flatten().copied().max().unwrap_or(0).max(1);
    // The centre usually holds the most; the root keeps the others visible beside it.
    let shade = |count: u64| format!("--p:{:.3}", (count as f64 / most as f64).sqrt());
    html! {
        section {
            h2 { "Shifts" }
            p { (thousands(shifts.channels())) " channels are shifted; rounding to whole pixels moved a displacement by " (format!("{:.3}", shifts.mean_rounding)) " pixels in the mean." }
            div.plots {
                (plotted("Displacements as they were learned, down and to the right together", "A histogram of the learned displacements in pixels.", plot::bars("pixels", -(reach as f64), reach as f64, &shifts.histogram)))
                div.wide { table.heat {
                    caption { "Where they rounded to: channels by pixels down (row) and to the right (column)" }
                    thead { tr { td {} @for right in -reach..=reach { th scope="col" { (right) } } } }
                    tbody { @for (down, row) in (-reach..=reach).zip(&shifts.rounded) { tr {
                        th scope="row" { (down) }
                        @for &count in row { td style=(shade(count)) { (count) } }
                    } } }
                } }
            }
        }
    }
}

fn levels(learned: &Learned) -> Markup {
    html! {
        @if !learned.levels.is_empty() {
            section {
                h2 { "Weights" }
                p { "How many weights of each layer took each level; level 0 is the lowest. One bar that holds nearly all, or empty ends, are bits not used." }
                div.small { @for l in &learned.levels {
                    (plotted(
                        &format!("{}, {}-bit", l.layer, l.bits),
                        &format!("Weights by level, lowest first: {}", l.counts.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
                        plot::small_bars(&l.counts)
                    ))
                } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Mistake, learned::Shifts};
    use crate::train::EpochRecord;
    use lsspq::card::Accuracy;
    use lsspq::size::layers;

    fn epoch(stage: usize, epoch: u32) -> EpochRecord {
        let json = format!(
            r#"{{"stage":{stage},"epoch":{epoch},"rate":0.1,"activations":null,"loss":1.5,"accuracy":0.5,
                "validation":{{"images":10,"top1":6,"top5":9}},"images_per_second":100.0,"seconds":3.0}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn report() -> Report {
        let spec = crate::deploy::random::tests::spec(2, 4);
        let none = Accuracy { images: 0, top1: 0, top5: 0 };
        let some = Accuracy { images: 3, top1: 2, top5: 3 };
        Report {
            name: "run <1>".into(),
            network: spec.name.clone(),
            dataset: "generated".into(),
            seed: 1,
            program: "lsspq".into(),
            recipe: "name = \"a & b\"".into(),
            epochs: vec![epoch(0, 0), epoch(0, 1), epoch(1, 2)],
            figures: None,
            layers: layers(&spec),
            learned: Some(Learned {
                shifts: Shifts { histogram: vec![1, 1], rounded: vec![vec![2]], reach: 0, mean_rounding: 0.25 },
                levels: vec![super::super::Levels { layer: "linear".into(), bits: 2, counts: vec![1, 2, 3, 4] }],
            }),
            test: Some(Test {
                labels: vec!["cat".into(), "<dog>".into()],
                accuracy: some,
                classes: vec![some, none],
                confusion: vec![vec![2, 1], vec![0, 0]],
                mistakes: vec![Mistake {
                    number: 7,
                    class: 0,
                    answer: 1,
                    probability: 0.875,
                    picture: "data:image/png;base64,AAAA".into(),
                }],
            }),
        }
    }

    #[test]
    fn everything_is_on_the_page_and_names_cannot_break_it() {
        let text = report().html();
        for part in [
            "run &lt;1&gt;",
            "&lt;dog&gt;",
            "a &amp; b",
            "src=\"data:image/png;base64,AAAA\"",
            "alt=\"Test picture 7, a cat\"",
            "Learning rate as it was",
            "Worst mistakes",
            "linear, 2-bit",
            "lowest first: 1, 2, 3, 4",
            "groups.0.blocks.0.shift",
            "66.67",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert_eq!(text.matches("<table").count(), text.matches("<caption").count());
        assert_eq!(text.matches("<img").count(), text.matches("alt=\"").count());
    }

    #[test]
    fn the_page_asks_for_nothing_from_outside() {
        let text = report().html().replace("http://www.w3.org/2000/svg", "");
        for part in ["http:", "https:", "//", "<script", "<link", "@import", "url("] {
            assert!(!text.contains(part), "{part} is in {text}");
        }
    }

    #[test]
    fn a_run_that_has_just_begun_has_a_page_too() {
        let text = Report { epochs: vec![], figures: None, learned: None, test: None, ..report() }.html();
        assert!(text.contains("No epoch has ended yet") && text.contains("no model file yet"), "{text}");
    }

    #[test]
    fn many_classes_are_shown_as_pairs() {
        let mut report = report();
        let test = report.test.as_mut().unwrap();
        test.labels = (0..30).map(|i| format!("class {i}")).collect();
        test.confusion = vec![vec![0; 30]; 30];
        test.confusion[4][5] = 9;
        let text = report.html();
        assert!(text.contains("taken for each other most often") && text.contains("class 5"), "{text}");
    }
}
