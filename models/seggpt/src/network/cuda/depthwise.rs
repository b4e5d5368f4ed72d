//! `x + conv(x)` (`kernels/depthwise.cu`).
#![allow(unsafe_code)] // kernels are launched with sizes that are checked here

use candle_core::{
    Result, Shape, Tensor,
    cuda::{
        WrapErr,
        cudarc::driver::{CudaSlice, PushKernelArg},
    },
};

use super::launch::{Kernels, Number, Operand, Operation, apply, int, suits, threads};

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
        true => apply(AddDepthwise { edge }, [x, weight, bias]).map(Some),
        false => Ok(None),
    }
}

struct AddDepthwise {
    edge: usize,
}

impl Operation for AddDepthwise {
    const NAME: &'static str = "cuda depthwise";

    fn run<T: Number>(&self, [x, weight, bias]: [Operand; 3]) -> Result<(CudaSlice<T>, Shape)> {
        let (device, shape) = (x.device(), x.shape());
        let (_, rows, columns, channels) = shape.dims4()?;
        let kernel = KERNELS.get::<T>("add_depthwise_{}", device)?;
        let (x, weight, bias) = (
            x.numbers::<T>()?,
            weight.numbers::<T>()?,
            bias.numbers::<T>()?,
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
        let config = threads(shape.elem_count(), 1)?;
        // SAFETY: `add_depthwise` has checked that the operands' shapes fit each other.
        unsafe { launch.launch(config) }.w()?;
        Ok((out, shape.clone()))
    }
}
