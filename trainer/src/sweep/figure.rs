//! The heat map of a sweep.

use super::{Row, Spread, Table};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Pixels of a cell, and of the names around a panel.
const CELL: (u32, u32) = (108, 64);
const MARGIN: (u32, u32) = (110, 84);

type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// One panel: what is the same in it, and its rows.
struct Panel<'a> {
    title: String,
    rows: Vec<&'a Row>,
}

/// An SVG document: the last key to the right, the one before it downwards, a panel for every setting of the others. A cell
/// has mean and deviation and a colour by the mean; one that has not ended is grey.
pub fn figure(table: &Table) -> String {
    let keys = table.keys.len();
    let (down, right) = (keys.checked_sub(2), keys.checked_sub(1));
    let value = |row: &Row, key: Option<usize>| key.map_or_else(String::new, |k| row.values[k].clone());
    let ends = distinct(table.rows.iter().map(|r| value(r, down)));
    let columns = distinct(table.rows.iter().map(|r| value(r, right)));
    let panels = panels(table);
    let panel_size = (columns.len() as u32 * CELL.0 + MARGIN.0 + 16, ends.len() as u32 * CELL.1 + MARGIN.1);
    let means = || table.rows.iter().filter_map(|r| table.judged(r)).map(|s| s.mean);
    let (low, high) = (means().fold(f64::INFINITY, f64::min), means().fold(f64::NEG_INFINITY, f64::max));
    let size = (panel_size.0.max(420), 30 + panel_size.1 * panels.len() as u32);
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let draw = || -> Drawn<'_> {
            root.fill(&WHITE)?;
            let split = if table.validated() { "validation" } else { "test" };
            let title = format!("{} on {}: {split} top-1 %", table.recipe, table.dataset);
            root.draw(&Text::new(title, (12, 10), ("sans-serif", 16)))?;
            for (number, panel) in panels.iter().enumerate() {
                let top = 30 + number as i32 * panel_size.1 as i32;
                names(&root, top, &panel.title, &short(table, down), &short(table, right))?;
                let centred =
                    |at| ("sans-serif", 13).into_font().into_text_style(&root).pos(Pos::new(at, VPos::Center));
                let origin = |row: usize, column: usize| {
                    (MARGIN.0 as i32 + (column as u32 * CELL.0) as i32, top + 60 + (row as u32 * CELL.1) as i32)
                };
                for (r, end) in ends.iter().enumerate() {
                    let (x, y) = origin(r, 0);
                    root.draw(&Text::new(end.clone(), (x - 10, y + CELL.1 as i32 / 2), centred(HPos::Right)))?;
                }
                for (c, column) in columns.iter().enumerate() {
                    let (x, y) = origin(0, c);
                    root.draw(&Text::new(column.clone(), (x + CELL.0 as i32 / 2, y - 10), centred(HPos::Center)))?;
                }
                for row in &panel.rows {
                    let at = |list: &[String], key| list.iter().position(|v| *v == value(row, key)).unwrap_or(0);
                    let (x, y) = origin(at(&ends, down), at(&columns, right));
                    cell(&root, (x, y), table.judged(row), (low, high))?;
                }
            }
            root.present()
        };
        draw().expect("an SVG in memory takes everything");
    }
    text
}

fn names<'a>(root: &Area<'a>, top: i32, title: &str, down: &str, right: &str) -> Drawn<'a> {
    root.draw(&Text::new(title.to_owned(), (12, top + 4), ("sans-serif", 14)))?;
    let arrow = |name: &str, arrow: &str| if name.is_empty() { String::new() } else { format!("{name} {arrow}") };
    root.draw(&Text::new(arrow(down, "↓"), (12, top + 40), ("sans-serif", 13)))?;
    root.draw(&Text::new(arrow(right, "→"), (MARGIN.0 as i32 + 8, top + 20), ("sans-serif", 13)))
}

