//! What can go wrong, said so that the reader knows what to change.

use std::path::{Path, PathBuf};

/// Any failure of training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The operating system refused a file operation.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted, such as `read` or `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The settings file is no YAML, or has unknown or missing fields.
    #[error("cannot read the settings {}: {reason}", path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// Place and cause.
        reason: String,
    },
    /// A setting has a value that makes no sense.
    #[error("setting {field} is {found}; {expected}")]
    Setting {
        /// Its name in the file.
        field: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// The folder holds a state that cannot be gone on from.
    #[error("cannot resume from {}: {reason}; choose another folder, or remove it to begin anew", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The loss or its gradient is not a number any more.
    #[error(
        "the gradient was not finite for {steps} steps up to step {step}: lower learning_rate, or resume from an older state"
    )]
    Diverged {
        /// The last step.
        step: u64,
        /// How many in a row.
        steps: u32,
    },
    /// A thread that makes samples has died.
    #[error("a thread that makes samples broke down; its message stands above")]
    Loader,
    /// The network.
    #[error(transparent)]
    Network(#[from] seggpt::Error),
    /// The samples.
    #[error(transparent)]
    Samples(#[from] seggpt_samples::SamplesError),
    /// The computation.
    #[error("the training step could not compute: {0}")]
    Compute(#[from] seggpt::ComputeError),
}

impl TrainError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }
}
