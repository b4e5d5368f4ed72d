// The decoder's last three layers at once: a 3x3 convolution of pixels with 64 channels, which come last, layer norm over
// them with GELU, and a 1x1 convolution to three colours. The convolution is nine products with shifted pixels.
#include "tile.cuh"

namespace {

constexpr int D = 64;
constexpr int COLOURS = 3;

// What follows the convolution's products, in f32.
struct Finish {
    float bias[D], weight[D], offset[D], head[COLOURS][D], head_bias[COLOURS];
};

__device__ float over_row(float x) {
    x += from_lane(x, 1);
    return x + from_lane(x, 2);
}

// `pixels` [height + 2, width, D], `taps` [9, D outputs, D inputs], `out` [COLOURS, height, width].
template <typename T>
__device__ void paint(const T *pixels, const T *taps, const Finish *finish, T *out, float epsilon, int height, int width, char *shared) {
    const int thread = threadIdx.x, lane = thread % 32, warp = thread / 32;
    const int first = blockIdx.x * ROWS, count = height * width;
    T *numbers = reinterpret_cast<T *>(shared);
    auto shifted = [&](int buffer) { return Tile<T, D>{numbers + buffer * (ROWS + D) * D}; };
    auto outputs = [&](int buffer) { return Tile<T, D>{numbers + (buffer * (ROWS + D) + ROWS) * D}; };

    auto fetch = [&](int tap) {
        for (int i = thread; i < ROWS * (D / 8); i += WARPS * 32) {
            const int row = i / (D / 8), chunk = i % (D / 8), pixel = first + row;
            const int column = pixel % width + tap % 3 - 1;
            const bool is_there = pixel < count && column >= 0 && column < width;
            const size_t from = is_there ? size_t(pixel / width + tap / 3) * width + column : 0;
            copy_16_bytes(shifted(tap % 2).chunk(row, chunk), pixels + from * D + chunk * 8, is_there);
        }
        for (int i = thread; i < D * (D / 8); i += WARPS * 32) {
            const int row = i / (D / 8), chunk = i % (D / 8);
            copy_16_bytes(outputs(tap % 2).chunk(row, chunk), taps + (tap * D + row) * D + chunk * 8, true);
        }
        commit_copies();
    };

    float sums[TILES][D / 8][4] = {};
    fetch(0);
    for (int tap = 0; tap < 9; tap++) {
        if (tap + 1 < 9) {
            fetch(tap + 1);
            await_copies<1>();
        } else {
            await_copies<0>();
        }
        __syncthreads();
        uint32_t rows[TILES][D / 16][4];
        load_rows<T, D>(rows, shifted(tap % 2), warp, lane);
        add_products<T, D, D>(sums, rows, outputs(tap % 2), lane);
        __syncthreads();
    }

#pragma unroll
    for (int i = 0; i < TILES; i++)
#pragma unroll
        for (int c = 0; c < 2; c++) {
            // The four lanes of a row hold 16 channels each.
            float sum = 0, squares = 0, colours[COLOURS] = {};
#pragma unroll
            for (int n = 0; n < D / 8; n++)
#pragma unroll
                for (int e = 0; e < 2; e++) sum += sums[i][n][2 * c + e] += finish->bias[n * 8 + lane % 4 * 2 + e];
            const float mean = over_row(sum) / D;
#pragma unroll
            for (int n = 0; n < D / 8; n++)
#pragma unroll
                for (int e = 0; e < 2; e++) {
                    const float centred = sums[i][n][2 * c + e] - mean;
                    squares += centred * centred;
                }
            const float factor = rsqrtf(over_row(squares) / D + epsilon);
#pragma unroll
            for (int n = 0; n < D / 8; n++)
#pragma unroll
                for (int e = 0; e < 2; e++) {
                    const int channel = n * 8 + lane % 4 * 2 + e;
                    const float normal = (sums[i][n][2 * c + e] - mean) * factor;
                    const float hidden = gelu(normal * finish->weight[channel] + finish->offset[channel]);
#pragma unroll
                    for (int colour = 0; colour < COLOURS; colour++) colours[colour] += hidden * finish->head[colour][channel];
                }
            const int pixel = first + (warp * TILES + i) * 16 + lane / 4 + c * 8;
#pragma unroll
            for (int colour = 0; colour < COLOURS; colour++) {
                const float painted = over_row(colours[colour]) + finish->head_bias[colour];
                if (lane % 4 == colour && pixel < count) out[size_t(colour) * count + pixel] = narrow<T>(painted);
            }
        }
}

} // namespace

#ifndef EMULATED
#define PAINT(T)                                                                                                      \
    extern "C" __global__ void __launch_bounds__(WARPS * 32)                                                          \
        paint_##T(const T *pixels, const T *taps, const float *finish, T *out, float epsilon, int height, int width) { \
        extern __shared__ __align__(128) char shared[];                                                               \
        paint(pixels, taps, reinterpret_cast<const Finish *>(finish), out, epsilon, height, width, shared);           \
    }

PAINT(bf16)
PAINT(f16)
#endif
