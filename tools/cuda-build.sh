#!/usr/bin/env bash
# What `make cuda` runs inside tools/cuda.sh: builds into target/cuda, apart from what is built for the CPU, and leaves
# programs to carry in target/cuda/bin.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/cuda-emulate.sh

# The same packages each time: with others, candle would be built once more.
packages=(-p seggpt -p seggpt-cli --features seggpt-cli/cuda --target-dir target/cuda)
cargo build "${packages[@]}" --bins --example gpu
tests=$(cargo test "${packages[@]}" --lib --no-run 2>&1 | tee /dev/stderr |
    sed -n 's|.*unittests src/lib.rs (\(.*/seggpt-[0-9a-f]*\))$|\1|p')

built=target/cuda/debug bin=target/cuda/bin
mkdir -p "$bin"
strip -o "$bin/seggpt" "$built/seggpt"
strip -o "$bin/gpu" "$built/examples/gpu"
strip -o "$bin/seggpt-tests" "$tests"
echo "in $bin:" && ls "$bin"
