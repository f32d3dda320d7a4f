//! The comparison of the publication: what it states, and what follows from a definition of each network.
//!
//! Three things are kept apart: figures that were *published* (`published.toml`, with their sources), sizes that are
//! *computed* here from the layers of each network ([`size_of`]), and models that were *measured* here (their own cards).

mod data;
mod figure;
pub mod networks;
mod peers;
mod size;
mod table;

pub use data::data;
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
    /// Networks on CIFAR-10, in no order.
    pub cifar10: Vec<Mark>,
}

/// One network on CIFAR-10 (10 classes), as published.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Its name.
    pub name: String,
    /// Top-1 accuracy in percent.
    pub top1: f64,
    /// Millions of parameters, rounded as published.
    pub millions: f64,
    /// Bits of most of them.
    pub bits: u32,
    /// Key into [`Published::sources`].
    pub source: String,
}

impl Mark {
    /// All parameters at their bits, in MiB of 2^20 bytes.
    pub fn mib(&self) -> f64 {
        self.millions * 1e6 * f64::from(self.bits) / 8.0 / f64::from(1 << 20)
    }
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
        for mark in &published.cifar10 {
            assert!(published.sources.contains_key(&mark.source), "{}", mark.name);
            assert!((50.0..100.0).contains(&mark.top1) && mark.mib() > 0.0, "{}", mark.name);
        }
    }
}
