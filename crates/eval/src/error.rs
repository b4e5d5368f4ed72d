use std::path::PathBuf;

use seggpt_imaging::ImagingError;

/// What can go wrong while data are read and answers are scored.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// A plane whose values do not fill its size.
    #[error("{what}: {found} values do not fill {width} x {height} pixels")]
    Size {
        /// Which plane.
        what: &'static str,
        /// How many values there are.
        found: usize,
        /// Width that was announced.
        width: usize,
        /// Height that was announced.
        height: usize,
    },

    /// An answer that is not as large as the truth.
    #[error(
        "the prediction has {}x{} pixels, but the truth has {}x{}; resize the answer to the source's size first",
        prediction.0, prediction.1, truth.0, truth.1
    )]
    SizesDiffer {
        /// Width and height of the prediction.
        prediction: (usize, usize),
        /// Width and height of the truth.
        truth: (usize, usize),
    },

    /// An id that is not in the list of classes that a score or protocol was made for.
    #[error("class {class} is not among those scored here: {known:?}")]
    UnknownClass {
        /// The id.
        class: u32,
        /// The ids that would have been possible.
        known: Vec<u32>,
    },

    /// Scores of different tasks cannot be added up.
    #[error("two {what} cannot be merged: {reason}")]
    Merge {
        /// Which kind of accumulator.
        what: &'static str,
        /// How they differ.
        reason: String,
    },

    /// One frame of a video that cannot be counted.
    #[error("video `{video}`, frame {frame}: {reason}")]
    Frame {
        /// Name of the video.
        video: String,
        /// Number of the frame.
        frame: usize,
        /// What is wrong and what to do.
        reason: String,
    },

    /// Segments and pixels of a panoptic map disagree.
    #[error("the panoptic {side}: {reason}")]
    Panoptic {
        /// Truth or prediction.
        side: &'static str,
        /// Which segment, and what is wrong with it.
        reason: String,
    },

    /// A file or folder that cannot be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// File or folder.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },

    /// A folder, list or annotation file that is not what its format promises.
    #[error("{}: {reason}", path.display())]
    Format {
        /// File or folder.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },

    /// A file of a labelling tool that cannot be used.
    #[error(transparent)]
    Annotations(#[from] seggpt_annotations::AnnotationsError),

    /// A picture or mask that cannot be decoded.
    #[error(transparent)]
    Imaging(#[from] ImagingError),

    /// A sample that the data set does not have.
    #[error("{dataset} has {len} samples, so there is none with index {index}")]
    OutOfRange {
        /// Name of the data set.
        dataset: String,
        /// The index asked for.
        index: usize,
        /// Number of samples.
        len: usize,
    },

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
}
