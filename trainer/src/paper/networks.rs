//! The networks of the publication, and those they are compared with, as specifications: the files in `trainer/networks`,
//! compiled in.
//!
//! A network is had by its name and what is to be changed in it, each behind an `@`:
//!
//! | written | is |
//! |---|---|
//! | `l-sspq50` | as the file says |
//! | `l-sspq50@cifar10` | for CIFAR-10: input side, classes and stem of that form; also `cifar100`, `tiny-imagenet`, `imagenet` |
//! | `l-sspq50@w1` | with pointwise and linear weights of 1 bit; 1 to 8 |
//! | `l-sspq50@float` | its float twin: no bits at all |
//! | `mobilenet-v2@x0.5` | half as wide; 0.05 to 8 |
//!
//! and several of them together, as in `mobilenet-v2@cifar10@x0.5`.

use crate::error::Error;
use lsspq::spec::{BlockKind, NetworkSpec};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Names and text of the files.
const FILES: [(&str, &str); 15] = [
    ("l-sspq50", include_str!("../../networks/l-sspq50.toml")),
    ("l-sspq34-cifar100", include_str!("../../networks/l-sspq34-cifar100.toml")),
    ("l-sspq-c10", include_str!("../../networks/l-sspq-c10.toml")),
    ("sspq50", include_str!("../../networks/sspq50.toml")),
    ("sspq101", include_str!("../../networks/sspq101.toml")),
    ("sspq152", include_str!("../../networks/sspq152.toml")),
    ("res-ib-shift50", include_str!("../../networks/res-ib-shift50.toml")),
    ("asl50", include_str!("../../networks/asl50.toml")),
    ("resnet50", include_str!("../../networks/resnet50.toml")),
    ("resnet20", include_str!("../../networks/resnet20.toml")),
    ("mobilenet-v2", include_str!("../../networks/mobilenet-v2.toml")),
    ("mobilenet-v3-small", include_str!("../../networks/mobilenet-v3-small.toml")),
    ("mobilenet-v3-large", include_str!("../../networks/mobilenet-v3-large.toml")),
    ("reactnet-a", include_str!("../../networks/reactnet-a.toml")),
    ("fracbnn20", include_str!("../../networks/fracbnn20.toml")),
];

/// What a form sets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    input: usize,
    classes: usize,
    stem: Window,
}

/// A stem but for its channels.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Window {
    kernel: usize,
    stride: usize,
    pool: bool,
}

/// The forms by their names.
fn forms() -> BTreeMap<String, Form> {
    toml::from_str(include_str!("../../networks/forms.toml")).expect("the tests read this very list")
}

/// The names.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// One of them by its name.
pub fn named(name: &str) -> Option<NetworkSpec> {
    let (name, text) = FILES.iter().find(|(n, _)| *n == name)?;
    Some(parse(text).unwrap_or_else(|e| panic!("trainer/networks/{name}.toml: {e}")))
}

/// One of them by its name and changes, or none where nothing has that name.
///
/// # Errors
/// A change that is none, or one that this network cannot take.
pub fn changed(reference: &str) -> Result<Option<NetworkSpec>, String> {
    let mut parts = reference.split('@');
    let Some(mut spec) = parts.next().and_then(named) else { return Ok(None) };
    for change in parts {
        spec = change_one(spec, change).map_err(|e| format!("{reference}: {e}"))?;
    }
    spec.validate().map_err(|e| format!("{reference}: {e}"))?;
    Ok(Some(spec))
}

fn change_one(mut spec: NetworkSpec, change: &str) -> Result<NetworkSpec, String> {
    let forms = forms();
    let bits = change.strip_prefix('w').and_then(|b| b.parse::<u8>().ok()).filter(|b| (1..=8).contains(b));
    let factor = change.strip_prefix('x').and_then(|f| f.parse::<f64>().ok()).filter(|f| (0.05..=8.0).contains(f));
    if let Some(form) = forms.get(change) {
        if form.input != spec.input {
            let Window { kernel, stride, pool } = form.stem;
            (spec.stem.kernel, spec.stem.stride, spec.stem.pool) = (kernel, stride, pool);
        }
        (spec.input, spec.classes) = (form.input, form.classes);
    } else if let Some(bits) = bits {
        (spec.bits.weights, spec.bits.linear) = (Some(bits), spec.bits.linear.map(|_| bits));
    } else if let Some(factor) = factor {
        spec = spec.scaled(factor);
    } else if change == "float" {
        if spec.groups.iter().any(|g| g.block.is_binary()) {
            return Err("a binary network has no float twin".into());
        }
        (spec.bits.weights, spec.bits.linear, spec.bits.activations) = (None, None, None);
        spec.groups.iter_mut().for_each(|g| g.weight_bits = None);
    } else {
        let forms: Vec<&str> = forms.keys().map(String::as_str).collect();
        return Err(format!("@{change}: allowed are @{}, @w1 to @w8, @float, @x0.05 to @x8", forms.join(", @")));
    }
    spec.name = format!("{}-{change}", spec.name);
    Ok(spec)
}

