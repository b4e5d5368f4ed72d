//! `x + conv(x)` (`kernels/depthwise.cu`).
#![allow(unsafe_code)] // kernels are launched with sizes that are checked here

use candle_core::{
    CpuStorage, CudaStorage, CustomOp3, DType, Layout, Result, Shape, Tensor,
    backend::BackendStorage,
    cuda::{
        WrapErr,
        cudarc::driver::{LaunchConfig, PushKernelArg},
    },
};
use half::{bf16, f16};

use super::launch::{Kernels, Number, int, not_here, numbers, suits};

const KERNELS: Kernels = Kernels {
    name: "depthwise",
    binary: include_bytes!(concat!(env!("OUT_DIR"), "/depthwise.fatbin")),
};

/// `x` `[B, rows, columns, C]` and its depthwise convolution with `weight` `[C, 1, k, k]` and `bias` `[C]`, added.
pub(in super::super) fn add_depthwise(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
) -> Result<Option<Tensor>> {
    let (_, _, _, channels) = x.dims4()?;
    let edge = weight.dim(3)?;
    let alike = weight.dims() == [channels, 1, edge, edge] && bias.dims() == [channels];
    let fits = [x, weight, bias]
        .iter()
        .all(|y| suits(y) && y.dtype() == x.dtype());
    match fits && alike {
        true => x
            .apply_op3_no_bwd(weight, bias, &AddDepthwise { edge })
            .map(Some),
        false => Ok(None),
    }
}

struct AddDepthwise {
    edge: usize,
}

impl AddDepthwise {
    fn run<T: Number>(
        &self,
        x: (&CudaStorage, &Layout),
        weight: (&CudaStorage, &Layout),
        bias: (&CudaStorage, &Layout),
    ) -> Result<(CudaStorage, Shape)> {
        const THREADS: u32 = 256;
        let (device, shape) = (x.0.device(), x.1.shape());
        let (_, rows, columns, channels) = shape.dims4()?;
        let kernel = KERNELS.get::<T>("add_depthwise_{}", device)?;
        let (x, weight, bias) = (
            numbers::<T>(x.0, x.1)?,
            numbers::<T>(weight.0, weight.1)?,
            numbers::<T>(bias.0, bias.1)?,
        );
        // SAFETY: the kernel writes all of it.
        let out = unsafe { device.alloc::<T>(shape.elem_count())? };
        let (edge, rows, columns, channels, count) = (
            int(self.edge)?,
            int(rows)?,
            int(columns)?,
            int(channels)?,
            int(shape.elem_count())?,
        );
        let stream = device.cuda_stream();
        let mut launch = stream.launch_builder(&kernel);
        launch.arg(&x).arg(&weight).arg(&bias).arg(&out).arg(&edge);
        launch.arg(&rows).arg(&columns).arg(&channels).arg(&count);
        let config = LaunchConfig {
            grid_dim: ((count as u32).div_ceil(THREADS), 1, 1),
            block_dim: (THREADS, 1, 1),
            shared_mem_bytes: 0,
        };
        // SAFETY: `add_depthwise` has checked that the operands' shapes fit each other.
        unsafe { launch.launch(config) }.w()?;
        let out = CudaStorage::wrap_cuda_slice(out, device.clone());
        Ok((out, shape.clone()))
    }
}

impl CustomOp3 for AddDepthwise {
    fn name(&self) -> &'static str {
        "cuda depthwise"
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
