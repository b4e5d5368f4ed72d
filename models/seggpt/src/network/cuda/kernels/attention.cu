// Attention with decomposed relative positions over groups of prompts, the scores in registers alone.
//
// A group is the tokens of `prompts` halves of a canvas, then those of the one query half that they share, each half a
// grid of `rows` x `columns`; the grid of a canvas is a prompt's half over the query's. A block takes ROWS queries of
// one half and walks over the keys of one or two halves with a running softmax:
//   prompt i:                      keys of prompt i, then of the query; the result
//   the query, of one prompt:      likewise
//   the query, of several prompts: keys of half j alone; a partial result, which `combine` puts together and averages
//
// Exponents are to base 2 throughout: scores and biases come multiplied by log2 e.
#include "tile.cuh"

namespace {

constexpr int KEYS = 48; // with more of them, registers run out
constexpr float LOG2_E = 1.4426950408889634f;

struct Shape {
    int heads, rows, columns, prompts;
    int prompt_items; // prompts whose own results are wanted
    int skipped;      // tokens at the head of the first prompt that are not

    __device__ int tokens() const { return rows * columns; }
    // Keys are walked in rows of even length, so that two neighbours share a row: an odd grid gets one column more.
    __device__ int even_columns() const { return columns + (columns & 1); }
    // Strides of the biases in shared memory, so chosen that the lanes of a warp read from different banks.
    __device__ int row_stride() const { return 2 * rows + 1; }
    __device__ int column_stride() const { return (even_columns() + 23) / 32 * 32 + 8; }
};

// One axis of the relative positions: a query's products with a table of distances, `size` - 1 .. 1 - `size` at its
// place, to its bias for every place of a key.
template <typename T, int D>
__device__ void bias(float *biases, int stride, const T *table, int size, const int places[TILES][2],
                     const uint32_t queries[TILES][D / 16][4], Tile<T, D> buffer, int thread) {
    const int lane = thread % 32, warp = thread / 32;
    const int distances = 2 * size - 1;
    for (int start = 0; start < distances; start += KEYS) {
        for (int i = thread; i < KEYS * (D / 8); i += WARPS * 32) {
            const int row = i / (D / 8), chunk = i % (D / 8);
            const bool is_there = start + row < distances;
            copy_16_bytes(buffer.chunk(row, chunk), table + (is_there ? (start + row) * D + chunk * 8 : 0), is_there);
        }
        commit_copies();
        await_copies<0>();
        __syncthreads();
        float products[TILES][KEYS / 8][4] = {};
        add_products<T, D, KEYS>(products, queries, buffer, lane);
#pragma unroll
        for (int i = 0; i < TILES; i++)
#pragma unroll
            for (int n = 0; n < KEYS / 8; n++)
#pragma unroll
                for (int c = 0; c < 4; c++) {
                    const int query = (warp * TILES + i) * 16 + lane / 4 + c / 2 * 8;
                    const int distance = start + n * 8 + lane % 4 * 2 + c % 2;
                    const int key = places[i][c / 2] + size - 1 - distance;
                    if (key >= 0 && key < size) biases[query * stride + key] = products[i][n][c] * LOG2_E;
                }
        __syncthreads();
    }
}

template <typename T, int D>
__device__ void attend(const T *qkv, const T *row_table, const T *column_table, T *out, float *partials, float *logs,
                       Shape shape, char *shared) {
    const int thread = threadIdx.x, lane = thread % 32, warp = thread / 32;
    const int tokens = shape.tokens(), halves = shape.prompts + 1, width = shape.heads * D;
    const int head = blockIdx.y;
    const bool in_parts = shape.prompts > 1;
    const int items = shape.prompt_items + (in_parts ? halves : 1);
    const int group = blockIdx.z / items, item = blockIdx.z % items;

    const bool of_query = item >= shape.prompt_items;
    const int half = of_query ? shape.prompts : item;
    const int first = (half == 0 ? shape.skipped : 0) + blockIdx.x * ROWS;
    if (first >= tokens) return;
    // The half whose keys come first, and of how many halves they are: the other one is the query's.
    const bool is_part = of_query && in_parts;
    const int first_keys = is_part ? item - shape.prompt_items : of_query ? 0 : half;
    const int key_parts = is_part ? 1 : 2;

    auto numbers = [&](int half, int token, int part) {
        return qkv + ((size_t(group * halves + half) * tokens + token) * 3 + part) * width + head * D;
    };

    // Shared memory: the queries, two buffers of keys and values, and the biases.
    const Tile<T, D> q = {reinterpret_cast<T *>(shared)};
    auto keys = [&](int buffer) { return Tile<T, D>{q.numbers + ROWS * D + buffer * KEYS * D}; };
    auto values = [&](int buffer) { return Tile<T, D>{q.numbers + ROWS * D + (2 + buffer) * KEYS * D}; };
    const int row_stride = shape.row_stride(), column_stride = shape.column_stride();
    float *column_biases = reinterpret_cast<float *>(q.numbers + (ROWS + 4 * KEYS) * D);
    float *row_biases = column_biases + ROWS * column_stride;

    for (int i = thread; i < ROWS * (D / 8); i += WARPS * 32) {
        const int row = i / (D / 8), chunk = i % (D / 8);
        const bool is_there = first + row < tokens;
        copy_16_bytes(q.chunk(row, chunk), numbers(half, is_there ? first + row : 0, 0) + chunk * 8, is_there);
    }
    commit_copies();
    await_copies<0>();
    // A column that is no column never wins; without tables, positions have no say.
    for (int i = thread; i < ROWS * column_stride; i += WARPS * 32)
        column_biases[i] = i % column_stride < shape.columns ? 0.f : -INFINITY;
    for (int i = thread; i < ROWS * row_stride; i += WARPS * 32) row_biases[i] = 0;
    __syncthreads();

    uint32_t queries[TILES][D / 16][4];
    load_rows<T, D>(queries, q, warp, lane);

    if (row_table != nullptr) {
        int grid_rows[TILES][2], grid_columns[TILES][2];
#pragma unroll
        for (int i = 0; i < TILES; i++)
#pragma unroll
            for (int c = 0; c < 2; c++) {
                const int token = first + (warp * TILES + i) * 16 + lane / 4 + c * 8;
                grid_rows[i][c] = (of_query ? shape.rows : 0) + token / shape.columns;
                grid_columns[i][c] = token % shape.columns;
            }
        bias<T, D>(row_biases, row_stride, row_table, 2 * shape.rows, grid_rows, queries, keys(0), thread);
        bias<T, D>(column_biases, column_stride, column_table, shape.columns, grid_columns, queries, keys(0), thread);
    }

    const unsigned even_columns = shape.even_columns();
    const unsigned reciprocal = 0xffffffffu / even_columns + 1;
    const int tiles = (shape.rows * even_columns + KEYS - 1) / KEYS;
    auto fetch = [&](int step) {
        const int key_half = step < tiles ? first_keys : shape.prompts;
        for (int i = thread; i < KEYS * (D / 8); i += WARPS * 32) {
            const int row = i / (D / 8), chunk = i % (D / 8);
            const unsigned key = step % tiles * KEYS + row;
            const int grid_row = __umulhi(key, reciprocal), grid_column = key - grid_row * even_columns;
            const bool is_there = grid_row < shape.rows && grid_column < shape.columns;
            const int token = is_there ? grid_row * shape.columns + grid_column : 0;
            copy_16_bytes(keys(step % 2).chunk(row, chunk), numbers(key_half, token, 1) + chunk * 8, is_there);
            copy_16_bytes(values(step % 2).chunk(row, chunk), numbers(key_half, token, 2) + chunk * 8, is_there);
        }
        commit_copies();
    };

    const float scale = rsqrtf(float(D)) * LOG2_E;
    float sums[TILES][D / 8][4] = {};
    float largest[TILES][2], totals[TILES][2];
#pragma unroll
    for (int i = 0; i < TILES; i++)
#pragma unroll
        for (int c = 0; c < 2; c++) largest[i][c] = -INFINITY, totals[i][c] = 0;

    const int steps = key_parts * tiles;
    fetch(0);
    for (int step = 0; step < steps; step++) {
        if (step + 1 < steps) {
            fetch(step + 1);
            await_copies<1>();
        } else {
            await_copies<0>();
        }
        __syncthreads();

        float scores[TILES][KEYS / 8][4] = {};
        add_products<T, D, KEYS>(scores, queries, keys(step % 2), lane);

        // The grid row of the first key of this half in the canvas.
        const int base = step >= tiles || first_keys == shape.prompts ? shape.rows : 0;
        float highest[TILES][2];
#pragma unroll
        for (int i = 0; i < TILES; i++) highest[i][0] = largest[i][0], highest[i][1] = largest[i][1];
#pragma unroll
        for (int n = 0; n < KEYS / 8; n++) {
            const unsigned key = step % tiles * KEYS + n * 8 + lane % 4 * 2;
            const int grid_row = __umulhi(key, reciprocal), grid_column = key - grid_row * even_columns;
            const bool is_there = grid_row < shape.rows;
#pragma unroll
            for (int i = 0; i < TILES; i++)
#pragma unroll
                for (int c = 0; c < 2; c++) {
                    const int query = (warp * TILES + i) * 16 + lane / 4 + c * 8;
                    const float by_row = is_there ? row_biases[query * row_stride + base + grid_row] : -INFINITY;
                    const float2 by_column = *reinterpret_cast<const float2 *>(column_biases + query * column_stride + grid_column);
                    float *pair = scores[i][n] + 2 * c;
                    pair[0] = pair[0] * scale + (by_row + by_column.x);
                    pair[1] = pair[1] * scale + (by_row + by_column.y);
                    highest[i][c] = fmaxf(highest[i][c], fmaxf(pair[0], pair[1]));
                }
        }
#pragma unroll
        for (int i = 0; i < TILES; i++)
#pragma unroll
            for (int c = 0; c < 2; c++) {
                float peak = highest[i][c];
                peak = fmaxf(peak, from_lane(peak, 1));
                peak = fmaxf(peak, from_lane(peak, 2));
                const float shrink = power_of_two(largest[i][c] - peak);
                largest[i][c] = peak;
                totals[i][c] *= shrink;
#pragma unroll
                for (int d = 0; d < D / 8; d++) sums[i][d][2 * c] *= shrink, sums[i][d][2 * c + 1] *= shrink;
#pragma unroll
                for (int n = 0; n < KEYS / 8; n++) {
                    float *pair = scores[i][n] + 2 * c;
                    pair[0] = power_of_two(pair[0] - peak);
                    pair[1] = power_of_two(pair[1] - peak);
                    totals[i][c] += pair[0] + pair[1];
                }
            }

        // Scores of 16 keys are, as they lie, a fragment of the left operand.
        const Tile<T, D> v = values(step % 2);
#pragma unroll
        for (int n = 0; n < KEYS / 16; n++) {
            uint32_t weights[TILES][4];
#pragma unroll
            for (int i = 0; i < TILES; i++) {
                const float *low = scores[i][2 * n], *high = scores[i][2 * n + 1];
                weights[i][0] = pack(low[0], low[1], T());
                weights[i][1] = pack(low[2], low[3], T());
                weights[i][2] = pack(high[0], high[1], T());
                weights[i][3] = pack(high[2], high[3], T());
            }
#pragma unroll
            for (int d = 0; d < D / 16; d++) {
                uint32_t b[4]; // 16 keys x 16 numbers
                load_transposed(b, v.chunk(n * 16 + lane % 16, d * 2 + lane / 16));
#pragma unroll
                for (int i = 0; i < TILES; i++) {
                    multiply(sums[i][2 * d], weights[i], b[0], b[1], T());
                    multiply(sums[i][2 * d + 1], weights[i], b[2], b[3], T());
                }
            }
        }
        __syncthreads();
    }

    const int wanted = shape.prompt_items * tokens - shape.skipped; // of prompts
#pragma unroll
    for (int i = 0; i < TILES; i++)
#pragma unroll
        for (int c = 0; c < 2; c++) {
            float total = totals[i][c];
            total += from_lane(total, 1);
            total += from_lane(total, 2);
            const float factor = 1 / total;
            const int token = first + (warp * TILES + i) * 16 + lane / 4 + c * 8;
            if (token >= tokens) continue;
            if (is_part) {
                const size_t part = size_t(group * halves + first_keys);
                float *to = partials + (part * tokens + token) * width + head * D + lane % 4 * 2;
#pragma unroll
                for (int d = 0; d < D / 8; d++)
                    *reinterpret_cast<float2 *>(to + d * 8) = {sums[i][d][2 * c] * factor, sums[i][d][2 * c + 1] * factor};
                if (lane % 4 == 0) logs[(part * tokens + token) * shape.heads + head] = largest[i][c] + log2f(total);
            } else {
                const int row = of_query ? wanted + token : half * tokens + token - shape.skipped;
                T *to = out + (size_t(group) * (wanted + tokens) + row) * width + head * D + lane % 4 * 2;
#pragma unroll
                for (int d = 0; d < D / 8; d++)
                    *reinterpret_cast<uint32_t *>(to + d * 8) =
                        pack(sums[i][d][2 * c] * factor, sums[i][d][2 * c + 1] * factor, T());
            }
        }
}

// The query's results from its partial ones: with each prompt's keys and its own, averaged over the prompts.
template <typename T>
__device__ void combine(const float *partials, const float *logs, T *out, int head_width, Shape shape) {
    const int tokens = shape.tokens(), width = shape.heads * head_width, own = shape.prompts;
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= tokens * width) return;
    const int token = index / width, channel = index % width, head = channel / head_width;
    const int group = blockIdx.y;
    auto place = [&](int half) { return size_t(group * (own + 1) + half) * tokens + token; };
    const float of_own = partials[place(own) * width + channel], log_of_own = logs[place(own) * shape.heads + head];
    float sum = 0;
    for (int prompt = 0; prompt < own; prompt++) {
        const float share = 1 / (1 + exp2f(log_of_own - logs[place(prompt) * shape.heads + head]));
        sum += share * partials[place(prompt) * width + channel] + (1 - share) * of_own;
    }
    const int wanted = shape.prompt_items * tokens - shape.skipped;
    out[(size_t(group) * (wanted + tokens) + wanted + token) * width + channel] = narrow<T>(sum / own);
}

} // namespace

#ifndef EMULATED
#define ATTENTION(T, D)                                                                                               \
    extern "C" __global__ void __launch_bounds__(WARPS * 32)                                                          \
        attention_##T##_##D(const T *qkv, const T *row_table, const T *column_table, T *out, float *partials,         \
                            float *logs, int has_tables, int heads, int rows, int columns, int prompts,               \
                            int prompt_items, int skipped) {                                                          \
        extern __shared__ __align__(128) char shared[];                                                               \
        attend<T, D>(qkv, has_tables ? row_table : nullptr, column_table, out, partials, logs,                        \
                     {heads, rows, columns, prompts, prompt_items, skipped}, shared);                                 \
    }

ATTENTION(bf16, 64)
ATTENTION(bf16, 32)
ATTENTION(f16, 64)
ATTENTION(f16, 32)

#define COMBINE(T)                                                                                                    \
    extern "C" __global__ void combine_##T(const float *partials, const float *logs, T *out, int head_width,          \
                                           int heads, int rows, int columns, int prompts, int prompt_items,           \
                                           int skipped) {                                                             \
        combine<T>(partials, logs, out, head_width, {heads, rows, columns, prompts, prompt_items, skipped});          \
    }

COMBINE(bf16)
COMBINE(f16)
#endif
