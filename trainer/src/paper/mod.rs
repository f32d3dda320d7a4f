//! The comparison of the publication: what it states, and what follows from a definition of each network.
//!
//! Three things are kept apart: figures that were *published* (`published.toml`, with their sources), sizes that are
//! *computed* here from the layers of each network ([`size_of`]), and models that were *measured* here (their own cards).

mod figure;
pub mod networks;
mod peers;
mod size;
mod table;

pub use figure::figure;
pub use size::{Parts, size_of, untrained};
pub use table::table;

use serde::Deserialize;
use std::collections::BTreeMap;

/// Published figures and their sources.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Full references by the short names that entries use.
    pub sources: BTreeMap<String, String>,
    /// The networks, in no order.
    pub networks: Vec<Entry>,
}

/// One network on ImageNet (1000 classes), as published.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Top-1 accuracy in percent.
    pub top1: f64,
    /// Size in MiB (2^20 bytes).
    pub mib: f64,
    /// Whether the size was read off a chart or rounded.
    #[serde(default)]
    pub about: bool,
    /// Width of most weights.
    pub weights: String,
    /// Key into [`Published::sources`].
    pub source: String,
    /// The definition that [`size_of`] computes the size from; none where its layers are not public.
    pub size: Option<String>,
    /// What a reader has to know of the figures.
    pub note: Option<String>,
}

impl Published {
    /// The list that comes with the program.
    pub fn load() -> Self {
        toml::from_str(include_str!("published.toml")).expect("the tests read this very list")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_names_a_source_and_a_definition_that_exist() {
        let published = Published::load();
        assert!(published.networks.len() >= 13);
        for entry in &published.networks {
            assert!(published.sources.contains_key(&entry.source), "{}", entry.name);
            assert!(entry.size.as_deref().is_none_or(|name| size_of(name).is_some()), "{}", entry.name);
            assert!((50.0..100.0).contains(&entry.top1) && entry.mib > 0.0, "{}", entry.name);
        }
    }
}
