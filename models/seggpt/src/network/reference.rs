//! The network as the original code writes it, with nothing saved: whole canvases, a copy of the query per prompt, the
//! biases added to the scores, both halves decoded. Slow; tests hold [`Network::forward`](super::Network::forward)
//! against it.

use std::{collections::HashMap, path::Path};

use candle_core::{D, DType, Device, Result as Computed, Tensor};
use candle_nn::{VarBuilder, ops};

use super::{Canvas, ModelInfo, Trainable, block::Block, embeddings::Stream, tensors::Tensors};
use crate::{Config, Ensemble, Error, SegType, weights::Checkpoint};

/// The network on the plain path, in f32.
pub struct Reference {
    config: Config,
    info: ModelInfo,
    tensors: Tensors,
}

impl Reference {
    /// Loads a checkpoint of any [`crate::Format`]: a file, or a folder with `model.safetensors`.
    ///
    /// # Errors
    /// Those of [`Network::load`](super::Network::load).
    pub fn load(path: &Path, device: &Device) -> Result<Self, Error> {
        let checkpoint = Checkpoint::open(path)?;
        let vb = checkpoint.var_builder(DType::F32, device);
        Ok(Self {
            config: checkpoint.seggpt()?.clone(),
            info: ModelInfo::of(&checkpoint),
            tensors: Tensors::load(checkpoint.seggpt()?, vb)?,
        })
    }

    /// Copies the weights of a network in training, as they are now, to the CPU.
    ///
    /// # Errors
    /// [`Error::Compute`].
    pub fn from_trainable(trainable: &Trainable) -> Result<Self, Error> {
        let config = trainable.config().clone();
        let weights = trainable.weights().iter().map(|(name, var)| {
            let tensor = var.as_detached_tensor().to_device(&Device::Cpu)?;
            Ok((name.clone(), tensor.copy()?))
        });
        let weights: Computed<HashMap<_, _>> = weights.collect();
        let vb = VarBuilder::from_tensors(weights?, DType::F32, &Device::Cpu);
        Ok(Self {
            info: ModelInfo::in_training(&config),
            tensors: Tensors::load(&config, vb)?,
            config,
        })
    }

    /// The architecture.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where the weights came from.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Answers one query `[1, 3, S, S]` from `N` prompts and masks `[N, 3, S, S]`: both halves of the canvas,
    /// `[1, 3, 2 S, S]`, or `[N, 3, 2 S, S]` for [`Ensemble::Independent`]; f32.
    ///
    /// # Errors
    /// [`Error::Shape`] if sizes do not match; [`Error::Compute`].
    pub fn forward(
        &self,
        query: &Tensor,
        prompts: &Tensor,
        masks: &Tensor,
        kind: SegType,
        ensemble: Ensemble,
    ) -> Result<Tensor, Error> {
        let patch = self.config.patch_size;
        let canvas = Canvas::of("prompts", prompts, patch)?;
        let query_canvas = Canvas::of("query", query, patch)?;
        if masks.dims() != prompts.dims() || query.dim(0)? != 1 || query_canvas != canvas {
            return Err(Error::Shape {
                what: "query and masks",
                found: [query.dims(), masks.dims()].concat(),
                expected: format!(
                    "one query, and masks, of the prompts' size {:?}",
                    prompts.dims()
                ),
            });
        }
        let answers: Computed<Vec<_>> = match ensemble {
            Ensemble::Feature | Ensemble::Joint => Ok(vec![
                self.plain(query, prompts, masks, canvas, kind, ensemble)?,
            ]),
            Ensemble::Independent => (0..prompts.dim(0)?)
                .map(|i| {
                    self.plain(
                        query,
                        &prompts.narrow(0, i, 1)?,
                        &masks.narrow(0, i, 1)?,
                        canvas,
                        kind,
                        ensemble,
                    )
                })
                .collect(),
        };
        Ok(Tensor::cat(&answers?, 0)?)
    }

