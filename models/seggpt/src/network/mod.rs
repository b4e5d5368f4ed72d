//! SegGPT's forward pass.
//!
//! A *canvas* is a prompt picture on top of a query picture, with the prompt's mask on top of a masked half beside it.
//! Tokens are kept as groups `[G, (n + 1) L, C]`: the `L` patches of each of `n` prompts, then the `L` patches of the
//! query that they share. What the original code computes for `n` equal copies of the query is so computed once.
//!
//! The same is written three times: on the CPU over kernels of our own (`cpu`), elsewhere out of candle's operations
//! (`tensors`; on CUDA with some kernels of our own, `cuda`), and with nothing saved, for tests to hold the other two
//! against ([`Reference`]).

mod attention;
mod block;
mod canvas_positions;
pub(crate) mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
mod decoder;
pub(crate) mod embeddings;
mod encoder;
mod layers;
pub(crate) mod positions;
pub(crate) mod recent;
mod reference;
mod tensors;
mod trainable;

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use candle_core::{DType, Device, Result as Computed, Tensor};

use self::{cpu::Cpu, tensors::Tensors};
use crate::{
    Config, DTypeChoice, Ensemble, Error, Format, SegType,
    weights::{Checkpoint, Source},
};

pub use self::{
    reference::Reference,
    trainable::{Canvases, Trainable},
};

/// Patches of one half of a canvas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Canvas {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Canvas {
    /// Of pictures `[n, 3, height, width]`.
    pub(crate) fn of(what: &'static str, pictures: &Tensor, patch: usize) -> Result<Self, Error> {
        match *pictures.dims() {
            [n, 3, height, width]
                if n * height * width > 0
                    && height.is_multiple_of(patch)
                    && width.is_multiple_of(patch) =>
            {
                Ok(Self {
                    rows: height / patch,
                    columns: width / patch,
                })
            }
            _ => Err(Error::Shape {
                what,
                found: pictures.dims().to_vec(),
                expected: format!(
                    "[at least 1, 3, height, width] with sides that are multiples of the patch, {patch}"
                ),
            }),
        }
    }

    /// `L`, the tokens of one half.
    pub(crate) fn tokens(self) -> usize {
        self.rows * self.columns
    }
}

/// Which tokens of a group are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// All of them.
    All,
    /// Those that the answer is painted from: the query's, and before them the lowest patch row of the first prompt,
    /// which the decoder's convolution touches.
    Answer,
}

impl Rows {
    /// Tokens at the head of the first prompt that are not wanted.
    fn skipped(self, canvas: Canvas) -> usize {
        match self {
            Self::All => 0,
            Self::Answer => canvas.tokens() - canvas.columns,
        }
    }

    /// Picks the tokens out of whole groups `[G, (n + 1) L, C]`.
    fn of(self, x: &Tensor, canvas: Canvas) -> Computed<Tensor> {
        let (l, tokens) = (canvas.tokens(), x.dim(1)?);
        match self {
            Self::All => Ok(x.clone()),
            Self::Answer => Tensor::cat(
                &[
                    x.narrow(1, l - canvas.columns, canvas.columns)?,
                    x.narrow(1, tokens - l, l)?,
                ],
                1,
            ),
        }
    }
}

/// What is known of the weights in use.
#[derive(Clone, Debug)]
pub struct ModelInfo {
    /// A name for people: the model's folder or file name.
    pub name: String,
    /// `SegGPT`, `Painter` or `matching`.
    pub family: &'static str,
    /// Which kind of checkpoint the weights came from.
    pub format: Format,
    /// Number of parameters.
    pub parameters: usize,
    /// The number types in the file, such as `f16`.
    pub stored: String,
    /// The file.
    pub path: PathBuf,
}

impl ModelInfo {
    pub(crate) fn of(checkpoint: &Checkpoint) -> Self {
        Self {
            name: checkpoint.name(),
            family: checkpoint.architecture.family(),
            format: checkpoint.format,
            parameters: checkpoint.architecture.parameters(),
            stored: checkpoint.dtype(),
            path: checkpoint.path.clone(),
        }
    }

