//! Checkpoints of every kind in use, seen as one: a memory map and a table of named tensors.

mod architecture;
mod names;
mod pickle;
mod pth;
mod safetensors;
mod source;

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    ops::{Deref, Range},
    path::{Path, PathBuf},
};

use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::{Init, VarBuilder, var_builder::SimpleBackend};
use memmap2::Mmap;

use crate::{
    Architecture, Config, Error, MatchingConfig,
    builtin::{self, builtin_name},
};

pub(crate) use safetensors::{About, METADATA_KEY};
pub(crate) use source::Source;

/// The kinds of checkpoint that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The original authors' pickle with the weights under the key `model`.
    Pth,
    /// The safetensors file with `config.json` beside it, as transformers writes it.
    Transformers,
    /// Safetensors with the original names and the configuration in the metadata.
    Own,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pth => "original .pth",
            Self::Transformers => "transformers safetensors",
            Self::Own => "dora-seggpt safetensors",
        })
    }
}

/// Where a tensor lies in the file.
pub(crate) struct Entry {
    /// The name in the file, for messages.
    pub(crate) stored_name: String,
    pub(crate) dtype: DType,
    pub(crate) shape: Vec<usize>,
    /// Which of the files.
    file: usize,
    bytes: Range<usize>,
}

/// An opened checkpoint. Tensors bear the original code's names whatever the file calls them.
pub(crate) struct Checkpoint {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    pub(crate) architecture: Architecture,
    pub(crate) entries: BTreeMap<String, Entry>,
    files: Vec<Bytes>,
}

/// The bytes of a checkpoint.
enum Bytes {
    Mapped(Mmap),
    Inside(&'static [u8]),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Inside(bytes) => bytes,
        }
    }
}

impl Checkpoint {
    /// Opens a file or a folder with `model.safetensors`, finds out what it is, and checks that every tensor of the
    /// architecture is there in its shape.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let path = weights_file(path)?;
        if let Some(bytes) = builtin::weights(&path) {
            let parts = safetensors::read(&path, safetensors::table(&path, bytes, 0)?)?;
            return Self::checked(path, parts, vec![Bytes::Inside(bytes)]);
        }
        if path.to_string_lossy().ends_with(INDEX) {
            return Self::open_shards(path);
        }
        let (file, map) = mapped(&path)?;
        let parts = match map.get(..9) {
            Some([b'P', b'K', 3, 4, ..]) => pth::read(&path, &file)?,
            Some([.., b'{']) => safetensors::read(&path, safetensors::table(&path, &map, 0)?)?,
            // The first pickle is PyTorch's magic number.
            Some([0x80, _, 0x8a, 0x0a, ..]) => pth::read_legacy(&path, &map)?,
            Some(_) => return Err(Error::foreign(&path, what_else(&map))),
            None => {
                return Err(Error::truncated(
                    &path,
                    format!("it has {} bytes", map.len()),
                ));
            }
        };
        Self::checked(path, parts, vec![Bytes::Mapped(map)])
    }

    /// Opens safetensors that are split over several files, by their index.
    fn open_shards(index: PathBuf) -> Result<Self, Error> {
        let (mut files, mut whole) = (Vec::new(), None);
        for (number, path) in safetensors::shards(&index)?.into_iter().enumerate() {
            let (_, map) = mapped(&path)?;
            if !matches!(map.get(..9), Some([.., b'{'])) {
                return Err(Error::foreign(&path, what_else(&map)));
            }
            let table = safetensors::table(&path, &map, number)?;
            files.push(Bytes::Mapped(map));
            match &mut whole {
                None => whole = Some(table),
                Some(whole) => whole.entries.extend(table.entries),
            }
        }
        let whole = whole.ok_or_else(|| Error::foreign(&index, "its index names no file"))?;
        let parts = safetensors::read(&index, whole)?;
        Self::checked(index, parts, files)
    }

    fn checked(
        path: PathBuf,
        (format, architecture, entries): (Format, Architecture, BTreeMap<String, Entry>),
        files: Vec<Bytes>,
    ) -> Result<Self, Error> {
        let checkpoint = Self {
            path,
            format,
            architecture,
            entries,
            files,
        };
        checkpoint.check()?;
        Ok(checkpoint)
    }

    fn check(&self) -> Result<(), Error> {
        self.architecture.validate()?;
        for (name, shape) in self.architecture.tensors() {
            let Some(entry) = self.entries.get(&name) else {
                return Err(Error::MissingTensor {
                    path: self.path.clone(),
                    name: names::stored(&name, self.format),
                    shape,
                    architecture: self.architecture.described(),
                });
            };
            if entry.shape != shape {
                return Err(Error::TensorShape {
                    path: self.path.clone(),
                    name: entry.stored_name.clone(),
                    found: entry.shape.clone(),
                    expected: shape,
                });
            }
            let length = self.files[entry.file].len();
            if entry.bytes.end > length {
                return Err(Error::truncated(
                    &self.path,
                    format!(
                        "tensor `{}` ends at byte {} of {}",
                        entry.stored_name, entry.bytes.end, length
                    ),
                ));
            }
            if !matches!(entry.dtype, DType::F32 | DType::F16 | DType::BF16) {
                return Err(Error::TensorStorage {
                    path: self.path.clone(),
                    name: entry.stored_name.clone(),
                    found: entry.dtype.as_str().into(),
                });
            }
        }
        let unused = self.unused();
        if !unused.is_empty() {
            tracing::warn!(path = %self.path.display(), ?unused, "the checkpoint holds tensors that the network does not use");
        }
        Ok(())
    }

    /// The configuration of a network that paints.
    pub(crate) fn seggpt(&self) -> Result<&Config, Error> {
        match &self.architecture {
            Architecture::SegGpt(config) => Ok(config),
            Architecture::Matching(_) => Err(self.other("SegGPT or Painter")),
        }
    }

    /// The configuration of a network that compares features.
    pub(crate) fn matching(&self) -> Result<&MatchingConfig, Error> {
        match &self.architecture {
            Architecture::Matching(config) => Ok(config),
            Architecture::SegGpt(_) => Err(self.other("matching")),
        }
    }

    fn other(&self, wanted: &'static str) -> Error {
        Error::OtherArchitecture {
            path: self.path.clone(),
            found: self.architecture.family(),
            wanted,
        }
    }

    /// Tensors that the architecture has no place for.
    pub(crate) fn unused(&self) -> Vec<&str> {
        let known: std::collections::BTreeSet<_> = self
            .architecture
            .tensors()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let unused = self
            .entries
            .iter()
            .filter(|(name, _)| !known.contains(*name));
        unused
            .map(|(_, entry)| entry.stored_name.as_str())
            .collect()
    }

    /// All files, whole, one after another.
    pub(crate) fn files(&self) -> impl Iterator<Item = &[u8]> {
        self.files.iter().map(|file| &**file)
    }

    /// The bytes of a tensor in its stored number type.
    fn bytes(&self, entry: &Entry) -> &[u8] {
        &self.files[entry.file][entry.bytes.clone()]
    }

    /// The number types in use, such as `f16` or `f16+f32`.
    pub(crate) fn dtype(&self) -> String {
        let mut dtypes: Vec<_> = self
            .entries
            .values()
            .map(|entry| entry.dtype.as_str())
            .collect();
        dtypes.sort_unstable();
        dtypes.dedup();
        dtypes.join("+")
    }

    /// A name for people: the folder's for `model.safetensors`, else the file's.
    pub(crate) fn name(&self) -> String {
        if let Some(name) = builtin_name(&self.path) {
            return name.into();
        }
        let folder = self.path.parent().and_then(Path::file_name);
        let stem = self.path.file_stem();
        let name = if stem.is_some_and(|stem| stem == "model") {
            folder.or(stem)
        } else {
            stem
        };
        name.unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Copies one tensor out of the map in its stored number type.
    pub(crate) fn tensor(&self, name: &str) -> candle_core::Result<Tensor> {
        let entry = self
            .entries
            .get(name)
            .ok_or_else(|| candle_core::Error::CannotFindTensor { path: name.into() }.bt())?;
        Tensor::from_raw_buffer(self.bytes(entry), entry.dtype, &entry.shape, &Device::Cpu)
    }

    /// The tensors as the network's modules take them.
    pub(crate) fn var_builder(&self, dtype: DType, device: &Device) -> VarBuilder<'_> {
        VarBuilder::from_backend(Box::new(self), dtype, device.clone())
    }
}

