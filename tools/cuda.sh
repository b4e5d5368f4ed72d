#!/usr/bin/env bash
# Runs a command with a CUDA toolkit in its environment: tools/cuda.sh cargo build --features cuda ...
# A toolkit that is installed serves (CUDA_HOME, else nvcc in PATH). Without one its parts come from PyPI, into
# target/cuda-toolkit: pinned to CUDA 13.0, whose code every driver from 580 on can load. No GPU and no driver is needed.
set -euo pipefail
cd "$(dirname "$0")/.."

fetched=target/cuda-toolkit
wheels=(
    nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-cuda-cccl==13.0.85
    nvidia-cuda-runtime==13.0.96 nvidia-cuda-nvrtc==13.0.88 nvidia-cublas==13.1.2.11 nvidia-curand==10.4.0.35
)

fetch() {
    [ "${wheels[*]}" = "$(cat "$fetched/wheels" 2>/dev/null)" ] && return
    echo "fetching the CUDA toolkit into $fetched (700 MB)" >&2
    python3 -c 'import venv, ensurepip' 2>/dev/null || { echo "python3 and its venv module are needed to fetch the CUDA toolkit" >&2; exit 1; }
    rm -rf "$fetched"
    python3 -m venv "$fetched/venv"
    "$fetched/venv/bin/pip" install --quiet --disable-pip-version-check --no-cache-dir --no-deps --target "$fetched/wheels.d" "${wheels[@]}" >&2
    rm -rf "$fetched/venv"
    # Wheels have no names to link by.
    local library
    for library in cublas:13 cublasLt:13 curand:10 nvrtc:13 cudart:13; do
        ln -sf "lib${library/:/.so.}" "$fetched/wheels.d/nvidia/cu13/lib/lib${library%:*}.so"
    done
    ln -sfn lib "$fetched/wheels.d/nvidia/cu13/lib64"
    echo "${wheels[*]}" > "$fetched/wheels"
}

# libcuda comes with the driver alone: to link without one takes a library with its names.
stub() {
    local folder=$1 source
    [ -e "$folder/libcuda.so" ] && return
    cargo fetch --locked --quiet
    source=$(cargo metadata --format-version 1 --locked --offline --all-features |
        python3 -c 'import json, os, sys; print(next(os.path.dirname(p["manifest_path"]) for p in json.load(sys.stdin)["packages"] if p["name"] == "cudarc"))')
    mkdir -p "$folder"
    grep -ohE '\bcu[A-Z][A-Za-z0-9_]+' "$source/src/driver/sys/mod.rs" | sort -u | sed 's/.*/void &(void) {}/' |
        cc -shared -fPIC -w -Wl,-soname,libcuda.so.1 -x c -o "$folder/libcuda.so" -
}

home=${CUDA_HOME:-${CUDA_PATH:-}}
if [ -z "$home" ] && command -v nvcc >/dev/null; then
    home=$(dirname "$(dirname "$(readlink -f "$(command -v nvcc)")")")
fi
if [ -z "$home" ]; then
    fetch
    home=$PWD/$fetched/wheels.d/nvidia/cu13
    export CUDARC_CUDA_VERSION=13000
fi
[ -x "$home/bin/nvcc" ] || { echo "no nvcc in $home/bin: CUDA_HOME is not a CUDA toolkit" >&2; exit 1; }
libraries=$home/lib64
if ! ldconfig -p 2>/dev/null | grep -q 'libcuda\.so$' && [ ! -e "$libraries/stubs/libcuda.so" ]; then
    stub target/cuda-toolkit-stubs
    libraries=$libraries:$PWD/target/cuda-toolkit-stubs
fi

export CUDA_HOME=$home CUDA_PATH=$home CUDA_ROOT=$home NVCC=$PWD/tools/nvcc.sh PATH=$home/bin:$PATH
# Compute capability 9.0 (H100, H200) unless told otherwise: a machine without a GPU cannot be asked.
export CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-90}
export CUDAFORGE_THREADS=${CUDAFORGE_THREADS:-$(nproc)} # candle's kernels at a time
export LIBRARY_PATH=$libraries:$libraries/stubs${LIBRARY_PATH:+:$LIBRARY_PATH}
exec "$@"
