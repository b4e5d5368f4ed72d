//! SegGPT's forward pass.
//!
//! A *canvas* is a prompt picture on top of a query picture, with the prompt's mask on top of a masked half beside it.
//! Tokens are kept as groups `[G, (n + 1) L, C]`: the `L` patches of each of `n` prompts, then the `L` patches of the
//! query that they share. What the original code computes for `n` equal copies of the query is so computed once.

mod attention;
mod block;
mod decoder;
mod embeddings;
mod encoder;
mod layers;
mod positions;
mod reference;
mod trainable;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use candle_core::{DType, Device, Result as Computed, Tensor};
use candle_nn::VarBuilder;

use self::{
    decoder::Decoder,
    embeddings::{Embeddings, Stream},
    encoder::Encoder,
    positions::Positions,
};
use crate::{Config, DTypeChoice, Ensemble, Error, Format, SegType, weights::Checkpoint};

pub use self::trainable::{Canvases, Trainable};

/// Patches of one half of a canvas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Canvas {
    rows: usize,
    columns: usize,
}

impl Canvas {
    /// `L`, the tokens of one half.
    fn tokens(self) -> usize {
        self.rows * self.columns
    }
}

/// Which tokens of a group are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rows {
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
    /// `SegGPT` or `Painter`.
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

/// A network with its weights on a device. Shared between threads by reference.
pub struct Network {
    config: Config,
    info: ModelInfo,
    device: Device,
    dtype: DType,
    embeddings: Embeddings,
    encoder: Encoder,
    decoder: Decoder,
    /// Resized tables by canvas size: made once each.
    positions: Mutex<HashMap<Canvas, Arc<Positions>>>,
}

