//! What the tests of the network share: the golden files and their tensors.
#![allow(dead_code, clippy::unwrap_used)]

pub mod variants;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use seggpt::{DTypeChoice, Device, Network, Reference, Tensor};

/// A path below the repository's root.
pub fn root(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(relative)
}

pub fn golden(relative: &str) -> PathBuf {
    root("tests/golden").join(relative)
}

/// The tiny random network, computing in f32 on the CPU.
pub fn tiny() -> Network {
    load(&golden("seggpt-tiny/seggpt_tiny.pth"))
}

pub fn load(path: &Path) -> Network {
    Network::load(path, &Device::Cpu, DTypeChoice::F32).unwrap()
}

/// The tiny random network on the plain path.
pub fn plain_tiny() -> Reference {
    Reference::load(&golden("seggpt-tiny/seggpt_tiny.pth"), &Device::Cpu).unwrap()
}

/// Inputs and outputs of the original code.
pub fn reference(network: &str) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(golden(network).join("reference.safetensors"), &Device::Cpu)
        .unwrap()
}

/// The lower half of painted canvases `[B, 3, 2 S, S]`.
pub fn lower(canvas: &Tensor) -> Tensor {
    let half = canvas.dim(2).unwrap() / 2;
    canvas.narrow(2, half, half).unwrap()
}

/// Largest absolute difference.
pub fn difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    (a - b)
        .unwrap()
        .abs()
        .unwrap()
        .max_all()
        .unwrap()
        .to_scalar()
        .unwrap()
}
