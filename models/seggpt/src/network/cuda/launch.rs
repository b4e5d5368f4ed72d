//! From candle's tensors to a kernel that runs.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use candle_core::{
    CpuStorage, CudaDevice, CudaStorage, DType, Device, Layout, Result, Shape, Tensor,
    cuda::{
        CudaDType, DeviceId, WrapErr,
        cudarc::{
            driver::{CudaFunction, CudaModule, CudaView, DeviceRepr},
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

/// The numbers of a contiguous tensor.
pub(super) fn numbers<'a, T: CudaDType>(
    storage: &'a CudaStorage,
    layout: &Layout,
) -> Result<CudaView<'a, T>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(storage.as_cuda_slice::<T>()?.slice(start..end)),
        None => candle_core::bail!("expected a contiguous tensor, found {layout:?}"),
    }
}

/// A size as kernels count.
pub(super) fn int(size: usize) -> Result<i32> {
    i32::try_from(size).map_err(|_| {
        candle_core::Error::Msg(format!("{size} is more than a kernel counts to")).bt()
    })
}

/// What an operation says that is asked for elsewhere.
pub(super) fn not_here(name: &str) -> Result<(CpuStorage, Shape)> {
    candle_core::bail!("{name} is for CUDA alone")
}
