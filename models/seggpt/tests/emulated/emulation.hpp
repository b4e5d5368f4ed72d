// Runs the CUDA kernels on the CPU, thread by thread, to check them where there is no GPU: a thread is a context of its
// own, that goes on to the next one wherever it waits for others. What `warp.cuh` asks of the hardware is done here as
// the PTX manual describes it.
#pragma once
#define EMULATED
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <functional>
#include <ucontext.h>
#include <vector>
#undef __device__
#define __device__

struct Place {
    unsigned x, y, z;
};

struct Thread {
    ucontext_t context;
    std::vector<char> stack;
    Place place;
    bool has_ended;
};

struct Barrier {
    int waiting = 0;
    long round = 0;
};

struct Warp {
    Barrier barrier;
    uint32_t a[32][4], b[32][2];
    const void *rows[32];
    float numbers[32];
};

static std::vector<Thread> threads;
static int current;
static ucontext_t scheduler;
static std::function<void()> kernel;
static Barrier block;
static Warp warps[32];
static Place block_place, block_size;

#define threadIdx (threads[current].place)
#define blockIdx block_place
#define blockDim block_size

static void wait(Barrier &barrier, int count) {
    const long round = barrier.round;
    if (++barrier.waiting == count) {
        barrier.waiting = 0;
        barrier.round++;
    }
    while (barrier.round == round) swapcontext(&threads[current].context, &scheduler);
}

static Warp &warp() { return warps[threadIdx.x / 32]; }
static int lane() { return threadIdx.x % 32; }
static void sync_warp() { wait(warp().barrier, 32); }
static void __syncthreads() { wait(block, int(threads.size())); }

static void run_thread() {
    kernel();
    threads[current].has_ended = true;
    swapcontext(&threads[current].context, &scheduler);
}

static void run_block(Place place) {
    block_place = place;
    block = {};
    for (Warp &warp : warps) warp.barrier = {};
    for (size_t i = 0; i < threads.size(); i++) {
        Thread &thread = threads[i];
        thread.has_ended = false;
        thread.place = {unsigned(i), 0, 0};
        thread.stack.resize(256 << 10);
        getcontext(&thread.context);
        thread.context.uc_stack.ss_sp = thread.stack.data();
        thread.context.uc_stack.ss_size = thread.stack.size();
        makecontext(&thread.context, run_thread, 0);
    }
    for (bool is_running = true; is_running;) {
        is_running = false;
        for (size_t i = 0; i < threads.size(); i++) {
            if (threads[i].has_ended) continue;
            is_running = true;
            current = int(i);
            swapcontext(&scheduler, &threads[i].context);
        }
    }
}

static void launch(Place grid, int size, std::function<void()> body) {
    kernel = std::move(body);
    threads.resize(size);
    block_size = {unsigned(size), 1, 1};
    for (unsigned z = 0; z < grid.z; z++)
        for (unsigned y = 0; y < grid.y; y++)
            for (unsigned x = 0; x < grid.x; x++) run_block({x, y, z});
}

#include "warp.cuh"

static unsigned __umulhi(unsigned a, unsigned b) { return unsigned((unsigned long long)a * b >> 32); }
static float rsqrtf(float x) { return 1 / std::sqrt(x); }
static float power_of_two(float x) { return exp2f(x); }

template <typename T> static float half_of(uint32_t pair, int index) {
    const uint16_t bits = index ? pair >> 16 : pair & 0xffff;
    T number;
    memcpy(&number, &bits, 2);
    return wide(number);
}

template <typename T> static void multiply(float c[4], const uint32_t a[4], uint32_t b0, uint32_t b1, T) {
    Warp &all = warp();
    const int g = lane() / 4, t = lane() % 4;
    memcpy(all.a[lane()], a, sizeof all.a[0]);
    all.b[lane()][0] = b0, all.b[lane()][1] = b1;
    sync_warp();
    for (int i = 0; i < 4; i++) {
        const int row = g + i / 2 * 8, column = 2 * t + i % 2;
        for (int k = 0; k < 16; k++) {
            const float left = half_of<T>(all.a[row % 8 * 4 + k % 8 / 2][row / 8 + k / 8 * 2], k % 2);
            const float right = half_of<T>(all.b[column * 4 + k % 8 / 2][k / 8], k % 2);
            c[i] += left * right;
        }
    }
    sync_warp();
}

static void load_matrices(uint32_t r[4], const void *row) {
    Warp &all = warp();
    all.rows[lane()] = row;
    sync_warp();
    for (int i = 0; i < 4; i++) r[i] = static_cast<const uint32_t *>(all.rows[i * 8 + lane() / 4])[lane() % 4];
    sync_warp();
}

static void load_transposed(uint32_t r[4], const void *row) {
    Warp &all = warp();
    const int g = lane() / 4, t = lane() % 4;
    all.rows[lane()] = row;
    sync_warp();
    for (int i = 0; i < 4; i++) {
        auto number = [&](int row) { return uint32_t(static_cast<const uint16_t *>(all.rows[i * 8 + row])[g]); };
        r[i] = number(2 * t) | number(2 * t + 1) << 16;
    }
    sync_warp();
}

// Arrives at once: what a kernel forgets to wait for is not found out here.
static void copy_16_bytes(void *to, const void *from, bool is_there) {
    if (size_t(to) % 16 || size_t(from) % 16) {
        puts("a copy of 16 bytes that is not aligned");
        abort();
    }
    if (is_there) memcpy(to, from, 16);
    else memset(to, 0, 16);
}

static void commit_copies() {}
template <int PENDING> static void await_copies() {}

static float from_lane(float x, int mask) {
    Warp &all = warp();
    all.numbers[lane()] = x;
    sync_warp();
    const float y = all.numbers[lane() ^ mask];
    sync_warp();
    return y;
}