    /// `SegGPT.forward` of the original code, all prompts in one ensemble.
    fn plain(
        &self,
        query: &Tensor,
        prompts: &Tensor,
        masks: &Tensor,
        canvas: Canvas,
        kind: SegType,
        ensemble: Ensemble,
    ) -> Computed<Tensor> {
        let n = prompts.dim(0)?;
        let c = self.config.width;
        let place = |x: &Tensor| x.to_device(&self.tensors.device);
        let query = place(query)?.broadcast_as(prompts.shape())?;

        // The lower half of the targets is masked, so what stands there is of no account.
        let (l, rows, columns) = (canvas.tokens(), 2 * canvas.rows, canvas.columns);
        let absolute = self
            .tensors
            .embeddings
            .absolute(rows, columns)?
            .to_dtype(self.tensors.dtype)?
            .to_device(&self.tensors.device)?;
        let [_, lower] = super::positions::halves(&absolute)?;
        let image = |half: &Tensor| self.tensors.embeddings.patches(half, Stream::Image);
        let x = self.tensors.embeddings.tokens(
            &Tensor::cat(&[image(&place(prompts)?)?, image(&query)?], 1)?,
            Stream::Image,
            &absolute,
            kind,
        )?;
        let y = self
            .tensors
            .embeddings
            .patches(&place(masks)?, Stream::Target)?;
        let y =
            self.tensors
                .embeddings
                .tokens(&y, Stream::Target, &absolute.narrow(1, 0, l)?, kind)?;
        let masked = self
            .tensors
            .embeddings
            .masked_tokens(&lower, kind)?
            .broadcast_as((n, l, c))?;
        let y = Tensor::cat(&[y, masked], 1)?;

        let merge = |x: &Tensor| (x.narrow(0, 0, n)? + x.narrow(0, n, n)?)? * 0.5;
        let mut x = Tensor::cat(&[x, y], 0)?;
        if self.config.merge_index.is_none() {
            x = merge(&x)?;
        }
        let mut kept = Vec::new();
        for (index, block) in self.tensors.encoder.blocks.iter().enumerate() {
            x = self.plain_block(block, &x, canvas, n, ensemble)?;
            if Some(index) == self.config.merge_index {
                x = merge(&x)?;
            }
            if self.config.kept_blocks.contains(&index) {
                kept.push(self.tensors.encoder.norm.forward(&x.narrow(0, 0, 1)?)?);
            }
        }
        let features = Tensor::cat(&kept, D::Minus1)?.squeeze(0)?;
        self.tensors
            .decoder
            .canvas(&features, canvas)?
            .to_dtype(DType::F32)
    }

    /// `Block.forward`: `x` `[n or 2 n, 2 L, C]`, the lower half averaged over each stream's `n` samples.
    fn plain_block(
        &self,
        block: &Block,
        x: &Tensor,
        canvas: Canvas,
        n: usize,
        ensemble: Ensemble,
    ) -> Computed<Tensor> {
        let (samples, tokens, c) = x.dims3()?;
        let l = canvas.tokens();
        let x = &block.add_depthwise(x, canvas)?;
        let attended = {
            let joint = (ensemble == Ensemble::Joint).then_some(n);
            self.plain_attention(block, &block.norm1.forward(x)?, canvas, joint)?
        };
        let streams = attended.reshape((samples / n, n, tokens, c))?;
        let lower =
            streams
                .narrow(2, l, l)?
                .mean_keepdim(1)?
                .broadcast_as((samples / n, n, l, c))?;
        let averaged =
            Tensor::cat(&[streams.narrow(2, 0, l)?, lower], 2)?.reshape((samples, tokens, c))?;
        block.add_mlp(&(x + averaged)?)
    }

