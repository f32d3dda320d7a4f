//! Every size of a network and its file, side by side.

use super::{mib, table, thousands};
use crate::paper::untrained;
use flate2::Compression;
use flate2::write::GzEncoder;
use lsspq::size::Totals;
use lsspq::spec::NetworkSpec;
use std::io::Write;

/// Bytes of a file as a host sends it compressed (gzip at its best). Packed weights do not get smaller; the graph does.
pub fn compressed(file: &[u8]) -> u64 {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(file).and_then(|()| encoder.finish()).map_or(file.len() as u64, |bytes| bytes.len() as u64)
}

/// The sizes of a file: as it is served, as it is sent compressed, of its weights alone, and of the same network in float.
pub fn sizes(spec: &NetworkSpec, file: &[u8]) -> String {
    let totals = Totals::of(spec);
    let row = |name: &str, bytes: u64, note: String| {
        [name.into(), thousands(bytes), "bytes".into(), format!("{:.3}", mib(bytes)), "MiB".into(), note]
    };
    let served = file.len() as u64;
    let ratio = totals.float_twin_bytes as f64 / served.max(1) as f64;
    let rows = [
        row("file as it is served", served, String::new()),
        row("sent compressed (gzip)", compressed(file), String::new()),
        row("packed weights alone", totals.weights_bytes, String::new()),
        row("float twin", totals.float_twin_bytes, format!("{ratio:.1} times the file")),
    ];
    let work = thousands(totals.multiply_adds);
    format!("{}multiply-adds for one picture: {work}\n", table(&rows, &[0, 2, 4, 5]))
}

/// [`super::network`] and [`sizes`] of a network before it is trained: its file with random weights, which take the same
/// bytes as trained ones; the card will hold a little more then, such as the recipe.
pub fn before_training(spec: &NetworkSpec) -> String {
    let file = untrained(spec, 1);
    format!("{}\nbefore training, with random weights:\n{}", super::network(spec), sizes(spec, &file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::random::tests::spec;

    #[test]
    fn every_size_has_a_line() {
        let spec = spec(2, 4);
        let file = untrained(&spec, 1);
        let text = sizes(&spec, &file);
        let totals = Totals::of(&spec);
        for bytes in [file.len() as u64, compressed(&file), totals.weights_bytes, totals.float_twin_bytes] {
            assert!(text.contains(&thousands(bytes)), "{bytes} is not in {text}");
        }
        assert!(compressed(&file) < file.len() as u64);
        assert!(before_training(&spec).contains(&text));
    }
}
