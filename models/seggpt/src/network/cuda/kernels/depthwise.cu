// x + conv(x), a depthwise convolution over grids of `rows` x `columns` tokens with their channels last.
#include "warp.cuh"

namespace {

template <typename T>
__device__ void add_depthwise(const T *x, const T *weight, const T *bias, T *y, int edge, int rows, int columns, int channels, int count) {
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= count) return;
    const int channel = index % channels, token = index / channels;
    const int column = token % columns, row = token / columns % rows, reach = edge / 2;
    float sum = wide(x[index]) + wide(bias[channel]);
    for (int i = 0; i < edge; i++)
        for (int j = 0; j < edge; j++) {
            const int below = i - reach, right = j - reach;
            if (row + below < 0 || row + below >= rows || column + right < 0 || column + right >= columns) continue;
            sum += wide(weight[(channel * edge + i) * edge + j]) * wide(x[index + (below * columns + right) * channels]);
        }
    y[index] = narrow<T>(sum);
}

} // namespace

#ifndef EMULATED
#define KERNEL(T)                                                                                                     \
    extern "C" __global__ void add_depthwise_##T(const T *x, const T *weight, const T *bias, T *y, int edge,          \
                                                 int rows, int columns, int channels, int count) {                    \
        add_depthwise(x, weight, bias, y, edge, rows, columns, channels, count);                                      \
    }

KERNEL(bf16)
KERNEL(f16)
#endif
