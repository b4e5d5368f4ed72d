//! What `--refine` means for a model.

use seggpt::{Card, Refinement};

use crate::values::Refine;

/// Side of the canvases in pixels where predictions are refined, unless the network's input is larger.
const CANVAS: usize = 448;

impl Refine {
    /// [`Refine::Auto`] as the model's card has it; other choices as they are.
    pub(crate) fn resolved(self, card: Card) -> Self {
        match self {
            Self::Auto => match card.refine {
                Some(Refinement::Fixed(_)) => Self::Forest,
                Some(Refinement::Fitted) => Self::Fitted,
                None => Self::None,
            },
            chosen => chosen,
        }
    }

    /// Side of the canvases in pixels, for a network whose input has the side `input`.
    pub(crate) fn canvas(self, input: usize) -> usize {
        match self {
            Self::Forest | Self::Fitted => input.max(CANVAS),
            Self::Auto | Self::None => input,
        }
    }
}
