//! The comparison as data for the page, which draws it.

use super::{Published, size_of};
use serde::Serialize;
use std::collections::BTreeMap;

/// What `www/figure/published.json` holds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Figure<'a> {
    sources: &'a BTreeMap<String, String>,
    sets: [Set<'a>; 2],
}

/// The networks of one data set: they alone compare with each other.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Set<'a> {
    /// What the data set of a model's card must begin with for the model to be among them.
    dataset: &'a str,
    chance_percent: f64,
    networks: Vec<Point<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Point<'a> {
    name: &'a str,
    /// Published, in percent.
    top1: f64,
    /// Published.
    mib: f64,
    /// Whether `mib` was read off a chart, rounded, or made of a rounded number of parameters.
    about: bool,
    weights: String,
    source: &'a str,
    /// Computed here from the layers; none where they are not public.
    computed_mib: Option<f64>,
}

/// A JSON document of all published networks, by data set.
pub fn data(published: &Published) -> String {
    let rounded = |value: f64, digits: i32| (value * 10f64.powi(digits)).round() / 10f64.powi(digits);
    let imagenet = published.networks.iter().map(|e| Point {
        name: &e.name,
        top1: e.top1,
        mib: e.mib,
        about: e.about,
        weights: e.weights.clone(),
        source: &e.source,
        computed_mib: e.size.as_deref().and_then(size_of).map(|parts| rounded(parts.mib(), 2)),
    });
    let cifar10 = published.cifar10.iter().map(|m| Point {
        name: &m.name,
        top1: m.top1,
        mib: rounded(m.mib(), 4),
        about: true,
        weights: format!("{}-bit", m.bits),
        source: &m.source,
        computed_mib: None,
    });
    let sets = [
        Set { dataset: "ImageNet", chance_percent: 0.1, networks: imagenet.collect() },
        Set { dataset: "CIFAR-10", chance_percent: 10.0, networks: cifar10.collect() },
    ];
    let figure = Figure { sources: &published.sources, sets };
    serde_json::to_string_pretty(&figure).expect("plain data") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_the_current_figures() {
        let there = include_str!("../../../www/figure/published.json");
        assert!(
            there == data(&Published::load()),
            "www/figure/published.json is not current: write it anew by `lsspq compare --paper --data www/figure/published.json`"
        );
    }
}
