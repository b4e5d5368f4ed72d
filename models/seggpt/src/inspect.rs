//! What a checkpoint is, without building the network.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use seggpt_files::hash::sha256;

use crate::{
    Architecture, Error,
    weights::{Checkpoint, Format},
};

/// What [`inspect`] found.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The file that holds the weights.
    pub path: PathBuf,
    /// Which kind of checkpoint it is.
    pub format: Format,
    /// `SegGPT`, `Painter` or `matching`.
    pub family: &'static str,
    /// The architecture.
    pub architecture: Architecture,
    /// Number of parameters.
    pub parameters: usize,
    /// The number types in use, such as `f16` or `f16+f32`.
    pub dtype: String,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
    /// Every tensor of the file, by its original name.
    pub tensors: Vec<TensorInspection>,
    /// Names of tensors that the network does not use.
    pub unused: Vec<String>,
}

/// One tensor of an [`Inspection`].
#[derive(Clone, Debug)]
pub struct TensorInspection {
    /// The name in the original code.
    pub name: String,
    /// Its number type, such as `f16`.
    pub dtype: &'static str,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// Describes a checkpoint: a file, or a folder with `model.safetensors`. Reads it once, for the SHA-256.
///
/// # Errors
/// The same as [`crate::Network::load`], for the checkpoint is checked in full.
pub fn inspect(path: &Path) -> Result<Inspection, Error> {
    let checkpoint = Checkpoint::open(path)?;
    let files = checkpoint.files();
    let all = files.fold(Box::new(io::empty()) as Box<dyn Read>, |all, file| {
        Box::new(all.chain(file))
    });
    let tensors = checkpoint
        .entries
        .iter()
        .map(|(name, entry)| TensorInspection {
            name: name.clone(),
            dtype: entry.dtype.as_str(),
            shape: entry.shape.clone(),
        });
    Ok(Inspection {
        path: checkpoint.path.clone(),
        format: checkpoint.format,
        family: checkpoint.architecture.family(),
        architecture: checkpoint.architecture.clone(),
        parameters: checkpoint.architecture.parameters(),
        dtype: checkpoint.dtype(),
        bytes: checkpoint.files().map(|file| file.len() as u64).sum(),
        sha256: sha256(all).expect("memory can be read"),
        tensors: tensors.collect(),
        unused: checkpoint.unused().into_iter().map(str::to_owned).collect(),
    })
}

/// What a checkpoint is of. Reads no more than its table of contents.
///
/// # Errors
/// As [`inspect`].
pub fn architecture(path: &Path) -> Result<Architecture, Error> {
    Ok(Checkpoint::open(path)?.architecture)
}
