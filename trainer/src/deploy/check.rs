//! Whether the parts of a network fit its specification.

use super::{Affine, Network, NetworkError, Pointwise, Weights};
use lsspq::spec::BlockShape;

impl Network {
    /// Checks every length, bit width and level against the specification, and that every number is finite.
    ///
    /// # Errors
    /// [`Inconsistent`](super::NetworkErrorKind::Inconsistent), naming the layer, what it has and what it should have.
    pub fn check(&self) -> Result<(), NetworkError> {
        let spec = &self.spec;
        spec.validate().map_err(|e| NetworkError::inconsistent(format!("the specification: {e}")))?;
        finite("mean", &self.mean)?;
        finite("deviation", &self.deviation)?;
        if let Some(d) = self.deviation.iter().find(|&&d| d <= 0.0) {
            return Err(NetworkError::inconsistent(format!("deviation: {d} is not positive")));
        }
        let stem = &spec.stem;
        length("stem: weights", self.stem.weight.len(), stem.channels * 3 * stem.kernel * stem.kernel)?;
        finite("stem: weights", &self.stem.weight)?;
        affine("stem", &self.stem.affine, stem.channels)?;
        length("groups", self.groups.len(), spec.groups.len())?;
        for (g, group) in spec.groups.iter().enumerate() {
            length(&format!("group {g}: blocks"), self.groups[g].len(), group.blocks)?;
        }
        length("group closing affines", self.closes.len(), spec.groups.len())?;
        for shape in spec.blocks() {
            self.check_block(&shape)?;
        }
        for (g, close) in self.closes.iter().enumerate() {
            let channels = spec.groups[g].width * spec.groups[g].expansion;
            affine(&format!("close of group {g}"), close, channels)?;
        }
        match (&self.head, &spec.head) {
            (Some(head), Some(wanted)) => {
                pointwise("head", head, spec.trunk_output().0, wanted.channels, spec.bits.weights)?;
            }
            (None, None) => {}
            (found, _) => return Err(presence("head", found.is_some())),
        }
        pointwise("linear", &self.linear, spec.embedding(), spec.classes, spec.bits.linear)
    }

    fn check_block(&self, shape: &BlockShape) -> Result<(), NetworkError> {
        let block = &self.groups[shape.group][shape.index];
        let name = |part: &str| format!("{part} of block {} in group {}", shape.index, shape.group);
        match &block.pre {
            Some(pre) if shape.pre_activated() => affine(&name("pre-activation"), pre, shape.input)?,
            None if !shape.pre_activated() => {}
            found => return Err(presence(&name("pre-activation"), found.is_some())),
        }
        pointwise(&name("reduce"), &block.reduce, shape.input, shape.width, shape.weight_bits)?;
        length(&name("shift"), block.shift.len(), shape.width)?;
        pointwise(&name("expand"), &block.expand, shape.width, shape.output, shape.weight_bits)?;
        match &block.shortcut {
            Some(shortcut) if shape.projects() => {
                pointwise(&name("shortcut"), shortcut, shape.input, shape.output, shape.weight_bits)
            }
            None if !shape.projects() => Ok(()),
            found => Err(presence(&name("shortcut"), found.is_some())),
        }
    }
}

fn pointwise(name: &str, p: &Pointwise, input: usize, output: usize, bits: Option<u8>) -> Result<(), NetworkError> {
    length(&format!("{name}: input channels"), p.input, input)?;
    length(&format!("{name}: output channels"), p.output, output)?;
    length(&format!("{name}: weights"), p.weights.len(), input * output)?;
    affine(name, &p.affine, output)?;
    if p.weights.bits() != bits {
        let words = |b: Option<u8>| b.map_or("float".to_owned(), |b| format!("{b}-bit"));
        let (found, wanted) = (words(p.weights.bits()), words(bits));
        return Err(NetworkError::inconsistent(format!("{name}: {found} weights, the specification says {wanted}")));
    }
    match &p.weights {
        Weights::Float(values) => finite(&format!("{name}: weights"), values),
        Weights::Levels { bits, levels } => match levels.iter().find(|&&level| u32::from(level) >> bits != 0) {
            Some(level) => Err(NetworkError::inconsistent(format!("{name}: level {level} in {bits} bits"))),
            None => Ok(()),
        },
    }
}

fn affine(name: &str, affine: &Affine, channels: usize) -> Result<(), NetworkError> {
    length(&format!("{name}: scales"), affine.scale.len(), channels)?;
    length(&format!("{name}: biases"), affine.bias.len(), channels)?;
    finite(&format!("{name}: scales"), &affine.scale)?;
    finite(&format!("{name}: biases"), &affine.bias)
}

fn length(name: &str, found: usize, wanted: usize) -> Result<(), NetworkError> {
    if found == wanted {
        return Ok(());
    }
    Err(NetworkError::inconsistent(format!("{name}: {found}, the specification asks for {wanted}")))
}

fn finite(name: &str, values: &[f32]) -> Result<(), NetworkError> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(i) => Err(NetworkError::inconsistent(format!("{name}: number {i} is {}", values[i]))),
        None => Ok(()),
    }
}

fn presence(name: &str, found: bool) -> NetworkError {
    let words = if found { "present, the specification has none" } else { "missing" };
    NetworkError::inconsistent(format!("{name}: {words}"))
}

#[cfg(test)]
mod tests {
    use super::super::{NetworkErrorKind, random};
    use super::*;
    use crate::deploy::random::tests::spec;

    fn message(spoil: impl FnOnce(&mut Network)) -> String {
        let mut network = random(&spec(2, 4), 1).unwrap();
        network.check().unwrap();
        spoil(&mut network);
        let error = network.check().unwrap_err();
        assert_eq!(error.kind(), NetworkErrorKind::Inconsistent);
        error.to_string()
    }

    #[test]
    fn a_spoiled_part_is_named() {
        assert!(message(|n| n.stem.weight.truncate(5)).starts_with("stem: weights: 5"));
        assert!(message(|n| n.deviation[1] = 0.0).contains("deviation"));
        assert!(message(|n| n.closes.truncate(1)).contains("closing"));
        assert!(message(|n| n.groups[1][0].shortcut = None).contains("shortcut of block 0 in group 1: missing"));
        assert!(message(|n| n.groups[0][1].pre = None).contains("pre-activation of block 1 in group 0: missing"));
        assert!(message(|n| n.groups[0][0].shift.push((0, 0))).contains("shift of block 0 in group 0"));
        assert!(message(|n| n.head = None).contains("head: missing"));
        assert!(message(|n| n.linear.affine.bias[0] = f32::NAN).contains("linear: biases: number 0 is NaN"));
        assert!(message(|n| n.linear.weights = Weights::Float(vec![0.0; n.linear.weights.len()])).contains("float"));
        let spoil = |n: &mut Network| {
            let Weights::Levels { levels, .. } = &mut n.groups[0][0].reduce.weights else { unreachable!() };
            levels[3] = 4;
        };
        assert!(message(spoil).contains("level 4 in 2 bits"));
        assert!(message(|n| n.spec.classes = 1).contains("classes = 1"));
    }
}
