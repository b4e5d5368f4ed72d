//! The network on the CPU: the kernels of `seggpt-kernels` on plain slices of f32, with weights laid out for them while
//! they are read, and no tensor but those that come in and go out.
//!
//! Memory grows with the number of tokens, `(n + 1) L`, and with nothing times itself.

mod block;
mod decoder;
mod embeddings;
mod encoder;
mod pack;
mod scratch;
mod stem;

use std::sync::Arc;

use candle_core::{CpuStorage, Device, Storage, Tensor};
use seggpt_kernels::{Isa, Precision, Sharing};

pub(crate) use self::{
    block::{Block, Parts},
    embeddings::windows,
    pack::Pack,
    scratch::Scratch,
};
use self::{
    decoder::Decoder,
    embeddings::Embeddings,
    encoder::{Encoder, On},
};
use super::{Canvas, PreparedPrompts, embeddings::Stream, recent::Recent};
use crate::{Config, DTypeChoice, Ensemble, Error, SegType, weights::Source};

pub(super) struct Cpu {
    embeddings: Embeddings,
    encoder: Encoder,
    decoder: Decoder,
    /// Resized tables.
    positions: Recent<Positions>,
    width: usize,
}

/// Everything about positions that one canvas size needs.
struct Positions {
    /// Absolute positions of the prompt's and of the query's half, each `[L, C]`.
    absolute: [Vec<f32>; 2],
    /// Of every block.
    attention: Vec<seggpt_kernels::Attention>,
}

impl Positions {
    /// Where and how tokens attend.
    fn on(&self, canvas: Canvas, ensemble: Ensemble) -> On<'_> {
        On {
            canvas,
            attention: &self.attention,
            sharing: match ensemble {
                Ensemble::Joint => Sharing::Joint,
                Ensemble::Feature | Ensemble::Independent => Sharing::Average,
            },
        }
    }
}

impl Cpu {
    /// Lays out the weights for products in `dtype`, as [`DTypeChoice::on`] has it.
    pub(super) fn load(config: &Config, source: Source, dtype: DTypeChoice) -> Result<Self, Error> {
        let pack = Pack {
            source,
            isa: Isa::detect(),
            precision: precision(dtype),
        };
        let cpu = Self {
            embeddings: Embeddings::load(config, &pack)?,
            encoder: Encoder::load(config, &pack)?,
            decoder: Decoder::load(config, &pack)?,
            positions: Recent::default(),
            width: config.width,
        };
        let (rows, columns) = (config.grid(), config.grid());
        cpu.positions(Canvas { rows, columns })?;
        Ok(cpu)
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
    ) -> Result<[Tensor; 2], Error> {
        let positions = self.positions(canvas)?;
        let [upper, lower] = &positions.absolute;
        let (n, half) = (prompts.dim(0)?, canvas.tokens() * self.width);
        let mut images = vec![0.0; n * half];
        lend(prompts, |pictures| {
            let pictures = pictures.chunks_exact(pictures.len() / n);
            for (picture, to) in pictures.zip(images.chunks_exact_mut(half)) {
                self.embeddings
                    .tokens(picture, Stream::Image, upper, kind, canvas, to)?;
            }
            Ok(())
        })?;
        // A group is the masks of its prompts, and a half that is masked.
        let group = (n / groups + 1) * half;
        let mut targets = vec![0.0; groups * group];
        lend(masks, |masks| {
            let mut masks = masks.chunks_exact(masks.len() / n);
            for group in targets.chunks_exact_mut(group) {
                let (shown, masked) = group.split_at_mut(group.len() - half);
                for (to, mask) in shown.chunks_exact_mut(half).zip(&mut masks) {
                    self.embeddings
                        .tokens(mask, Stream::Target, upper, kind, canvas, to)?;
                }
                self.embeddings.masked_tokens(lower, kind, masked);
            }
            Ok(())
        })?;
        let mut scratch = Scratch::default();
        let on = positions.on(canvas, ensemble);
        for group in targets.chunks_exact_mut(group) {
            self.encoder.until_merge(group, on, &mut scratch)?;
        }
        let tensor = |tokens| Tensor::from_vec(tokens, (groups, (), self.width), &Device::Cpu);
        Ok([tensor(images)?, tensor(targets)?])
    }

    /// Answers one query `[1, 3, S, S]`: `[G, 3, S, S]`.
    pub(super) fn answer(
        &self,
        query: &Tensor,
        prompts: &PreparedPrompts,
    ) -> Result<Tensor, Error> {
        let canvas = prompts.canvas;
        let positions = self.positions(canvas)?;
        let [_, lower] = &positions.absolute;
        let mut query_tokens = vec![0.0; canvas.tokens() * self.width];
        let span = tracing::info_span!("embeddings").entered();
        lend(query, |query| {
            let (kind, to) = (prompts.kind, &mut query_tokens);
            self.embeddings
                .tokens(query, Stream::Image, lower, kind, canvas, to)
        })?;
        drop(span);
        let groups = prompts.targets.dim(0)?;
        let size = query.elem_count();
        let mut answers = vec![0.0; groups * size];
        let mut scratch = Scratch::default();
        let on = positions.on(canvas, prompts.ensemble);
        lend(&prompts.images, |images| {
            lend(&prompts.targets, |targets| {
                let images = images.chunks_exact(images.len() / groups);
                let targets = targets.chunks_exact(targets.len() / groups);
                let groups = images.zip(targets).zip(answers.chunks_exact_mut(size));
                for ((images, targets), answer) in groups {
                    let mut x = [images, &query_tokens].concat();
                    self.encoder.until_merge(&mut x, on, &mut scratch)?;
                    for (x, target) in x.iter_mut().zip(targets) {
                        *x = (*x + target) * 0.5;
                    }
                    let features = self.encoder.after_merge(x, on, &mut scratch)?;
                    self.decoder.answer(&features, canvas, answer)?;
                }
                Ok(())
            })
        })?;
        let (_, _, height, width) = query.dims4()?;
        Ok(Tensor::from_vec(
            answers,
            (groups, 3, height, width),
            &Device::Cpu,
        )?)
    }

    fn positions(&self, canvas: Canvas) -> Result<Arc<Positions>, Error> {
        self.positions.get(canvas, || {
            Ok(Positions {
                absolute: self.embeddings.absolute(canvas),
                attention: self.encoder.attention(canvas)?,
            })
        })
    }
}

/// What products are made of, for a choice that [`DTypeChoice::on`] has made for the CPU.
pub(crate) fn precision(dtype: DTypeChoice) -> Precision {
    match dtype {
        DTypeChoice::BF16 => Precision::Bf16,
        DTypeChoice::Int8 => Precision::Int8,
        DTypeChoice::Auto | DTypeChoice::F32 | DTypeChoice::F16 => Precision::F32,
    }
}

/// Lends the numbers of a tensor, one row after the other, to `take`.
pub(crate) fn lend<T>(
    tensor: &Tensor,
    take: impl FnOnce(&[f32]) -> Result<T, Error>,
) -> Result<T, Error> {
    let tensor = tensor
        .to_device(&Device::Cpu)?
        .to_dtype(candle_core::DType::F32)?;
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match (&*storage, layout.contiguous_offsets()) {
        (Storage::Cpu(CpuStorage::F32(numbers)), Some((start, end))) => take(&numbers[start..end]),
        _ => Err(candle_core::Error::Msg("a tensor on the CPU has no numbers".into()).into()),
    }
}
