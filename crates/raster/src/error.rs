use std::{io, path::PathBuf};

/// Why a map cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// The file cannot be opened, or is no TIFF file.
    #[error("{}: cannot be read: {error}", path.display())]
    Open {
        /// The map.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file ends early, or what it says makes no sense.
    #[error("{}: damaged: {reason}", path.display())]
    Damaged {
        /// The map.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file is whole, but of a kind that is not read.
    #[error("{}: {has}; {way_out}", path.display())]
    Unsupported {
        /// The map.
        path: PathBuf,
        /// What it has.
        has: String,
        /// What to do.
        way_out: String,
    },
    /// What was asked for cannot be had of this map.
    #[error("{}: {reason}", path.display())]
    Asked {
        /// The map.
        path: PathBuf,
        /// What was asked for, and what there is.
        reason: String,
    },
}
