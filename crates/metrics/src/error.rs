use seggpt_imaging::Plane;

/// Why predictions cannot be scored.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// A prediction that is not as large as the truth.
    #[error(
        "the prediction has {}x{} pixels, but the truth has {}x{}; resize the prediction to the source's size first",
        prediction.0, prediction.1, truth.0, truth.1
    )]
    SizesDiffer {
        /// Width and height of the prediction.
        prediction: (usize, usize),
        /// Width and height of the truth.
        truth: (usize, usize),
    },

    /// An id that is not in the list of classes that a score was made for.
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
}

/// Refuses a pair of planes that do not cover the same picture.
pub(crate) fn same_size<A, B>(prediction: &Plane<A>, truth: &Plane<B>) -> Result<(), MetricsError> {
    if prediction.size() == truth.size() {
        return Ok(());
    }
    Err(MetricsError::SizesDiffer {
        prediction: prediction.size(),
        truth: truth.size(),
    })
}