/// One of them by its name and changes, or else a file of the same form.
///
/// # Errors
/// No such name and no such file; a file that is no specification, or one that no network can be built from.
pub fn find(name_or_file: &Path) -> Result<NetworkSpec, Error> {
    if let Some(spec) = name_or_file.to_str().map(changed).transpose().map_err(Error::recipe)?.flatten() {
        return Ok(spec);
    }
    let shown = name_or_file.display();
    let text = std::fs::read_to_string(name_or_file).map_err(|e| {
        let known: Vec<_> = names().collect();
        Error::recipe(format!("{shown} is neither a network file ({e}) nor one of {}", known.join(", ")))
    })?;
    parse(&text).map_err(|e| Error::recipe(format!("{shown}: {e}")))
}

/// Whether a file is a network alone, not a recipe, which holds one under `network`.
pub fn is_one(file: &Path) -> bool {
    let table = std::fs::read_to_string(file).ok().and_then(|text| text.parse::<toml::Table>().ok());
    file.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml")) && table.is_some_and(|t| t.contains_key("groups"))
}

fn parse(text: &str) -> Result<NetworkSpec, String> {
    let spec: NetworkSpec = toml::from_str(text).map_err(|e| e.to_string())?;
    spec.validate().map_err(|e| e.to_string())?;
    Ok(spec)
}

/// Reads what a recipe says under `network`: a name with its changes, or a whole specification.
pub(crate) fn name_or_spec<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<NetworkSpec, D::Error> {
    struct Visitor;
    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = NetworkSpec;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a network or the name of one")
        }

        fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<NetworkSpec, E> {
            let known = || format!("{name:?} is none of {}", names().collect::<Vec<_>>().join(", "));
            changed(name).map_err(E::custom)?.ok_or_else(|| E::custom(known()))
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<NetworkSpec, A::Error> {
            NetworkSpec::deserialize(serde::de::value::MapAccessDeserializer::new(map))
        }
    }
    deserializer.deserialize_any(Visitor)
}

/// Whether some channels move by learned displacements.
pub(crate) fn shifts(spec: &NetworkSpec) -> bool {
    spec.groups.iter().any(|g| BlockKind::shifts(g.block))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsspq::size::Totals;

    #[test]
    fn every_file_is_a_network_of_its_own_name() {
        for name in names() {
            assert_eq!(named(name).unwrap().name, name);
        }
        assert!(named("resnet51").is_none());
    }

    #[test]
    fn every_network_has_every_form_and_reads_back_from_toml_and_json() {
        for name in names() {
            for form in forms().keys() {
                let spec = changed(&format!("{name}@{form}")).unwrap().unwrap();
                assert_eq!(toml::from_str::<NetworkSpec>(&toml::to_string(&spec).unwrap()).unwrap(), spec);
                let json = serde_json::to_string(&spec).unwrap();
                assert_eq!(serde_json::from_str::<NetworkSpec>(&json).unwrap(), spec);
                assert!(spec.trunk_output().1 >= 1, "{name}@{form}");
            }
        }
    }

    #[test]
    fn a_form_keeps_the_stem_of_a_network_that_is_made_for_its_side() {
        let stem = |reference: &str| changed(reference).unwrap().unwrap().stem;
        assert_eq!(stem("mobilenet-v2@imagenet"), named("mobilenet-v2").unwrap().stem);
        assert_eq!((stem("l-sspq50@cifar10").kernel, stem("l-sspq50@cifar10").channels), (3, 64));
        assert!(stem("l-sspq34-cifar100@imagenet").pool);
    }

    #[test]
    fn changes_add_up() {
        let spec = changed("l-sspq50@cifar10@w1@x0.5").unwrap().unwrap();
        assert_eq!((spec.classes, spec.bits.weights, spec.bits.linear), (10, Some(1), Some(1)));
        assert_eq!((spec.groups[0].width, spec.stem.channels), (32, 32));
        let twin = changed("l-sspq34-cifar100@float").unwrap().unwrap();
        let (twin, whole) = (Totals::of(&twin), Totals::of(&named("l-sspq34-cifar100").unwrap()));
        assert_eq!(twin.float_twin_bytes, whole.float_twin_bytes);
        assert!(changed("l-sspq50@half").unwrap_err().contains("@cifar10"));
        assert!(changed("resnet20@w2").unwrap_err().contains("float weights"));
        assert!(changed("reactnet-a@float").unwrap_err().contains("no float twin"));
    }

    #[test]
    fn narrower_mobilenets_have_the_published_parameters() {
        // As the reference implementation counts them at a width of one half.
        let count = |reference: &str| Totals::of(&changed(reference).unwrap().unwrap()).float_twin_bytes / 4;
        assert_eq!(count("mobilenet-v2@x0.5"), 1_968_680);
    }

    #[test]
    fn what_is_neither_name_nor_file_is_answered_with_the_names() {
        let message = find(Path::new("l-sspq51")).unwrap_err().to_string();
        assert!(message.contains("l-sspq51") && message.contains("sspq152"), "{message}");
    }
}
