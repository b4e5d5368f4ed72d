use std::{collections::BTreeMap, sync::Arc, time::Instant};

use eyre::{Result, WrapErr, ensure};
use seggpt::{Card, Device, DeviceChoice, find_model};
use seggpt_contract::{Canvases, Provenance};
use seggpt_imaging::{RgbImage, decode::memberships, resize::bicubic};

use crate::{
    Output, RawOutput, Refine, Settings,
    network::{Network, Prepared},
    prompt_set::{PromptSet, at_size, picture},
};

/// The network, and its last prompts as it prepared them.
pub struct Model {
    network: Arc<Network>,
    device: String,
    card: Card,
    /// Whether canvases are brought to the network's own size.
    own_size: bool,
    cached: Option<(PromptSet, Prepared)>,
    unusual_size: Option<u32>,
}

impl Model {
    /// Finds and loads what MODEL, DEVICE and DTYPE name.
    ///
    /// # Errors
    /// As [`find_model`] and [`seggpt::Network::load`].
    pub fn load(settings: &Settings) -> Result<Self> {
        let named = || format!("MODEL `{}` cannot be used", settings.model);
        let path = find_model(&settings.model).wrap_err_with(named)?;
        let device = settings.device.open()?;
        let network = Network::load(&path, &device, settings.dtype).wrap_err_with(named)?;
        let card = Card::beside(&network.info().path);
        if !card.trained {
            tracing::warn!(
                "model `{}` has random weights: it was never trained, and its masks mean nothing",
                network.info().name
            );
        }
        Ok(Self {
            device: name_of(&device, settings.device),
            network: Arc::new(network),
            card,
            own_size: settings.refine != Refine::None,
            cached: None,
            unusual_size: None,
        })
    }

    /// Another with the same network and nothing prepared.
    pub fn share(&self) -> Self {
        Self {
            network: self.network.clone(),
            device: self.device.clone(),
            cached: None,
            ..*self
        }
    }

    /// What the model's card says.
    pub fn card(&self) -> Card {
        self.card
    }

    /// Whether canvases with the same prompts best go through the network together: on a GPU.
    pub fn batches(&self) -> bool {
        !self.network.device().is_cpu()
    }

    /// Runs the network on the queries of canvases, all of which have the prompts of the first. Prompts that are those
    /// of the last call are not prepared again.
    ///
    /// # Errors
    /// Canvases of a size that the network cannot take, or a computation that failed.
    pub fn predict(&mut self, canvases: &[&Canvases]) -> Result<Vec<RawOutput>> {
        let Some(first) = canvases.first() else {
            return Ok(Vec::new());
        };
        let size = if self.own_size {
            self.network.image_size() as u32
        } else {
            first.query.size()
        };
        self.check_size(size)?;
        let started = Instant::now();
        let set = PromptSet::of(first);
        let mut prepare = None;
        let cached = match self.cached.take() {
            Some(cached) if cached.0 == set => cached,
            _ => {
                let prepared = self.network.prepare(&set, size)?;
                prepare = Some(to_milliseconds(started.elapsed()));
                (set, prepared)
            }
        };
        let (_, prompts) = self.cached.insert(cached);
        let prepared = Instant::now();
        let queries = canvases.iter().map(|canvases| &canvases.query);
        let queries: Vec<_> = queries
            .map(|query| at_size(query.bytes(), query.size(), size, bicubic))
            .collect();
        let queries = match &queries[..] {
            [query] => picture(query, 1, size, self.network.device())?,
            several => picture(
                &several.concat(),
                several.len(),
                size,
                self.network.device(),
            )?,
        };
        // Reading the outputs back waits for the device.
        let outputs = self.network.predict(&queries, prompts)?;
        let forward = to_milliseconds(prepared.elapsed()) / canvases.len() as f64;
        let raw = |(output, size)| {
            let mut milliseconds = BTreeMap::from([("forward".to_owned(), forward)]);
            // The prompts were prepared once, for the first.
            milliseconds.extend(prepare.take().map(|spent| ("prepare".to_owned(), spent)));
            RawOutput {
                output,
                size,
                milliseconds,
            }
        };
        Ok(outputs.into_iter().map(raw).collect())
    }

    /// How much each pixel of square pictures of one size belongs to background and to each class of prompts that are prepared
    /// for them alone: `[size * size, palette]` and the size for each. All are seen at this share of the network's own size.
    ///
    /// # Errors
    /// A computation that failed.
    pub(crate) fn memberships_of(
        &self,
        set: &PromptSet,
        queries: &[&RgbImage],
        share: f64,
    ) -> Result<Vec<(Vec<f32>, u32)>> {
        let patch = self.network.patch_size() as u32;
        let size = (self.network.image_size() as f64 * share) as u32 / patch * patch;
        let size = size.max(patch);
        let prepared = self.network.prepare(set, size)?;
        let resized =
            |query: &&RgbImage| at_size(query.as_raw(), query.width(), size, bicubic).into_owned();
        let bytes: Vec<u8> = queries.iter().flat_map(resized).collect();
        let pictures = picture(&bytes, queries.len(), size, self.network.device())?;
        let outputs = self.network.predict(&pictures, &prepared)?.into_iter();
        outputs
            .map(|(output, size)| {
                let memberships = match output {
                    Output::Memberships(memberships) => memberships,
                    Output::Colours(outputs) => {
                        let outputs: Vec<_> = outputs.iter().map(Vec::as_slice).collect();
                        let side = size as usize;
                        memberships(&outputs, (side, side), &set.palette)?
                    }
                };
                Ok((memberships, size))
            })
            .collect()
    }

    /// What a mask says of how it was made.
    pub fn provenance(&self, canvases: &Canvases, raw: &RawOutput) -> Provenance {
        let prompts = canvases.prompts.iter();
        Provenance {
            model: self.network.info().name.clone(),
            trained: self.card.trained,
            device: self.device.clone(),
            dtype: self.network.dtype().to_string(),
            ensemble: canvases.ensemble.clone(),
            r#type: canvases.kind.to_string(),
            prompts: prompts.map(|p| (p.name.clone(), p.score)).collect(),
            milliseconds: raw.milliseconds.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }

    fn check_size(&mut self, size: u32) -> Result<()> {
        let (trained, patch) = (self.network.image_size(), self.network.patch_size());
        let model = &self.network.info().name;
        ensure!(
            (size as usize).is_multiple_of(patch),
            "canvases of {size} x {size} pixels do not fill whole patches of {patch}: set CANVAS_SIZE to {trained}, the size that model `{model}` was made for, or to another multiple of {patch}"
        );
        if size as usize != trained && self.unusual_size != Some(size) {
            tracing::warn!(
                "canvases are {size} x {size} pixels, and model `{model}` was made for {trained} x {trained}: set CANVAS_SIZE to {trained} for its full accuracy"
            );
            self.unusual_size = Some(size);
        }
        Ok(())
    }
}

fn name_of(device: &Device, choice: DeviceChoice) -> String {
    let choice = match choice {
        DeviceChoice::Auto if device.is_cuda() => DeviceChoice::Cuda(0),
        DeviceChoice::Auto if device.is_metal() => DeviceChoice::Metal,
        DeviceChoice::Auto => DeviceChoice::Cpu,
        chosen => chosen,
    };
    choice.to_string()
}

pub(crate) fn to_milliseconds(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
