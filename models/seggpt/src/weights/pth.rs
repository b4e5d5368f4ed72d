//! PyTorch's checkpoints: a zip archive with a pickle and one stored file per tensor, or, before PyTorch 1.6, pickles with
//! the numbers behind them.
//!
//! The weights are the dictionary with the most tensors, wherever it lies: bare, under `model` or `state_dict`, beside an
//! optimiser's state, with the names that wrappers put in front.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Read},
    ops::Range,
    path::Path,
};

use candle_core::DType;
use zip::{CompressionMethod, ZipArchive};

use super::{
    Entry, Format, architecture,
    pickle::{Id, Pickle, Value},
};
use crate::{Architecture, Error};

type Parts = (Format, Architecture, BTreeMap<String, Entry>);

/// The pickle of ViT-L's checkpoint has 80 kB; one with an optimiser's state some MB.
const LONGEST_PICKLE: u64 = 256 << 20;

/// Every checkpoint of this architecture has it, whatever is in front of its name.
const LANDMARK: &str = "patch_embed.proj.weight";

/// Reads an archive.
pub(super) fn read(path: &Path, file: &File) -> Result<Parts, Error> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
        Error::truncated(
            path,
            format!("its table of contents cannot be read ({error})"),
        )
    })?;
    let is_pickle = |name: &Cow<str>| name.ends_with("data.pkl");
    let pickled = archive.file_names().flatten().find(is_pickle);
    let pickled = pickled.map(Cow::into_owned).ok_or_else(|| {
        Error::foreign(
            path,
            "it is a zip archive without data.pkl, not a checkpoint",
        )
    })?;
    let folder = pickled.trim_end_matches("data.pkl").to_owned();
    let mut bytes = Vec::new();
    let member = archive
        .by_name(&pickled)
        .map_err(|error| damaged(path, &error))?;
    let read = member.take(LONGEST_PICKLE).read_to_end(&mut bytes);
    read.map_err(|error| damaged(path, &error))?;
    if let Ok(mut order) = archive.by_name(&format!("{folder}byteorder")) {
        let mut text = String::new();
        // One that cannot be read is checked by what is in the tensors.
        let _ = order.by_ref().take(16).read_to_string(&mut text);
        if text == "big" {
            return Err(Error::foreign(path, "it was saved on a big-endian machine"));
        }
    }
    let pickle = pickle(path, &bytes, 0)?;
    let found = weights(path, &pickle)?;
    entries(path, found, |tensor| {
        let name = format!("{folder}data/{}", tensor.storage);
        let member = archive.by_name(&name).map_err(|error| {
            Error::truncated(
                path,
                format!("the data of tensor `{}` are missing ({error})", tensor.name),
            )
        })?;
        if member.compression() != CompressionMethod::Stored {
            return Err(tensor.stored_as(path, "compressed data"));
        }
        let start = member.data_start();
        let start = start.ok_or_else(|| tensor.stored_as(path, "data at an unknown place"))?;
        Ok(start as usize..(start + member.size()) as usize)
    })
}

/// Reads a file of before PyTorch 1.6: a magic number, a version, what machine it was, the pickle, the storages' names, and
/// the storages.
pub(super) fn read_legacy(path: &Path, bytes: &[u8]) -> Result<Parts, Error> {
    let mut at = 0;
    for _ in 0..3 {
        at = pickle(path, bytes, at)?.end;
    }
    let tensors = pickle(path, bytes, at)?;
    let names = pickle(path, bytes, tensors.end)?;
    let found = weights(path, &tensors)?;
    let mut widths = BTreeMap::new();
    for id in 0..tensors.count() {
        if let Some(storage) = storage(&tensors, id) {
            widths.insert(storage.name, storage.width);
        }
    }
    let mut places = BTreeMap::new();
    let mut at = names.end;
    for id in names.list(names.root()).unwrap_or_default() {
        let name = names.text(*id).unwrap_or_default();
        let cut = || Error::truncated(path, format!("the data of storage `{name}` are missing"));
        let count = bytes.get(at..at.saturating_add(8)).ok_or_else(cut)?;
        let count = u64::from_le_bytes(*count.first_chunk().ok_or_else(cut)?) as usize;
        let width = widths.get(name).copied().unwrap_or(1);
        let length = count.checked_mul(width).ok_or_else(cut)?;
        let start = at + 8;
        at = start
            .checked_add(length)
            .filter(|end| *end <= bytes.len())
            .ok_or_else(cut)?;
        places.insert(name.to_owned(), start..at);
    }
    entries(path, found, |tensor| {
        places.get(&tensor.storage).cloned().ok_or_else(|| {
            Error::truncated(
                path,
                format!("the data of tensor `{}` are missing", tensor.name),
            )
        })
    })
}

