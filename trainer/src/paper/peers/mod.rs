//! Layer tables of the networks that L-SSPQ is compared with, after their publications: enough to count, not to run.

mod binary;
mod count;
mod mobilenet;
mod resnet;

use super::Parts;

/// The parts of a network by its name, at its published bit widths, for 1000 classes.
pub(super) fn named(name: &str) -> Option<Parts> {
    Some(match name {
        "resnet50" => resnet::resnet50(),
        "mobilenet-v2" => mobilenet::v2(),
        "mobilenet-v3-large" => mobilenet::v3_large(),
        "mobilenet-v3-small" => mobilenet::v3_small(),
        "reactnet-a" => binary::reactnet_a(),
        "fracbnn" => binary::fracbnn(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::named;

    /// Counts that the reference implementations report.
    #[test]
    fn parameters_are_those_of_the_reference_implementations() {
        let count = |name| named(name).unwrap_or_else(|| panic!("{name}")).parameters();
        assert_eq!(count("resnet50"), 25_557_032);
        assert_eq!(count("mobilenet-v2"), 3_504_872);
        assert_eq!(count("mobilenet-v3-large"), 5_483_032);
        assert_eq!(count("mobilenet-v3-small"), 2_542_856);
    }

    #[test]
    fn binary_networks_have_their_published_weights() {
        let part = |name, part| {
            let parts = named(name).unwrap_or_else(|| panic!("{name}")).parts;
            parts.iter().find(|(n, ..)| *n == part).map(|(_, count, _)| *count)
        };
        assert_eq!(part("reactnet-a", "binary convolutions"), Some(28_253_184));
        assert_eq!(part("reactnet-a", "linear"), Some(1_025_000));
        // 4.56 million bytes are published.
        let bytes = named("fracbnn").unwrap().bytes();
        assert_eq!((bytes + 5_000) / 10_000, 456, "{bytes}");
    }
}
