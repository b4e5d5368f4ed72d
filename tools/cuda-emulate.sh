#!/usr/bin/env bash
# Checks the CUDA kernels on the CPU, inside tools/cuda.sh: what they compute, not how fast, nor that copies are waited for.
set -euo pipefail
cd "$(dirname "$0")/.."

out=target/cuda/emulated
mkdir -p "$out"
for check in attention layers; do
    # The headers' own warnings are not ours.
    c++ -std=c++17 -O1 -w -I models/seggpt/src/network/cuda/kernels -isystem "$CUDA_HOME/include" \
        -o "$out/$check" "models/seggpt/tests/emulated/$check.cpp"
    "$out/$check"
done
echo "the kernels compute what they should, as far as a CPU can tell"