fn cell<'a>(root: &Area<'a>, (x, y): (i32, i32), spread: Option<Spread>, (low, high): (f64, f64)) -> Drawn<'a> {
    let part = spread.map(|s| if high > low { (s.mean - low) / (high - low) } else { 0.5 });
    let colour = part.map_or(RGBColor(0xdd, 0xdd, 0xdd), shade);
    let corner = (x + CELL.0 as i32 - 2, y + CELL.1 as i32 - 2);
    root.draw(&Rectangle::new([(x, y), corner], colour.filled()))?;
    // White letters on the dark half of the scale.
    let ink = if part.is_some_and(|p| p > 0.5) { WHITE } else { BLACK };
    let style = |size: i32| ("sans-serif", size).into_font().color(&ink).pos(Pos::new(HPos::Center, VPos::Center));
    let (middle, half) = (x + CELL.0 as i32 / 2, y + CELL.1 as i32 / 2);
    match spread {
        None => root.draw(&Text::new("not ended", (middle, half), style(12))),
        Some(Spread { mean, deviation: None, .. }) => {
            root.draw(&Text::new(format!("{mean:.2}"), (middle, half), style(16)))
        }
        Some(Spread { mean, deviation: Some(deviation), .. }) => {
            root.draw(&Text::new(format!("{mean:.2}"), (middle, half - 9), style(16)))?;
            root.draw(&Text::new(format!("± {deviation:.2}"), (middle, half + 11), style(12)))
        }
    }
}

/// From pale to dark blue: it reads in grey and for those who confuse red and green.
fn shade(part: f64) -> RGBColor {
    let mix = |pale: f64, dark: f64| (pale + (dark - pale) * part.clamp(0.0, 1.0)).round() as u8;
    RGBColor(mix(222.0, 8.0), mix(235.0, 64.0), mix(247.0, 129.0))
}

/// The rows by the values of all keys but the last two.
fn panels(table: &Table) -> Vec<Panel<'_>> {
    let others = table.keys.len().saturating_sub(2);
    let title = |row: &Row| {
        let settings = table.keys.iter().zip(&row.values).take(others);
        settings.map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ")
    };
    let titles = distinct(table.rows.iter().map(title));
    let rows = |wanted: &String| table.rows.iter().filter(|row| title(row) == *wanted).collect();
    titles.iter().map(|wanted| Panel { title: wanted.clone(), rows: rows(wanted) }).collect()
}

/// The last part of a key; the page has no room for the whole.
fn short(table: &Table, key: Option<usize>) -> String {
    key.map_or_else(String::new, |k| table.keys[k].rsplit('.').next().unwrap_or_default().to_owned())
}

fn distinct(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut all = Vec::new();
    values.for_each(|v| {
        if !all.contains(&v) {
            all.push(v);
        }
    });
    all
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::table;
    use super::*;

    #[test]
    fn every_cell_has_its_mean_and_what_has_not_ended_says_so() {
        let svg = figure(&table());
        for part in
            ["71.00", "75.00", "73.00", "± 0.50", "not ended", "warmup_interval", "step_size", "validation top-1"]
        {
            assert!(svg.contains(part), "{part} is not in {svg}");
        }
        // The least is pale, the most is dark.
        assert!(svg.contains("#DEEBF7") && svg.contains("#084081"), "{svg}");
    }

    #[test]
    fn one_key_or_three_are_drawn_too() {
        let mut one = table();
        one.keys.truncate(1);
        one.rows.iter_mut().for_each(|row| row.values.truncate(1));
        one.rows.dedup_by(|a, b| a.values == b.values);
        assert!(figure(&one).contains("71.00"));
        let mut three = table();
        three.keys.insert(0, "network.bits.weights".into());
        three.rows.iter_mut().zip(["1", "1", "2", "2"]).for_each(|(row, bits)| row.values.insert(0, bits.into()));
        let svg = figure(&three);
        assert!(svg.contains("network.bits.weights = 1") && svg.contains("network.bits.weights = 2"), "{svg}");
        let none = Table { keys: vec![], rows: vec![], ..table() };
        assert!(figure(&none).starts_with("<svg"));
    }
}
