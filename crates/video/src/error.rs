use std::path::PathBuf;

use seggpt_imaging::ImagingError;

/// What keeps frames from being read or written.
#[derive(Debug, thiserror::Error)]
pub enum VideoError {
    /// Nothing of that name.
    #[error(
        "{}: there is no such file or folder; name a folder of frames, numbered pictures such as `frames/%06d.png`, or a \
         pattern such as `frames/*.jpg`",
        .0.display()
    )]
    Missing(PathBuf),
    /// A folder or pattern that finds nothing.
    #[error("{place}: holds no pictures ({endings})")]
    Empty {
        /// What was named.
        place: String,
        /// The endings that count.
        endings: String,
    },
    /// A video file.
    #[error(
        "{}: a file; this program reads frames, so turn the clip into some first: ffmpeg -i {} frames/%06d.png",
        .0.display(),
        .0.display()
    )]
    File(PathBuf),
    /// A pattern that cannot be read.
    #[error("{pattern}: not a pattern: {reason}")]
    Pattern {
        /// What was named.
        pattern: String,
        /// What is wrong.
        reason: String,
    },
    /// A folder that cannot be read, or a file that cannot be written.
    #[error("{}: {error}", path.display())]
    Io {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A range that takes no frame.
    #[error("{clip}: has {count} frames, from 0 to {}; {what} takes none of them", count.saturating_sub(1))]
    Span {
        /// What was named.
        clip: String,
        /// Its frames.
        count: u64,
        /// FROM, TO and EVERY.
        what: String,
    },
    /// A picture that cannot be encoded.
    #[error(transparent)]
    Imaging(#[from] ImagingError),
    /// A name that would leave the folder.
    #[error("`{0}`: no name for a file in the folder")]
    Name(String),
}

impl VideoError {
    pub(crate) fn io(path: impl Into<PathBuf>, error: std::io::Error) -> Self {
        Self::Io {
            path: path.into(),
            error,
        }
    }
}
