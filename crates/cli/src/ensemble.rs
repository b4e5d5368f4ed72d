//! What `--ensemble` means for a model, and which node does it.

use seggpt::Card;
use seggpt_flow::{
    Setting,
    compose::{env, with_settings},
};

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

    /// What stands below that node in a dataflow, its settings with those that the user sets; nothing where there are none.
    pub(crate) fn env(self, settings: &[Setting]) -> String {
        match env(6, &with_settings("ensemble", &self.settings(), settings)) {
            lines if lines.is_empty() => String::new(),
            lines => format!("\n    env:\n{lines}"),
        }
    }

    /// What that node is told.
    fn settings(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Joint => vec![("MERGE", "joint".into())],
            Self::Auto | Self::Feature | Self::Spatial | Self::Vote => Vec::new(),
        }
    }
}
