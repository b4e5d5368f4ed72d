//! The original checkpoint: a zip archive with a pickled dictionary and one stored file per tensor.

use std::{collections::BTreeMap, fs::File, io::BufReader, path::Path};

use candle_core::pickle::read_pth_tensor_info;
use zip::{CompressionMethod, ZipArchive};

use super::{Entry, Format, architecture};
use crate::{Architecture, Error};

/// Key of the weights in the published files.
const KEY: &str = "model";

pub(super) fn read(
    path: &Path,
    file: &File,
) -> Result<(Format, Architecture, BTreeMap<String, Entry>), Error> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
        Error::truncated(
            path,
            format!("its table of contents cannot be read ({error})"),
        )
    })?;
    let tensors = read_pth_tensor_info(path, false, Some(KEY)).map_err(|error| {
        Error::foreign(
            path,
            format!("its pickle holds no weights under `{KEY}` ({error})"),
        )
    })?;
    if tensors.is_empty() {
        return Err(Error::foreign(
            path,
            format!("its pickle holds no weights under `{KEY}`"),
        ));
    }
    let mut entries = BTreeMap::new();
    for tensor in tensors {
        let stored_as = |found: &str| Error::TensorStorage {
            path: path.to_owned(),
            name: tensor.name.clone(),
            found: found.into(),
        };
        let member = archive.by_name(&tensor.path).map_err(|error| {
            Error::truncated(
                path,
                format!("the data of tensor `{}` are missing ({error})", tensor.name),
            )
        })?;
        if member.compression() != CompressionMethod::Stored {
            return Err(stored_as("compressed data"));
        }
        if !tensor.layout.is_contiguous() {
            return Err(stored_as("a strided view"));
        }
        // candle gives the offset of a view into its storage in bytes already.
        let data = member
            .data_start()
            .ok_or_else(|| stored_as("data at an unknown place"))?;
        let length = tensor.layout.shape().elem_count() * tensor.dtype.size_in_bytes();
        if tensor.layout.start_offset() + length > member.size() as usize {
            return Err(Error::truncated(
                path,
                format!("tensor `{}` is longer than its data", tensor.name),
            ));
        }
        let start = data as usize + tensor.layout.start_offset();
        let entry = Entry {
            stored_name: tensor.name.clone(),
            dtype: tensor.dtype,
            shape: tensor.layout.dims().to_vec(),
            bytes: start..start + length,
        };
        entries.insert(tensor.name, entry);
    }
    let config = architecture::infer(path, &entries)?;
    Ok((Format::Pth, Architecture::SegGpt(config), entries))
}
