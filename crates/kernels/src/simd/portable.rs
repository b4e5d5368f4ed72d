//! Plain Rust over arrays, which compilers turn into whatever vector instructions the target guarantees (SSE2, NEON).
//! It is also the reference of the other two: each of their methods is tested against this one's.

use super::{Kernel, Simd};

#[derive(Clone, Copy)]
pub(crate) struct Portable<const LANES: usize>;

impl<const L: usize> Portable<L> {
    #[inline(always)]
    fn zip<T: Copy, U>(a: [T; L], b: [T; L], f: impl Fn(T, T) -> U) -> [U; L] {
        std::array::from_fn(|i| f(a[i], b[i]))
    }
}

impl<const L: usize> Simd for Portable<L> {
    const LANES: usize = L;
    // With 16 lanes it stands in for AVX-512 in tests, native dot products included.
    const BF16: bool = L == 16;
    const BYTES: bool = L == 16;

    type Row<T: Copy> = [T; L];
    type F = [f32; L];
    type I = [i32; L];

    #[inline(always)]
    fn vectorize<K: Kernel, const M: usize, const V: usize>(self, kernel: K) -> K::Output {
        kernel.run::<Self, M, V>(self)
    }

    #[inline(always)]
    fn rows<T: Copy>(x: &[T]) -> &[[T; L]] {
        x.as_chunks().0
    }

    #[inline(always)]
    fn rows_mut<T: Copy>(x: &mut [T]) -> &mut [[T; L]] {
        x.as_chunks_mut().0
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F {
        [x; L]
    }

    #[inline(always)]
    fn load(self, x: &[f32; L]) -> Self::F {
        *x
    }

    #[inline(always)]
    fn store(self, x: Self::F, to: &mut [f32; L]) {
        *to = x;
    }

    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        Self::zip(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, a: Self::F, b: Self::F) -> Self::F {
        Self::zip(a, b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        Self::zip(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, a: Self::F, b: Self::F) -> Self::F {
        Self::zip(a, b, |a, b| a / b)
    }

    #[inline(always)]
    fn sqrt(self, x: Self::F) -> Self::F {
        x.map(f32::sqrt)
    }

    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        Self::zip(a, b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        Self::zip(a, b, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        std::array::from_fn(|i| {
            // Without the instruction `mul_add` would be a call into the C library.
            if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
                a[i].mul_add(b[i], c[i])
            } else {
                a[i] * b[i] + c[i]
            }
        })
    }

    #[inline(always)]
    fn scale(self, x: Self::F, n: Self::F) -> Self::F {
        Self::zip(x, n, |x, n| {
            f32::from_bits(x.to_bits().wrapping_add(n.to_bits() << 23))
        })
    }

    #[inline(always)]
    fn splat_word(self, x: u32) -> Self::I {
        [x.cast_signed(); L]
    }

    #[inline(always)]
    fn load_words(self, x: &[u32; L]) -> Self::I {
        x.map(u32::cast_signed)
    }

    #[inline(always)]
    fn to_float(self, x: Self::I) -> Self::F {
        x.map(|x| x as f32)
    }

    #[inline(always)]
    fn dot_bf16(self, c: Self::F, a: u32, b: &[u32; L]) -> Self::F {
        let (even, odd) = (
            b.map(|b| f32::from_bits(b << 16)),
            b.map(|b| f32::from_bits(b & 0xffff_0000)),
        );
        let c = self.fma([f32::from_bits(a << 16); L], even, c);
        self.fma([f32::from_bits(a & 0xffff_0000); L], odd, c)
    }

    #[inline(always)]
    fn dot_bytes(self, c: Self::I, a: u32, b: &[u32; L]) -> Self::I {
        let a = a.to_le_bytes().map(i32::from);
        std::array::from_fn(|i| {
            let b = b[i].to_le_bytes().map(|b| i32::from(b.cast_signed()));
            c[i] + a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]
        })
    }

    #[inline(always)]
    fn dot_i16(self, c: Self::I, a: u32, b: &[u32; L]) -> Self::I {
        let halves = |x: u32| (i32::from(x as i16), x.cast_signed() >> 16);
        let (low, high) = halves(a);
        std::array::from_fn(|i| {
            let b = halves(b[i]);
            c[i] + low * b.0 + high * b.1
        })
    }

    #[inline(always)]
    fn widen_bf16(self, x: &[u32; L], low: &mut [f32; L], high: &mut [f32; L]) {
        for ((x, low), high) in x.iter().zip(low).zip(high) {
            *low = f32::from_bits(x << 16);
            *high = f32::from_bits(x & 0xffff_0000);
        }
    }

    #[inline(always)]
    fn widen_bytes(self, x: &[u32; L], even: &mut [u32; L], odd: &mut [u32; L]) {
        let pair = |low: u8, high: u8| {
            let halves = [low, high].map(|x| i16::from(x.cast_signed()).cast_unsigned());
            u32::from(halves[0]) | u32::from(halves[1]) << 16
        };
        for ((x, even), odd) in x.iter().zip(even).zip(odd) {
            let [a, b, c, d] = x.to_le_bytes();
            (*even, *odd) = (pair(a, c), pair(b, d));
        }
    }

    #[inline(always)]
    fn pair_bf16(self, even: Self::F, odd: Self::F, to: &mut [u32; L]) {
        *to = Self::zip(even, odd, pair);
    }
}

/// `x` as bf16, rounded to nearest even, in the upper half of a dword of zeros. NaN stays NaN.
#[inline(always)]
pub(crate) fn bf16(x: f32) -> u32 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1));
    (if x.is_nan() {
        bits | 0x0040_0000
    } else {
        rounded
    }) & 0xffff_0000
}

/// Two numbers as bf16 in one dword, `low` in its lower half.
#[inline(always)]
pub(crate) fn pair(low: f32, high: f32) -> u32 {
    bf16(low) >> 16 | bf16(high)
}
