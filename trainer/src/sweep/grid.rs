//! Which cells a sweep has.

use super::with;
use crate::error::Error;
use crate::recipe::Recipe;
use std::collections::HashSet;
use std::fmt;

/// The most cells of a sweep: more is a slip of the pen.
const MOST: usize = 10_000;

/// A key of the recipe and the value it gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The path of the key, such as `stages.0.schedule.step_size`; parts of an array by their place, from 0.
    pub key: String,
    /// The value.
    pub value: toml::Value,
}

/// One run of the sweep.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The name of its folder.
    pub name: String,
    /// What makes it differ from the recipe, without the seed.
    pub settings: Vec<Setting>,
    /// Its recipe, the seed among it.
    pub recipe: Recipe,
}

/// All cells of a sweep.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Keys that differ from cell to cell, in the order in which they were given.
    pub keys: Vec<String>,
    /// The cells; those of one setting follow each other, seed by seed.
    pub cells: Vec<Cell>,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.key, self.value)
    }
}

impl Setting {
    /// Reads `KEY=VALUE`; a value that is no number, truth value or quoted text of TOML is text.
    ///
    /// # Errors
    /// Where there is no `=` or no key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("KEY=VALUE is expected")?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || value.is_empty() {
            return Err("KEY=VALUE is expected".into());
        }
        let read = toml::from_str::<toml::Table>(&format!("value = {value}")).ok();
        let value = read.and_then(|mut t| t.remove("value")).unwrap_or_else(|| toml::Value::String(value.into()));
        Ok(Self { key: key.into(), value })
    }

    /// Puts the value into a recipe.
    pub(super) fn apply(&self, recipe: &mut toml::Table) -> Result<(), String> {
        let mut parts = self.key.split('.');
        let first = parts.next().unwrap_or_default();
        let mut place = recipe.entry(first).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        for part in parts {
            place = match place {
                toml::Value::Table(table) => {
                    table.entry(part).or_insert_with(|| toml::Value::Table(toml::Table::new()))
                }
                toml::Value::Array(items) => {
                    let count = items.len();
                    part.parse::<usize>()
                        .ok()
                        .and_then(|at| items.get_mut(at))
                        .ok_or_else(|| format!("{part} is no place in a list of {count}; the first is 0"))?
                }
                _ => return Err(format!("there is nothing below the part before {part}")),
            };
        }
        *place = self.value.clone();
        Ok(())
    }

    /// The last part of the key and the value, in letters that a folder's name may have.
    fn short(&self, whole: bool) -> String {
        let key = if whole { &self.key } else { self.key.rsplit('.').next().unwrap_or(&self.key) };
        let value = match &self.value {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        format!("{key}-{value}").chars().map(plain).collect()
    }
}

impl Plan {
    /// The cells of a grid (every value of each key with every value of the others), followed by a list of cells, each for
    /// every seed.
    ///
    /// `grid` holds texts `KEY=VALUE,VALUE`, `list` texts `KEY=VALUE KEY=VALUE`; `seeds` may be empty, which takes the recipe's.
    ///
    /// # Errors
    /// A text that cannot be read, a key twice, a cell that is no valid recipe.
    pub fn new(recipe: &str, origin: &str, grid: &[String], list: &[String], seeds: &[u64]) -> Result<Self, Error> {
        let bad = |text: &str, why: &str| Error::recipe(format!("{text:?}: {why}"));
        let mut rows: Vec<Vec<Setting>> = if grid.is_empty() { Vec::new() } else { vec![Vec::new()] };
        for text in grid {
            let (key, values) = text.split_once('=').ok_or_else(|| bad(text, "KEY=VALUE,VALUE is expected"))?;
            let axis: Vec<Setting> = values
                .split(',')
                .map(|value| Setting::parse(&format!("{key}={value}")))
                .collect::<Result<_, _>>()
                .map_err(|why| bad(text, &why))?;
            if rows.len() * axis.len() > MOST {
                return Err(bad(text, &format!("more than {MOST} cells")));
            }
            rows =
                rows.iter().flat_map(|row| axis.iter().map(|s| [&row[..], std::slice::from_ref(s)].concat())).collect();
        }
        for text in list {
            let row = text.split_whitespace().map(Setting::parse).collect::<Result<_, _>>();
            rows.push(row.map_err(|why| bad(text, &why))?);
        }
        if rows.is_empty() {
            rows.push(Vec::new());
        }
        let mut keys: Vec<String> = Vec::new();
        for row in &rows {
            let mut own = HashSet::new();
            for Setting { key, .. } in row {
                if !own.insert(key) {
                    return Err(bad(key, "it is given twice"));
                }
                if !keys.contains(key) {
                    keys.push(key.clone());
                }
            }
        }
        if keys.iter().any(|key| key == "seed") {
            return Err(bad("seed", "give seeds with --seeds: the table is over them"));
        }
        Ok(Self { cells: cells(recipe, origin, &rows, &keys, seeds)?, keys })
    }
}

