use std::path::PathBuf;

use seggpt_contract::ContractError;
use seggpt_datasets::DatasetError;
use seggpt_imaging::ImagingError;
use seggpt_metrics::MetricsError;
use seggpt_prompt_library::LibraryError;

/// Why queries cannot be made or predictions not be scored.
#[derive(Debug, thiserror::Error)]
pub enum BenchmarkError {
    /// A set whose layout is none of the known ones.
    #[error(
        "{}: not a data set that is known here; it needs images/, masks/, classes.tsv and split.tsv, what CVAT, labelme or Label \
         Studio export, or the layout of VOC, COCO (objects or panoptic), DAVIS, YouTube-VOS, FSS-1000 or ADE20K",
        path.display()
    )]
    Layout {
        /// The folder.
        path: PathBuf,
    },

    /// A protocol that does not go with a set.
    #[error("{set}: {reason}")]
    Protocol {
        /// Name of the set.
        set: String,
        /// What is missing and what to do.
        reason: String,
    },

    /// A set that cannot be read.
    #[error(transparent)]
    Dataset(#[from] DatasetError),

    /// A prediction that cannot be scored.
    #[error(transparent)]
    Metrics(#[from] MetricsError),

    /// Episodes that cannot be drawn from what there is.
    #[error("no episode can be drawn: {reason}")]
    Episodes {
        /// What is missing and what to change.
        reason: String,
    },

    /// A baseline without anything to learn from.
    #[error("{baseline} cannot be fitted: {reason}")]
    Fit {
        /// Which baseline.
        baseline: &'static str,
        /// What is missing.
        reason: String,
    },

    /// A picture that cannot be read or written.
    #[error(transparent)]
    Imaging(#[from] ImagingError),

    /// A prompt that cannot be selected.
    #[error(transparent)]
    Library(#[from] LibraryError),

    /// A query that has no form as a message.
    #[error(transparent)]
    Contract(#[from] ContractError),

    /// A prompt or query whose truth has another size.
    #[error("{sample}: the picture has {}x{} pixels, but its mask {}x{}", picture.0, picture.1, mask.0, mask.1)]
    SizesDiffer {
        /// Name of the sample.
        sample: String,
        /// Width and height of the picture.
        picture: (usize, usize),
        /// Width and height of the mask.
        mask: (usize, usize),
    },

    /// Truths that are not of their picture's size.
    #[error(
        "{set}: {} truth{} in size from {}: {}; draw it on the picture itself, or take the picture out",
        truths.len(), if truths.len() == 1 { " differs" } else { "s differ" },
        if truths.len() == 1 { "its picture" } else { "their pictures" }, listed(truths)
    )]
    TruthSizes {
        /// Name of the set.
        set: String,
        /// What each is, and what it should be.
        truths: Vec<String>,
    },

    /// A query that builds on another without a prediction.
    #[error("{item} has no prediction, without which this one means nothing")]
    NoPrediction {
        /// The query without prediction.
        item: String,
    },

    /// Results that cannot be read or written.
    #[error("{}: {reason}", path.display())]
    Results {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system or the format says.
        reason: String,
    },

    /// The page cannot be made.
    #[error("the report page: {0}")]
    Page(#[from] askama::Error),
}

impl BenchmarkError {
    pub(crate) fn results(path: impl Into<PathBuf>, reason: impl ToString) -> Self {
        Self::Results {
            path: path.into(),
            reason: reason.to_string(),
        }
    }
}

/// Some of many.
fn listed(all: &[String]) -> String {
    const SOME: usize = 5;
    let some = all[..all.len().min(SOME)].join(", ");
    match all.len().checked_sub(SOME) {
        None | Some(0) => some,
        Some(more) => format!("{some} and {more} more"),
    }
}
