use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a volume cannot be used: names the file, what is wrong with it and, where there is a way out, what to do.
#[derive(Debug, thiserror::Error)]
pub enum VolumeError {
    /// The disk, or a compressed stream that is damaged or cut off.
    #[error("{}: {what}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was attempted.
        what: &'static str,
        /// Why it failed.
        error: io::Error,
    },
    /// The file says something that cannot be used.
    #[error("{}: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// For people.
        reason: String,
    },
}

impl VolumeError {
    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. } | Self::Unusable { path, .. } => path,
        }
    }

    pub(crate) fn new(path: &Path, reason: impl Into<String>) -> Self {
        Self::Unusable {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    pub(crate) fn io(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { path, what, error }
    }
}
