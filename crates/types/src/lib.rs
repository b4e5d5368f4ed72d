//! What network, messages, samples and command line all speak of.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a colour in a mask stands for: which of SegGPT's two type tokens is added to every token (paper section 3.1).
/// Painter has no such tokens and ignores it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SegType {
    /// Everything of a class (`type_token_cls`).
    #[default]
    Semantic,
    /// One object, the default of the original command line (`type_token_ins`).
    Instance,
}

impl SegType {
    /// How settings and messages call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Semantic => "semantic",
            Self::Instance => "instance",
        }
    }
}

impl fmt::Display for SegType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SegType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "semantic" => Ok(Self::Semantic),
            "instance" => Ok(Self::Instance),
            _ => Err(format!("`{text}` is not a type: semantic or instance")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_is_read_back_and_others_are_refused_with_the_known_ones() {
        for kind in [SegType::Semantic, SegType::Instance] {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        let error = "panoptic".parse::<SegType>().unwrap_err();
        assert!(error.contains("semantic or instance"), "{error}");
    }
}
