// Eight numbers of 16 bits, as memory likes to move them.
#pragma once
#include "warp.cuh"

template <typename T> struct __align__(16) Eight {
    T numbers[8];

    __device__ static Eight load(const T *from) { return *reinterpret_cast<const Eight *>(from); }
    __device__ void store(T *to) const { *reinterpret_cast<Eight *>(to) = *this; }
};
