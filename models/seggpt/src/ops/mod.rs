//! The operations that a network is trained with: each has a gradient.
//!
//! candle's fused softmax and layer norm have none, and its plain operations walk a CPU tensor on one core, several
//! times over. So each of these is, for f32 on the CPU, one operation with a backward pass of its own, on all cores;
//! elsewhere (CUDA, Metal, f64) it is made of candle's plain operations, which have gradients. The two are held
//! against each other by tests. Sums are taken in an order that does not depend on the number of threads. Where an
//! argument depends on no variable, such as pixels or the weights of a frozen network, the costly ones of its gradients
//! are not computed.

mod attention;
mod convolution;
mod depthwise;
mod kernels;
mod linear;
mod norm;
mod plain;
mod softmax;
mod storage;
#[cfg(test)]
mod tests;

use candle_core::{DType, Result, Tensor};

/// Whether there is an operation of our own for this tensor.
fn fused(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
}

/// `x Wᵀ + b`: `x` `[..., input]`, `weight` `[output, input]`, `bias` `[output]`.
pub(crate) fn linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    if fused(x) {
        x.contiguous()?
            .apply_op3(&weight.contiguous()?, &bias.contiguous()?, linear::Linear)
    } else {
        plain::linear(x, weight, bias)
    }
}

/// The layer norm over the last dimension: `x` `[..., width]`, `weight` and `bias` `[width]`.
pub(crate) fn layer_norm(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    epsilon: f64,
) -> Result<Tensor> {
    if fused(x) {
        let op = norm::LayerNorm {
            epsilon: epsilon as f32,
        };
        x.contiguous()?
            .apply_op3(&weight.contiguous()?, &bias.contiguous()?, op)
    } else {
        plain::layer_norm(x, weight, bias, epsilon)
    }
}

/// The exact GELU, `x Φ(x)`.
pub(crate) fn gelu(x: &Tensor) -> Result<Tensor> {
    if fused(x) {
        x.contiguous()?.apply_op1(norm::Gelu)
    } else {
        x.gelu_erf()
    }
}

/// The softmax over the last dimension.
pub(crate) fn softmax(x: &Tensor) -> Result<Tensor> {
    if fused(x) {
        x.contiguous()?.apply_op1(softmax::Softmax)
    } else {
        plain::softmax(x)
    }
}

/// Attention of tokens `[B, T, 3 C]`, queries, keys and values side by side with the heads inside each, to `[B, T, C]`.
pub(crate) fn attention(qkv: &Tensor, heads: usize) -> Result<Tensor> {
    let width = qkv.dim(2)? / 3;
    let scale = ((width / heads) as f64).powf(-0.5);
    if fused(qkv) {
        let op = attention::Packed {
            heads,
            scale: scale as f32,
        };
        return qkv.contiguous()?.apply_op1(op);
    }
    let (batch, tokens, _) = qkv.dims3()?;
    let (q, k, v) = heads_apart(qkv, heads)?;
    let attended = plain::attention(&(q * scale)?, &k, &v)?;
    attended.transpose(1, 2)?.reshape((batch, tokens, width))
}

/// Queries, keys and values of tokens `[B, T, 3 C]`, each `[B, heads, T, C / heads]`.
pub(crate) fn heads_apart(qkv: &Tensor, heads: usize) -> Result<(Tensor, Tensor, Tensor)> {
    let (batch, tokens, width) = qkv.dims3()?;
    let split = qkv
        .reshape(&[batch, tokens, 3, heads, width / 3 / heads][..])?
        .permute([2, 0, 3, 1, 4])?
        .contiguous()?;
    Ok((split.get(0)?, split.get(1)?, split.get(2)?))
}

/// `softmax(q kᵀ) v` for `q` `[B, heads, Q, e]`, `k` `[B, heads, T, e]` and `v` `[B, heads, T, d]`, to `[B, heads, Q, d]`.
pub(crate) fn attention_of(q: &Tensor, k: &Tensor, v: &Tensor) -> Result<Tensor> {
    if fused(q) {
        q.contiguous()?
            .apply_op3(&k.contiguous()?, &v.contiguous()?, attention::Apart)
    } else {
        plain::attention(q, k, v)
    }
}

/// `x` and its depthwise convolution, added: `x` `[B, rows, columns, C]`, `weight` `[C, 1, k, k]`, `bias` `[C]`; zeros
/// beyond the borders.
pub(crate) fn add_depthwise(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let k = weight.dim(3)?;
    if fused(x) {
        let taps = weight.reshape(((), k * k))?.t()?.contiguous()?;
        x.contiguous()?.apply_op3(
            &taps,
            &bias.contiguous()?,
            depthwise::AddDepthwise { edge: k },
        )
    } else {
        plain::add_depthwise(x, weight, bias)
    }
}

/// A 3x3 convolution of pixels with their channels last: `x` `[B, height, width, I]`, `weight` `[O, I, 3, 3]`, `bias`
/// `[O]`, to `[B, height / stride, width / stride, O]`; zeros beyond the borders. Stride 1, or 2 for even sides.
pub(crate) fn convolve(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    stride: usize,
) -> Result<Tensor> {
    if fused(x) {
        let taps = weight
            .permute((0, 2, 3, 1))?
            .flatten_from(1)?
            .contiguous()?;
        x.contiguous()?
            .apply_op3(&taps, &bias.contiguous()?, convolution::Convolve { stride })
    } else {
        plain::convolve(x, weight, bias, stride)
    }
}