    fn in_training(config: &Config) -> Self {
        Self {
            name: "in training".into(),
            family: config.family(),
            format: Format::Own,
            parameters: config.parameters(),
            stored: DType::F32.as_str().into(),
            path: PathBuf::new(),
        }
    }
}

/// A network with its weights on a device. Shared between threads by reference.
pub struct Network {
    owner: Owner,
    config: Config,
    info: ModelInfo,
    device: Device,
    dtype: DTypeChoice,
    engine: Engine,
}

/// Tells networks apart, so that none takes what another has prepared: equal widths would give wrong answers in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner(u64);

impl Owner {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn check(self, prepared_by: Self) -> Result<(), Error> {
        match self == prepared_by {
            true => Ok(()),
            false => Err(Error::OtherNetwork),
        }
    }
}

/// Who computes.
enum Engine {
    Cpu(Box<Cpu>),
    Tensors(Box<Tensors>),
}

/// Prompts with all that can be computed before a query is known.
pub struct PreparedPrompts {
    owner: Owner,
    canvas: Canvas,
    kind: SegType,
    ensemble: Ensemble,
    prompts: usize,
    /// Image tokens of the prompts at the entrance, `[G', n L, C]`.
    images: Tensor,
    /// The target stream at the merge, `[G', (n + 1) L, C]`: up to there it does not depend on the query.
    targets: Tensor,
}

impl PreparedPrompts {
    /// Number of prompts.
    pub fn len(&self) -> usize {
        self.prompts
    }

    /// Never true: there is at least one prompt.
    pub fn is_empty(&self) -> bool {
        self.prompts == 0
    }

    /// How the prompts act together.
    pub fn ensemble(&self) -> Ensemble {
        self.ensemble
    }

    /// What a colour stands for.
    pub fn kind(&self) -> SegType {
        self.kind
    }
}

impl Network {
    /// Loads a checkpoint of any [`Format`]: a file, or a folder with `model.safetensors`.
    ///
    /// # Errors
    /// A missing, truncated or foreign file, or one that lacks a tensor, is named with the first thing that is wrong;
    /// [`Error::Device`] if the device does not compute in `dtype`.
    pub fn load(path: &Path, device: &Device, dtype: DTypeChoice) -> Result<Self, Error> {
        let checkpoint = Checkpoint::open(path)?;
        let dtype = dtype.on(device)?;
        let info = ModelInfo::of(&checkpoint);
        let _span = tracing::info_span!("load", path = %info.path.display()).entered();
        let config = checkpoint.seggpt()?.clone();
        let engine = match device {
            Device::Cpu => {
                Engine::Cpu(Cpu::load(&config, Source::File(&checkpoint), dtype)?.into())
            }
            _ => {
                let weights = checkpoint.var_builder(floats(dtype), device);
                Engine::Tensors(Tensors::load(&config, weights)?.into())
            }
        };
        tracing::info!(
            name = info.name, family = info.family, format = %info.format, parameters = info.parameters,
            stored = info.stored, %dtype, ?device, "loaded the network"
        );
        Ok(Self {
            owner: Owner::new(),
            config,
            info,
            device: device.clone(),
            dtype,
            engine,
        })
    }

    /// Builds a network of the weights of one in training, as they are now, to compute in f32 on the CPU: later steps
    /// do not change it.
    ///
    /// # Errors
    /// [`Error::Compute`].
    pub fn from_trainable(trainable: &Trainable) -> Result<Self, Error> {
        let config = trainable.config().clone();
        let (weights, dtype) = (Source::Training(trainable.weights()), DTypeChoice::F32);
        Ok(Self {
            owner: Owner::new(),
            info: ModelInfo::in_training(&config),
            device: Device::Cpu,
            dtype,
            engine: Engine::Cpu(Cpu::load(&config, weights, dtype)?.into()),
            config,
        })
    }

