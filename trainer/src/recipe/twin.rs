//! The float twin of a recipe.

use super::{Activations, Recipe};
use lsspq::spec::Bits;

impl Recipe {
    /// The same network with float weights and activations, trained as long on the same pictures: what quantisation is
    /// measured against, and a teacher to learn from. It has `-float` behind its name and learns from nobody itself.
    pub fn float_twin(&self) -> Self {
        let mut twin = self.clone();
        twin.name.push_str("-float");
        twin.network.name.push_str("-float");
        twin.network.bits = Bits { weights: None, linear: None, activations: None };
        twin.network.groups.iter_mut().for_each(|group| group.weight_bits = None);
        twin.stages.iter_mut().for_each(|stage| stage.activations = Some(Activations::Float));
        (twin.quantiser, twin.distill) = Default::default();
        twin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twin_is_a_recipe_without_bits_and_its_own_twin_but_for_the_name() {
        let mut recipe = Recipe::parse(include_str!("../../tests/fixture/shapes.toml"), "shapes").unwrap();
        recipe.network.groups[0].weight_bits = Some(3);
        let twin = recipe.float_twin();
        let read = Recipe::parse(&twin.to_toml(), "twin").unwrap();
        assert_eq!(read, twin);
        assert_eq!(twin.name, "shapes-float");
        assert!(twin.network.blocks().iter().all(|block| block.weight_bits.is_none()));
        assert!(twin.stages.iter().all(|stage| stage.activation_bits().is_none()));
        assert_eq!((twin.stages.len(), &twin.data), (recipe.stages.len(), &recipe.data));
        assert_eq!(twin.float_twin().stages, twin.stages);
    }
}
