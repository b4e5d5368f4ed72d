//! The network as a node: canvases in, class masks at the source's size out.

mod answer;
mod content;
mod fusion;
mod holdout;
mod model;
mod network;
mod output;
mod prompt_set;
mod refine;
mod settings;
mod worker_pool;

use std::time::Instant;

use clap::CommandFactory;
use dora_node_api::{DoraNode, EventStream};
use eyre::{Result, WrapErr, ensure, eyre};
use seggpt::Refinement;
use seggpt_contract::{Canvases, Identity, Mask, Message, Payload, hub_masks, mask_image};
use seggpt_node::{NodeSpec, Port};

pub use answer::Decoding;
pub use fusion::Weights;
pub use model::Model;
pub use output::{Output, RawOutput};
use prompt_set::PromptSet;
pub use refine::{PixelPrediction, Refiner};
pub use settings::{Instances, MaskImage, Refine, Settings};
pub use worker_pool::WorkerPool;

/// The largest mask, in pixels: 4 GiB of labels, ids and confidence.
const MOST_PIXELS: u64 = 1 << 30;

/// Ports and parameters, for manifest, README and reference.
pub fn node_spec() -> NodeSpec {
    NodeSpec {
        name: "seggpt-infer",
        category: "ml-inference",
        inputs: &[Port {
            name: "canvases",
            urn: Canvases::URN,
            required: true,
            description: "The query and its prompts at the network's size.",
        }],
        outputs: &[
            Port {
                name: "mask",
                urn: Mask::URN,
                required: false,
                description: "Class ids at the source's size, with confidence and provenance.",
            },
            Port {
                name: "masks",
                urn: "seggpt/flow/v1/HubMasks",
                required: false,
                description: "The same as boolean planes, for dora-hub's viewers; failed items are left out.",
            },
            Port {
                name: "mask_image",
                urn: "seggpt/flow/v1/MaskImage",
                required: false,
                description: "Class ids as a grey picture in the dialect that MASK_IMAGE names; failed items are left out.",
            },
        ],
        command: Settings::command(),
        content: Some(content::of),
        check: None,
        owns: None,
    }
}

/// The node's loop. The model is loaded before the first item is worked on.
///
/// # Errors
/// The model cannot be used, or the engine is gone.
pub fn run(node: DoraNode, events: EventStream, settings: Settings) -> Result<()> {
    limit_threads(settings.threads)?;
    let dialect = settings.mask_image.into();
    seggpt_node::transform_several(
        node,
        events,
        ["canvases", "mask"],
        settings.batch,
        || {
            let mut workers = WorkerPool::load(&settings)?;
            Ok(move |items| workers.segment(items))
        },
        |io, message| match message {
            Message::Item(identity, mask) => {
                if io.wants("masks") {
                    let (parameters, planes) = hub_masks(identity, mask);
                    io.send_raw("masks", parameters, planes)?;
                }
                if io.wants("mask_image") {
                    let (parameters, picture) = mask_image(identity, mask, dialect)?;
                    io.send_raw("mask_image", parameters, picture)?;
                }
                Ok(())
            }
            Message::Failed(..) => Ok(()),
        },
    )
}

/// From canvases to masks.
pub struct Segmenter {
    model: Model,
    refiner: Option<Refiner>,
    decoding: Decoding,
}

impl Segmenter {
    /// What the settings ask for.
    ///
    /// # Errors
    /// As [`Model::load`] and [`Decoding::of`].
    pub fn load(settings: &Settings) -> Result<Self> {
        let model = Model::load(settings)?;
        let start = Weights::fixed(match model.card().refine {
            Some(Refinement::Fixed(power)) => power,
            Some(Refinement::Fitted) | None => 1.0,
        });
        Ok(Self {
            decoding: Decoding::of(settings, model.card())?,
            refiner: match settings.refine {
                Refine::None => None,
                Refine::Forest => Some(Refiner::new(start, false)),
                Refine::Fitted => Some(Refiner::new(start, true)),
            },
            model,
        })
    }

    /// Another with the same network, to work beside this one.
    pub fn share(&self) -> Self {
        Self {
            model: self.model.share(),
            refiner: self.refiner.as_ref().map(Refiner::share),
            decoding: self.decoding,
        }
    }

    /// Whether items are best given to [`Self::segment`] together.
    pub fn batches(&self) -> bool {
        self.model.batches()
    }

    /// The masks of items, in their order. Neighbours with the same prompts go through the network together, and fail together where
    /// the network does.
    pub fn segment(&mut self, items: &[(Identity, Canvases)]) -> Vec<Result<Mask>> {
        let mut masks = Vec::with_capacity(items.len());
        for alike in items.chunk_by(|(_, a), (_, b)| PromptSet::is_shared(a, b)) {
            let canvases: Vec<_> = alike.iter().map(|(_, canvases)| canvases).collect();
            match self.model.predict(&canvases) {
                Ok(outputs) => masks.extend(
                    alike
                        .iter()
                        .zip(outputs)
                        .map(|((identity, canvases), raw)| self.read(identity, canvases, raw)),
                ),
                Err(error) => masks.extend(alike.iter().map(|_| Err(eyre!("{error:#}")))),
            }
        }
        masks
    }

    /// The mask that the network's output stands for.
    ///
    /// # Errors
    /// A source too large for a mask, or prompts that name no class.
    fn read(&mut self, identity: &Identity, canvases: &Canvases, raw: RawOutput) -> Result<Mask> {
        let source = (identity.width, identity.height);
        ensure!(
            u64::from(source.0) * u64::from(source.1) <= MOST_PIXELS,
            "a picture of {} x {} pixels is too large for one mask: cut it into tiles",
            source.0,
            source.1
        );
        let provenance = self.model.provenance(canvases, &raw);
        let started = Instant::now();
        let pixels = match &mut self.refiner {
            None => None,
            Some(refiner) => {
                answer::palette(canvases)?;
                Some(refiner.predict_proba(canvases, &self.model, self.decoding.threshold)?)
            }
        };
        let refined = Instant::now();
        let mut mask = self
            .decoding
            .read(source, canvases, &raw, pixels.as_ref(), provenance)?;
        let stages = &mut mask.provenance.milliseconds;
        if pixels.is_some() {
            stages.insert("refine".into(), model::to_milliseconds(refined - started));
        }
        stages.insert("decode".into(), model::to_milliseconds(refined.elapsed()));
        Ok(mask)
    }
}

fn limit_threads(threads: usize) -> Result<()> {
    match threads {
        0 => Ok(()),
        threads => rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .wrap_err("THREADS can be set once in a process"),
    }
}