impl SimpleBackend for &Checkpoint {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _: Init,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let tensor = self.get_unchecked(name, dtype, device)?;
        if tensor.shape() != &shape {
            candle_core::bail!(
                "tensor `{name}` has shape {:?}, wanted {shape:?}",
                tensor.shape()
            )
        }
        Ok(tensor)
    }

    fn get_unchecked(
        &self,
        name: &str,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        self.tensor(name)?.to_dtype(dtype)?.to_device(device)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }
}

/// What a file is that is no checkpoint: downloads go wrong in a few ways.
fn what_else(bytes: &[u8]) -> &'static str {
    let text = bytes.trim_ascii_start();
    let begins = |word: &str| {
        let begin = text.get(..word.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()))
    };
    if begins("version https://git-lfs") {
        "it is what Git LFS leaves in place of a file: run `git lfs pull` where it comes from, or download the file itself"
    } else if begins("<!doctype") || begins("<html") || begins("<?xml") {
        "it is a web page, not the file that it tells of: open it in a browser, and download the file itself"
    } else if bytes.starts_with(&[0x80]) {
        "it is a pickle, but not one that torch.save writes"
    } else {
        "it is neither a .pth nor a safetensors file"
    }
}

/// A file, and its bytes.
fn mapped(path: &Path) -> Result<(File, Mmap), Error> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    // SAFETY: the map is read only. A file that another process rewrites meanwhile would change under it, which is why our
    // own writer renames into place and never writes into an existing file.
    #[allow(unsafe_code)]
    let map = unsafe { Mmap::map(&file) }.map_err(Error::io("map", path))?;
    Ok((file, map))
}

/// How the name of an index of several files ends.
const INDEX: &str = ".safetensors.index.json";

/// The file that a path stands for: itself, or `model.safetensors` or its index in a folder.
fn weights_file(path: &Path) -> Result<PathBuf, Error> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let files = ["model.safetensors".to_owned(), format!("model{INDEX}")];
    let found = files
        .map(|name| path.join(name))
        .into_iter()
        .find(|file| file.is_file());
    found.ok_or_else(|| Error::foreign(path, "the folder holds no model.safetensors"))
}
