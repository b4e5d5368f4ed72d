use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A class that a prompt shows and a mask names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Class {
    /// The value in mask files; 0 is background and never a class.
    pub id: u16,
    /// The name, for people.
    pub name: String,
    /// The RGB colour in which prompts paint it and the network answers.
    pub color: [u8; 3],
}

/// Which of the two type tokens the network gets (SegGPT, section 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SegType {
    /// All of a kind.
    Semantic,
    /// This very thing.
    #[default]
    Instance,
}

impl fmt::Display for SegType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Semantic => "semantic",
            Self::Instance => "instance",
        })
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
