//! Layer tables of the binary networks that L-SSPQ is compared with, after their publications and in their accounting:
//! enough to count, not to run.

mod binary;
mod count;

use super::Parts;

/// The parts of a network by its name, at its published bit widths, for 1000 classes.
pub(super) fn named(name: &str) -> Option<Parts> {
    Some(match name {
        "reactnet-a" => binary::reactnet_a(),
        "fracbnn" => binary::fracbnn(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::named;

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