/// Prompts with all that can be computed before a query is known.
pub struct PreparedPrompts {
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
        let info = ModelInfo {
            name: checkpoint.name(),
            family: checkpoint.config.family(),
            format: checkpoint.format,
            parameters: checkpoint.config.parameters(),
            stored: checkpoint.dtype(),
            path: checkpoint.path.clone(),
        };
        let _span = tracing::info_span!("load", path = %info.path.display()).entered();
        let network = Self::build(
            checkpoint.config.clone(),
            info,
            checkpoint.var_builder(dtype, device),
        )?;
        tracing::info!(
            name = network.info.name, family = network.info.family, format = %network.info.format,
            parameters = network.info.parameters, stored = network.info.stored, dtype = dtype.as_str(), ?device,
            "loaded the network"
        );
        Ok(network)
    }

    /// Builds a network of the weights of one in training, as they are now, to compute in f32 on the CPU: later steps
    /// do not change it.
    ///
    /// # Errors
    /// [`Error::Compute`].
    pub fn from_trainable(trainable: &Trainable) -> Result<Self, Error> {
        let config = trainable.config().clone();
        let weights: Computed<HashMap<_, _>> = trainable
            .weights()
            .iter()
            .map(|(name, var)| {
                Ok((
                    name.clone(),
                    var.as_detached_tensor().to_device(&Device::Cpu)?.copy()?,
                ))
            })
            .collect();
        let info = ModelInfo {
            name: "in training".into(),
            family: config.family(),
            format: Format::Own,
            parameters: config.parameters(),
            stored: DType::F32.as_str().into(),
            path: PathBuf::new(),
        };
        let vb = VarBuilder::from_tensors(weights?, DType::F32, &Device::Cpu);
        Self::build(config, info, vb)
    }

    fn build(config: Config, info: ModelInfo, vb: VarBuilder) -> Result<Self, Error> {
        let network = Self {
            embeddings: Embeddings::load(&config, vb.clone())?,
            encoder: Encoder::load(&config, vb.clone())?,
            decoder: Decoder::load(&config, vb.clone())?,
            device: vb.device().clone(),
            dtype: vb.dtype(),
            positions: Mutex::default(),
            config,
            info,
        };
        let grid = network.config.grid();
        network.positions(Canvas {
            rows: grid,
            columns: grid,
        })?;
        Ok(network)
    }

    /// The architecture.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where it computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The number type that it computes in.
    pub fn dtype(&self) -> DType {
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
        let (n, canvas) = self.accept("prompts", prompts)?;
        if masks.dims() != prompts.dims() {
            return Err(Error::Shape {
                what: "masks",
                found: masks.dims().to_vec(),
                expected: format!("that of the prompts, {:?}", prompts.dims()),
            });
        }
        let positions = self.positions(canvas)?;
        let [upper, lower] = &positions.absolute;
        let c = self.config.width;
        let tokens = |pictures: &Tensor, stream| -> Computed<Tensor> {
            let patches = self
                .embeddings
                .patches(&pictures.to_device(&self.device)?, stream)?;
            self.embeddings.tokens(&patches, stream, upper, kind)
        };
        let (images, masks) = (
            tokens(prompts, Stream::Image)?,
            tokens(masks, Stream::Target)?,
        );
        let masked = self.embeddings.masked_tokens(lower, kind)?;
        // One group of all prompts, or a group per prompt.
        let groups = match ensemble {
            Ensemble::Feature => 1,
            Ensemble::Independent => n,
        };
        let images = images.reshape((groups, (), c))?;
        let masked = masked.broadcast_as((groups, canvas.tokens(), c))?;
        let targets = Tensor::cat(&[masks.reshape((groups, (), c))?, masked], 1)?;
        let targets = self.encoder.until_merge(&targets, canvas, &positions)?;
        Ok(PreparedPrompts {
            canvas,
            kind,
            ensemble,
            prompts: n,
            images,
            targets,
        })
    }

    /// Answers queries `[B, 3, S, S]`, normalised and of the prompts' size: the painted masks, in normalised colours
    /// ([`crate::pixels::painted`]), f32. `[B, 3, S, S]` for [`Ensemble::Feature`]; for [`Ensemble::Independent`]
    /// `[B * N, 3, S, S]`, all prompts' answers to the first query first.
    ///
    /// # Errors
    /// [`Error::Shape`] if the queries are not of the prompts' size; [`Error::Compute`].
    pub fn forward(&self, query: &Tensor, prompts: &PreparedPrompts) -> Result<Tensor, Error> {
        let _span = tracing::info_span!("forward").entered();
        let (_, canvas) = self.accept("query", query)?;
        if canvas != prompts.canvas {
            let p = self.config.patch_size;
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
        let positions = self.positions(canvas)?;
        let answers: Result<Vec<_>, Error> = (0..query.dim(0)?)
            .map(|i| Ok(self.answer(&query.narrow(0, i, 1)?, prompts, &positions)?))
            .collect();
        Ok(Tensor::cat(&answers?, 0)?)
    }

    /// Answers one query `[1, 3, S, S]`. Queries go one by one, so that memory does not grow with their number.
    fn answer(
        &self,
        query: &Tensor,
        prompts: &PreparedPrompts,
        positions: &Positions,
    ) -> Computed<Tensor> {
        let canvas = prompts.canvas;
        let patches = self
            .embeddings
            .patches(&query.to_device(&self.device)?, Stream::Image)?;
        let query = self.embeddings.tokens(
            &patches,
            Stream::Image,
            &positions.absolute[1],
            prompts.kind,
        )?;
        let (groups, _, c) = prompts.images.dims3()?;
        let query = query.broadcast_as((groups, canvas.tokens(), c))?;
        let images = Tensor::cat(&[&prompts.images, &query], 1)?;
        let images = self.encoder.until_merge(&images, canvas, positions)?;
        let merged = ((images + &prompts.targets)? * 0.5)?;
        let features = self.encoder.after_merge(&merged, canvas, positions)?;
        let _span = tracing::info_span!("decoder").entered();
        let answers: Computed<Vec<_>> = (0..groups)
            .map(|group| self.decoder.answer(&features.get(group)?, canvas))
            .collect();
        Tensor::cat(&answers?, 0)?.to_dtype(DType::F32)
    }

    /// Number of pictures and their size in patches.
    fn accept(&self, what: &'static str, pictures: &Tensor) -> Result<(usize, Canvas), Error> {
        let p = self.config.patch_size;
        match *pictures.dims() {
            [n, 3, height, width]
                if n > 0
                    && height > 0
                    && width > 0
                    && height.is_multiple_of(p)
                    && width.is_multiple_of(p) =>
            {
                Ok((
                    n,
                    Canvas {
                        rows: height / p,
                        columns: width / p,
                    },
                ))
            }
            _ => Err(Error::Shape {
                what,
                found: pictures.dims().to_vec(),
                expected: format!(
                    "[at least 1, 3, height, width] with sides that are multiples of the patch, {p}"
                ),
            }),
        }
    }

    fn positions(&self, canvas: Canvas) -> Computed<Arc<Positions>> {
        // A table that another thread failed to add is simply not there.
        let mut tables = self
            .positions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(positions) = tables.get(&canvas) {
            return Ok(positions.clone());
        }
        let absolute = self.embeddings.absolute(2 * canvas.rows, canvas.columns)?;
        let positions = Arc::new(Positions {
            absolute: positions::halves(&absolute.to_dtype(self.dtype)?.to_device(&self.device)?)?,
            keys: positions::one_hot_keys(canvas, self.dtype, &self.device)?,
            relative: self.encoder.relative(canvas, self.dtype, &self.device)?,
        });
        tables.insert(canvas, positions.clone());
        Ok(positions)
    }
}
