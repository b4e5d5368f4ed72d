use std::path::{Path, PathBuf};

use seggpt_imaging::ImagingError;

/// Why an annotation file cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum AnnotationsError {
    /// A file or folder that cannot be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// File or folder.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },

    /// A file that is not what its format promises, or has nothing in it that can be used.
    #[error("{}: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },

    /// A picture or mask that cannot be decoded.
    #[error(transparent)]
    Imaging(#[from] ImagingError),
}

impl AnnotationsError {
    /// What the operating system says of a file or folder.
    #[must_use]
    pub fn read(path: &Path, source: std::io::Error) -> Self {
        let path = path.to_owned();
        Self::Read { path, source }
    }

    /// What is wrong with the content of a file or folder, and what to do.
    #[must_use]
    pub fn format(path: &Path, reason: impl Into<String>) -> Self {
        Self::Format {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}
