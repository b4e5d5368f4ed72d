//! From kept features to painted pixels (`decoder_embed` and `decoder_pred` of the original code).
//!
//! Pixels keep their channels last, as `decoder_embed` emits them, so that the layer norm over channels and the 1x1
//! convolution are plain rows of numbers.

#[cfg(feature = "cuda")]
use candle_core::DType;
use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

#[cfg(feature = "cuda")]
use super::cuda;
use super::{
    Canvas,
    layers::{LayerNorm, Linear, gelu},
};
use crate::Config;

pub(super) struct Decoder {
    embed: Linear,
    /// Of `embed`, the outputs for the last row of pixels in a patch.
    embed_last_row: Linear,
    convolution: Convolution,
    norm: LayerNorm,
    head: Linear,
    #[cfg(feature = "cuda")]
    painter: cuda::Painter,
    patch_size: usize,
    width: usize,
}

impl Decoder {
    pub(super) fn load(config: &Config, vb: VarBuilder) -> Result<Self> {
        let (p, d) = (config.patch_size, config.decoder_width);
        #[cfg(feature = "cuda")]
        let painter = Self::painter(config, vb.pp("decoder_pred"))?;
        let embed = Linear::load(
            config.kept_blocks.len() * config.width,
            p * p * d,
            vb.pp("decoder_embed"),
        )?;
        Ok(Self {
            embed_last_row: embed.narrow((p - 1) * p * d, p * d)?,
            embed,
            convolution: Convolution::load(d, vb.pp("decoder_pred.0"))?,
            norm: LayerNorm::load(d, config.layer_norm_eps, vb.pp("decoder_pred.1"))?,
            head: Linear::from_convolution([3, d, 1, 1], vb.pp("decoder_pred.3"))?,
            #[cfg(feature = "cuda")]
            painter,
            patch_size: p,
            width: d,
        })
    }

    #[cfg(feature = "cuda")]
    fn painter(config: &Config, vb: VarBuilder) -> Result<cuda::Painter> {
        let d = config.decoder_width;
        let wide = vb.clone().set_dtype(DType::F32);
        cuda::Painter::new(
            [&vb.get((d, d, 3, 3), "0.weight")?, &wide.get(d, "0.bias")?],
            [&wide.get(d, "1.weight")?, &wide.get(d, "1.bias")?],
            [
                &wide.get((3, d, 1, 1), "3.weight")?,
                &wide.get(3, "3.bias")?,
            ],
            config.layer_norm_eps,
        )
    }

    /// Features of one answer, `[columns + L, levels * C]`, to its pixels `[1, 3, rows * P, columns * P]`.
    ///
    /// The first `columns` tokens are the lowest patch row of the prompt: the 3x3 convolution at the query's first row
    /// of pixels reaches one row of pixels into it.
    pub(super) fn answer(&self, features: &Tensor, canvas: Canvas) -> Result<Tensor> {
        let (p, d, rows, columns) = (self.patch_size, self.width, canvas.rows, canvas.columns);
        let above = self
            .embed_last_row
            .forward(&features.narrow(0, 0, columns)?)?;
        let above = above.reshape((1, columns * p, d))?;
        let pixels = self.pixels(&features.narrow(0, columns, rows * columns)?, rows, columns)?;
        // The row above replaces the zero padding there; below, the canvas ends.
        let pixels = Tensor::cat(&[above, pixels], 0)?.pad_with_zeros(0, 0, 1)?;
        self.paint(&pixels)
    }

    /// Features of a whole canvas, `[2 L, levels * C]`, to its pixels `[1, 3, 2 rows * P, columns * P]`.
    pub(super) fn canvas(&self, features: &Tensor, canvas: Canvas) -> Result<Tensor> {
        let pixels = self.pixels(features, 2 * canvas.rows, canvas.columns)?;
        self.paint(&pixels.pad_with_zeros(0, 1, 1)?)
    }

    /// `[rows * columns, levels * C]` to `[rows * P, columns * P, D]`: einops "(h w) (p q c) -> (h p) (w q) c".
    fn pixels(&self, features: &Tensor, rows: usize, columns: usize) -> Result<Tensor> {
        let (p, d) = (self.patch_size, self.width);
        let embedded = self.embed.forward(features)?;
        embedded
            .reshape((rows, columns, p, p * d))?
            .transpose(1, 2)?
            .reshape((rows * p, columns * p, d))
    }

    /// Pixels `[height + 2, width, D]`, padded above and below, to `[1, 3, height, width]`.
    fn paint(&self, pixels: &Tensor) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        if let Some(painted) = self.painter.paint(pixels)? {
            return Ok(painted);
        }
        self.paint_apart(pixels)
    }

    /// [`Self::paint`], layer by layer.
    fn paint_apart(&self, pixels: &Tensor) -> Result<Tensor> {
        let hidden = self.norm.forward(&self.convolution.forward(pixels)?)?;
        self.head
            .forward(&gelu(&hidden)?)?
            .permute((2, 0, 1))?
            .contiguous()?
            .unsqueeze(0)
    }
}

/// A 3x3 convolution on pixels with their channels last.
struct Convolution {
    /// One matrix `[3 D, D]` per row of the kernel.
    kernel: [Tensor; 3],
    bias: Tensor,
}

impl Convolution {
    fn load(d: usize, vb: VarBuilder) -> Result<Self> {
        // [output, input, row, column] -> per row: [(column input), output]
        let weight = vb
            .get((d, d, 3, 3), "weight")?
            .permute((2, 3, 1, 0))?
            .contiguous()?;
        let row = |i: usize| weight.get(i)?.reshape((3 * d, d));
        Ok(Self {
            kernel: [row(0)?, row(1)?, row(2)?],
            bias: vb.get(d, "bias")?,
        })
    }

    /// `[height + 2, width, D]` to `[height, width, D]`: padding at the sides is added here, above and below it is there.
    fn forward(&self, pixels: &Tensor) -> Result<Tensor> {
        let (padded, width, d) = pixels.dims3()?;
        let height = padded - 2;
        let wide = pixels.pad_with_zeros(1, 1, 1)?;
        let neighbours = [
            wide.narrow(1, 0, width)?,
            wide.narrow(1, 1, width)?,
            wide.narrow(1, 2, width)?,
        ];
        let neighbours = Tensor::cat(&neighbours, 2)?;
        let row = |i: usize| {
            let shifted = neighbours
                .narrow(0, i, height)?
                .reshape((height * width, 3 * d))?;
            shifted.matmul(&self.kernel[i])
        };
        let sum = ((row(0)? + row(1)?)? + row(2)?)?;
        sum.broadcast_add(&self.bias)?.reshape((height, width, d))
    }
}
