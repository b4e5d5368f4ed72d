//! One transformer block (`Block` of the original code).

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;

#[cfg(feature = "cuda")]
use super::cuda;
use super::{
    Canvas, Rows,
    attention::{Attention, Relative},
    layers::{LayerNorm, Linear},
};
use crate::{Config, Ensemble, ops};

pub(super) struct Block {
    /// Weight and bias of the depthwise convolution over each half.
    depthwise: Option<[Tensor; 2]>,
    pub(super) norm1: LayerNorm,
    pub(super) attention: Attention,
    norm2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
}

impl Block {
    pub(super) fn load(config: &Config, vb: VarBuilder) -> Result<Self> {
        let (c, hidden, eps) = (config.width, config.mlp_width, config.layer_norm_eps);
        let depthwise = match config.depthwise {
            0 => None,
            k => Some([
                vb.get((c, 1, k, k), "conv.weight")?,
                vb.get(c, "conv.bias")?,
            ]),
        };
        Ok(Self {
            depthwise,
            norm1: LayerNorm::load(c, eps, vb.pp("norm1"))?,
            attention: Attention::load(config, vb.pp("attn"))?,
            norm2: LayerNorm::load(c, eps, vb.pp("norm2"))?,
            fc1: Linear::load(c, hidden, vb.pp("mlp.fc1"))?,
            fc2: Linear::load(hidden, c, vb.pp("mlp.fc2"))?,
        })
    }

    pub(super) fn relative(
        &self,
        canvas: Canvas,
        dtype: DType,
        device: &Device,
    ) -> Result<Option<Relative>> {
        self.attention.relative(canvas, dtype, device)
    }

    /// Groups of tokens `[G, (n + 1) L, C]` to `[G, rows, C]`.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        canvas: Canvas,
        relative: Option<&Relative>,
        keys: &[Tensor; 2],
        ensemble: Ensemble,
        rows: Rows,
    ) -> Result<Tensor> {
        let x = self.add_depthwise(x, canvas)?;
        let normed = self.norm1.forward(&x)?;
        let attended = self
            .attention
            .attend(&normed, canvas, relative, keys, ensemble, rows)?;
        let x = rows.of(&x, canvas)?;
        self.add_mlp(&self.attention.project_onto(&x, &attended)?)
    }

    /// `x + conv(x)`, each half of a canvas (each `L` tokens of `[G, h L, C]`) on its own.
    pub(super) fn add_depthwise(&self, x: &Tensor, canvas: Canvas) -> Result<Tensor> {
        let Some([weight, bias]) = &self.depthwise else {
            return Ok(x.clone());
        };
        let grids = x.reshape(((), canvas.rows, canvas.columns, x.dim(2)?))?;
        #[cfg(feature = "cuda")]
        if let Some(y) = cuda::add_depthwise(&grids, weight, bias)? {
            return y.reshape(x.shape());
        }
        ops::add_depthwise(&grids, weight, bias)?.reshape(x.shape())
    }

    /// `x + mlp(norm2(x))`.
    pub(super) fn add_mlp(&self, x: &Tensor) -> Result<Tensor> {
        let hidden = self.fc1.forward_gelu(&self.norm2.forward(x)?)?;
        self.fc2.add_to(x, &hidden)
    }
}
