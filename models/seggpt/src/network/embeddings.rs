//! From pictures to tokens (`patch_embed`, the tokens and `pos_embed` of `forward_encoder` in models_seggpt.py).

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;

use super::{layers::Linear, positions};
use crate::{Config, SegType, TargetEmbedding, ops};

/// Which of the two pictures a token belongs to.
#[derive(Clone, Copy)]
pub(super) enum Stream {
    /// The pictures.
    Image,
    /// The masks.
    Target,
}

pub(super) struct Embeddings {
    /// Weights and biases of the convolutions before the patch embedding.
    stem: Vec<[Tensor; 2]>,
    patch: Linear,
    /// For masks; none where they share that of the pictures.
    target: Option<Linear>,
    patch_size: usize,
    mask_token: Tensor,
    /// For the image and for the target stream.
    segment_tokens: [Tensor; 2],
    /// Semantic and instance; none in Painter.
    type_tokens: Option<[Tensor; 2]>,
    /// As stored, `[1, 1 + g², C]`, f32 on the CPU; none where positions are not absolute.
    positions: Option<Tensor>,
    width: usize,
}

impl Embeddings {
    pub(super) fn load(config: &Config, vb: VarBuilder) -> Result<Self> {
        let (c, p) = (config.width, config.patch_size);
        let token = |name: &str| vb.get((1, 1, 1, c), name)?.reshape((1, 1, c));
        let type_tokens = match config.type_tokens {
            true => Some([token("type_token_cls")?, token("type_token_ins")?]),
            false => None,
        };
        let target = match config.target_embedding {
            TargetEmbedding::Shared => None,
            TargetEmbedding::Separate => Some(Linear::from_convolution(
                [c, 3, p, p],
                vb.pp("target_embed.proj"),
            )?),
        };
        let stem = config.stem();
        let patch = match stem.last() {
            Some((_, channels)) => [c, *channels, 1, 1],
            None => [c, 3, p, p],
        };
        let stem = stem.into_iter().enumerate().map(|(i, (input, output))| {
            let vb = vb.pp(format!("stem.{i}"));
            Ok([
                vb.get((output, input, 3, 3), "weight")?,
                vb.get(output, "bias")?,
            ])
        });
        let positions = match config.absolute_positions {
            true => {
                let table = vb.get((1, config.pretrain_grid().pow(2) + 1, c), "pos_embed")?;
                Some(table.to_dtype(DType::F32)?.to_device(&Device::Cpu)?)
            }
            false => None,
        };
        Ok(Self {
            stem: stem.collect::<Result<_>>()?,
            patch: Linear::from_convolution(patch, vb.pp("patch_embed.proj"))?,
            target,
            patch_size: p,
            mask_token: token("mask_token")?,
            segment_tokens: [token("segment_token_x")?, token("segment_token_y")?],
            type_tokens,
            positions,
            width: c,
        })
    }

    /// Absolute positions of a canvas of `rows` x `columns` patches, `[1, rows * columns, C]`, f32 on the CPU.
    pub(super) fn absolute(&self, rows: usize, columns: usize) -> Result<Tensor> {
        let shape = (1, rows * columns, self.width);
        match &self.positions {
            Some(table) => {
                let table = table.flatten_all()?.to_vec1()?;
                let resized = positions::absolute(&table, self.width, rows, columns);
                Tensor::from_vec(resized, shape, &Device::Cpu)
            }
            None => Tensor::zeros(shape, DType::F32, &Device::Cpu),
        }
    }

    /// Pictures or masks `[B, 3, rows * P, columns * P]` to patch tokens `[B, rows * columns, C]`.
    pub(super) fn patches(&self, pictures: &Tensor, stream: Stream) -> Result<Tensor> {
        let pictures = pictures.to_dtype(self.mask_token.dtype())?;
        match (stream, &self.target) {
            (Stream::Target, Some(target)) => target.forward(&windows(&pictures, self.patch_size)?),
            (Stream::Image, _) if !self.stem.is_empty() => {
                let mut x = pictures.permute((0, 2, 3, 1))?.contiguous()?;
                for [weight, bias] in &self.stem {
                    x = ops::gelu(&ops::convolve(&x, weight, bias, 2)?)?;
                }
                self.patch.forward(&x.flatten(1, 2)?)
            }
            _ => self.patch.forward(&windows(&pictures, self.patch_size)?),
        }
    }

    /// Patch tokens `[B, L, C]` with everything added that says what they are, given their positions `[1, L, C]`.
    pub(super) fn tokens(
        &self,
        patches: &Tensor,
        stream: Stream,
        positions: &Tensor,
        kind: SegType,
    ) -> Result<Tensor> {
        let mut marks = self.segment_tokens[stream as usize].broadcast_add(positions)?;
        if let Some([semantic, instance]) = &self.type_tokens {
            let token = match kind {
                SegType::Semantic => semantic,
                SegType::Instance => instance,
            };
            marks = marks.broadcast_add(token)?;
        }
        patches.broadcast_add(&marks)
    }

    /// Tokens `[1, L, C]` of a wholly masked target half: the same for every query.
    pub(super) fn masked_tokens(&self, positions: &Tensor, kind: SegType) -> Result<Tensor> {
        self.tokens(&self.mask_token, Stream::Target, positions, kind)
    }
}

/// Cuts pictures `[B, 3, rows * P, columns * P]` into patches `[B, rows * columns, 3 P²]`: a convolution whose windows do
/// not overlap is one matrix product over them.
pub(crate) fn windows(pictures: &Tensor, p: usize) -> Result<Tensor> {
    let (b, channels, height, width) = pictures.dims4()?;
    let (rows, columns) = (height / p, width / p);
    pictures
        .reshape(&[b, channels, rows, p, columns, p][..])?
        .permute([0, 2, 4, 1, 3, 5])?
        .reshape((b, rows * columns, channels * p * p))
}
