//! Writes our own checkpoint format: safetensors with the original names and the configuration in the metadata.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use candle_core::{DType, Device, Tensor};
use half::{bf16, f16};
use safetensors::{Dtype, View, serialize_to_file};

use crate::{
    Architecture, DTypeChoice, Error,
    weights::{About, Checkpoint, METADATA_KEY},
};

/// Converts any checkpoint that [`crate::Network::load`] takes. The output appears whole or not at all: it is written
/// beside its place and renamed. Tensors are converted one after the other, so no second copy of all is held.
///
/// `dtype` [`DTypeChoice::Auto`] keeps what the input has.
///
/// # Errors
/// Those of opening the input, [`Error::Choice`] for int8, which is no number type of files, and [`Error::Io`] where
/// the output cannot be written.
pub fn convert(input: &Path, output: &Path, dtype: DTypeChoice) -> Result<(), Error> {
    let checkpoint = Checkpoint::open(input)?;
    let tensors = checkpoint
        .architecture
        .tensors()
        .into_iter()
        .map(|(name, shape)| {
            let stored = checkpoint
                .entries
                .get(&name)
                .map_or(DType::F32, |entry| entry.dtype);
            let tensor = Converted {
                source: Source::Stored(&checkpoint, name.clone()),
                shape,
                dtype: chosen(dtype, stored)?,
            };
            Ok((name, tensor))
        });
    write(
        &checkpoint.architecture,
        tensors.collect::<Result<Vec<_>, Error>>()?,
        output,
    )
}

/// Writes tensors that are at hand as a checkpoint of our own format, under the same promise as [`convert`].
///
/// # Errors
/// [`Error::Choice`] for int8; [`Error::Io`] where the output cannot be written.
pub(crate) fn save(
    architecture: &Architecture,
    tensors: BTreeMap<String, Tensor>,
    output: &Path,
    dtype: DTypeChoice,
) -> Result<(), Error> {
    let tensors = tensors.into_iter().map(|(name, tensor)| {
        let converted = Converted {
            shape: tensor.dims().to_vec(),
            dtype: chosen(dtype, DType::F32)?,
            source: Source::Held(tensor.to_device(&Device::Cpu)?),
        };
        Ok((name, converted))
    });
    write(
        architecture,
        tensors.collect::<Result<Vec<_>, Error>>()?,
        output,
    )
}

fn chosen(choice: DTypeChoice, stored: DType) -> Result<DType, Error> {
    match choice {
        DTypeChoice::Auto => Ok(stored),
        DTypeChoice::F32 => Ok(DType::F32),
        DTypeChoice::F16 => Ok(DType::F16),
        DTypeChoice::BF16 => Ok(DType::BF16),
        DTypeChoice::Int8 => Err(Error::Choice {
            what: "number type of a file",
            given: choice.to_string(),
            choices: "auto, f32, f16 or bf16; any of them can be computed with in int8",
        }),
    }
}

fn write<'a>(
    architecture: &Architecture,
    tensors: impl IntoIterator<Item = (String, Converted<'a>)>,
    output: &Path,
) -> Result<(), Error> {
    let about = About::new(architecture.clone());
    let json = serde_json::to_string(&about).map_err(|error| Error::Config(error.to_string()))?;
    let metadata = HashMap::from([(METADATA_KEY.to_owned(), json)]);
    let mut part = output.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part);
    // The writer makes files that only their owner may read; this one gets the permissions of any new file.
    let ordinary = fs::File::create(part)
        .and_then(|file| file.metadata())
        .map_err(Error::io("create", part))?
        .permissions();
    serialize_to_file(tensors, Some(metadata), part)
        .map_err(|error| Error::io("write", part)(std::io::Error::other(error)))?;
    fs::set_permissions(part, ordinary).map_err(Error::io("set the permissions of", part))?;
    fs::rename(part, output).map_err(Error::io("rename into place", output))
}

/// A tensor that is converted when the writer asks for its bytes.
struct Converted<'a> {
    source: Source<'a>,
    shape: Vec<usize>,
    dtype: DType,
}

enum Source<'a> {
    Stored(&'a Checkpoint, String),
    Held(Tensor),
}

impl Converted<'_> {
    fn encode(&self) -> candle_core::Result<Vec<u8>> {
        let tensor = match &self.source {
            Source::Stored(checkpoint, name) => checkpoint.tensor(name)?,
            Source::Held(tensor) => tensor.clone(),
        };
        let tensor = tensor.to_dtype(self.dtype)?.flatten_all()?;
        Ok(match self.dtype {
            DType::F16 => tensor
                .to_vec1::<f16>()?
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            DType::BF16 => tensor
                .to_vec1::<bf16>()?
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            _ => tensor
                .to_vec1::<f32>()?
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        })
    }
}

impl View for Converted<'_> {
    fn dtype(&self) -> Dtype {
        match self.dtype {
            DType::F16 => Dtype::F16,
            DType::BF16 => Dtype::BF16,
            _ => Dtype::F32,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(
            self.encode()
                .expect("tensors are checked when a checkpoint is opened, and lie on the CPU"),
        )
    }

    fn data_len(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype.size_in_bytes()
    }
}
