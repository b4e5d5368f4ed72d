use std::path::PathBuf;

/// What can go wrong before the first sample. Every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SamplesError {
    /// The settings cannot be met.
    #[error("sample settings: {reason}")]
    Settings {
        /// What is wrong, and what to change.
        reason: String,
    },

    /// A folder with training data is not there.
    #[error(
        "{}: no such folder, and {needs} come from there; fetch the data, point `root` elsewhere, or set the \
         weights of what needs it to 0",
        folder.display()
    )]
    NoFolder {
        /// The folder that was looked for.
        folder: PathBuf,
        /// Which samples need it.
        needs: &'static str,
    },

    /// A folder with training data has nothing in it that can be used.
    #[error("{}: holds no {expected}; see the layout in the documentation of the crate", folder.display())]
    EmptyFolder {
        /// The folder that was searched.
        folder: PathBuf,
        /// What should be in it.
        expected: &'static str,
    },

    /// A file or folder cannot be read or written.
    #[error("{}: cannot be {action}", path.display())]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// "read" or "written".
        action: &'static str,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },

    /// A file has content that cannot be used.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
}
