//! With the feature `cuda`, has nvcc compile the kernels of `src/network/cuda/kernels`.

use std::{env, error::Error, path::Path, process::Command};

const KERNELS: &str = "src/network/cuda/kernels";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return Ok(());
    }
    println!("cargo::rerun-if-changed={KERNELS}");
    for variable in ["CUDA_HOME", "CUDA_COMPUTE_CAP"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let nvcc = match env::var("CUDA_HOME") {
        Ok(home) => format!("{home}/bin/nvcc"),
        Err(_) => "nvcc".into(),
    };
    // The oldest whose tensor cores multiply bf16; later ones translate what is made for it.
    let capability = env::var("CUDA_COMPUTE_CAP").unwrap_or_else(|_| "80".into());
    let out = env::var("OUT_DIR")?;
    for name in ["attention", "depthwise", "paint", "rows"] {
        let status = Command::new(&nvcc)
            .args(["-fatbin", "-std=c++17", "-O3"])
            .arg(format!(
                "-gencode=arch=compute_{capability},code=[sm_{capability},compute_{capability}]"
            ))
            .arg("-o")
            .arg(Path::new(&out).join(format!("{name}.fatbin")))
            .arg(format!("{KERNELS}/{name}.cu"))
            .status()
            .map_err(|error| {
                format!("{nvcc}: {error}; `make cuda` fetches a CUDA toolkit where there is none")
            })?;
        if !status.success() {
            return Err(format!("{nvcc} could not compile {KERNELS}/{name}.cu").into());
        }
    }
    Ok(())
}