fn pickle<'a>(path: &Path, bytes: &'a [u8], start: usize) -> Result<Pickle<'a>, Error> {
    Pickle::read(bytes, start).map_err(|reason| match reason.starts_with("the end") {
        true => Error::truncated(path, reason),
        false => Error::foreign(path, format!("its pickle cannot be read: {reason}")),
    })
}

fn damaged(path: &Path, error: &dyn std::error::Error) -> Error {
    Error::truncated(path, format!("its pickle cannot be read ({error})"))
}

/// A tensor as its pickle describes it.
struct Described {
    /// Without what wrappers put in front.
    name: String,
    stored_name: String,
    storage: String,
    /// Bytes of a number.
    width: usize,
    /// `None`: of a type that no network here has.
    dtype: Option<DType>,
    /// In numbers.
    offset: usize,
    shape: Vec<usize>,
    is_contiguous: bool,
}

impl Described {
    fn stored_as(&self, path: &Path, found: &str) -> Error {
        Error::TensorStorage {
            path: path.to_owned(),
            name: self.stored_name.clone(),
            found: found.into(),
        }
    }
}

/// Finds every tensor's bytes; `place` says where a tensor's storage lies.
fn entries(
    path: &Path,
    tensors: Vec<Described>,
    mut place: impl FnMut(&Described) -> Result<Range<usize>, Error>,
) -> Result<Parts, Error> {
    let mut entries = BTreeMap::new();
    for tensor in tensors {
        let Some(dtype) = tensor.dtype else {
            continue;
        };
        if !tensor.is_contiguous {
            return Err(tensor.stored_as(path, "a strided view"));
        }
        let storage = place(&tensor)?;
        let longer = || {
            Error::truncated(
                path,
                format!("tensor `{}` is longer than its data", tensor.stored_name),
            )
        };
        let count = tensor
            .shape
            .iter()
            .try_fold(1_usize, |all, side| all.checked_mul(*side));
        let span = count.and_then(|count| {
            let start = storage
                .start
                .checked_add(tensor.offset.checked_mul(tensor.width)?)?;
            Some(start..start.checked_add(count.checked_mul(tensor.width)?)?)
        });
        let span = span
            .filter(|span| span.end <= storage.end)
            .ok_or_else(longer)?;
        let entry = Entry {
            file: 0,
            stored_name: tensor.stored_name,
            dtype,
            shape: tensor.shape,
            bytes: span,
        };
        entries.insert(tensor.name, entry);
    }
    let config = architecture::infer(path, &entries)?;
    Ok((Format::Pth, Architecture::SegGpt(config), entries))
}

