//! Between candle's storages and slices.

use candle_core::{CpuStorage, DType, Layout, Result, Shape, Tensor, WithDType};

/// The values of a contiguous f32 tensor.
pub(super) fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&values[start..end]),
        _ => candle_core::bail!(
            "expected contiguous f32, found {:?} {layout:?}",
            storage_dtype(storage)
        ),
    }
}

fn storage_dtype(storage: &CpuStorage) -> DType {
    match storage {
        CpuStorage::F64(_) => f64::DTYPE,
        CpuStorage::F32(_) => f32::DTYPE,
        _ => DType::U8,
    }
}

/// Lends the values of a tensor to `f`.
pub(super) fn with<R>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> Result<R>) -> Result<R> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        candle_core::Storage::Cpu(storage) => f(values(storage, layout)?),
        _ => candle_core::bail!("expected a tensor on the CPU"),
    }
}

/// An operation's result.
pub(super) fn output(values: Vec<f32>, shape: impl Into<Shape>) -> Result<(CpuStorage, Shape)> {
    Ok((CpuStorage::F32(values), shape.into()))
}

/// A gradient in the shape of `like`.
pub(super) fn gradient(values: Vec<f32>, like: &Tensor) -> Result<Tensor> {
    Tensor::from_vec(values, like.shape(), like.device())
}
