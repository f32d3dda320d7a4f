//! The plots of a report as SVG.
//!
//! Every plot is drawn in the few colours of [`INK`], [`GRID`] and [`SERIES`]; the style sheet of the page gives them others where
//! the reader's screen is dark.

use plotters::prelude::*;

/// Pixels of a plot: small, so that its letters can still be read where a phone shows it narrower.
const SIZE: (u32, u32) = (460, 280);
/// Pixels of the histogram of one layer.
const SMALL: (u32, u32) = (230, 130);

const INK: RGBColor = RGBColor(0x00, 0x00, 0x00);
const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
const SERIES: [RGBColor; 3] = [RGBColor(0x0b, 0x62, 0xa8), RGBColor(0xc2, 0x41, 0x0c), RGBColor(0x2e, 0x7d, 0x32)];

/// A line: its name and its points.
pub(super) type Series<'a> = (&'a str, Vec<(f64, f64)>);

/// How a plot is named and divided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axes<'a> {
    /// What lies to the right.
    pub(super) x: &'a str,
    /// What lies upwards.
    pub(super) y: &'a str,
    /// Where a vertical line stands, such as between two stages.
    pub(super) marks: &'a [f64],
    /// Whether upwards is logarithmic.
    pub(super) log: bool,
}

/// Lines over one axis; empty text where there is no point to draw.
pub(super) fn lines(axes: Axes, series: &[Series]) -> String {
    let points = || series.iter().flat_map(|(_, points)| points).filter(|(x, y)| x.is_finite() && y.is_finite());
    let Some(x) = range(points().map(|p| p.0)) else { return String::new() };
    let Some(y) = range(points().map(|p| p.1).filter(|&y| !axes.log || y > 0.0)) else { return String::new() };
    // A range of one point still needs a width.
    let x = (x.0, x.1.max(x.0 + 1.0));
    draw(SIZE, |area| {
        if series.len() > 1 {
            legend(area, series)?;
        }
        let mut builder = ChartBuilder::on(area);
        builder.margin(8).margin_top(24).margin_right(16).x_label_area_size(40).y_label_area_size(58);
        if axes.log {
            let chart = builder.build_cartesian_2d(x.0..x.1, (y.0 / 1.5..y.1 * 1.5).log_scale())?;
            plot(chart, axes, series, (y.0 / 1.5, y.1 * 1.5))
        } else {
            let pad = (0.06 * (y.1 - y.0)).max(1e-3);
            let chart = builder.build_cartesian_2d(x.0..x.1, y.0 - pad..y.1 + pad)?;
            plot(chart, axes, series, (y.0 - pad, y.1 + pad))
        }
    })
}

type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn plot<'a, Y>(
    mut chart: ChartContext<'_, SVGBackend<'a>, Cartesian2d<plotters::coord::types::RangedCoordf64, Y>>,
    axes: Axes,
    series: &[Series],
    y: (f64, f64),
) -> Drawn<'a>
where
    Y: Ranged<ValueType = f64> + plotters::coord::ranged1d::ValueFormatter<f64>,
{
    let text = ("sans-serif", 13).into_font().color(&INK);
    let mut mesh = chart.configure_mesh();
    mesh.x_desc(axes.x).y_desc(axes.y).label_style(text.clone()).axis_desc_style(text.clone()).axis_style(INK);
    mesh.light_line_style(TRANSPARENT).bold_line_style(GRID).x_labels(7).y_labels(6);
    mesh.y_label_formatter(&|v| number(*v)).x_label_formatter(&|v| number(*v)).draw()?;
    for &mark in axes.marks {
        chart.draw_series([PathElement::new([(mark, y.0), (mark, y.1)], INK)])?;
    }
    for ((_, points), colour) in series.iter().zip(SERIES.iter().cycle()) {
        let colour = *colour;
        let finite: Vec<(f64, f64)> = points.iter().copied().filter(|p| p.1.is_finite()).collect();
        // A line through a single point cannot be seen.
        chart.draw_series(
            finite.iter().take(usize::from(finite.len() == 1)).map(|&p| Circle::new(p, 3, colour.filled())),
        )?;
        chart.draw_series([PathElement::new(finite, colour.stroke_width(2))])?;
    }
    Ok(())
}

/// The names of the lines, in a row above the plot.
fn legend<'a>(area: &Area<'a>, series: &[Series]) -> Drawn<'a> {
    for (number, ((name, _), &colour)) in series.iter().zip(SERIES.iter().cycle()).enumerate() {
        let left = 70 + 130 * number as i32;
        area.draw(&PathElement::new([(left, 12), (left + 18, 12)], colour.stroke_width(2)))?;
        area.draw(&Text::new((*name).to_owned(), (left + 24, 5), ("sans-serif", 13).into_font().color(&INK)))?;
    }
    Ok(())
}