/// The tensors of the dictionary that has the most of them.
fn weights(path: &Path, pickle: &Pickle) -> Result<Vec<Described>, Error> {
    // The first of several with as many, such as a running mean beside the weights.
    let dicts = (0..pickle.count()).rev().filter_map(|id| pickle.dict(id));
    let most = dicts.max_by_key(|dict| {
        let tensors = dict
            .iter()
            .filter(|(_, value)| tensor(pickle, *value).is_some());
        tensors.count()
    });
    let mut tensors: Vec<Described> = (most.unwrap_or_default().iter())
        .filter_map(|(key, value)| {
            let name = pickle.text(*key)?.to_owned();
            let found = tensor(pickle, *value)?;
            Some(Described {
                stored_name: name.clone(),
                name,
                ..found
            })
        })
        .collect();
    if tensors.is_empty() {
        let keys = pickle.dict(pickle.root()).unwrap_or_default();
        let keys: Vec<&str> = keys
            .iter()
            .filter_map(|(key, _)| pickle.text(*key))
            .collect();
        return Err(Error::foreign(
            path,
            match &keys[..] {
                [] => "its pickle holds no tensors by name".to_owned(),
                keys => format!(
                    "its pickle holds no tensors by name, but {}",
                    keys.iter()
                        .take(8)
                        .map(|key| format!("`{key}`"))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            },
        ));
    }
    let wrapped = tensors
        .iter()
        .find_map(|tensor| tensor.name.strip_suffix(LANDMARK));
    if let Some(wrapper) = wrapped.map(str::to_owned) {
        for tensor in &mut tensors {
            if let Some(name) = tensor.name.strip_prefix(&wrapper) {
                tensor.name = name.to_owned();
            }
        }
    }
    Ok(tensors)
}

/// A tensor, of which the name is not known yet: a call of `_rebuild_tensor_v2` or of what wraps it.
fn tensor(pickle: &Pickle, id: Id) -> Option<Described> {
    let Value::Call(what, with) = pickle.get(id) else {
        return None;
    };
    let Value::Global(module, name) = pickle.get(*what) else {
        return None;
    };
    let with = pickle.list(*with)?;
    match (module.as_str(), name.as_str()) {
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => {}
        // Its data are a tensor, and no parameter again.
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
            let data = *with.first()?;
            let is_parameter = matches!(pickle.get(data), Value::Call(what, _)
                if matches!(pickle.get(*what), Value::Global(_, name) if name.starts_with("_rebuild_parameter")));
            return (!is_parameter).then(|| tensor(pickle, data)).flatten();
        }
        _ => return None,
    }
    let [outside, offset, shape, strides, ..] = *with else {
        return None;
    };
    let storage = storage(pickle, outside)?;
    let sizes =
        |id| -> Option<Vec<usize>> { pickle.list(id)?.iter().map(|id| pickle.size(*id)).collect() };
    let (shape, strides) = (sizes(shape)?, sizes(strides)?);
    let mut expected = 1;
    let is_contiguous = (shape.iter().zip(&strides).rev()).all(|(side, stride)| {
        let fits = *side < 2 || *stride == expected;
        expected = expected.saturating_mul((*side).max(1));
        fits
    });
    Some(Described {
        name: String::new(),
        stored_name: String::new(),
        storage: storage.name,
        width: storage.width,
        dtype: storage.dtype,
        offset: pickle.size(offset)?,
        is_contiguous: is_contiguous && shape.len() == strides.len(),
        shape,
    })
}

/// Where numbers lie that a pickle does not hold itself.
struct Storage {
    name: String,
    dtype: Option<DType>,
    width: usize,
}

/// `('storage', torch.FloatStorage, '0', 'cpu', 1024)`.
fn storage(pickle: &Pickle, id: Id) -> Option<Storage> {
    let Value::Outside(of) = pickle.get(id) else {
        return None;
    };
    let [kind, class, name, ..] = *pickle.list(*of)? else {
        return None;
    };
    let Value::Global(_, class) = pickle.get(class) else {
        return None;
    };
    let (dtype, width) = match class.as_str() {
        "FloatStorage" => (Some(DType::F32), 4),
        "HalfStorage" => (Some(DType::F16), 2),
        "BFloat16Storage" => (Some(DType::BF16), 2),
        "DoubleStorage" => (Some(DType::F64), 8),
        "LongStorage" => (Some(DType::I64), 8),
        "IntStorage" => (Some(DType::I32), 4),
        "ShortStorage" => (Some(DType::I16), 2),
        "ByteStorage" | "BoolStorage" => (Some(DType::U8), 1),
        "ComplexFloatStorage" => (None, 8),
        "ComplexDoubleStorage" => (None, 16),
        _ => (None, 1),
    };
    (pickle.text(kind)? == "storage").then_some(Storage {
        name: pickle.text(name)?.to_owned(),
        dtype,
        width,
    })
}
