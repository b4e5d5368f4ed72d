//! The network as it is trained: the head's weights are variables, the encoder is as it is.

use std::{collections::BTreeMap, path::Path};

use candle_core::{DType, Device, Result as Computed, Tensor, Var};

use super::{
    MatchingConfig, Weights,
    encoder::{Encoder, grid},
    head::Head,
};
use crate::{
    Architecture, DTypeChoice, Error,
    convert::save,
    weights::{Checkpoint, Source},
};

/// A batch of tasks, all of one number of prompts and of classes.
pub struct Batch {
    /// All pictures `[P, 3, height, width]`, normalised ([`crate::pixels::normalise`]).
    pub pictures: Tensor,
    /// Their features ([`Trainable::features`]), `[P, L, F]`.
    pub features: Tensor,
    /// Which of them the prompts of each task are, `[B, N]`, u32.
    pub prompts: Tensor,
    /// And its query, `[B]`.
    pub queries: Tensor,
    /// The prompts' masks `[B, C, N, height / 2, width / 2]`, the share of each class in two by two pixels.
    pub masks: Tensor,
}

/// An encoder that stays as it is, and the head's weights as variables.
pub struct Trainable {
    config: MatchingConfig,
    device: Device,
    encoder: std::sync::Arc<Pretrained>,
    weights: BTreeMap<String, Var>,
}

/// The encoder, with its tensors for the next checkpoint.
struct Pretrained {
    tensors: Weights,
    engine: Encoder,
}

impl Trainable {
    /// Takes the tensors of [`MatchingConfig::tensors`].
    ///
    /// # Errors
    /// [`Error::Config`] for an impossible configuration, or a tensor that is missing or of another shape.
    pub fn new(
        config: MatchingConfig,
        mut tensors: BTreeMap<String, Tensor>,
        device: &Device,
    ) -> Result<Self, Error> {
        config.validate()?;
        for (name, shape) in config.tensors() {
            let found = tensors.get(&name).map(Tensor::dims);
            if found != Some(&shape[..]) {
                return Err(Error::Config(format!(
                    "weight `{name}` should have shape {shape:?}, and is {found:?}"
                )));
            }
        }
        let head = config.head_tensors().into_iter().map(|(name, _)| {
            let tensor = tensors.remove(&name).map(|tensor| {
                let tensor = tensor.to_dtype(DType::F32)?.to_device(device)?;
                Var::from_tensor(&tensor)
            });
            tensor.map(|var| Ok((name, var?)))
        });
        let weights = head.flatten().collect::<Computed<_>>()?;
        for tensor in tensors.values_mut() {
            *tensor = tensor.to_dtype(DType::F32)?;
        }
        let dtype = DTypeChoice::F32;
        let engine = Encoder::load(&config.encoder, Source::Held(&tensors), device, dtype)?;
        Ok(Self {
            encoder: Pretrained { tensors, engine }.into(),
            config,
            device: device.clone(),
            weights,
        })
    }

    /// Takes the weights of a checkpoint, to train on from them.
    ///
    /// # Errors
    /// Those of [`super::Network::load`].
    pub fn load(path: &Path, device: &Device) -> Result<Self, Error> {
        let checkpoint = Checkpoint::open(path)?;
        let config = checkpoint.matching()?.clone();
        let tensors = config.tensors().into_iter().map(|(name, _)| {
            let tensor = checkpoint.tensor(&name)?;
            Ok((name, tensor))
        });
        let tensors = tensors.collect::<Computed<_>>()?;
        Self::new(config, tensors, device)
    }

    /// Another with the same encoder, whose head has these weights.
    ///
    /// # Errors
    /// [`Error::Compute`].
    pub fn with_head(&self, weights: BTreeMap<String, Tensor>) -> Result<Self, Error> {
        let weights = weights.into_iter().map(|(name, tensor)| {
            let tensor = tensor.to_device(&self.device)?;
            Ok((name, Var::from_tensor(&tensor)?))
        });
        Ok(Self {
            config: self.config.clone(),
            device: self.device.clone(),
            encoder: self.encoder.clone(),
            weights: weights.collect::<Computed<_>>()?,
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

    /// The weights that are trained, `head.*`, by name, in the alphabet's order.
    pub fn weights(&self) -> &BTreeMap<String, Var> {
        &self.weights
    }

    /// The tensors that stay as they are, `encoder.*`.
    pub fn encoder_tensors(&self) -> &BTreeMap<String, Tensor> {
        &self.encoder.tensors
    }

    /// Writes all weights as a checkpoint of our own format ([`crate::Format::Own`]); it appears whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be written; [`Error::Compute`].
    pub fn save(&self, path: &Path, dtype: DTypeChoice) -> Result<(), Error> {
        let mut tensors = self.encoder.tensors.clone();
        let head = self.weights.iter();
        tensors.extend(head.map(|(name, var)| (name.clone(), var.as_detached_tensor())));
        save(
            &Architecture::Matching(self.config.clone()),
            tensors,
            path,
            dtype,
        )
    }

    /// Features of normalised pictures `[n, 3, height, width]`, `[n, L, F]`. They depend on no variable.
    ///
    /// # Errors
    /// [`Error::Shape`] for pictures that fill no whole patches; [`Error::Compute`].
    pub fn features(&self, pictures: &Tensor) -> Result<Tensor, Error> {
        grid("pictures", pictures, &self.config.encoder)?;
        self.encoder.engine.features(pictures)
    }

    /// Logits of each class in the query of each task, `[B, C, height / 2, width / 2]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for pictures that fill no whole patches; [`Error::Compute`].
    pub fn forward(&self, batch: &Batch) -> Result<Tensor, Error> {
        let weights: Weights = self
            .weights
            .iter()
            .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
            .collect();
        let head = Head {
            config: &self.config,
            weights: &weights,
        };
        let canvas = grid("pictures", &batch.pictures, &self.config.encoder)?;
        let patterns = head.patterns(&batch.pictures)?;
        let (b, n) = batch.prompts.dims2()?;
        let each = batch.prompts.flatten_all()?;
        let features = batch.features.index_select(&each, 0)?;
        let (_, tokens, width) = features.dims3()?;
        let prompts = head.prompts(
            canvas,
            &features.reshape((b, n, tokens, width))?,
            &patterns.pick(&each)?,
            &batch.masks,
        )?;
        Ok(head.answer(
            &batch.features.index_select(&batch.queries, 0)?,
            &patterns.pick(&batch.queries)?,
            &prompts,
        )?)
    }
}
