use std::path::PathBuf;

use seggpt_annotations::AnnotationsError;
use seggpt_imaging::ImagingError;

use crate::PromptFiles;

/// Why a prompt library cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// There is no readable `prompts.yml`.
    #[error("{}: cannot be read; a prompt library is a folder with a prompts.yml, or what CVAT, labelme, Label Studio or COCO's tools export", path.display())]
    Read {
        /// The file that was looked for.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },

    /// `prompts.yml` is not what it should be.
    #[error("{}: {reason}", path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// Key, what is wrong with it, line and column.
        reason: String,
    },

    /// A file that is neither a list of prompts nor what a labelling tool exported.
    #[error(
        "{}: neither a prompts.yml nor what CVAT, labelme, Label Studio or COCO's tools export",
        path.display()
    )]
    Unknown {
        /// The file.
        path: PathBuf,
    },

    /// What a labelling tool exported cannot be used.
    #[error(transparent)]
    Annotations(#[from] AnnotationsError),

    /// A class table that contradicts itself.
    #[error("the class table: {reason}")]
    Classes {
        /// Which entries, and what is wrong with them.
        reason: String,
    },

    /// Two masks disagree on what a class looks like.
    #[error(
        "the masks of prompts `{first}` and `{second}` disagree: {reason}; give a class table or a mask mode"
    )]
    Clash {
        /// Name of one prompt.
        first: String,
        /// Name of the other.
        second: String,
        /// What they disagree on.
        reason: String,
    },

    /// There are no prompts, or none that can be used.
    #[error("no usable prompt{}", listed(problems))]
    NoPrompts {
        /// What is wrong with each.
        problems: Vec<PromptProblem>,
    },

    /// A prompt could be read when the library was opened, but not any more.
    #[error("prompt `{name}` changed since the library was opened")]
    Changed {
        /// Name of the prompt.
        name: String,
        /// What is wrong now.
        #[source]
        source: Box<PromptProblem>,
    },

    /// A library cannot be written.
    #[error("{}: cannot be written", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The examples were asked for at a size that they cannot have.
    #[error("examples of {size} x {size} pixels: {reason}")]
    Size {
        /// Side that was asked for.
        size: u32,
        /// What is wrong with it.
        reason: String,
    },

    /// No strategy has this name.
    #[error("unknown strategy `{name}`; there are {known}")]
    UnknownStrategy {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        known: String,
    },

    /// A picture of a pool that is no library cannot be read.
    #[error("prompt `{name}` cannot be read")]
    Unreadable {
        /// Name of the prompt.
        name: String,
        /// Why.
        #[source]
        source: crate::EmbedError,
    },

    /// An embedding failed.
    #[error("prompt selection: embedding of `{what}` failed")]
    Embedding {
        /// The prompt or item that was to be embedded.
        what: String,
        /// Why.
        #[source]
        source: crate::EmbedError,
    },
}

impl LibraryError {
    pub(crate) fn write(
        path: &std::path::Path,
        error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Write {
            path: path.to_owned(),
            source: error.into(),
        }
    }
}

/// Why one prompt of a library cannot be used. The others may be.
#[derive(Debug, thiserror::Error)]
#[error("prompt `{name}`: {reason}")]
pub struct PromptProblem {
    /// The prompt's name.
    pub name: String,
    /// Its image and mask.
    pub files: PromptFiles,
    /// What is wrong, with the file and what to do.
    pub reason: String,
}

impl PromptProblem {
    pub(crate) fn new(name: &str, files: &PromptFiles, reason: impl ToString) -> Self {
        Self {
            name: name.to_owned(),
            files: files.clone(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn annotations(name: &str, files: &PromptFiles, error: AnnotationsError) -> Self {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        Self::new(name, files, format!("{error}{}", cause.unwrap_or_default()))
    }

    pub(crate) fn imaging(name: &str, files: &PromptFiles, error: ImagingError) -> Self {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        Self::new(name, files, format!("{error}{}", cause.unwrap_or_default()))
    }
}

fn listed(problems: &[PromptProblem]) -> String {
    match problems {
        [] => "; list at least one under `prompts`".to_owned(),
        problems => problems
            .iter()
            .map(|problem| format!("\n  {problem}"))
            .collect(),
    }
}