    /// `Attention.forward` with `add_decomposed_rel_pos`, sample by sample. With so many prompts in `joint`, the lower
    /// half of each sees the upper halves of all in its stream.
    fn plain_attention(
        &self,
        block: &Block,
        x: &Tensor,
        canvas: Canvas,
        joint: Option<usize>,
    ) -> Computed<Tensor> {
        let (samples, tokens, c) = x.dims3()?;
        let (heads, d) = (self.config.heads, self.config.head_width());
        let (h, w) = (2 * canvas.rows, canvas.columns);
        let place = |table: Tensor| {
            table
                .transpose(1, 2)?
                .contiguous()?
                .to_dtype(self.tensors.dtype)?
                .to_device(&self.tensors.device)
        };
        let relative = match block.attention.relative_tables(canvas)? {
            Some([rows, columns]) => Some((place(rows)?, place(columns)?)),
            None => None,
        };
        let qkv = block
            .attention
            .qkv(x)?
            .reshape((samples, tokens, 3, heads, d))?;
        let scored: Computed<Vec<_>> = (0..samples)
            .map(|sample| {
                let qkv = qkv.get(sample)?.permute((1, 2, 0, 3))?.contiguous()?;
                let (q, k, v) = (qkv.get(0)?, qkv.get(1)?, qkv.get(2)?);
                let scores = (q.clone() * (d as f64).powf(-0.5))?.matmul(&k.t()?)?;
                let scores = match &relative {
                    None => scores,
                    Some((rows, columns)) => {
                        let grid = q.reshape((heads, h, w, d))?;
                        // einsum "bhwc,hkc->bhwk" and "bhwc,wkc->bhwk"
                        let by_row = grid
                            .transpose(0, 1)?
                            .reshape((h, heads * w, d))?
                            .matmul(rows)?;
                        let by_row = by_row.reshape((h, heads, w, h))?.transpose(0, 1)?;
                        let by_column = grid
                            .permute((2, 0, 1, 3))?
                            .reshape((w, heads * h, d))?
                            .matmul(columns)?;
                        let by_column =
                            by_column.reshape((w, heads, h, w))?.permute((1, 2, 0, 3))?;
                        scores
                            .reshape((heads, h, w, h, w))?
                            .broadcast_add(&by_row.unsqueeze(4)?)?
                            .broadcast_add(&by_column.unsqueeze(3)?)?
                            .reshape((heads, tokens, tokens))?
                    }
                };
                Ok((scores, v))
            })
            .collect();
        let scored = scored?;
        let weigh = |scores: &Tensor, v: &Tensor| {
            let weights = ops::softmax_last_dim(&scores.to_dtype(DType::F32)?.contiguous()?)?
                .to_dtype(self.tensors.dtype)?;
            weights
                .matmul(&v.contiguous()?)?
                .transpose(0, 1)?
                .reshape(((), c))
        };
        let l = canvas.tokens();
        let outputs: Computed<Vec<_>> = scored
            .iter()
            .enumerate()
            .map(|(sample, (scores, v))| {
                let Some(n) = joint else {
                    return weigh(scores, v);
                };
                let upper = weigh(&scores.narrow(1, 0, l)?, v)?;
                let stream = &scored[sample / n * n..][..n];
                let mut of_all: Vec<Tensor> = stream
                    .iter()
                    .map(|(scores, _)| scores.narrow(1, l, l)?.narrow(2, 0, l))
                    .collect::<Computed<_>>()?;
                of_all.push(scores.narrow(1, l, l)?.narrow(2, l, l)?);
                let mut values: Vec<Tensor> = stream
                    .iter()
                    .map(|(_, v)| v.narrow(1, 0, l))
                    .collect::<Computed<_>>()?;
                values.push(v.narrow(1, l, l)?);
                let lower = weigh(&Tensor::cat(&of_all, 2)?, &Tensor::cat(&values, 1)?)?;
                Tensor::cat(&[upper, lower], 0)
            })
            .collect();
        block.attention.project(&Tensor::stack(&outputs?, 0)?)
    }
}
