//! What `--ensemble` means for a model, and which node does it.

use seggpt::Card;

use crate::values::Ensemble;

impl Ensemble {
    /// [`Ensemble::Auto`] as the model's card has it; other choices as they are.
    pub(crate) fn resolved(self, card: Card) -> Self {
        match (self, card.ensemble) {
            (Self::Auto, Some(seggpt::Ensemble::Joint)) => Self::Joint,
            (Self::Auto, _) => Self::Feature,
            (chosen, _) => chosen,
        }
    }

    /// The node that does it.
    pub(crate) fn node(self) -> &'static str {
        match self {
            Self::Auto | Self::Feature | Self::Joint => "seggpt-ensemble-feature",
            Self::Spatial => "seggpt-ensemble-spatial",
            Self::Vote => "seggpt-ensemble-vote",
        }
    }

    /// What that node is told.
    pub(crate) fn settings(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Joint => vec![("MERGE", "joint".into())],
            Self::Auto | Self::Feature | Self::Spatial | Self::Vote => Vec::new(),
        }
    }
}