fn cells(
    recipe: &str,
    origin: &str,
    rows: &[Vec<Setting>],
    keys: &[String],
    seeds: &[u64],
) -> Result<Vec<Cell>, Error> {
    let last = |key: &String| key.rsplit('.').next().unwrap_or(key).to_owned();
    let whole = keys.iter().map(last).collect::<HashSet<_>>().len() < keys.len();
    let mut cells = Vec::new();
    let mut names = HashSet::new();
    for settings in rows {
        let base = with(recipe, origin, settings)?;
        let own = [base.seed];
        for &seed in if seeds.is_empty() { &own } else { seeds } {
            let mut recipe = base.clone();
            recipe.override_with(Some(seed), &[])?;
            let mut parts: Vec<String> = settings.iter().map(|s| s.short(whole)).collect();
            parts.push(format!("seed-{seed}"));
            let name = parts.join("_");
            if !names.insert(name.clone()) {
                return Err(Error::recipe(format!("two cells are {name}: leave one out")));
            }
            cells.push(Cell { name, settings: settings.clone(), recipe });
        }
    }
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPES: &str = include_str!("../../tests/fixture/shapes.toml");

    fn plan(grid: &[&str], list: &[&str], seeds: &[u64]) -> Result<Plan, String> {
        let texts = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        Plan::new(SHAPES, "shapes.toml", &texts(grid), &texts(list), seeds).map_err(|e| e.to_string())
    }

    #[test]
    fn a_grid_has_every_combination_for_every_seed() {
        let plan = plan(&["stages.0.schedule.warmup_interval=0,2", "stages.0.schedule.step_size=1,2,5"], &[], &[1, 2])
            .unwrap();
        assert_eq!(plan.cells.len(), 12);
        let last = &plan.cells[11];
        assert_eq!(last.name, "warmup_interval-2_step_size-5_seed-2");
        let schedule = last.recipe.stages[0].schedule;
        assert_eq!((schedule.warmup_interval, schedule.step_size, last.recipe.seed), (2, 5, 2));
        assert_eq!(last.recipe.stages[1], Recipe::parse(SHAPES, "shapes").unwrap().stages[1]);
        assert_eq!(plan.keys.len(), 2);
    }

    #[test]
    fn a_list_takes_cells_one_by_one_and_keys_may_differ() {
        let plan = plan(&[], &["network.bits.weights=1", "augment.flip=false network.bits.weights=4"], &[]).unwrap();
        let names: Vec<&str> = plan.cells.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["weights-1_seed-7", "flip-false_weights-4_seed-7"]);
        assert!(!plan.cells[1].recipe.augment.flip);
        assert_eq!(plan.keys, ["network.bits.weights", "augment.flip"]);
    }

    #[test]
    fn keys_with_the_same_last_part_are_named_in_full() {
        let plan = plan(&["stages.0.epochs=2", "stages.1.epochs=1"], &[], &[]).unwrap();
        assert_eq!(plan.cells[0].name, "stages.0.epochs-2_stages.1.epochs-1_seed-7");
    }

    #[test]
    fn what_cannot_be_a_cell_is_named() {
        for (grid, parts) in [
            (&["stages.0.epochs"][..], &["KEY=VALUE,VALUE"][..]),
            (&["stages.0.epochs=1,"], &["KEY=VALUE"]),
            (&["stages.9.epochs=1"], &["9 is no place in a list of 2"]),
            (&["stages.0.epoks=1"], &["stages.0.epoks = 1", "unknown field"]),
            (&["network.bits.weights=9"], &["network.bits.weights = 9", "allowed is 1 to 8"]),
            (&["name.x=1"], &["nothing below"]),
            (&["seed=1,2"], &["--seeds"]),
            (&["augment.flip=true", "augment.flip=false"], &["twice"]),
            (&["augment.flip=true,true"], &["two cells"]),
        ] {
            let message = plan(grid, &[], &[]).unwrap_err();
            for part in parts {
                assert!(message.contains(part), "{part} is not in {message}");
            }
        }
    }
}
