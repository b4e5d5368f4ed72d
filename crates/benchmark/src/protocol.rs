use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Which queries a set gives, and how predictions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Each class by itself, in all queries; the mean over classes of the IoU accumulated over the queries.
    Classes,
    /// All classes at once; mean IoU as mmsegmentation counts it.
    Semantic,
    /// All stuff at once, then all things at once; panoptic quality as panopticapi counts it.
    Panoptic,
    /// Few-shot episodes: one class, K examples, one query; mIoU and FB-IoU as HSNet counts them.
    Episodes,
    /// Videos whose objects are shown where they first appear; J and F as DAVIS counts them.
    Video,
}

impl Kind {
    /// Longest side of the planes that are compared; `None`: the picture's own size.
    #[must_use]
    pub fn eval_size(self) -> Option<usize> {
        (self == Self::Classes).then_some(448)
    }

    /// What the number that a set is ranked by is called.
    #[must_use]
    pub fn measure(self) -> &'static str {
        match self {
            Self::Classes => "IoU",
            Self::Semantic | Self::Episodes => "mIoU",
            Self::Panoptic => "PQ",
            Self::Video => "J&F",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Classes => "classes",
            Self::Semantic => "semantic",
            Self::Panoptic => "panoptic",
            Self::Episodes => "episodes",
            Self::Video => "video",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [
            Self::Classes,
            Self::Semantic,
            Self::Panoptic,
            Self::Episodes,
            Self::Video,
        ];
        all.into_iter()
            .find(|kind| kind.word() == text)
            .ok_or_else(|| {
                format!("`{text}` is no protocol: classes, semantic, panoptic, episodes or video")
            })
    }
}

/// Which queries are evaluated: the same settings give the same queries on every machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protocol {
    /// What the queries are; `None`: what the set's layout is made for.
    pub kind: Option<Kind>,
    /// One in so many queries is evaluated, 1 or more.
    #[serde(alias = "every")]
    pub stride: usize,
    /// Queries that are left out before the first.
    #[serde(default, alias = "skip")]
    pub offset: usize,
    /// Longest side of the planes that are compared; 0: the picture's own size; `None`: [`Kind::eval_size`].
    #[serde(alias = "side")]
    pub eval_size: Option<usize>,
    /// Folds of PASCAL-5i and COCO-20i, 0 to 3; none: all four.
    pub folds: Vec<usize>,
    /// Episodes of a fold; `None`: what is usual for the set.
    pub episodes: Option<usize>,
    /// Pixels from which a picture counts as showing a class in episodes; `None`: what is usual for the set.
    pub min_pixels: Option<usize>,
    /// What episodes are drawn from.
    pub seed: u64,
}

impl Default for Protocol {
    fn default() -> Self {
        Self {
            kind: None,
            stride: 1,
            offset: 0,
            eval_size: None,
            folds: Vec::new(),
            episodes: None,
            min_pixels: None,
            seed: 0,
        }
    }
}

impl Protocol {
    /// Those of all queries that are evaluated.
    pub(crate) fn subset<T>(&self, all: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        all.into_iter()
            .skip(self.offset)
            .step_by(self.stride.max(1))
    }
}

impl fmt::Display for Protocol {
    /// What differs from the usual, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.stride > 1).then(|| format!("only one query in {}", self.stride)),
            (self.offset > 0).then(|| format!("without the first {}", self.offset)),
            self.kind.map(|kind| format!("protocol {kind}")),
            self.eval_size.map(|side| match side {
                0 => "compared at the pictures' own size".to_owned(),
                side => format!("compared at long side {side}"),
            }),
            self.episodes.map(|count| format!("{count} episodes")),
            self.min_pixels
                .map(|pixels| format!("classes from {pixels} pixels")),
            (self.seed != 0).then(|| format!("seed {}", self.seed)),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        f.write_str(&parts.join(", "))
    }
}
