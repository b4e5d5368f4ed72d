//! AVX2 and FMA: 8 lanes, 16 registers.
#![allow(unsafe_code)] // vector instructions that the compiler may not assume

use std::arch::x86_64::*;

use super::{Kernel, Simd};

/// Made by [`Avx2::detect`] alone: who holds one runs on a CPU that has AVX2 and FMA. Every SAFETY note below means
/// this; loads and stores go through references to arrays of exactly the vector's size.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }
}

#[target_feature(enable = "avx2,fma")]
fn run<K: Kernel, const M: usize, const V: usize>(simd: Avx2, kernel: K) -> K::Output {
    kernel.run::<Avx2, M, V>(simd)
}

/// An intrinsic that takes and returns registers only.
macro_rules! registers {
    ($name:ident($($arg:ident: $type:ty),*) -> $out:ty = $body:expr) => {
        #[inline(always)]
        fn $name(self, $($arg: $type),*) -> $out {
            // SAFETY: the CPU has the instruction, see `Avx2`.
            unsafe { $body }
        }
    };
}

impl Simd for Avx2 {
    const LANES: usize = 8;
    const BF16: bool = false;
    const BYTES: bool = false;

    type Row<T: Copy> = [T; 8];
    type F = __m256;
    type I = __m256i;

    #[inline(always)]
    fn vectorize<K: Kernel, const M: usize, const V: usize>(self, kernel: K) -> K::Output {
        // SAFETY: the CPU has AVX2 and FMA, see `Avx2`.
        unsafe { run::<K, M, V>(self, kernel) }
    }

    #[inline(always)]
    fn rows<T: Copy>(x: &[T]) -> &[[T; 8]] {
        x.as_chunks().0
    }

    #[inline(always)]
    fn rows_mut<T: Copy>(x: &mut [T]) -> &mut [[T; 8]] {
        x.as_chunks_mut().0
    }

    #[inline(always)]
    fn load(self, x: &[f32; 8]) -> __m256 {
        // SAFETY: 8 floats are read from an array of 8; no alignment is asked for.
        unsafe { _mm256_loadu_ps(x.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, x: __m256, to: &mut [f32; 8]) {
        // SAFETY: 8 floats are written to an array of 8; no alignment is asked for.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), x) }
    }

    #[inline(always)]
    fn prefetch<T>(self, x: &[T]) {
        prefetch(x);
    }

    registers!(splat(x: f32) -> __m256 = _mm256_set1_ps(x));
    registers!(add(a: __m256, b: __m256) -> __m256 = _mm256_add_ps(a, b));
    registers!(sub(a: __m256, b: __m256) -> __m256 = _mm256_sub_ps(a, b));
    registers!(mul(a: __m256, b: __m256) -> __m256 = _mm256_mul_ps(a, b));
    registers!(div(a: __m256, b: __m256) -> __m256 = _mm256_div_ps(a, b));
    registers!(sqrt(x: __m256) -> __m256 = _mm256_sqrt_ps(x));
    registers!(max(a: __m256, b: __m256) -> __m256 = _mm256_max_ps(a, b));
    registers!(min(a: __m256, b: __m256) -> __m256 = _mm256_min_ps(a, b));
    registers!(fma(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fmadd_ps(a, b, c));
    registers!(scale(x: __m256, n: __m256) -> __m256 = {
        let exponent = _mm256_slli_epi32::<23>(_mm256_castps_si256(n));
        _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), exponent))
    });
    registers!(splat_word(x: u32) -> __m256i = _mm256_set1_epi32(x.cast_signed()));
    registers!(load_words(x: &[u32; 8]) -> __m256i = words(x));
    registers!(to_float(x: __m256i) -> __m256 = _mm256_cvtepi32_ps(x));

    registers!(dot_bf16(c: __m256, a: u32, b: &[u32; 8]) -> __m256 = {
        let b = words(b);
        let even = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(b));
        let odd = _mm256_castsi256_ps(_mm256_and_si256(b, _mm256_set1_epi32(-0x1_0000)));
        let c = _mm256_fmadd_ps(_mm256_set1_ps(f32::from_bits(a << 16)), even, c);
        _mm256_fmadd_ps(_mm256_set1_ps(f32::from_bits(a & 0xffff_0000)), odd, c)
    });
    registers!(dot_bytes(c: __m256i, a: u32, b: &[u32; 8]) -> __m256i = {
        // Through 16 bits: the one instruction for bytes would saturate.
        let (a, b) = (_mm256_set1_epi32(a.cast_signed()), words(b));
        let bytes = _mm256_set1_epi16(0xff);
        let (even, odd) = (_mm256_and_si256(a, bytes), _mm256_srli_epi16::<8>(a));
        let even = _mm256_madd_epi16(even, _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(b)));
        let odd = _mm256_madd_epi16(odd, _mm256_srai_epi16::<8>(b));
        _mm256_add_epi32(c, _mm256_add_epi32(even, odd))
    });
    registers!(dot_i16(c: __m256i, a: u32, b: &[u32; 8]) -> __m256i = {
        let products = _mm256_madd_epi16(_mm256_set1_epi32(a.cast_signed()), words(b));
        _mm256_add_epi32(c, products)
    });

    #[inline(always)]
    fn widen_bf16(self, x: &[u32; 8], low: &mut [f32; 8], high: &mut [f32; 8]) {
        // SAFETY: the CPU has AVX2, see `Avx2`; 8 floats are written to arrays of 8.
        unsafe {
            let x = words(x);
            let upper = _mm256_and_si256(x, _mm256_set1_epi32(-0x1_0000));
            _mm256_storeu_si256(low.as_mut_ptr().cast(), _mm256_slli_epi32::<16>(x));
            _mm256_storeu_si256(high.as_mut_ptr().cast(), upper);
        }
    }

    #[inline(always)]
    fn widen_bytes(self, x: &[u32; 8], even: &mut [u32; 8], odd: &mut [u32; 8]) {
        // SAFETY: the CPU has AVX2, see `Avx2`; 8 dwords are written to arrays of 8.
        unsafe {
            let x = words(x);
            let low = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(x));
            _mm256_storeu_si256(even.as_mut_ptr().cast(), low);
            _mm256_storeu_si256(odd.as_mut_ptr().cast(), _mm256_srai_epi16::<8>(x));
        }
    }

    #[inline(always)]
    fn pair_bf16(self, even: __m256, odd: __m256, to: &mut [u32; 8]) {
        // SAFETY: the CPU has AVX2, see `Avx2`; 8 dwords are written to an array of 8.
        unsafe {
            let low = _mm256_srli_epi32::<16>(rounded(even));
            let pairs = _mm256_blend_epi16::<0b1010_1010>(low, rounded(odd));
            _mm256_storeu_si256(to.as_mut_ptr().cast(), pairs);
        }
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn words(x: &[u32; 8]) -> __m256i {
    // SAFETY: 8 dwords are read from an array of 8; no alignment is asked for.
    unsafe { _mm256_loadu_si256(x.as_ptr().cast()) }
}

/// As `portable::bf16`.
#[target_feature(enable = "avx2")]
#[inline]
fn rounded(x: __m256) -> __m256i {
    let bits = _mm256_castps_si256(x);
    let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
    let half = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
    let nan = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_UNORD_Q>(x, x));
    let quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x0040_0000));
    _mm256_blendv_epi8(_mm256_add_epi32(bits, half), quiet, nan)
}

pub(super) fn prefetch<T>(x: &[T]) {
    for line in x.chunks(64 / size_of::<T>()) {
        // SAFETY: a prefetch reads nothing, and every x86-64 has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) }
    }
}
