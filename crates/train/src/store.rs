//! Numbers and tensors in one file that is replaced whole.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use safetensors::{
    SafeTensors,
    tensor::{Dtype, TensorView},
};
use seggpt::{Device, Tensor};
use serde::{Serialize, de::DeserializeOwned};

use crate::TrainError;

/// Where the metadata hold what is no tensor.
const KEY: &str = "state";

/// Writes f32 tensors and what is to be known of them.
pub(crate) fn write<'a>(
    path: &Path,
    about: &impl Serialize,
    tensors: impl Iterator<Item = (String, &'a Tensor)>,
) -> Result<(), TrainError> {
    let refuse = |error: &dyn std::fmt::Display| refusal(path, error);
    let about = serde_json::to_string(about).map_err(|error| refuse(&error))?;
    let mut held = Vec::new();
    for (name, tensor) in tensors {
        let values = tensor.flatten_all()?.to_vec1::<f32>()?;
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        held.push((name, tensor.dims().to_vec(), bytes));
    }
    let views = held.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        Ok((name, view.map_err(|error| refuse(&error))?))
    });
    let views = views.collect::<Result<Vec<_>, TrainError>>()?;
    let metadata = HashMap::from([(KEY.to_owned(), about)]);
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(|error| refuse(&error))?;
    replace(path, &bytes)
}

/// A file that was read.
pub(crate) struct Stored {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Stored {
    /// None if there is no file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, TrainError> {
        match fs::read(path) {
            Ok(bytes) => Ok(Some(Self {
                path: path.to_owned(),
                bytes,
            })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(TrainError::io("read", path)(error)),
        }
    }

    pub(crate) fn refuse(&self, reason: &dyn std::fmt::Display) -> TrainError {
        refusal(&self.path, reason)
    }

    pub(crate) fn about<T: DeserializeOwned>(&self) -> Result<T, TrainError> {
        let (_, metadata) =
            SafeTensors::read_metadata(&self.bytes).map_err(|error| self.refuse(&error))?;
        let about = metadata
            .metadata()
            .as_ref()
            .and_then(|metadata| metadata.get(KEY));
        let about = about.ok_or_else(|| self.refuse(&"it is no state of a training run"))?;
        serde_json::from_str(about).map_err(|error| self.refuse(&error))
    }

    pub(crate) fn tensor(&self, name: &str, device: &Device) -> Result<Tensor, TrainError> {
        let file = SafeTensors::deserialize(&self.bytes).map_err(|error| self.refuse(&error))?;
        let view = file.tensor(name).map_err(|error| self.refuse(&error))?;
        let (values, _) = view.data().as_chunks::<4>();
        let values: Vec<f32> = values
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        Ok(Tensor::from_vec(values, view.shape(), device)?)
    }
}

fn refusal(path: &Path, reason: &dyn std::fmt::Display) -> TrainError {
    TrainError::State {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

/// Replaces a file at once: whoever reads it sees the old or the new one, and never a part.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut file = File::create(&part).map_err(TrainError::io("create", &part))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(TrainError::io("write", &part))?;
    fs::rename(&part, path).map_err(TrainError::io("rename into place", path))
}
