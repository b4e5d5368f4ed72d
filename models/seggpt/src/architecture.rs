//! The kinds of network that a checkpoint can hold.

use serde::{Deserialize, Serialize};

use crate::{Config, Error, MatchingConfig};

/// What a checkpoint is of. In the metadata of our own files, `config` or `matching` names the kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Architecture {
    /// A network that paints: SegGPT, Painter, and what is trained in their image.
    #[serde(rename = "config")]
    SegGpt(Config),
    /// A network that compares features of a pretrained encoder.
    #[serde(rename = "matching")]
    Matching(MatchingConfig),
}

impl Architecture {
    /// `SegGPT`, `Painter` or `matching`.
    pub fn family(&self) -> &'static str {
        match self {
            Self::SegGpt(config) => config.family(),
            Self::Matching(_) => "matching",
        }
    }

    /// Edge of the square picture that the network was made for, in pixels.
    pub fn image_size(&self) -> usize {
        match self {
            Self::SegGpt(config) => config.image_size,
            Self::Matching(config) => config.image_size,
        }
    }

    /// Edge of a patch in pixels: pictures have sides that are multiples of it.
    pub fn patch_size(&self) -> usize {
        match self {
            Self::SegGpt(config) => config.patch_size,
            Self::Matching(config) => config.encoder.patch_size,
        }
    }

    /// Checks that such a network can exist.
    ///
    /// # Errors
    /// [`Error::Config`] names the first field that contradicts another.
    pub fn validate(&self) -> Result<(), Error> {
        match self {
            Self::SegGpt(config) => config.validate(),
            Self::Matching(config) => config.validate(),
        }
    }

    /// Name and shape of every tensor of a checkpoint.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        match self {
            Self::SegGpt(config) => config.tensors(),
            Self::Matching(config) => config.tensors(),
        }
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        let sizes = self.tensors().into_iter();
        sizes
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum()
    }

    /// For messages: the kind and its size.
    pub(crate) fn described(&self) -> String {
        let (width, depth) = match self {
            Self::SegGpt(config) => (config.width, config.depth),
            Self::Matching(config) => (config.encoder.width, config.encoder.depth),
        };
        format!("{} of width {width} and depth {depth}", self.family())
    }
}
