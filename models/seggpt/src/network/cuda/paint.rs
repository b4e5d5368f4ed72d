//! The decoder's last three layers at once (`kernels/paint.cu`).
#![allow(unsafe_code)] // kernels are launched with sizes that are checked here

use candle_core::{
    DType, Result, Shape, Tensor,
    cuda::{
        WrapErr,
        cudarc::driver::{CudaSlice, LaunchConfig, PushKernelArg},
    },
};

use super::launch::{Kernels, Number, Operand, Operation, apply, int, suits};

const KERNELS: Kernels = Kernels {
    name: "paint",
    binary: include_bytes!(concat!(env!("OUT_DIR"), "/paint.fatbin")),
};

/// As in the kernel: channels, pixels and threads of a block.
const WIDTH: usize = 64;
const PIXELS: usize = 128;
const THREADS: u32 = 128;

/// The weights of the three layers, laid out for the kernel.
pub(in super::super) struct Painter {
    /// The convolution's, `[9, outputs, inputs]`.
    taps: Tensor,
    /// Its bias; the norm's weight and bias; the head's weight and bias. In f32, one after the other.
    finish: Tensor,
    epsilon: f32,
}

impl Painter {
    /// `convolution` `[D, D, 3, 3]` and its bias, the norm's weight and bias `[D]`, the head's weight `[3, D]` and bias.
    pub(in super::super) fn new(
        convolution: [&Tensor; 2],
        norm: [&Tensor; 2],
        head: [&Tensor; 2],
        epsilon: f64,
    ) -> Result<Self> {
        let d = convolution[0].dim(0)?;
        let taps = convolution[0].permute((2, 3, 0, 1))?.contiguous()?;
        let flat = |x: &Tensor| x.to_dtype(DType::F32)?.flatten_all();
        let finish = [convolution[1], norm[0], norm[1], head[0], head[1]].map(flat);
        let finish = finish.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(Self {
            taps: taps.reshape((9, d, d))?,
            finish: Tensor::cat(&finish, 0)?,
            epsilon: epsilon as f32,
        })
    }

    /// Pixels `[height + 2, width, D]`, padded above and below, to `[1, 3, height, width]`.
    pub(in super::super) fn paint(&self, pixels: &Tensor) -> Result<Option<Tensor>> {
        let (padded, _, d) = pixels.dims3()?;
        let fits = suits(pixels) && suits(&self.taps) && pixels.dtype() == self.taps.dtype();
        if !fits || d != WIDTH || padded < 3 {
            return Ok(None);
        }
        let paint = Paint {
            epsilon: self.epsilon,
        };
        apply(paint, [pixels, &self.taps, &self.finish]).map(Some)
    }
}

struct Paint {
    epsilon: f32,
}

impl Operation for Paint {
    const NAME: &'static str = "cuda paint";

    fn run<T: Number>(
        &self,
        [pixels, taps, finish]: [Operand; 3],
    ) -> Result<(CudaSlice<T>, Shape)> {
        let (device, (padded, width, _)) = (pixels.device(), pixels.shape().dims3()?);
        let height = padded - 2;
        let kernel = KERNELS.get::<T>("paint_{}", device)?;
        let (pixels, taps, finish) = (
            pixels.numbers::<T>()?,
            taps.numbers::<T>()?,
            finish.numbers::<f32>()?,
        );
        // SAFETY: the kernel writes all of it.
        let out = unsafe { device.alloc::<T>(3 * height * width)? };
        let blocks = int((height * width).div_ceil(PIXELS))? as u32;
        let (rows, columns) = (int(height)?, int(width)?);
        let stream = device.cuda_stream();
        let mut launch = stream.launch_builder(&kernel);
        launch.arg(&pixels).arg(&taps).arg(&finish).arg(&out);
        launch.arg(&self.epsilon).arg(&rows).arg(&columns);
        let config = LaunchConfig {
            grid_dim: (blocks, 1, 1),
            block_dim: (THREADS, 1, 1),
            // Two buffers of pixels and of weights: what a block may have without asking for more.
            shared_mem_bytes: int(2 * (PIXELS + WIDTH) * WIDTH * size_of::<T>())? as u32,
        };
        // SAFETY: `Painter::paint` has checked that the operands' shapes fit each other.
        unsafe { launch.launch(config) }.w()?;
        Ok((out, (1, 3, height, width).into()))
    }
}
