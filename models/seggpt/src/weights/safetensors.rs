//! Safetensors: our own, with the configuration in the metadata, and transformers', with `config.json` beside it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use candle_core::DType;
use safetensors::{Dtype, SafeTensorError, SafeTensors, tensor::Metadata};
use serde::{Deserialize, Serialize};

use super::{Entry, Format, architecture, names};
use crate::{Architecture, Config, Error};

/// Metadata key of our own files. All is under one key, for the order of keys is not kept and equal weights should
/// make equal files.
pub(crate) const METADATA_KEY: &str = "dora-seggpt";

/// What our own files say of themselves under [`METADATA_KEY`], as JSON.
#[derive(Serialize, Deserialize)]
pub(crate) struct About {
    format: u32,
    #[serde(flatten)]
    architecture: Architecture,
}

/// The format that is written, and the latest that is read.
const FORMAT: u32 = 1;

impl About {
    pub(crate) fn new(architecture: Architecture) -> Self {
        Self {
            format: FORMAT,
            architecture,
        }
    }
}

/// What one file holds.
pub(super) struct Table {
    /// What our own files say of themselves.
    about: Option<String>,
    pub(super) entries: BTreeMap<String, Entry>,
}

/// Reads the table of contents of a file, which is the checkpoint's `file`th.
pub(super) fn table(path: &Path, bytes: &[u8], file: usize) -> Result<Table, Error> {
    let (header, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| match error {
        SafeTensorError::InvalidHeaderLength => Error::truncated(path, "its header is cut off"),
        SafeTensorError::MetadataIncompleteBuffer => cut_off(path, bytes),
        error => Error::foreign(
            path,
            format!("its safetensors header cannot be read ({error})"),
        ),
    })?;
    let data = 8 + header;
    let mut entries = BTreeMap::new();
    for (stored_name, info) in metadata.tensors() {
        let dtype = match info.dtype {
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            other => {
                return Err(Error::TensorStorage {
                    path: path.to_owned(),
                    name: stored_name,
                    found: format!("{other:?}"),
                });
            }
        };
        let entry = Entry {
            file,
            dtype,
            shape: info.shape.clone(),
            bytes: data + info.data_offsets.0..data + info.data_offsets.1,
            stored_name: stored_name.clone(),
        };
        entries.insert(names::original(&stored_name), entry);
    }
    let about = metadata.metadata().as_ref();
    Ok(Table {
        about: about.and_then(|about| about.get(METADATA_KEY).cloned()),
        entries,
    })
}

/// What the tensors are of; `config.json` is looked for beside `path`.
pub(super) fn read(
    path: &Path,
    Table { about, entries }: Table,
) -> Result<(Format, Architecture, BTreeMap<String, Entry>), Error> {
    if let Some(json) = about {
        let about: About = serde_json::from_str(&json).map_err(|error| {
            Error::foreign(path, format!("its metadata cannot be read ({error})"))
        })?;
        if about.format != FORMAT {
            return Err(Error::foreign(
                path,
                format!(
                    "it is of format {}, and {FORMAT} is what is read here",
                    about.format
                ),
            ));
        }
        return Ok((Format::Own, about.architecture, entries));
    }
    if entries
        .values()
        .any(|entry| entry.stored_name.starts_with("model.embeddings."))
    {
        let beside = path.with_file_name("config.json");
        let json = fs::read_to_string(&beside).map_err(Error::io(
            "read the configuration that belongs to the weights,",
            &beside,
        ))?;
        return Ok((
            Format::Transformers,
            Architecture::SegGpt(Config::from_transformers(&json)?),
            entries,
        ));
    }
    let config = architecture::infer(path, &entries)?;
    Ok((Format::Own, Architecture::SegGpt(config), entries))
}

/// The files that an index names, each once, in the order of their names, which lie beside it.
pub(super) fn shards(index: &Path) -> Result<Vec<PathBuf>, Error> {
    let json = fs::read_to_string(index).map_err(Error::io("read", index))?;
    let broken = |error: String| {
        Error::foreign(
            index,
            format!("its index of files cannot be read ({error})"),
        )
    };
    let Index { weight_map } =
        serde_json::from_str(&json).map_err(|error| broken(error.to_string()))?;
    let names: BTreeSet<String> = weight_map.into_values().collect();
    let beside = |name: String| match Path::new(&name).file_name() {
        Some(file) if file == name.as_str() => Ok(index.with_file_name(name)),
        _ => Err(broken(format!("`{name}` is no file beside it"))),
    };
    names.into_iter().map(beside).collect()
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// Names the first tensor that a file is too short for.
fn cut_off(path: &Path, bytes: &[u8]) -> Error {
    let header = bytes
        .first_chunk()
        .map_or(0, |length| u64::from_le_bytes(*length) as usize);
    let metadata = bytes
        .get(8..header.saturating_add(8))
        .and_then(|json| serde_json::from_slice::<Metadata>(json).ok());
    let tensors = metadata.iter().flat_map(Metadata::tensors);
    let beyond = tensors
        .map(|(name, info)| (8 + header + info.data_offsets.1, name))
        .filter(|(end, _)| *end > bytes.len());
    match beyond.min() {
        Some((end, name)) => Error::truncated(
            path,
            format!("tensor `{name}` ends at byte {end} of {}", bytes.len()),
        ),
        None => Error::foreign(path, "it is longer than its safetensors header says"),
    }
}
