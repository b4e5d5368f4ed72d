//! The three layers that everything is made of.

use candle_core::{DType, Result, Tensor};
use candle_nn::{VarBuilder, ops};

#[cfg(feature = "cuda")]
use super::cuda;

/// `y = x Wᵀ + b` on the last dimension.
pub(super) struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    /// `weight` `[output, input]`, `bias` `[output]`.
    pub(super) fn load(input: usize, output: usize, vb: VarBuilder) -> Result<Self> {
        Ok(Self {
            weight: vb.get((output, input), "weight")?,
            bias: vb.get(output, "bias")?,
        })
    }

    /// From a convolution whose kernel equals its stride, or is 1x1: the kernel's axes are the input channels.
    pub(super) fn from_convolution(kernel: [usize; 4], vb: VarBuilder) -> Result<Self> {
        Ok(Self {
            weight: vb.get(kernel.as_slice(), "weight")?.flatten_from(1)?,
            bias: vb.get(kernel[0], "bias")?,
        })
    }

    /// Only the outputs `start..start + length`.
    pub(super) fn narrow(&self, start: usize, length: usize) -> Result<Self> {
        Ok(Self {
            weight: self.weight.narrow(0, start, length)?,
            bias: self.bias.narrow(0, start, length)?,
        })
    }

    /// `x` `[..., input]` to `[..., output]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let product = self.product(x)?;
        #[cfg(feature = "cuda")]
        if let Some(y) = cuda::bias(&product, &self.bias)? {
            return Ok(y);
        }
        product.broadcast_add(&self.bias)
    }

    /// `gelu(forward(x))`.
    pub(super) fn forward_gelu(&self, x: &Tensor) -> Result<Tensor> {
        let product = self.product(x)?;
        #[cfg(feature = "cuda")]
        if let Some(y) = cuda::bias_gelu(&product, &self.bias)? {
            return Ok(y);
        }
        gelu(&product.broadcast_add(&self.bias)?)
    }

    /// `residual + forward(x)`.
    pub(super) fn add_to(&self, residual: &Tensor, x: &Tensor) -> Result<Tensor> {
        let product = self.product(x)?;
        #[cfg(feature = "cuda")]
        if let Some(y) = cuda::bias_residual(&product, &self.bias, residual)? {
            return Ok(y);
        }
        residual + product.broadcast_add(&self.bias)?
    }

    fn product(&self, x: &Tensor) -> Result<Tensor> {
        let mut shape = x.dims().to_vec();
        let input = shape.pop().unwrap_or_default();
        shape.push(self.weight.dim(0)?);
        // One matrix product, not one per leading index: einsum "tc,oc->to".
        let flat = x.reshape(((), input))?;
        flat.matmul(&self.weight.t()?)?.reshape(shape)
    }
}

/// Normalises the last dimension, in f32 whatever the number type of `x`.
pub(super) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    epsilon: f64,
}

impl LayerNorm {
    pub(super) fn load(width: usize, epsilon: f64, vb: VarBuilder) -> Result<Self> {
        let vb = vb.set_dtype(DType::F32);
        Ok(Self {
            weight: vb.get(width, "weight")?,
            bias: vb.get(width, "bias")?,
            epsilon,
        })
    }

    /// `x` `[..., width]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        if let Some(y) = cuda::layer_norm(x, &self.weight, &self.bias, self.epsilon)? {
            return Ok(y);
        }
        let wide = x.to_dtype(DType::F32)?.contiguous()?;
        ops::layer_norm(&wide, &self.weight, &self.bias, self.epsilon as f32)?.to_dtype(x.dtype())
    }
}

/// The exact GELU, `x Φ(x)`.
pub(super) use crate::ops::gelu;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use candle_core::Device;

    #[test]
    fn gelu_equals_the_library_s_on_the_whole_range() {
        let x = Tensor::arange_step(-8f32, 8f32, 1e-3, &Device::Cpu).unwrap();
        let difference = (gelu(&x).unwrap() - x.gelu_erf().unwrap())
            .unwrap()
            .abs()
            .unwrap();
        let worst = difference.max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(worst < 2e-6, "{worst}");
    }
}
