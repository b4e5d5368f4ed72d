//! The models inside this program.

use seggpt::Bundled;

/// All of them, the default first.
pub(crate) const MODELS: &[Bundled] = &[
    Bundled {
        name: "base",
        weights: include_bytes!("../../../models/base/model.safetensors"),
        card: include_str!("../../../models/base/MODEL_CARD.md"),
    },
    Bundled {
        name: "small",
        weights: include_bytes!("../../../models/small/model.safetensors"),
        card: include_str!("../../../models/small/MODEL_CARD.md"),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_inside_is_that_of_the_repository() {
        let default = include_str!("../../../models/default");
        assert_eq!(default.trim(), MODELS[0].name);
    }
}
