use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What is asked of a set, and how answers are counted.
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
    pub fn side(self) -> Option<usize> {
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

/// Which questions are asked: the same settings give the same questions on every machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protocol {
    /// What is asked; `None`: what the set's layout is made for.
    pub kind: Option<Kind>,
    /// Every how many-th query is asked, 1 or more.
    pub every: usize,
    /// Queries that are passed over before the first.
    #[serde(default)]
    pub skip: usize,
    /// Longest side of the planes that are compared; 0: the picture's own size; `None`: [`Kind::side`].
    pub side: Option<usize>,
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
            every: 1,
            skip: 0,
            side: None,
            folds: Vec::new(),
            episodes: None,
            min_pixels: None,
            seed: 0,
        }
    }
}

impl Protocol {
    /// Those of all queries that are asked.
    pub(crate) fn some<T>(&self, all: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        all.into_iter().skip(self.skip).step_by(self.every.max(1))
    }
}

impl fmt::Display for Protocol {
    /// What differs from the usual, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.every > 1).then(|| format!("only one query in {}", self.every)),
            (self.skip > 0).then(|| format!("without the first {}", self.skip)),
            self.kind.map(|kind| format!("protocol {kind}")),
            self.side.map(|side| match side {
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
