//! Whether a network can be built from a specification.

use super::{BlockKind, BlockShape, NetworkSpec, SpecError};

impl NetworkSpec {
    /// Checks every value against what the network can be built from.
    ///
    /// # Errors
    /// The key at fault, its value and what is allowed.
    pub fn validate(&self) -> Result<(), SpecError> {
        let range = |key: &str, value: usize, low: usize, high: usize| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(SpecError(format!("{key} = {value}: allowed is {low} to {high}")))
            }
        };
        let bits = |key: &str, value: Option<u8>, low: usize| match value {
            Some(b) => range(key, b.into(), low, 8),
            None => Ok(()),
        };
        range("input", self.input, 8, 1024)?;
        range("classes", self.classes, 2, 100_000)?;
        range("stem.kernel", self.stem.kernel, 1, 11)?;
        if self.stem.kernel.is_multiple_of(2) {
            return Err(SpecError(format!("stem.kernel = {}: allowed is an odd number", self.stem.kernel)));
        }
        range("stem.channels", self.stem.channels, 1, 4096)?;
        range("stem.stride", self.stem.stride, 1, 4)?;
        range("number of groups", self.groups.len(), 1, 64)?;
        for (i, g) in self.groups.iter().enumerate() {
            range(&format!("groups[{i}].width"), g.width, 1, 4096)?;
            range(&format!("groups[{i}].blocks"), g.blocks, 1, 100)?;
            range(&format!("groups[{i}].stride"), g.stride, 1, 4)?;
            range(&format!("groups[{i}].expansion"), g.expansion, 1, 16)?;
            bits(&format!("groups[{i}].weight_bits"), g.weight_bits, 1)?;
        }
        if let Some(head) = &self.head {
            range("head.channels", head.channels, 1, 8192)?;
            range("head.features", head.features.unwrap_or(1), 1, 8192)?;
        }
        bits("bits.weights", self.bits.weights, 1)?;
        bits("bits.linear", self.bits.linear, 1)?;
        bits("bits.activations", self.bits.activations, 2)?;
        self.validate_kinds()
    }

    /// What only some kinds of block and some activations can do.
    fn validate_kinds(&self) -> Result<(), SpecError> {
        let refuse = |text: String| Err(SpecError(text));
        if self.bits.activations.is_some() && !self.is_shift_network() {
            return refuse(
                "bits.activations: allowed only where all blocks are of kind \"shift\" and the activation is \"clip\""
                    .into(),
            );
        }
        if self.mirrored && !self.is_shift_network() {
            return refuse(
                "mirrored: allowed only where all blocks are of kind \"shift\" and the activation is \"clip\"".into(),
            );
        }
        for (i, (g, shape)) in self.groups.iter().zip(self.first_blocks()).enumerate() {
            let key = format!("groups[{i}]");
            match g.block {
                BlockKind::InvertedResidual { kernel, hidden, .. } => {
                    if kernel.is_multiple_of(2) || kernel > 11 {
                        return refuse(format!("{key}.block.kernel = {kernel}: allowed are odd numbers up to 11"));
                    }
                    if hidden.is_some_and(|h| !(1..=8192).contains(&h)) {
                        return refuse(format!("{key}.block.hidden: allowed is 1 to 8192"));
                    }
                }
                BlockKind::Basic {} | BlockKind::React {} | BlockKind::Fractional {} if g.expansion != 1 => {
                    return refuse(format!("{key}.expansion = {}: allowed is 1 for this kind of block", g.expansion));
                }
                BlockKind::React {} if shape.output != shape.input && shape.output != 2 * shape.input => {
                    let (input, width) = (shape.input, g.width);
                    return refuse(format!("{key}.width = {width}: allowed is {input} or {}", 2 * input));
                }
                BlockKind::ActiveShift {} if !shape.input.is_multiple_of(g.width) => {
                    let (input, width) = (shape.input, g.width);
                    return refuse(format!("{key}.width = {width}: allowed is a divisor of the {input} that enter"));
                }
                BlockKind::Fractional {} if !g.width.is_multiple_of(shape.input) => {
                    let (input, width) = (shape.input, g.width);
                    return refuse(format!("{key}.width = {width}: allowed is a multiple of the {input} that enter"));
                }
                _ => {}
            }
            if g.block.is_binary() && !shape.side.is_multiple_of(shape.stride) {
                let (stride, side) = (shape.stride, shape.side);
                return refuse(format!("{key}.stride = {stride}: allowed is a divisor of its map's side, {side}"));
            }
            match shape.weight_bits {
                Some(1) if g.block.is_binary() => {}
                _ if g.block.is_binary() => {
                    return refuse(format!("{key}: weights of this kind of block have 1 bit: set bits.weights = 1"));
                }
                Some(bits) if !g.block.shifts() => {
                    return refuse(format!("{key}: this kind of block has float weights, not {bits}-bit ones"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The first block of every group.
    fn first_blocks(&self) -> impl Iterator<Item = BlockShape> {
        self.blocks().into_iter().filter(|b| b.index == 0)
    }
}
