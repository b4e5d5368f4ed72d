//! All that it takes to go on with a training.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use seggpt::{Config, DType, Device, Tensor, Trainable};
use serde::{Deserialize, Serialize};

use crate::{
    Score, TrainError,
    optimiser::AdamW,
    store::{self, Stored},
};

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

    /// The same, computing in another number type.
    pub(crate) fn computing_in(self, dtype: DType) -> Self {
        Self {
            network: self.network.computing_in(dtype),
            average: self.average.computing_in(dtype),
            ..self
        }
    }

    /// Replaces the state of a folder.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), TrainError> {
        let weights = |network: &Trainable| -> BTreeMap<String, Tensor> {
            network
                .weights()
                .iter()
                .map(|(name, var)| (name.clone(), var.as_detached_tensor()))
                .collect()
        };
        let parts = [
            ("weight", &weights(&self.network)),
            ("average", &weights(&self.average)),
            ("mean", &self.optimiser.mean),
            ("square", &self.optimiser.square),
        ];
        let tensors = parts.iter().flat_map(|(part, tensors)| {
            tensors
                .iter()
                .map(move |(name, tensor)| (format!("{part}/{name}"), tensor))
        });
        store::write(&file(folder), &self.about, tensors)
    }

    /// Reads the state of a folder; none if there is no file.
    pub(crate) fn load(folder: &Path, device: &Device) -> Result<Option<Self>, TrainError> {
        let path = file(folder);
        let Some(stored) = Stored::read(&path)? else {
            return Ok(None);
        };
        let about: About = stored.about()?;
        if about.format != FORMAT {
            return Err(stored.refuse(&format!(
                "it is of format {}, and {FORMAT} is what is read here",
                about.format
            )));
        }
        let part = |part: &str| -> Result<BTreeMap<String, Tensor>, TrainError> {
            let names = about.config.tensors().into_iter().map(|(name, _)| {
                let tensor = stored.tensor(&format!("{part}/{name}"), device)?;
                Ok((name, tensor))
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
