//! The network out of candle's operations: what CUDA and Metal run.

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;

use super::{
    Canvas, PreparedPrompts,
    canvas_positions::Positions,
    decoder::Decoder,
    embeddings::{Embeddings, Stream},
    encoder::Encoder,
    positions,
    recent::Recent,
};
use crate::{Config, Ensemble, SegType};

pub(super) struct Tensors {
    pub(super) device: Device,
    pub(super) dtype: DType,
    pub(super) embeddings: Embeddings,
    pub(super) encoder: Encoder,
    pub(super) decoder: Decoder,
    /// Resized tables.
    positions: Recent<Positions>,
    width: usize,
}

impl Tensors {
    pub(super) fn load(config: &Config, vb: VarBuilder) -> Result<Self> {
        let tensors = Self {
            embeddings: Embeddings::load(config, vb.clone())?,
            encoder: Encoder::load(config, vb.clone())?,
            decoder: Decoder::load(config, vb.clone())?,
            device: vb.device().clone(),
            dtype: vb.dtype(),
            positions: Recent::default(),
            width: config.width,
        };
        let (rows, columns) = (config.grid(), config.grid());
        tensors.positions(Canvas { rows, columns })?;
        Ok(tensors)
    }

    /// [`PreparedPrompts::images`] and [`PreparedPrompts::targets`] of prompts `[N, 3, S, S]` in so many groups.
    pub(super) fn prepare(
        &self,
        prompts: &Tensor,
        masks: &Tensor,
        kind: SegType,
        groups: usize,
        ensemble: Ensemble,
        canvas: Canvas,
    ) -> Result<[Tensor; 2]> {
        let positions = self.positions(canvas)?;
        let [upper, lower] = &positions.absolute;
        let tokens = |pictures: &Tensor, stream| -> Result<Tensor> {
            let patches = self
                .embeddings
                .patches(&pictures.to_device(&self.device)?, stream)?;
            self.embeddings
                .tokens(&patches, stream, upper, kind)?
                .reshape((groups, (), self.width))
        };
        let images = tokens(prompts, Stream::Image)?;
        let masks = tokens(masks, Stream::Target)?;
        let masked = self.embeddings.masked_tokens(lower, kind)?;
        let masked = masked.broadcast_as((groups, canvas.tokens(), self.width))?;
        let targets = Tensor::cat(&[masks, masked], 1)?;
        let targets = self
            .encoder
            .until_merge(&targets, canvas, &positions, ensemble)?;
        Ok([images, targets])
    }

    /// Answers queries `[B, 3, S, S]` together: `[B G, 3, S, S]`, f32.
    pub(super) fn answer(&self, query: &Tensor, prompts: &PreparedPrompts) -> Result<Tensor> {
        let canvas = prompts.canvas;
        let positions = self.positions(canvas)?;
        let patches = self
            .embeddings
            .patches(&query.to_device(&self.device)?, Stream::Image)?;
        let query = self.embeddings.tokens(
            &patches,
            Stream::Image,
            &positions.absolute[1],
            prompts.kind,
        )?;
        let (count, l, c) = query.dims3()?;
        let groups = prompts.images.dim(0)?;
        // Every query beside all that is known of the prompts.
        let for_each = |x: &Tensor| {
            let tokens = x.dim(1)?;
            x.unsqueeze(0)?
                .broadcast_as((count, groups, tokens, c))?
                .reshape((count * groups, tokens, c))
        };
        let query = query
            .unsqueeze(1)?
            .broadcast_as((count, groups, l, c))?
            .reshape((count * groups, l, c))?;
        let images = Tensor::cat(&[&for_each(&prompts.images)?, &query], 1)?;
        let ensemble = prompts.ensemble;
        let images = self
            .encoder
            .until_merge(&images, canvas, &positions, ensemble)?;
        let merged = ((images + for_each(&prompts.targets)?)? * 0.5)?;
        let features = self
            .encoder
            .after_merge(&merged, canvas, &positions, ensemble)?;
        let _span = tracing::info_span!("decoder").entered();
        let answers: Result<Vec<_>> = (0..count * groups)
            .map(|group| self.decoder.answer(&features.get(group)?, canvas))
            .collect();
        Tensor::cat(&answers?, 0)?.to_dtype(DType::F32)
    }

    fn positions(&self, canvas: Canvas) -> Result<Arc<Positions>> {
        self.positions.get(canvas, || {
            let absolute = self.embeddings.absolute(2 * canvas.rows, canvas.columns)?;
            let absolute = absolute.to_dtype(self.dtype)?.to_device(&self.device)?;
            Ok(Positions {
                absolute: positions::halves(&absolute)?,
                keys: positions::one_hot_keys(canvas, self.dtype, &self.device)?,
                relative: self.encoder.relative(canvas, self.dtype, &self.device)?,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;
    use crate::{
        DTypeChoice, Network, Reference,
        network::{Engine, ModelInfo, Owner},
        weights::Checkpoint,
    };

    fn golden() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/seggpt-tiny")
    }

    /// What a GPU would run, on the CPU.
    fn network() -> Network {
        let checkpoint = Checkpoint::open(&golden()).unwrap();
        let vb = checkpoint.var_builder(DType::F32, &Device::Cpu);
        Network {
            owner: Owner::new(),
            config: checkpoint.seggpt().unwrap().clone(),
            info: ModelInfo::of(&checkpoint),
            device: Device::Cpu,
            dtype: DTypeChoice::F32,
            engine: Engine::Tensors(
                Tensors::load(checkpoint.seggpt().unwrap(), vb)
                    .unwrap()
                    .into(),
            ),
        }
    }

    #[test]
    fn tensors_answer_as_the_reference_does() {
        let (network, reference) = (network(), Reference::load(&golden(), &Device::Cpu).unwrap());
        let pictures = |n: usize, [height, width]: [usize; 2]| {
            Tensor::randn(0f32, 1.0, (n, 3, height, width), &Device::Cpu).unwrap()
        };
        for (n, ensemble, size) in [
            (1, Ensemble::Feature, [64, 64]),
            (3, Ensemble::Feature, [48, 80]),
            (3, Ensemble::Joint, [48, 80]),
            (2, Ensemble::Independent, [32, 32]),
        ] {
            let (queries, prompts, masks) =
                (pictures(2, size), pictures(n, size), pictures(n, size));
            let kind = SegType::Semantic;
            let plain = [0, 1].map(|i| {
                let query = queries.narrow(0, i, 1).unwrap();
                let plain = reference.forward(&query, &prompts, &masks, kind, ensemble);
                plain.unwrap().narrow(2, size[0], size[0]).unwrap()
            });
            let plain = Tensor::cat(&plain, 0).unwrap();
            let prepared = network.prepare(&prompts, &masks, kind, ensemble).unwrap();
            let answer = network.forward(&queries, &prepared).unwrap();
            let worst = (answer - plain).unwrap().abs().unwrap().max_all().unwrap();
            let worst = worst.to_scalar::<f32>().unwrap();
            assert!(worst <= 1e-5, "{n} prompts, {ensemble}, {size:?}: {worst}");
        }
    }
}
