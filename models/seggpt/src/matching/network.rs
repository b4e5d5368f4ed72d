//! The network as it answers.

use std::path::Path;

use candle_core::{DType, Device, Result as Computed, Tensor};

use super::{
    MatchingConfig, Prompts, Weights,
    encoder::{Encoder, grid},
    head::Head,
};
use crate::{
    DTypeChoice, Error, ModelInfo,
    network::{Canvas, Owner},
    weights::{Checkpoint, Source},
};

/// A network with its weights on a device. Shared between threads by reference.
pub struct Network {
    owner: Owner,
    config: MatchingConfig,
    info: ModelInfo,
    device: Device,
    dtype: DTypeChoice,
    encoder: Encoder,
    head: Weights,
}

impl Network {
    /// Loads a checkpoint: a file, or a folder with `model.safetensors`. The encoder computes in `dtype`, the head in f32.
    ///
    /// # Errors
    /// A missing, truncated or foreign file, or one that lacks a tensor, is named with the first thing that is wrong;
    /// [`Error::Device`] if the device does not compute in `dtype`.
    pub fn load(path: &Path, device: &Device, dtype: DTypeChoice) -> Result<Self, Error> {
        let checkpoint = Checkpoint::open(path)?;
        let config = checkpoint.matching()?.clone();
        let dtype = dtype.on(device)?;
        let info = ModelInfo::of(&checkpoint);
        let _span = tracing::info_span!("load", path = %info.path.display()).entered();
        let encoder = Encoder::load(&config.encoder, Source::File(&checkpoint), device, dtype)?;
        let head = config.head_tensors().into_iter().map(|(name, _)| {
            let tensor = checkpoint.tensor(&name)?.to_dtype(DType::F32)?;
            Ok((name, tensor.to_device(device)?))
        });
        Ok(Self {
            owner: Owner::new(),
            head: head.collect::<Computed<_>>()?,
            encoder,
            config,
            info,
            device: device.clone(),
            dtype,
        })
    }

    /// The architecture.
    pub fn config(&self) -> &MatchingConfig {
        &self.config
    }

    /// Where it computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The number type that the encoder computes in, never [`DTypeChoice::Auto`].
    pub fn dtype(&self) -> DTypeChoice {
        self.dtype
    }

    /// Where the weights came from.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Takes `N` prompts of `C` classes, all of which every query is compared with: `pictures` `[N, 3, height, width]`,
    /// normalised ([`crate::pixels::normalise`]), and `masks` `[C, N, height / 2, width / 2]`, the share of each class in
    /// two by two pixels. The sides are multiples of the patch.
    ///
    /// # Errors
    /// [`Error::Shape`] if pictures and masks do not match or fill no whole patches; [`Error::Compute`].
    pub fn prepare(&self, pictures: &Tensor, masks: &Tensor) -> Result<Prompts, Error> {
        let _span = tracing::info_span!("prepare").entered();
        let canvas = grid("prompts", pictures, &self.config.encoder)?;
        let (n, _, height, width) = pictures.dims4()?;
        match *masks.dims() {
            [classes, count, rows, columns]
                if classes > 0 && [count, 2 * rows, 2 * columns] == [n, height, width] => {}
            _ => {
                return Err(Error::Shape {
                    what: "masks",
                    found: masks.dims().to_vec(),
                    expected: format!("[classes, {n}, {}, {}]", height / 2, width / 2),
                });
            }
        }
        let features = self.encoder.features(pictures)?.unsqueeze(0)?;
        let masks = masks.to_device(&self.device)?.to_dtype(DType::F32)?;
        let patterns = self.head().patterns(&pictures.to_dtype(DType::F32)?)?;
        let mut prompts =
            self.head()
                .prompts(canvas, &features, &patterns, &masks.unsqueeze(0)?)?;
        prompts.owner = self.owner;
        Ok(prompts)
    }

    /// Answers queries `[B, 3, height, width]`, normalised and of the prompts' size: logits of each class against
    /// background, `[B, C, height / 2, width / 2]`, on the CPU.
    ///
    /// # Errors
    /// [`Error::OtherNetwork`] if another network prepared the prompts; [`Error::Shape`] if the queries are not of their
    /// size; [`Error::Compute`].
    pub fn forward(&self, queries: &Tensor, prompts: &Prompts) -> Result<Tensor, Error> {
        let _span = tracing::info_span!("forward").entered();
        self.owner.check(prompts.owner)?;
        let canvas = grid("query", queries, &self.config.encoder)?;
        if canvas != prompts.canvas {
            let (p, Canvas { rows, columns }) = (self.config.encoder.patch_size, prompts.canvas);
            return Err(Error::Shape {
                what: "query",
                found: queries.dims().to_vec(),
                expected: format!(
                    "[B, 3, {}, {}], the size of the prompts",
                    rows * p,
                    columns * p
                ),
            });
        }
        let features = self.encoder.features(queries)?;
        let queries = queries.to_dtype(DType::F32)?;
        // One by one, so that memory does not grow with their number.
        let answers = (0..queries.dim(0)?).map(|i| {
            let (features, query) = (features.narrow(0, i, 1)?, queries.narrow(0, i, 1)?);
            let head = self.head();
            let logits = head.answer(&features, &head.patterns(&query)?, prompts)?;
            logits.to_device(&Device::Cpu)
        });
        Ok(Tensor::cat(&answers.collect::<Computed<Vec<_>>>()?, 0)?)
    }

    fn head(&self) -> Head<'_> {
        Head {
            config: &self.config,
            weights: &self.head,
        }
    }
}
