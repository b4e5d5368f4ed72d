#!/usr/bin/env bash
# What `make cuda` runs inside tools/cuda.sh: builds into target/cuda, apart from what is built for the CPU, and leaves
# programs to carry in target/cuda/bin.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/cuda-emulate.sh

features=seggpt/cuda,seggpt-infer/cuda,seggpt-train/cuda
# The same packages each time: with others, candle would be built once more.
packages=(-p seggpt -p seggpt-infer -p seggpt-train --features "$features" --target-dir target/cuda)
cargo build "${packages[@]}" --bins --example gpu
cargo test "${packages[@]}" --lib --no-run

built=target/cuda/debug bin=target/cuda/bin
mkdir -p "$bin"
tests=$(find "$built/deps" -name 'seggpt-*' -executable -type f -regex '.*/seggpt-[0-9a-f]+' -printf '%T@ %p\n' | sort -n | tail -n 1)
for program in "$built/seggpt-infer" "$built/seggpt-train" "$built/examples/gpu" "${tests#* }"; do
    name=$(basename "$program")
    case $name in seggpt-infer | seggpt-train | gpu) ;; *) name=seggpt-tests ;; esac
    strip -o "$bin/$name" "$program"
done
echo "in $bin:" && ls "$bin"
