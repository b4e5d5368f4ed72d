// What follows a matrix product, and layer norm: rows of `width` numbers of 16 bits, a multiple of eight.
#include "vector.cuh"

namespace {

enum Epilogue { BIAS, BIAS_GELU, BIAS_RESIDUAL };

// y = x + bias, its GELU, or its sum with `residual`; `count` eights in all.
template <typename T, Epilogue EPILOGUE>
__device__ void finish(const T *x, const T *bias, const T *residual, T *y, int width, int count) {
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= count) return;
    const size_t place = size_t(index) * 8;
    auto some = Eight<T>::load(x + place);
    const auto biases = Eight<T>::load(bias + index % (width / 8) * 8);
    Eight<T> others;
    if (EPILOGUE == BIAS_RESIDUAL) others = Eight<T>::load(residual + place);
#pragma unroll
    for (int i = 0; i < 8; i++) {
        float value = wide(some.numbers[i]) + wide(biases.numbers[i]);
        if (EPILOGUE == BIAS_GELU) value = gelu(value);
        if (EPILOGUE == BIAS_RESIDUAL) value += wide(others.numbers[i]);
        some.numbers[i] = narrow<T>(value);
    }
    some.store(y + place);
}

__device__ float over_warp(float x) {
    for (int mask = 16; mask > 0; mask /= 2) x += from_lane(x, mask);
    return x;
}

// (x - mean) / deviation * weight + bias for each row, with all sums in f32; a row per warp. A row is read three times,
// the last two out of the nearest cache.
template <typename T>
__device__ void normalise(const T *x, const float *weight, const float *bias, T *y, float epsilon, int width, int rows) {
    const int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    x += size_t(row) * width;
    y += size_t(row) * width;
    float sum = 0;
    for (int start = lane * 8; start < width; start += 32 * 8) {
        const auto some = Eight<T>::load(x + start);
        for (int i = 0; i < 8; i++) sum += wide(some.numbers[i]);
    }
    const float mean = over_warp(sum) / width;
    float squares = 0;
    for (int start = lane * 8; start < width; start += 32 * 8) {
        const auto some = Eight<T>::load(x + start);
        for (int i = 0; i < 8; i++) {
            const float centred = wide(some.numbers[i]) - mean;
            squares += centred * centred;
        }
    }
    const float factor = rsqrtf(over_warp(squares) / width + epsilon);
    for (int start = lane * 8; start < width; start += 32 * 8) {
        auto some = Eight<T>::load(x + start);
        for (int i = 0; i < 8; i++) {
            const float centred = wide(some.numbers[i]) - mean;
            some.numbers[i] = narrow<T>(centred * factor * weight[start + i] + bias[start + i]);
        }
        some.store(y + start);
    }
}

} // namespace

#ifndef EMULATED
#define KERNELS(T)                                                                                                    \
    extern "C" __global__ void bias_##T(const T *x, const T *bias, T *y, int width, int count) {                      \
        finish<T, BIAS>(x, bias, nullptr, y, width, count);                                                           \
    }                                                                                                                 \
    extern "C" __global__ void bias_gelu_##T(const T *x, const T *bias, T *y, int width, int count) {                 \
        finish<T, BIAS_GELU>(x, bias, nullptr, y, width, count);                                                      \
    }                                                                                                                 \
    extern "C" __global__ void bias_residual_##T(const T *x, const T *bias, const T *residual, T *y, int width,       \
                                                 int count) {                                                         \
        finish<T, BIAS_RESIDUAL>(x, bias, residual, y, width, count);                                                 \
    }                                                                                                                 \
    extern "C" __global__ void layer_norm_##T(const T *x, const float *weight, const float *bias, T *y,               \
                                              float epsilon, int width, int rows) {                                   \
        normalise(x, weight, bias, y, epsilon, width, rows);                                                          \
    }

KERNELS(bf16)
KERNELS(f16)
#endif
