// What the checks share: random numbers, aligned as on a GPU, and how far results are off.
#pragma once
#include "emulation.hpp"
#include <algorithm>
#include <random>

static std::mt19937 randomness(1);

// Rounded up to whole blocks of 128 bytes, which `data` starts at.
template <typename T> struct Numbers {
    std::vector<char> bytes;
    T *data;

    explicit Numbers(size_t count) : bytes(count * sizeof(T) + 128) {
        memset(bytes.data(), 0xff, bytes.size()); // no number
        data = reinterpret_cast<T *>((size_t(bytes.data()) + 127) / 128 * 128);
    }

    Numbers(size_t count, float scale) : Numbers(count) {
        std::normal_distribution<float> normal;
        for (size_t i = 0; i < count; i++) data[i] = T(normal(randomness) * scale);
    }

    double operator()(size_t i) const { return float(data[i]); }
};

template <typename T> constexpr double ROUNDING = std::is_same<T, bf16>::value ? 1 / 256. : 1 / 2048.;

// The largest difference in units of the most that rounding costs a number of its size.
struct Worst {
    double roundings = 0;

    template <typename T> void add(T found, double expected) {
        const double off = std::fabs(float(found) - expected) / std::max(1., std::fabs(expected)) / ROUNDING<T>;
        if (!(off <= roundings)) roundings = off;
    }
};

static int failures = 0;

static void expect(const Worst &worst, double most, const char *what, int size) {
    if (worst.roundings <= most) return;
    printf("FAILED: %s, %d: %g roundings\n", what, size, worst.roundings);
    failures++;
}

static double gelu_of(double x) { return 0.5 * x * (1 + std::erf(x * std::sqrt(0.5))); }