/// Bars of the same width from `from` to `to`; the first is named by the lower end, the last by the upper.
pub(super) fn bars(x: &str, from: f64, to: f64, counts: &[u64]) -> String {
    let step = (to - from) / counts.len().max(1) as f64;
    histogram(SIZE, (x, "count"), (from, to), step, counts)
}

/// The same, smaller and without names: one of many.
pub(super) fn small_bars(counts: &[u64]) -> String {
    histogram(SMALL, ("", ""), (-0.5, counts.len() as f64 - 0.5), 1.0, counts)
}

fn histogram(size: (u32, u32), names: (&str, &str), (from, to): (f64, f64), step: f64, counts: &[u64]) -> String {
    let tallest = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let named = !names.0.is_empty();
    draw(size, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(6)
            .margin_right(if named { 16 } else { 8 })
            .x_label_area_size(if named { 40 } else { 20 })
            .y_label_area_size(if named { 58 } else { 44 })
            .build_cartesian_2d(from..to, 0.0..1.05 * tallest)?;
        let text = ("sans-serif", 13).into_font().color(&INK);
        let mut mesh = chart.configure_mesh();
        mesh.x_desc(names.0).y_desc(names.1).label_style(text.clone()).axis_desc_style(text).axis_style(INK);
        mesh.disable_x_mesh().light_line_style(TRANSPARENT).bold_line_style(GRID);
        mesh.x_labels(7).y_labels(if named { 6 } else { 3 });
        mesh.y_label_formatter(&|v| number(*v)).x_label_formatter(&|v| number(*v)).draw()?;
        chart.draw_series(counts.iter().enumerate().map(|(i, &count)| {
            let left = from + step * i as f64;
            Rectangle::new([(left + 0.06 * step, 0.0), (left + 0.94 * step, count as f64)], SERIES[0].filled())
        }))?;
        Ok(())
    })
}

/// The SVG element; its size is that of the place where it stands.
fn draw(size: (u32, u32), plot: impl for<'a, 'b> FnOnce(&'b Area<'a>) -> Drawn<'a>) -> String {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        plot(&root).and_then(|()| root.present()).expect("an SVG in memory takes everything");
    }
    // The title says it all to those who hear the page; width and height would not shrink on a phone.
    let (width, height) = size;
    let sized = format!("<svg width=\"{width}\" height=\"{height}\" ");
    text.trim_start_matches("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").trim().replacen(
        &sized,
        "<svg aria-hidden=\"true\" ",
        1,
    )
}

fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |range, v| Some(range.map_or((v, v), |(low, high): (f64, f64)| (low.min(v), high.max(v)))))
}

/// As few digits as tell the marks of an axis apart.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        v if v < 1e-3 => format!("{value:.0e}"),
        v if v >= 10_000.0 => format!("{:.0}k", value / 1000.0),
        _ => {
            let text = format!("{value:.4}");
            let text = text.trim_end_matches('0').trim_end_matches('.');
            if text == "-0" { "0".into() } else { text.into() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AXES: Axes = Axes { x: "epoch", y: "loss", marks: &[1.5], log: false };

    #[test]
    fn a_plot_names_its_axes_and_series_and_fits_its_place() {
        let svg = lines(AXES, &[("training", vec![(0.0, 2.0), (1.0, 1.0)]), ("validation", vec![(0.0, 2.5)])]);
        for part in ["<svg aria-hidden=\"true\" viewBox=", "epoch", "loss", "training", "validation"] {
            assert!(svg.contains(part), "{part} is not in {svg}");
        }
        assert!(!svg.contains("http://") || svg.contains("http://www.w3.org/2000/svg"));
    }

    #[test]
    fn what_cannot_be_drawn_is_left_out() {
        assert_eq!(lines(AXES, &[("training", vec![])]), "");
        assert_eq!(lines(AXES, &[("training", vec![(0.0, f64::NAN)])]), "");
        assert!(lines(AXES, &[("training", vec![(0.0, 1.0)])]).contains("<circle"));
        let rates = Axes { log: true, ..AXES };
        assert_eq!(lines(rates, &[("rate", vec![(0.0, 0.0)])]), "");
        assert!(lines(rates, &[("rate", vec![(0.0, 0.1), (1.0, 1e-6)])]).contains("<polyline"));
        assert_eq!(bars("pixels", -3.0, 3.0, &[1, 5]).matches("<rect").count(), 2);
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.0, 1.0, 0.25, 1e-5, 25_000.0, -3.0, 0.1 + 0.2].map(number);
        assert_eq!(texts, ["0", "1", "0.25", "1e-5", "25k", "-3", "0.3"]);
    }
}
