//! The same operations out of candle's own, which have gradients on every device and in every number type.

use candle_core::{D, DType, Result, Tensor};

/// Numbers of 16 bits are too coarse for sums over many.
fn wide(x: &Tensor) -> Result<Tensor> {
    match x.dtype() {
        DType::F16 | DType::BF16 => x.to_dtype(DType::F32),
        _ => Ok(x.clone()),
    }
}

pub(super) fn linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let mut shape = x.dims().to_vec();
    let input = shape.pop().unwrap_or_default();
    shape.push(weight.dim(0)?);
    // einsum "ti,oi->to"
    let flat = x.reshape(((), input))?.matmul(&weight.t()?)?;
    flat.broadcast_add(bias)?.reshape(shape)
}

pub(super) fn layer_norm(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    epsilon: f64,
) -> Result<Tensor> {
    let wide = wide(x)?;
    let centred = wide.broadcast_sub(&wide.mean_keepdim(D::Minus1)?)?;
    let deviation = (centred.sqr()?.mean_keepdim(D::Minus1)? + epsilon)?.sqrt()?;
    centred
        .broadcast_div(&deviation)?
        .to_dtype(x.dtype())?
        .broadcast_mul(weight)?
        .broadcast_add(bias)
}

/// The largest value is subtracted as a constant: softmax does not change with it.
pub(super) fn softmax(x: &Tensor) -> Result<Tensor> {
    let largest = x.detach().max_keepdim(D::Minus1)?;
    let powers = x.broadcast_sub(&largest)?.exp()?;
    powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)
}

pub(super) fn attention(q: &Tensor, k: &Tensor, v: &Tensor) -> Result<Tensor> {
    let scores = wide(&q.contiguous()?.matmul(&k.transpose(2, 3)?.contiguous()?)?)?;
    let weights = softmax(&scores)?;
    weights.to_dtype(v.dtype())?.matmul(&v.contiguous()?)
}

pub(super) fn add_depthwise(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let (_, rows, columns, channels) = x.dims4()?;
    let edge = weight.dim(3)?;
    let reach = edge / 2;
    let padded = x
        .pad_with_zeros(1, reach, reach)?
        .pad_with_zeros(2, reach, reach)?;
    // One weight per channel and tap: the sum over taps, as candle's grouped convolution has no gradient.
    let mut sum = x.broadcast_add(bias)?;
    for (row, column) in (0..edge * edge).map(|tap| (tap / edge, tap % edge)) {
        let tap = weight
            .narrow(2, row, 1)?
            .narrow(3, column, 1)?
            .reshape((1, 1, 1, channels))?;
        let shifted = padded.narrow(1, row, rows)?.narrow(2, column, columns)?;
        sum = (sum + shifted.broadcast_mul(&tap)?)?;
    }
    Ok(sum)
}

pub(super) fn convolve(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    stride: usize,
) -> Result<Tensor> {
    let planes = x.permute((0, 3, 1, 2))?.contiguous()?;
    let convolved = planes.conv2d(weight, 1, stride, 1, 1)?;
    convolved
        .permute((0, 2, 3, 1))?
        .contiguous()?
        .broadcast_add(bias)
}
