//! The encoder out of tensor operations, for devices with tensors.

use candle_core::{DType, Device, Result as Computed, Tensor};

use crate::{
    DTypeChoice, Error,
    matching::{EncoderConfig, Weights},
    network::{Canvas, embeddings::windows, floats, positions},
    ops,
    weights::Source,
};

pub(crate) struct Encoder {
    config: EncoderConfig,
    dtype: DType,
    weights: Weights,
    /// As stored, `[g², C]`.
    positions: Vec<f32>,
    /// A norm without weights of its own.
    plain: [Tensor; 2],
}

impl Encoder {
    pub(super) fn load(
        config: &EncoderConfig,
        source: Source,
        device: &Device,
        dtype: DTypeChoice,
    ) -> Result<Self, Error> {
        let dtype = floats(dtype);
        let weights = config.tensors().into_iter().map(|(name, shape)| {
            let tensor = Tensor::from_vec(source.numbers(&name)?, shape, device)?;
            Ok((name, tensor.to_dtype(dtype)?))
        });
        Ok(Self {
            weights: weights.collect::<Computed<_>>()?,
            positions: source.numbers("encoder.positions")?,
            plain: [
                Tensor::ones(config.width, dtype, device)?,
                Tensor::zeros(config.width, dtype, device)?,
            ],
            dtype,
            config: config.clone(),
        })
    }

    pub(super) fn features(&self, pictures: &Tensor) -> Computed<Tensor> {
        let (c, p) = (self.config.width, self.config.patch_size);
        let (n, _, height, width) = pictures.dims4()?;
        let canvas = Canvas {
            rows: height / p,
            columns: width / p,
        };
        let windows = windows(&pictures.to_dtype(self.dtype)?, p)?;
        let weight = self.weight("encoder.patch_embed.weight")?.flatten_from(1)?;
        let bias = self.weight("encoder.patch_embed.bias")?;
        let patches = ops::linear(&windows, &weight, bias)?;
        let positions = positions::grid(&self.positions, c, canvas.rows, canvas.columns);
        let positions = Tensor::from_vec(positions, (canvas.tokens(), c), pictures.device())?;
        let patches = patches.broadcast_add(&positions.to_dtype(self.dtype)?)?;
        let class = self
            .weight("encoder.class_token")?
            .broadcast_as((n, 1, c))?;
        let mut x = Tensor::cat(&[&class.contiguous()?, &patches], 1)?;
        let mut kept = Vec::new();
        for index in 0..self.config.depth {
            x = self.block(&format!("encoder.blocks.{index}"), &x)?;
            if self.config.kept_blocks.contains(&index) {
                let [weight, bias] = &self.plain;
                let tokens = x.narrow(1, 1, canvas.tokens())?;
                kept.push(ops::layer_norm(
                    &tokens,
                    weight,
                    bias,
                    self.config.layer_norm_eps,
                )?);
            }
        }
        Tensor::cat(&kept, 2)?.to_dtype(DType::F32)
    }

    fn block(&self, name: &str, x: &Tensor) -> Computed<Tensor> {
        let weight = |part: &str| self.weight(&format!("{name}.{part}"));
        let linear = |x: &Tensor, part: &str| {
            ops::linear(
                x,
                weight(&format!("{part}.weight"))?,
                weight(&format!("{part}.bias"))?,
            )
        };
        let norm = |x: &Tensor, part: &str| {
            let (scale, bias) = (
                weight(&format!("{part}.weight"))?,
                weight(&format!("{part}.bias"))?,
            );
            ops::layer_norm(x, scale, bias, self.config.layer_norm_eps)
        };
        let qkv = linear(&norm(x, "norm1")?, "attn.qkv")?;
        let attended = ops::attention(&qkv, self.config.heads)?;
        let x = (x + linear(&attended, "attn.proj")?)?;
        let hidden = ops::gelu(&linear(&norm(&x, "norm2")?, "mlp.fc1")?)?;
        x + linear(&hidden, "mlp.fc2")?
    }

    fn weight(&self, name: &str) -> Computed<&Tensor> {
        let missing = || candle_core::Error::CannotFindTensor { path: name.into() }.bt();
        self.weights.get(name).ok_or_else(missing)
    }
}
