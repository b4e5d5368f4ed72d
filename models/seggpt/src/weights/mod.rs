//! Checkpoints of every kind in use, seen as one: a memory map and a table of named tensors.

mod architecture;
mod names;
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
    bytes: Range<usize>,
}

/// An opened checkpoint. Tensors bear the original code's names whatever the file calls them.
pub(crate) struct Checkpoint {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    pub(crate) architecture: Architecture,
    pub(crate) entries: BTreeMap<String, Entry>,
    map: Bytes,
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
            let parts = safetensors::read(&path, bytes)?;
            return Self::checked(path, parts, Bytes::Inside(bytes));
        }
        let file = File::open(&path).map_err(Error::io("open", &path))?;
        // SAFETY: the map is read only. A file that another process rewrites meanwhile would change under it, which
        // is why our own writer renames into place and never writes into an existing file.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(&file) }.map_err(Error::io("map", &path))?;
        let parts = match map.get(..9) {
            None => {
                return Err(Error::truncated(
                    &path,
                    format!("it has {} bytes", map.len()),
                ));
            }
            Some([b'P', b'K', 3, 4, ..]) => pth::read(&path, &file)?,
            Some([.., b'{']) => safetensors::read(&path, &map)?,
            Some([0x80, ..]) => {
                return Err(Error::foreign(
                    &path,
                    "it is a pickle of the kind before PyTorch 1.6; load it with torch and save it again",
                ));
            }
            Some(_) => {
                return Err(Error::foreign(
                    &path,
                    "it is neither a .pth nor a safetensors file",
                ));
            }
        };
        Self::checked(path, parts, Bytes::Mapped(map))
    }

    fn checked(
        path: PathBuf,
        (format, architecture, entries): (Format, Architecture, BTreeMap<String, Entry>),
        map: Bytes,
    ) -> Result<Self, Error> {
        let checkpoint = Self {
            path,
            format,
            architecture,
            entries,
            map,
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
            if entry.bytes.end > self.map.len() {
                return Err(Error::truncated(
                    &self.path,
                    format!(
                        "tensor `{}` ends at byte {} of {}",
                        entry.stored_name,
                        entry.bytes.end,
                        self.map.len()
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

    /// The whole file.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.map
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
        Tensor::from_raw_buffer(
            &self.map[entry.bytes.clone()],
            entry.dtype,
            &entry.shape,
            &Device::Cpu,
        )
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

/// The file that a path stands for: itself, or `model.safetensors` in a folder.
fn weights_file(path: &Path) -> Result<PathBuf, Error> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let file = path.join("model.safetensors");
    if file.is_file() {
        return Ok(file);
    }
    let reason = if path.join("model.safetensors.index.json").is_file() {
        "its weights are split over several files; save them as one"
    } else {
        "the folder holds no model.safetensors"
    };
    Err(Error::foreign(path, reason))
}
