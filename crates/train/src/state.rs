//! All that it takes to go on with a training.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use seggpt::{Architecture, DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::{
    Score, TrainError,
    optimiser::AdamW,
    store::{self, Stored},
    student::{self, Student},
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
    #[serde(flatten)]
    pub(crate) architecture: Architecture,
    pub(crate) seed: u64,
    pub(crate) best: Option<Score>,
    pub(crate) history: History,
}

const FORMAT: u32 = 1;

impl About {
    pub(crate) fn new(architecture: Architecture, seed: u64) -> Self {
        Self {
            format: FORMAT,
            step: 0,
            seconds: 0.0,
            architecture,
            seed,
            best: None,
            history: History::default(),
        }
    }
}

/// A run at the end of a step.
pub(crate) struct State {
    pub(crate) about: About,
    pub(crate) network: Student,
    pub(crate) average: Student,
    pub(crate) optimiser: AdamW,
}

/// The file in a run's folder.
pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join("state.safetensors")
}

impl State {
    /// A run that begins with these weights.
    pub(crate) fn begin(network: Student, seed: u64) -> Result<Self, TrainError> {
        let weights = network
            .weights()
            .iter()
            .map(|(name, var)| Ok((name.clone(), var.as_tensor().copy()?)));
        let average = network.with(weights.collect::<Result<_, TrainError>>()?)?;
        let optimiser = AdamW::new(network.weights())?;
        Ok(Self {
            about: About::new(network.architecture(), seed),
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
        let weights = |network: &Student| -> BTreeMap<String, Tensor> {
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
            ("encoder", &self.network.encoder()),
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
        let part = |part: &str, names: &[String]| -> Result<BTreeMap<String, Tensor>, TrainError> {
            let tensors = names.iter().map(|name| {
                let tensor = stored.tensor(&format!("{part}/{name}"), device)?;
                Ok((name.clone(), tensor))
            });
            tensors.collect()
        };
        let (trained, fixed) = student::names(&about.architecture);
        let (weights, encoder) = (part("weight", &trained)?, part("encoder", &fixed)?);
        let network = Student::new(&about.architecture, weights, encoder, device)?;
        let optimiser = AdamW {
            mean: part("mean", &trained)?,
            square: part("square", &trained)?,
        };
        Ok(Some(Self {
            average: network.with(part("average", &trained)?)?,
            network,
            optimiser,
            about,
        }))
    }
}
