//! The comparison as a picture: accuracy over size, and information density.

use super::{Entry, Published};
use lsspq::metrics::information_density;
use plotters::prelude::*;

/// Pixels of each of the two panels, one above the other.
const PANEL: (u32, u32) = (760, 420);

const PUBLISHED: RGBColor = RGBColor(0x5b, 0x6b, 0x7f);
const L_SSPQ: RGBColor = RGBColor(0xc2, 0x41, 0x0c);

/// An SVG document of the published ImageNet networks. Models measured on other data sets are not in it: neither axis
/// compares across data sets.
pub fn figure(published: &Published) -> String {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (PANEL.0, 2 * PANEL.1)).into_drawing_area();
        let (above, below) = root.split_vertically(PANEL.1);
        root.fill(&WHITE)
            .and_then(|()| accuracy_over_size(&above, published))
            .and_then(|()| densities(&below, published))
            .and_then(|()| root.present())
            .expect("an SVG in memory takes everything");
    }
    text
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

fn colour(entry: &Entry) -> RGBColor {
    if entry.name.starts_with("L-SSPQ") { L_SSPQ } else { PUBLISHED }
}

fn accuracy_over_size<'a>(area: &Area<'a>, published: &Published) -> Drawn<'a> {
    let mut chart = ChartBuilder::on(area)
        .caption("Published ImageNet top-1 accuracy over size", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(48)
        .build_cartesian_2d((2.0..200.0).log_scale(), 66.0..78.0)?;
    chart.configure_mesh().x_desc("MiB").y_desc("top-1 %").draw()?;
    chart.draw_series(published.networks.iter().map(|entry| {
        // A label that would run into its right neighbour's goes below it.
        let crowded = |e: &&Entry| e.mib > entry.mib && e.mib < 2.0 * entry.mib && (e.top1 - entry.top1).abs() < 0.4;
        let height = if published.networks.iter().any(|e| crowded(&e)) { 7 } else { -6 };
        let label = Text::new(entry.name.clone(), (8, height), ("sans-serif", 13).into_font().color(&colour(entry)));
        EmptyElement::at((entry.mib, entry.top1)) + Circle::new((0, 0), 4, colour(entry).filled()) + label
    }))?;
    Ok(())
}

fn densities<'a>(area: &Area<'a>, published: &Published) -> Drawn<'a> {
    let mut bars: Vec<(&Entry, f64)> =
        published.networks.iter().filter_map(|e| Some((e, information_density(e.top1, e.mib)?))).collect();
    bars.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut chart = ChartBuilder::on(area)
        .caption("Information density: log10(top-1 % / MiB)", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(16)
        .build_cartesian_2d(-0.2..2.0, 0.0..bars.len() as f64)?;
    chart.configure_mesh().disable_y_mesh().y_labels(bars.len()).y_label_formatter(&|_| String::new()).draw()?;
    let rows = || bars.iter().enumerate().map(|(row, &(entry, density))| (row as f64, entry, density));
    chart.draw_series(rows().map(|(row, entry, density)| {
        Rectangle::new([(0.0, row + 0.2), (density, row + 0.8)], colour(entry).filled())
    }))?;
    chart.draw_series(rows().map(|(row, entry, density)| {
        let text = Text::new(format!("{} {density:.3}", entry.name), (6, -6), ("sans-serif", 13));
        EmptyElement::at((density.max(0.0), row + 0.5)) + text
    }))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_is_named_in_both_panels() {
        let published = Published::load();
        let svg = figure(&published);
        for entry in &published.networks {
            assert!(svg.matches(entry.name.as_str()).count() >= 2, "{}", entry.name);
        }
    }
}
