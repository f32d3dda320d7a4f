//! The networks of the publication as specifications: the files in `trainer/networks`, compiled in.

use crate::error::Error;
use lsspq::spec::NetworkSpec;
use std::path::Path;

/// Names and text of the files.
const FILES: [(&str, &str); 6] = [
    ("l-sspq50", include_str!("../../networks/l-sspq50.toml")),
    ("l-sspq34-cifar100", include_str!("../../networks/l-sspq34-cifar100.toml")),
    ("res-ib-shift50", include_str!("../../networks/res-ib-shift50.toml")),
    ("sspq50", include_str!("../../networks/sspq50.toml")),
    ("sspq101", include_str!("../../networks/sspq101.toml")),
    ("sspq152", include_str!("../../networks/sspq152.toml")),
];

/// The names.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// One of them by its name.
pub fn named(name: &str) -> Option<NetworkSpec> {
    let (name, text) = FILES.iter().find(|(n, _)| *n == name)?;
    Some(parse(text).unwrap_or_else(|e| panic!("trainer/networks/{name}.toml: {e}")))
}

/// One of them by its name, or else a file of the same form.
///
/// # Errors
/// No such name and no such file; a file that is no specification, or one that no network can be built from.
pub fn find(name_or_file: &Path) -> Result<NetworkSpec, Error> {
    if let Some(spec) = name_or_file.to_str().and_then(named) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_network_of_its_own_name() {
        for name in names() {
            assert_eq!(named(name).unwrap().name, name);
        }
        assert!(named("resnet50").is_none());
    }

    #[test]
    fn what_is_neither_name_nor_file_is_answered_with_the_names() {
        let message = find(Path::new("l-sspq51")).unwrap_err().to_string();
        assert!(message.contains("l-sspq51") && message.contains("sspq152"), "{message}");
    }
}