    /// The architecture.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where it computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The number type that it computes in, never [`DTypeChoice::Auto`].
    pub fn dtype(&self) -> DTypeChoice {
        self.dtype
    }

    /// Where the weights came from.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Takes `N` prompts: pictures and masks `[N, 3, S, S]`, both normalised ([`crate::pixels::normalise`]).
    /// `S` is [`Config::image_size`], or any other multiple of the patch (the sides may differ).
    ///
    /// # Errors
    /// [`Error::Shape`] if pictures and masks do not match or fill no whole patches; [`Error::Compute`].
    pub fn prepare(
        &self,
        prompts: &Tensor,
        masks: &Tensor,
        kind: SegType,
        ensemble: Ensemble,
    ) -> Result<PreparedPrompts, Error> {
        let _span = tracing::info_span!("prepare").entered();
        let canvas = Canvas::of("prompts", prompts, self.config.patch_size)?;
        if masks.dims() != prompts.dims() {
            return Err(Error::Shape {
                what: "masks",
                found: masks.dims().to_vec(),
                expected: format!("that of the prompts, {:?}", prompts.dims()),
            });
        }
        let n = prompts.dim(0)?;
        // One group of all prompts, or a group per prompt.
        let groups = match ensemble {
            Ensemble::Feature | Ensemble::Joint => 1,
            Ensemble::Independent => n,
        };
        let [images, targets] = match &self.engine {
            Engine::Cpu(cpu) => cpu.prepare(prompts, masks, kind, groups, ensemble, canvas)?,
            Engine::Tensors(tensors) => {
                tensors.prepare(prompts, masks, kind, groups, ensemble, canvas)?
            }
        };
        Ok(PreparedPrompts {
            owner: self.owner,
            canvas,
            kind,
            ensemble,
            prompts: n,
            images,
            targets,
        })
    }

    /// Answers queries `[B, 3, S, S]`, normalised and of the prompts' size: the painted masks, in normalised colours
    /// ([`crate::pixels::painted`]), f32. `[B, 3, S, S]`; for [`Ensemble::Independent`] `[B * N, 3, S, S]`, all
    /// prompts' answers to the first query first.
    ///
    /// A GPU computes all of them together, in memory that grows with their number; the CPU one after the other.
    ///
    /// # Errors
    /// [`Error::OtherNetwork`] if another network prepared the prompts; [`Error::Shape`] if the queries are not of their
    /// size; [`Error::Compute`].
    pub fn forward(&self, query: &Tensor, prompts: &PreparedPrompts) -> Result<Tensor, Error> {
        let _span = tracing::info_span!("forward").entered();
        self.owner.check(prompts.owner)?;
        let p = self.config.patch_size;
        if Canvas::of("query", query, p)? != prompts.canvas {
            return Err(Error::Shape {
                what: "query",
                found: query.dims().to_vec(),
                expected: format!(
                    "[B, 3, {}, {}], the size of the prompts",
                    prompts.canvas.rows * p,
                    prompts.canvas.columns * p
                ),
            });
        }
        match &self.engine {
            // One by one, so that memory does not grow with their number.
            Engine::Cpu(cpu) => {
                let each = (0..query.dim(0)?).map(|i| cpu.answer(&query.narrow(0, i, 1)?, prompts));
                Ok(Tensor::cat(&each.collect::<Result<Vec<_>, Error>>()?, 0)?)
            }
            Engine::Tensors(tensors) => Ok(tensors.answer(query, prompts)?),
        }
    }
}

/// The type of candle's numbers for a choice that [`DTypeChoice::on`] has made for a device with tensors.
pub(crate) fn floats(dtype: DTypeChoice) -> DType {
    match dtype {
        DTypeChoice::F16 => DType::F16,
        DTypeChoice::BF16 => DType::BF16,
        DTypeChoice::Auto | DTypeChoice::F32 | DTypeChoice::Int8 => DType::F32,
    }
}
