use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Instant};

use eyre::{Result, WrapErr, ensure};
use seggpt::{Card, Device, DeviceChoice, Ensemble, find_model, pixels};
use seggpt_contract::{Canvases, Combine, Prompt, Provenance, SegType, Square};
use seggpt_imaging::{
    BLACK, Rgb, RgbImage,
    decode::memberships,
    resize::{bicubic, nearest_rgb},
};

use crate::{
    Refine, Settings,
    network::{Network, Shown},
};

/// The network, and the prompts that it was shown last.
pub struct Model {
    network: Arc<Network>,
    device: String,
    card: Card,
    /// Whether canvases are brought to the network's own size.
    own_size: bool,
    shown: Option<(PromptSet, Shown)>,
    unusual_size: Option<u32>,
}

/// A network's answer to a query, `size` x `size` pixels, row by row.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Colours, 3 values 0 to 255 each, not rounded: one answer, or one per prompt, where they vote.
    Colours(Vec<Vec<f32>>),
    /// How much each pixel belongs to background and to each class, summing to 1.
    Memberships(Vec<f32>),
}

/// What the network painted.
pub struct Painting {
    /// In the network's own terms.
    pub answer: Answer,
    /// Side in pixels.
    pub size: u32,
    /// Milliseconds by stage; `prepare` only if these prompts were not shown last; `forward` is an equal share of what all
    /// took that were painted together.
    pub milliseconds: BTreeMap<String, f64>,
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
            shown: None,
            unusual_size: None,
        })
    }

    /// The same network, which has been shown nothing yet.
    pub fn twin(&self) -> Self {
        Self {
            network: self.network.clone(),
            device: self.device.clone(),
            shown: None,
            ..*self
        }
    }

    /// What the model's card says.
    pub fn card(&self) -> Card {
        self.card
    }

    /// Whether canvases with the same prompts are best painted together: on a GPU.
    pub fn batches(&self) -> bool {
        !self.network.device().is_cpu()
    }

    /// Lets the network answer the queries of canvases, all of which have the prompts of the first. Prompts that are those
    /// of the last call are not prepared again.
    ///
    /// # Errors
    /// Canvases of a size that the network cannot take, or a computation that failed.
    pub fn paint(&mut self, canvases: &[&Canvases]) -> Result<Vec<Painting>> {
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
        let asked = PromptSet::of(first);
        let mut prepare = None;
        let shown = match self.shown.take() {
            Some(shown) if shown.0 == asked => shown,
            _ => {
                let prepared = self.network.prepare(&asked, size)?;
                prepare = Some(to_milliseconds(started.elapsed()));
                (asked, prepared)
            }
        };
        let (_, prompts) = self.shown.insert(shown);
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
        // Reading the answers back waits for the device.
        let answers = self.network.answer(&queries, prompts)?;
        let forward = to_milliseconds(prepared.elapsed()) / canvases.len() as f64;
        let painting = |(answer, size)| {
            let mut milliseconds = BTreeMap::from([("forward".to_owned(), forward)]);
            // The prompts were prepared once, for the first.
            milliseconds.extend(prepare.take().map(|spent| ("prepare".to_owned(), spent)));
            Painting {
                answer,
                size,
                milliseconds,
            }
        };
        Ok(answers.into_iter().map(painting).collect())
    }

    /// How much each pixel of a picture belongs to background and to each class of prompts that are shown for this question
    /// alone, `[size * size, palette]`, and that size. All are shown at this share of the network's own size.
    ///
    /// # Errors
    /// A computation that failed.
    pub(crate) fn memberships_of(
        &self,
        asked: &PromptSet,
        query: &RgbImage,
        share: f64,
    ) -> Result<(Vec<f32>, u32)> {
        let patch = self.network.patch_size() as u32;
        let size = (self.network.image_size() as f64 * share) as u32 / patch * patch;
        let size = size.max(patch);
        let shown = self.network.prepare(asked, size)?;
        let query = at_size(query.as_raw(), query.width(), size, bicubic);
        let query = picture(&query, 1, size, self.network.device())?;
        let mut answers = self.network.answer(&query, &shown)?;
        let (answer, size) = answers.remove(0);
        let memberships = match answer {
            Answer::Memberships(memberships) => memberships,
            Answer::Colours(answers) => {
                let answers: Vec<_> = answers.iter().map(Vec::as_slice).collect();
                let side = size as usize;
                memberships(&answers, (side, side), &asked.palette)?
            }
        };
        Ok((memberships, size))
    }

    /// What a mask says of its making.
    pub fn provenance(&self, canvases: &Canvases, painting: &Painting) -> Provenance {
        let prompts = canvases.prompts.iter();
        Provenance {
            model: self.network.info().name.clone(),
            trained: self.card.trained,
            device: self.device.clone(),
            dtype: self.network.dtype().to_string(),
            ensemble: canvases.ensemble.clone(),
            r#type: canvases.kind.to_string(),
            prompts: prompts.map(|p| (p.name.clone(), p.score)).collect(),
            milliseconds: painting.milliseconds.clone(),
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

/// All that prepared prompts depend on. Owns its bytes: those of a message stay in shared memory while they are held.
#[derive(PartialEq)]
pub(crate) struct PromptSet {
    pub(crate) images: Vec<u8>,
    pub(crate) masks: Vec<u8>,
    pub(crate) count: usize,
    pub(crate) size: u32,
    pub(crate) kind: seggpt::SegType,
    pub(crate) ensemble: Ensemble,
    /// Background and the classes' colours.
    pub(crate) palette: Vec<Rgb>,
}

impl PromptSet {
    /// Whether two canvases have the same set, without a copy of either.
    pub(crate) fn is_shared(a: &Canvases, b: &Canvases) -> bool {
        let alike = |(a, b): (&Prompt, &Prompt)| a.image == b.image && a.mask == b.mask;
        (a.kind, a.combine, a.query.size()) == (b.kind, b.combine, b.query.size())
            && a.classes == b.classes
            && a.prompts.len() == b.prompts.len()
            && a.prompts.iter().zip(&b.prompts).all(alike)
    }

    pub(crate) fn of(canvases: &Canvases) -> Self {
        let joined = |part: fn(&Prompt) -> &Square| {
            let parts: Vec<_> = canvases.prompts.iter().map(|p| part(p).bytes()).collect();
            parts.concat()
        };
        Self {
            images: joined(|p| &p.image),
            masks: joined(|p| &p.mask),
            count: canvases.prompts.len(),
            size: canvases.query.size(),
            kind: match canvases.kind {
                SegType::Semantic => seggpt::SegType::Semantic,
                SegType::Instance => seggpt::SegType::Instance,
            },
            ensemble: match canvases.combine {
                Combine::Feature => Ensemble::Feature,
                Combine::Joint => Ensemble::Joint,
                Combine::Vote => Ensemble::Independent,
            },
            palette: palette(canvases),
        }
    }

    /// The pictures and the masks, one after another, at the side `size`.
    pub(crate) fn at_size(&self, size: u32) -> [Cow<'_, [u8]>; 2] {
        [
            at_size(&self.images, self.size, size, bicubic),
            at_size(&self.masks, self.size, size, nearest_rgb),
        ]
    }
}

/// Background and the classes' colours.
pub(crate) fn palette(canvases: &Canvases) -> Vec<Rgb> {
    let colors = canvases.classes.iter().map(|class| class.color);
    [BLACK].into_iter().chain(colors).collect()
}

/// Pictures of the side `from`, one after another, at the side `to`.
fn at_size(
    pictures: &[u8],
    from: u32,
    to: u32,
    resize: fn(&RgbImage, u32, u32) -> RgbImage,
) -> Cow<'_, [u8]> {
    if from == to {
        return pictures.into();
    }
    let resized = |bytes: &[u8]| {
        let picture = RgbImage::from_raw(from, from, bytes.to_vec()).expect("a chunk is a square");
        resize(&picture, to, to).into_raw()
    };
    let squares = pictures.chunks_exact((from * from * 3) as usize);
    squares.flat_map(resized).collect()
}

pub(crate) fn picture(
    bytes: &[u8],
    count: usize,
    size: u32,
    device: &Device,
) -> Result<seggpt::Tensor> {
    let side = size as usize;
    Ok(pixels::normalise(bytes, count, side, side, device)?)
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
