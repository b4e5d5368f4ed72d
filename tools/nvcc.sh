#!/usr/bin/env bash
# nvcc for candle's kernels. Those for quantised weights and mixtures of experts, which this network never calls, take
# nine tenths of the time: they go in as portable code that nobody has optimised.
case "$*" in
*/mmq_gguf/* | */mmvq_gguf* | */moe/* | */quantized.cu)
    arguments=()
    for argument in "$@"; do
        case $argument in
        -O3) arguments+=(-Xcicc -O0) ;;
        *) arguments+=("${argument//code=sm_/code=compute_}") ;;
        esac
    done
    set -- "${arguments[@]}"
    ;;
esac
exec "$CUDA_HOME/bin/nvcc" "$@"
