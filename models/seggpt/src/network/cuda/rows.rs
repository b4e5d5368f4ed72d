//! What follows a matrix product, and layer norm (`kernels/rows.cu`).
#![allow(unsafe_code)] // kernels are launched with sizes that are checked here

use candle_core::{
    DType, Result, Shape, Tensor,
    cuda::{
        WrapErr,
        cudarc::driver::{CudaSlice, PushKernelArg},
    },
};

use super::launch::{Kernels, Number, Operand, Operation, apply, int, suits, threads};

const KERNELS: Kernels = Kernels {
    name: "rows",
    binary: include_bytes!(concat!(env!("OUT_DIR"), "/rows.fatbin")),
};

/// Numbers that a thread takes at once.
const EIGHT: usize = 8;

/// `x + bias`, `bias` `[width]`.
pub(in super::super) fn bias(x: &Tensor, bias: &Tensor) -> Result<Option<Tensor>> {
    match fits(x, bias) {
        true => apply(Finish::Store, [x, bias, bias]).map(Some),
        false => Ok(None),
    }
}

/// The exact GELU of `x + bias`.
pub(in super::super) fn bias_gelu(x: &Tensor, bias: &Tensor) -> Result<Option<Tensor>> {
    match fits(x, bias) {
        true => apply(Finish::Gelu, [x, bias, bias]).map(Some),
        false => Ok(None),
    }
}

/// `residual + (x + bias)`.
pub(in super::super) fn bias_residual(
    x: &Tensor,
    bias: &Tensor,
    residual: &Tensor,
) -> Result<Option<Tensor>> {
    let alike = residual.dims() == x.dims() && residual.dtype() == x.dtype();
    match fits(x, bias) && suits(residual) && alike {
        true => apply(Finish::Residual, [x, bias, residual]).map(Some),
        false => Ok(None),
    }
}

/// The layer norm over the last dimension, in f32 inside; `weight` and `bias` are f32.
pub(in super::super) fn layer_norm(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    epsilon: f64,
) -> Result<Option<Tensor>> {
    let wide = |x: &Tensor| x.dtype() == DType::F32 && x.is_contiguous();
    let width = x.dims().last().copied().unwrap_or_default();
    let alike = weight.dims() == [width] && bias.dims() == [width];
    if !(suits(x) && wide(weight) && wide(bias) && alike && width.is_multiple_of(EIGHT)) {
        return Ok(None);
    }
    let norm = LayerNorm {
        epsilon: epsilon as f32,
    };
    apply(norm, [x, weight, bias]).map(Some)
}

fn fits(x: &Tensor, bias: &Tensor) -> bool {
    let width = x.dims().last().copied().unwrap_or_default();
    suits(x)
        && suits(bias)
        && x.dtype() == bias.dtype()
        && bias.dims() == [width]
        && width.is_multiple_of(EIGHT)
}

/// What becomes of `x + bias`.
enum Finish {
    Store,
    Gelu,
    /// The third operand is added; the others have none, and get the bias once more in its place.
    Residual,
}

impl Operation for Finish {
    const NAME: &'static str = "cuda bias";

    fn run<T: Number>(&self, [x, bias, residual]: [Operand; 3]) -> Result<(CudaSlice<T>, Shape)> {
        let (device, shape) = (x.device(), x.shape());
        let (width, count) = (int(bias.shape().dims1()?)?, shape.elem_count() / EIGHT);
        let kernel = match self {
            Self::Store => "bias_{}",
            Self::Gelu => "bias_gelu_{}",
            Self::Residual => "bias_residual_{}",
        };
        let kernel = KERNELS.get::<T>(kernel, device)?;
        let (x, bias) = (x.numbers::<T>()?, bias.numbers::<T>()?);
        let residual = match self {
            Self::Residual => Some(residual.numbers::<T>()?),
            Self::Store | Self::Gelu => None,
        };
        // SAFETY: the kernel writes all of it.
        let out = unsafe { device.alloc::<T>(shape.elem_count())? };
        let (config, count) = (threads(count, 1)?, int(count)?);
        let stream = device.cuda_stream();
        let mut launch = stream.launch_builder(&kernel);
        launch.arg(&x).arg(&bias);
        if let Some(residual) = &residual {
            launch.arg(residual);
        }
        launch.arg(&out).arg(&width).arg(&count);
        // SAFETY: the callers have checked that the operands' shapes fit each other.
        unsafe { launch.launch(config) }.w()?;
        Ok((out, shape.clone()))
    }
}

struct LayerNorm {
    epsilon: f32,
}

impl Operation for LayerNorm {
    const NAME: &'static str = "cuda layer norm";

    fn run<T: Number>(&self, [x, weight, bias]: [Operand; 3]) -> Result<(CudaSlice<T>, Shape)> {
        let (device, shape) = (x.device(), x.shape());
        let width = weight.shape().dims1()?;
        let rows = shape.elem_count() / width;
        let kernel = KERNELS.get::<T>("layer_norm_{}", device)?;
        let (x, weight, bias) = (
            x.numbers::<T>()?,
            weight.numbers::<f32>()?,
            bias.numbers::<f32>()?,
        );
        // SAFETY: the kernel writes all of it.
        let out = unsafe { device.alloc::<T>(shape.elem_count())? };
        // A warp for each row.
        let config = threads(rows * 32, 1)?;
        let (width, rows) = (int(width)?, int(rows)?);
        let stream = device.cuda_stream();
        let mut launch = stream.launch_builder(&kernel);
        launch.arg(&x).arg(&weight).arg(&bias).arg(&out);
        launch.arg(&self.epsilon).arg(&width).arg(&rows);
        // SAFETY: `layer_norm` has checked that the operands' shapes fit each other.
        unsafe { launch.launch(config) }.w()?;
        Ok((out, shape.clone()))
    }
}
