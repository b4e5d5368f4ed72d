//! What follows a matrix product, and layer norm (`kernels/rows.cu`).
#![allow(unsafe_code)] // kernels are launched with sizes that are checked here

use candle_core::{
    CpuStorage, CudaStorage, CustomOp2, CustomOp3, DType, Layout, Result, Shape, Tensor,
    backend::BackendStorage,
    cuda::{
        WrapErr,
        cudarc::driver::{LaunchConfig, PushKernelArg},
    },
};
use half::{bf16, f16};

use super::launch::{Kernels, Number, int, not_here, numbers, suits};

const KERNELS: Kernels = Kernels {
    name: "rows",
    binary: include_bytes!(concat!(env!("OUT_DIR"), "/rows.fatbin")),
};

/// Numbers that a thread takes at once.
const EIGHT: usize = 8;

/// `x + bias`, `bias` `[width]`.
pub(in super::super) fn bias(x: &Tensor, bias: &Tensor) -> Result<Option<Tensor>> {
    match fits(x, bias) {
        true => x.apply_op2_no_bwd(bias, &Finish { gelu: false }).map(Some),
        false => Ok(None),
    }
}

/// The exact GELU of `x + bias`.
pub(in super::super) fn bias_gelu(x: &Tensor, bias: &Tensor) -> Result<Option<Tensor>> {
    match fits(x, bias) {
        true => x.apply_op2_no_bwd(bias, &Finish { gelu: true }).map(Some),
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
        true => x.apply_op3_no_bwd(bias, residual, &AddResidual).map(Some),
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
    x.apply_op3_no_bwd(weight, bias, &norm).map(Some)
}

fn fits(x: &Tensor, bias: &Tensor) -> bool {
    let width = x.dims().last().copied().unwrap_or_default();
    suits(x)
        && suits(bias)
        && x.dtype() == bias.dtype()
        && bias.dims() == [width]
        && width.is_multiple_of(EIGHT)
}

/// One thread for each of so many.
fn threads(count: usize) -> Result<LaunchConfig> {
    const THREADS: u32 = 256;
    Ok(LaunchConfig {
        grid_dim: ((int(count)? as u32).div_ceil(THREADS), 1, 1),
        block_dim: (THREADS, 1, 1),
        shared_mem_bytes: 0,
    })
}

fn finish<T: Number>(
    kernel: &str,
    x: (&CudaStorage, &Layout),
    bias: (&CudaStorage, &Layout),
    residual: Option<(&CudaStorage, &Layout)>,
) -> Result<(CudaStorage, Shape)> {
    let (device, shape) = (x.0.device(), x.1.shape());
    let (width, count) = (int(bias.1.shape().dims1()?)?, shape.elem_count() / EIGHT);
    let kernel = KERNELS.get::<T>(kernel, device)?;
    let (x, bias) = (numbers::<T>(x.0, x.1)?, numbers::<T>(bias.0, bias.1)?);
    let residual = residual
        .map(|(storage, layout)| numbers::<T>(storage, layout))
        .transpose()?;
    // SAFETY: the kernel writes all of it.
    let out = unsafe { device.alloc::<T>(shape.elem_count())? };
    let (config, count) = (threads(count)?, int(count)?);
    let stream = device.cuda_stream();
    let mut launch = stream.launch_builder(&kernel);
    launch.arg(&x).arg(&bias);
    if let Some(residual) = &residual {
        launch.arg(residual);
    }
    launch.arg(&out).arg(&width).arg(&count);
    // SAFETY: the callers have checked that the operands' shapes fit each other.
    unsafe { launch.launch(config) }.w()?;
    let out = CudaStorage::wrap_cuda_slice(out, device.clone());
    Ok((out, shape.clone()))
}

struct Finish {
    gelu: bool,
}

impl CustomOp2 for Finish {
    fn name(&self) -> &'static str {
        "cuda bias"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        not_here(self.name())
    }

    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        bias: &CudaStorage,
        bias_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let kernel = if self.gelu { "bias_gelu_{}" } else { "bias_{}" };
        match x.dtype() {
            DType::F16 => finish::<f16>(kernel, (x, x_layout), (bias, bias_layout), None),
            _ => finish::<bf16>(kernel, (x, x_layout), (bias, bias_layout), None),
        }
    }
}

struct AddResidual;

impl CustomOp3 for AddResidual {
    fn name(&self) -> &'static str {
        "cuda bias and residual"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        not_here(self.name())
    }

    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        bias: &CudaStorage,
        bias_layout: &Layout,
        residual: &CudaStorage,
        residual_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (kernel, residual) = ("bias_residual_{}", Some((residual, residual_layout)));
        match x.dtype() {
            DType::F16 => finish::<f16>(kernel, (x, x_layout), (bias, bias_layout), residual),
            _ => finish::<bf16>(kernel, (x, x_layout), (bias, bias_layout), residual),
        }
    }
}

struct LayerNorm {
    epsilon: f32,
}

impl LayerNorm {
    fn run<T: Number>(
        &self,
        x: (&CudaStorage, &Layout),
        weight: (&CudaStorage, &Layout),
        bias: (&CudaStorage, &Layout),
    ) -> Result<(CudaStorage, Shape)> {
        let (device, shape) = (x.0.device(), x.1.shape());
        let width = weight.1.shape().dims1()?;
        let rows = shape.elem_count() / width;
        let kernel = KERNELS.get::<T>("layer_norm_{}", device)?;
        let (x, weight, bias) = (
            numbers::<T>(x.0, x.1)?,
            numbers::<f32>(weight.0, weight.1)?,
            numbers::<f32>(bias.0, bias.1)?,
        );
        // SAFETY: the kernel writes all of it.
        let out = unsafe { device.alloc::<T>(shape.elem_count())? };
        // A warp for each row.
        let config = threads(rows * 32)?;
        let (width, rows) = (int(width)?, int(rows)?);
        let stream = device.cuda_stream();
        let mut launch = stream.launch_builder(&kernel);
        launch.arg(&x).arg(&weight).arg(&bias).arg(&out);
        launch.arg(&self.epsilon).arg(&width).arg(&rows);
        // SAFETY: `layer_norm` has checked that the operands' shapes fit each other.
        unsafe { launch.launch(config) }.w()?;
        let out = CudaStorage::wrap_cuda_slice(out, device.clone());
        Ok((out, shape.clone()))
    }
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "cuda layer norm"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        not_here(self.name())
    }

    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        weight: &CudaStorage,
        weight_layout: &Layout,
        bias: &CudaStorage,
        bias_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (x, weight, bias) = ((x, x_layout), (weight, weight_layout), (bias, bias_layout));
        match x.0.dtype() {
            DType::F16 => self.run::<f16>(x, weight, bias),
            _ => self.run::<bf16>(x, weight, bias),
        }
    }
}
