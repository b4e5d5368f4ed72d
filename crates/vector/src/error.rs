use std::{io, path::PathBuf};

use crate::CrsError;

/// Why a file of polygons cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VectorError {
    /// The file cannot be opened or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// It is a GeoPackage, and its database refuses.
    #[error("{}: {error}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why it does.
        error: rusqlite::Error,
    },
    /// What is in it is nothing that can be used.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Its coordinates cannot be brought into those that are needed.
    #[error("{}: {error}", path.display())]
    Crs {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: CrsError,
    },
}
