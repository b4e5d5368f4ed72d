//! All that it takes to go on: one file, replaced whole.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    path::{Path, PathBuf},
};

use safetensors::{
    SafeTensors,
    tensor::{Dtype, TensorView},
};
use seggpt::{Config, DType, Device, Tensor, Trainable};
use serde::{Deserialize, Serialize};

use crate::{Score, TrainError, optimiser::AdamW};

/// What the curves are drawn of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct History {
    /// Step, mean loss since the entry before, learning rate.
    pub(crate) losses: Vec<(u64, f64, f64)>,
    /// Step and score.
    pub(crate) scores: Vec<(u64, Score)>,
}

/// What a state holds beside tensors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct About {
    format: u32,
    /// Steps done.
    pub(crate) step: u64,
    /// Seconds spent on them.
    pub(crate) seconds: f64,
    pub(crate) config: Config,
    pub(crate) seed: u64,
    pub(crate) best: Option<Score>,
    pub(crate) history: History,
}

const FORMAT: u32 = 1;
const KEY: &str = "state";

impl About {
    pub(crate) fn new(config: Config, seed: u64) -> Self {
        Self {
            format: FORMAT,
            step: 0,
            seconds: 0.0,
            config,
            seed,
            best: None,
            history: History::default(),
        }
    }
}

/// A run at the end of a step.
pub(crate) struct State {
    pub(crate) about: About,
    pub(crate) network: Trainable,
    pub(crate) average: Trainable,
    pub(crate) optimiser: AdamW,
}

/// The file in a run's folder.
pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join("state.safetensors")
}

impl State {
    /// A run that begins with these weights.
    pub(crate) fn begin(network: Trainable, seed: u64) -> Result<Self, TrainError> {
        let weights = network
            .weights()
            .iter()
            .map(|(name, var)| Ok((name.clone(), var.as_tensor().copy()?)));
        let weights = weights.collect::<Result<_, TrainError>>()?;
        let average = Trainable::new(
            network.config().clone(),
            weights,
            network.device(),
            DType::F32,
        )?;
        let optimiser = AdamW::new(&network)?;
        Ok(Self {
            about: About::new(network.config().clone(), seed),
            network,
            average,
            optimiser,
        })
    }

    /// Writes the state beside its place, has the disk take it, and renames.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), TrainError> {
        let about = serde_json::to_string(&self.about).map_err(|error| TrainError::State {
            path: file(folder),
            reason: error.to_string(),
        })?;
        let weights = |network: &Trainable| -> BTreeMap<String, Tensor> {
            network
                .weights()
                .iter()
                .map(|(name, var)| (name.clone(), var.as_detached_tensor()))
                .collect()
        };
        let mut held = Vec::new();
        for (part, tensors) in [
            ("weight", &weights(&self.network)),
            ("average", &weights(&self.average)),
            ("mean", &self.optimiser.mean),
            ("square", &self.optimiser.square),
        ] {
            for (name, tensor) in tensors {
                let values = tensor.flatten_all()?.to_vec1::<f32>()?;
                let bytes: Vec<u8> = values
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect();
                held.push((format!("{part}/{name}"), tensor.dims().to_vec(), bytes));
            }
        }
        let path = file(folder);
        let refuse = |error: &dyn std::fmt::Display| TrainError::State {
            path: path.clone(),
            reason: error.to_string(),
        };
        let views = held.iter().map(|(name, shape, bytes)| {
            Ok((
                name,
                TensorView::new(Dtype::F32, shape.clone(), bytes)
                    .map_err(|error| refuse(&error))?,
            ))
        });
        let views = views.collect::<Result<Vec<_>, TrainError>>()?;
        let metadata = HashMap::from([(KEY.to_owned(), about)]);
        let bytes =
            safetensors::serialize(views, Some(metadata)).map_err(|error| refuse(&error))?;
        replace(&path, &bytes)
    }

    /// Reads the state of a folder; none if there is no file.
    pub(crate) fn load(folder: &Path, device: &Device) -> Result<Option<Self>, TrainError> {
        let path = file(folder);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(TrainError::io("read", &path)(error)),
        };
        let refuse = |error: &dyn std::fmt::Display| TrainError::State {
            path: path.clone(),
            reason: error.to_string(),
        };
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| refuse(&error))?;
        let about = metadata
            .metadata()
            .as_ref()
            .and_then(|metadata| metadata.get(KEY));
        let about = about.ok_or_else(|| refuse(&"it is no state of a training run"))?;
        let about: About = serde_json::from_str(about).map_err(|error| refuse(&error))?;
        if about.format != FORMAT {
            return Err(refuse(&format!(
                "it is of format {}, and {FORMAT} is what is read here",
                about.format
            )));
        }
        let file = SafeTensors::deserialize(&bytes).map_err(|error| refuse(&error))?;
        let part = |part: &str| -> Result<BTreeMap<String, Tensor>, TrainError> {
            let names = about.config.tensors().into_iter().map(|(name, _)| {
                let view = file
                    .tensor(&format!("{part}/{name}"))
                    .map_err(|error| refuse(&error))?;
                let (values, _) = view.data().as_chunks::<4>();
                let values: Vec<f32> = values
                    .iter()
                    .map(|bytes| f32::from_le_bytes(*bytes))
                    .collect();
                Ok((name, Tensor::from_vec(values, view.shape(), device)?))
            });
            names.collect()
        };
        let network = |name| {
            Ok::<_, TrainError>(Trainable::new(
                about.config.clone(),
                part(name)?,
                device,
                DType::F32,
            )?)
        };
        let optimiser = AdamW {
            mean: part("mean")?,
            square: part("square")?,
        };
        Ok(Some(Self {
            network: network("weight")?,
            average: network("average")?,
            optimiser,
            about,
        }))
    }
}

/// Replaces a file at once: whoever reads it sees the old or the new one, and never a part.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    use std::io::Write;
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut file = File::create(&part).map_err(TrainError::io("create", &part))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(TrainError::io("write", &part))?;
    fs::rename(&part, path).map_err(TrainError::io("rename into place", path))
}
