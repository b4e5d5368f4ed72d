//! All that it takes to go on with a tuning.

use std::path::{Path, PathBuf};

use seggpt::{Device, Tensor};
use seggpt_samples::{Example, RgbImage};
use serde::{Deserialize, Serialize};

use super::{
    Tuning,
    prompt::{Plane, numbers, picture},
};
use crate::{
    Score, TrainError,
    state::History,
    store::{self, Stored},
};

/// What a state holds beside tensors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct About {
    format: u32,
    /// What is tuned, on what.
    subject: String,
    size: u32,
    seed: u64,
    /// Steps done.
    pub(super) step: u64,
    /// Of the prompt that tuning began with.
    pub(super) first: Option<Score>,
    pub(super) best: Option<Best>,
    pub(super) history: History,
}

/// The best rounded prompt so far.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Best {
    pub(super) step: u64,
    pub(super) score: Score,
    /// The validation loss before rounding.
    pub(super) exact: f64,
}

impl About {
    pub(super) fn subject(&self) -> &str {
        &self.subject
    }
}

const FORMAT: u32 = 1;

/// A tuning at the end of a step.
pub(super) struct State {
    pub(super) about: About,
    pub(super) picture: Plane,
    pub(super) mask: Plane,
    pub(super) best: Example,
}

fn file(folder: &Path) -> PathBuf {
    folder.join("tuning.safetensors")
}

impl State {
    pub(super) fn begin(
        prompt: &Example,
        subject: &str,
        settings: &Tuning,
        device: &Device,
    ) -> Result<Self, TrainError> {
        Ok(Self {
            about: About {
                format: FORMAT,
                subject: subject.into(),
                size: settings.size,
                seed: settings.seed,
                step: 0,
                first: None,
                best: None,
                history: History::default(),
            },
            picture: Plane::new(&numbers(&prompt.picture, device)?)?,
            mask: Plane::new(&numbers(&prompt.mask, device)?)?,
            best: prompt.clone(),
        })
    }

    pub(super) fn save(&self, folder: &Path) -> Result<(), TrainError> {
        let best = [&self.best.picture, &self.best.mask].map(|x| numbers(x, &Device::Cpu));
        let [best_picture, best_mask] = best;
        let (best_picture, best_mask) = (best_picture?, best_mask?);
        let tensors = [
            ("picture", self.picture.value.as_tensor()),
            ("picture/mean", &self.picture.mean),
            ("picture/square", &self.picture.square),
            ("mask", self.mask.value.as_tensor()),
            ("mask/mean", &self.mask.mean),
            ("mask/square", &self.mask.square),
            ("best/picture", &best_picture),
            ("best/mask", &best_mask),
        ];
        let tensors = tensors.map(|(name, tensor)| (name.to_owned(), tensor));
        store::write(&file(folder), &self.about, tensors.into_iter())
    }

    /// The state of a folder; none if there is no file.
    pub(super) fn load(
        folder: &Path,
        subject: &str,
        settings: &Tuning,
        device: &Device,
    ) -> Result<Option<Self>, TrainError> {
        let Some(stored) = Stored::read(&file(folder))? else {
            return Ok(None);
        };
        let about: About = stored.about()?;
        if about.format != FORMAT {
            return Err(stored.refuse(&"another version of this program wrote it"));
        }
        let same =
            (&about.subject[..], about.size, about.seed) == (subject, settings.size, settings.seed);
        if !same {
            return Err(stored.refuse(&format!(
                "it is of {}, size {}, seed {}, and not of {subject}, size {}, seed {}",
                about.subject, about.size, about.seed, settings.size, settings.seed
            )));
        }
        let tensor = |name: &str| stored.tensor(name, device);
        let plane = |name: &str| -> Result<Plane, TrainError> {
            let mut plane = Plane::new(&tensor(name)?)?;
            plane.mean = tensor(&format!("{name}/mean"))?;
            plane.square = tensor(&format!("{name}/square"))?;
            Ok(plane)
        };
        let whole = |name: &str| -> Result<RgbImage, TrainError> {
            let numbers: Tensor = tensor(name)?;
            Ok(picture(&numbers)?)
        };
        Ok(Some(Self {
            picture: plane("picture")?,
            mask: plane("mask")?,
            best: Example {
                picture: whole("best/picture")?,
                mask: whole("best/mask")?,
            },
            about,
        }))
    }
}
