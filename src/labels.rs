//! Names of classes, as other programs write them: into metadata, or into a text file.

use serde_json::Value;

/// Keys under which labels are found in the metadata of ONNX files, the likeliest first.
const KEYS: [&str; 6] = ["labels", "classes", "class_names", "names", "id2label", "label_names"];

/// The names in a text file: one a line, blank lines at the end passed over, or a JSON array or object.
///
/// None where there are fewer than two.
pub fn from_text(text: &str) -> Option<Vec<String>> {
    let text = text.trim_start_matches('\u{feff}');
    let labels = from_json(text).unwrap_or_else(|| {
        let lines: Vec<String> = text.trim_end().lines().map(|line| line.trim().to_owned()).collect();
        if lines.iter().any(String::is_empty) { vec![] } else { lines }
    });
    (labels.len() >= 2).then_some(labels)
}

/// The names in metadata entries, under any of the usual keys.
pub(crate) fn from_metadata<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Vec<String>> {
    let entries: Vec<(&str, &str)> = entries.collect();
    KEYS.iter().find_map(|key| {
        let (_, text) = entries.iter().find(|(k, _)| k.eq_ignore_ascii_case(key))?;
        match text.trim().chars().next()? {
            '[' | '{' => from_json(text).or_else(|| from_dictionary(text)),
            _ => from_list(text),
        }
    })
}

/// `["cat", "dog"]`, or `{"0": "cat", "1": "dog"}` with every number once.
fn from_json(text: &str) -> Option<Vec<String>> {
    match serde_json::from_str(text).ok()? {
        Value::Array(items) => items.iter().map(|v| v.as_str().map(str::to_owned)).collect(),
        Value::Object(map) => {
            let pairs = map.iter().map(|(k, v)| Some((k.parse().ok()?, v.as_str()?.to_owned())));
            in_order(pairs.collect::<Option<_>>()?)
        }
        _ => None,
    }
}

/// `{0: 'cat', 1: "dog's"}`, as Python prints a dictionary.
fn from_dictionary(text: &str) -> Option<Vec<String>> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        let (key, after) = rest.split_once(':')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (name, after) = after[1..].split_once(quote)?;
        pairs.push((key.trim().parse().ok()?, name.to_owned()));
        let after = after.trim_start();
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
        if after == rest && !rest.is_empty() {
            return None;
        }
    }
    in_order(pairs)
}

/// Lines, or else names between commas.
fn from_list(text: &str) -> Option<Vec<String>> {
    let separator = if text.trim().contains('\n') { '\n' } else { ',' };
    let names: Vec<String> = text.trim().split(separator).map(|n| n.trim().to_owned()).collect();
    (names.len() >= 2 && names.iter().all(|n| !n.is_empty())).then_some(names)
}

/// The names by their numbers, which must be 0, 1, 2 and so on.
fn in_order(mut pairs: Vec<(usize, String)>) -> Option<Vec<String>> {
    pairs.sort();
    let complete = pairs.iter().enumerate().all(|(i, (number, _))| i == *number);
    (complete && !pairs.is_empty()).then(|| pairs.into_iter().map(|(_, name)| name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Option<Vec<String>> {
        Some(list.iter().map(|&n| n.to_owned()).collect())
    }

    #[test]
    fn a_text_file_has_a_name_a_line() {
        for text in [
            "cat\ndog\n",
            "\u{feff}cat\r\ndog\r\n\r\n",
            " cat \ndog",
            "[\"cat\", \"dog\"]",
            "{\"1\":\"dog\",\"0\":\"cat\"}",
        ] {
            assert_eq!(from_text(text), names(&["cat", "dog"]), "{text:?}");
        }
        for text in ["", "cat", "cat\n\ndog", "[1, 2]"] {
            assert_eq!(from_text(text), None, "{text:?}");
        }
    }

    #[test]
    fn metadata_is_read_as_the_usual_exporters_write_it() {
        for (key, text) in [
            ("labels", "[\"cat\",\"dog's\"]"),
            ("names", "{0: 'cat', 1: \"dog's\"}"),
            ("id2label", "{\"0\": \"cat\", \"1\": \"dog's\"}"),
            ("Classes", "cat,dog's"),
            ("class_names", "cat\ndog's\n"),
        ] {
            let entries = [("author", "somebody"), (key, text)];
            assert_eq!(from_metadata(entries.into_iter()), names(&["cat", "dog's"]), "{key}: {text}");
        }
        for text in ["{0: 'cat', 2: 'dog'}", "{0: 'cat' 1: 'dog'}", "{0: cat}", ""] {
            assert_eq!(from_metadata([("names", text)].into_iter()), None, "{text}");
        }
        assert_eq!(from_metadata([("author", "a,b")].into_iter()), None);
    }
}
