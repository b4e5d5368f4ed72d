// Products of rows that a block's warps hold in registers with rows that they share.
#pragma once
#include "warp.cuh"

constexpr int WARPS = 4;
constexpr int TILES = 2; // of 16 rows, per warp
constexpr int ROWS = WARPS * TILES * 16;

// A tile of rows of D numbers in shared memory: chunks of 16 bytes, permuted so that eight rows lie in different banks.
template <typename T, int D> struct Tile {
    static constexpr int CHUNKS = D / 8;
    T *numbers;

    __device__ T *chunk(int row, int chunk) const {
        return numbers + row * D + ((chunk ^ (row * CHUNKS / 8 % CHUNKS)) * 8);
    }
};

// A warp's rows of a tile of ROWS.
template <typename T, int D>
__device__ void load_rows(uint32_t rows[TILES][D / 16][4], Tile<T, D> tile, int warp, int lane) {
#pragma unroll
    for (int i = 0; i < TILES; i++)
#pragma unroll
        for (int k = 0; k < D / 16; k++)
            load_matrices(rows[i][k], tile.chunk((warp * TILES + i) * 16 + lane % 16, k * 2 + lane / 16));
}

// Adds to `sums` the products of a warp's rows with the N rows of a tile.
template <typename T, int D, int N>
__device__ void add_products(float sums[TILES][N / 8][4], const uint32_t rows[TILES][D / 16][4], Tile<T, D> columns, int lane) {
#pragma unroll
    for (int n = 0; n < N / 8; n++)
#pragma unroll
        for (int k = 0; k < D / 32; k++) {
            uint32_t b[4]; // 8 rows x 32 numbers
            load_matrices(b, columns.chunk(n * 8 + lane % 8, k * 4 + lane / 8));
#pragma unroll
            for (int i = 0; i < TILES; i++) {
                multiply(sums[i][n], rows[i][2 * k], b[0], b[1], T());
                multiply(sums[i][n], rows[i][2 * k + 1], b[2], b[3], T());
            }
        }
}
