//! From candle's tensors to a kernel that runs.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use candle_core::{
    CpuStorage, CudaDevice, CudaStorage, CustomOp3, DType, Device, Layout, Result, Shape, Tensor,
    backend::BackendStorage,
    cuda::{
        CudaDType, DeviceId, WrapErr,
        cudarc::{
            driver::{CudaFunction, CudaModule, CudaSlice, CudaView, DeviceRepr, LaunchConfig},
            nvrtc::Ptx,
        },
    },
};
use half::{bf16, f16};

/// A number type that there are kernels for.
pub(super) trait Number: CudaDType + DeviceRepr {
    /// What their names end in.
    const SUFFIX: &'static str;
}

impl Number for bf16 {
    const SUFFIX: &'static str = "bf16";
}

impl Number for f16 {
    const SUFFIX: &'static str = "f16";
}

/// The kernels of one file, compiled.
pub(super) struct Kernels {
    pub(super) name: &'static str,
    pub(super) binary: &'static [u8],
}

type Loaded = HashMap<(DeviceId, &'static str), Arc<CudaModule>>;

static LOADED: LazyLock<Mutex<Loaded>> = LazyLock::new(Mutex::default);

impl Kernels {
    /// The kernel of that name for that number type, loaded onto the device the first time.
    pub(super) fn get<T: Number>(&self, name: &str, device: &CudaDevice) -> Result<CudaFunction> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (device.id(), self.name);
        let module = match loaded.get(&key) {
            Some(module) => module.clone(),
            None => {
                let binary = Ptx::from_binary(self.binary.to_vec());
                let module = device.cuda_stream().context().load_module(binary).w()?;
                loaded.insert(key, module.clone());
                module
            }
        };
        module.load_function(&name.replace("{}", T::SUFFIX)).w()
    }
}

/// Whether kernels can read a tensor: in 16 bits on CUDA, in one piece that eights of numbers divide.
pub(super) fn suits(x: &Tensor) -> bool {
    matches!(x.device(), Device::Cuda(_))
        && matches!(x.dtype(), DType::BF16 | DType::F16)
        && x.is_contiguous()
        && x.layout().start_offset().is_multiple_of(8)
}

/// A tensor as a kernel finds it.
pub(super) struct Operand<'a>(&'a CudaStorage, &'a Layout);

impl<'a> Operand<'a> {
    pub(super) fn device(&self) -> &'a CudaDevice {
        self.0.device()
    }

    pub(super) fn shape(&self) -> &'a Shape {
        self.1.shape()
    }

    /// Its numbers, if it is contiguous.
    pub(super) fn numbers<T: CudaDType>(&self) -> Result<CudaView<'a, T>> {
        match self.1.contiguous_offsets() {
            Some((start, end)) => Ok(self.0.as_cuda_slice::<T>()?.slice(start..end)),
            None => candle_core::bail!("expected a contiguous tensor, found {:?}", self.1),
        }
    }
}

/// A kernel and what it is told besides its operands.
pub(super) trait Operation: Send + Sync {
    /// For people.
    const NAME: &'static str;
    /// The result for operands whose first has numbers of type `T`.
    fn run<T: Number>(&self, operands: [Operand; 3]) -> Result<(CudaSlice<T>, Shape)>;
}

/// Runs an operation on operands of which the first [`suits`].
pub(super) fn apply(operation: impl Operation, [a, b, c]: [&Tensor; 3]) -> Result<Tensor> {
    a.apply_op3_no_bwd(b, c, &OnCuda(operation))
}

struct OnCuda<O>(O);

impl<O: Operation> OnCuda<O> {
    fn run<T: Number>(&self, operands: [Operand; 3]) -> Result<(CudaStorage, Shape)> {
        let device = operands[0].device().clone();
        let (numbers, shape) = self.0.run::<T>(operands)?;
        Ok((CudaStorage::wrap_cuda_slice(numbers, device), shape))
    }
}

impl<O: Operation> CustomOp3 for OnCuda<O> {
    fn name(&self) -> &'static str {
        O::NAME
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
        candle_core::bail!("{} is for CUDA alone", O::NAME)
    }

    fn cuda_fwd(
        &self,
        a: &CudaStorage,
        a_layout: &Layout,
        b: &CudaStorage,
        b_layout: &Layout,
        c: &CudaStorage,
        c_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let operands = [
            Operand(a, a_layout),
            Operand(b, b_layout),
            Operand(c, c_layout),
        ];
        match a.dtype() {
            DType::F16 => self.run::<f16>(operands),
            _ => self.run::<bf16>(operands),
        }
    }
}

/// A size as kernels count.
pub(super) fn int(size: usize) -> Result<i32> {
    i32::try_from(size).map_err(|_| {
        candle_core::Error::Msg(format!("{size} is more than a kernel counts to")).bt()
    })
}

/// One thread for each of `count`, so many times.
pub(super) fn threads(count: usize, times: usize) -> Result<LaunchConfig> {
    const THREADS: u32 = 256;
    Ok(LaunchConfig {
        grid_dim: (
            (int(count)? as u32).div_ceil(THREADS),
            int(times)? as u32,
            1,
        ),
        block_dim: (THREADS, 1, 1),
        shared_mem_bytes: 0,
    })
}
