//! AVX-512: 16 lanes, 32 registers, and dot products of bytes (VNNI) and of bf16 where the CPU has them.
#![allow(unsafe_code)] // vector instructions that the compiler may not assume

use std::arch::x86_64::*;

use super::{Kernel, Simd};

/// Made by [`Avx512::detect`] alone: who holds one runs on a CPU that has AVX-512 F, BW, DQ and VL; with `DOTS` >= 1
/// also VNNI, with `DOTS` = 2 also BF16. Every SAFETY note below means this; loads and stores go through references to
/// arrays of exactly the vector's size.
#[derive(Clone, Copy)]
pub(crate) struct Avx512<const DOTS: u8>(());

impl<const DOTS: u8> Avx512<DOTS> {
    pub(crate) fn detect() -> Option<Self> {
        let base = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma");
        let bytes = DOTS < 1 || is_x86_feature_detected!("avx512vnni");
        let bf16 = DOTS < 2 || is_x86_feature_detected!("avx512bf16");
        (base && bytes && bf16).then_some(Self(()))
    }
}

macro_rules! entry {
    ($name:ident, $dots:literal, $features:literal) => {
        #[target_feature(enable = $features)]
        fn $name<K: Kernel, const M: usize, const V: usize>(kernel: K) -> K::Output {
            kernel.run::<Avx512<$dots>, M, V>(Avx512(()))
        }
    };
}
entry!(run_base, 0, "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl");
entry!(
    run_bytes,
    1,
    "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"
);
entry!(
    run_bf16,
    2,
    "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16"
);

/// An intrinsic that takes and returns registers only.
macro_rules! registers {
    ($name:ident($($arg:ident: $type:ty),*) -> $out:ty = $body:expr) => {
        #[inline(always)]
        fn $name(self, $($arg: $type),*) -> $out {
            // SAFETY: the CPU has the instruction, see `Avx512`.
            unsafe { $body }
        }
    };
}

impl<const DOTS: u8> Simd for Avx512<DOTS> {
    const LANES: usize = 16;
    const BF16: bool = DOTS >= 2;
    const BYTES: bool = DOTS >= 1;

    type Row<T: Copy> = [T; 16];
    type F = __m512;
    type I = __m512i;

    #[inline(always)]
    fn vectorize<K: Kernel, const M: usize, const V: usize>(self, kernel: K) -> K::Output {
        // SAFETY: the CPU has the features of this `DOTS`, see `Avx512`.
        unsafe {
            match DOTS {
                0 => run_base::<K, M, V>(kernel),
                1 => run_bytes::<K, M, V>(kernel),
                _ => run_bf16::<K, M, V>(kernel),
            }
        }
    }

    #[inline(always)]
    fn rows<T: Copy>(x: &[T]) -> &[[T; 16]] {
        x.as_chunks().0
    }

    #[inline(always)]
    fn rows_mut<T: Copy>(x: &mut [T]) -> &mut [[T; 16]] {
        x.as_chunks_mut().0
    }

    #[inline(always)]
    fn load(self, x: &[f32; 16]) -> __m512 {
        // SAFETY: 16 floats are read from an array of 16; no alignment is asked for.
        unsafe { _mm512_loadu_ps(x.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, x: __m512, to: &mut [f32; 16]) {
        // SAFETY: 16 floats are written to an array of 16; no alignment is asked for.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), x) }
    }

    #[inline(always)]
    fn prefetch<T>(self, x: &[T]) {
        super::avx2::prefetch(x);
    }

    registers!(splat(x: f32) -> __m512 = _mm512_set1_ps(x));
    registers!(add(a: __m512, b: __m512) -> __m512 = _mm512_add_ps(a, b));
    registers!(sub(a: __m512, b: __m512) -> __m512 = _mm512_sub_ps(a, b));
    registers!(mul(a: __m512, b: __m512) -> __m512 = _mm512_mul_ps(a, b));
    registers!(div(a: __m512, b: __m512) -> __m512 = _mm512_div_ps(a, b));
    registers!(sqrt(x: __m512) -> __m512 = _mm512_sqrt_ps(x));
    registers!(max(a: __m512, b: __m512) -> __m512 = _mm512_max_ps(a, b));
    registers!(min(a: __m512, b: __m512) -> __m512 = _mm512_min_ps(a, b));
    registers!(fma(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c));
    registers!(scale(x: __m512, n: __m512) -> __m512 = {
        let exponent = _mm512_slli_epi32::<23>(_mm512_castps_si512(n));
        _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(x), exponent))
    });
    registers!(splat_word(x: u32) -> __m512i = _mm512_set1_epi32(x.cast_signed()));
    registers!(load_words(x: &[u32; 16]) -> __m512i = words(x));
    registers!(to_float(x: __m512i) -> __m512 = _mm512_cvtepi32_ps(x));

    registers!(dot_bf16(c: __m512, a: u32, b: &[u32; 16]) -> __m512 = {
        let b = words(b);
        if DOTS >= 2 {
            return native_bf16(c, a, b);
        }
        let even = _mm512_castsi512_ps(_mm512_slli_epi32::<16>(b));
        let odd = _mm512_castsi512_ps(_mm512_and_si512(b, _mm512_set1_epi32(-0x1_0000)));
        let c = _mm512_fmadd_ps(_mm512_set1_ps(f32::from_bits(a << 16)), even, c);
        _mm512_fmadd_ps(_mm512_set1_ps(f32::from_bits(a & 0xffff_0000)), odd, c)
    });
    registers!(dot_bytes(c: __m512i, a: u32, b: &[u32; 16]) -> __m512i = {
        let (a, b) = (_mm512_set1_epi32(a.cast_signed()), words(b));
        if DOTS >= 1 {
            return native_bytes(c, a, b);
        }
        let (even, odd) = (_mm512_and_si512(a, _mm512_set1_epi16(0xff)), _mm512_srli_epi16::<8>(a));
        let even = _mm512_madd_epi16(even, _mm512_srai_epi16::<8>(_mm512_slli_epi16::<8>(b)));
        let odd = _mm512_madd_epi16(odd, _mm512_srai_epi16::<8>(b));
        _mm512_add_epi32(c, _mm512_add_epi32(even, odd))
    });
    registers!(dot_i16(c: __m512i, a: u32, b: &[u32; 16]) -> __m512i = {
        let products = _mm512_madd_epi16(_mm512_set1_epi32(a.cast_signed()), words(b));
        _mm512_add_epi32(c, products)
    });

    #[inline(always)]
    fn widen_bf16(self, x: &[u32; 16], low: &mut [f32; 16], high: &mut [f32; 16]) {
        // SAFETY: the CPU has the features, see `Avx512`; 16 floats are written to arrays of 16.
        unsafe {
            let x = words(x);
            let upper = _mm512_and_si512(x, _mm512_set1_epi32(-0x1_0000));
            _mm512_storeu_si512(low.as_mut_ptr().cast(), _mm512_slli_epi32::<16>(x));
            _mm512_storeu_si512(high.as_mut_ptr().cast(), upper);
        }
    }

    #[inline(always)]
    fn widen_bytes(self, x: &[u32; 16], even: &mut [u32; 16], odd: &mut [u32; 16]) {
        // SAFETY: the CPU has the features, see `Avx512`; 16 dwords are written to arrays of 16.
        unsafe {
            let x = words(x);
            let low = _mm512_srai_epi16::<8>(_mm512_slli_epi16::<8>(x));
            _mm512_storeu_si512(even.as_mut_ptr().cast(), low);
            _mm512_storeu_si512(odd.as_mut_ptr().cast(), _mm512_srai_epi16::<8>(x));
        }
    }

    #[inline(always)]
    fn pair_bf16(self, even: __m512, odd: __m512, to: &mut [u32; 16]) {
        // SAFETY: the CPU has the features, see `Avx512`; 16 dwords are written to an array of 16.
        unsafe {
            if DOTS >= 2 {
                let pairs = native_pairs(even, odd);
                return _mm512_storeu_si512(to.as_mut_ptr().cast(), pairs);
            }
            let low = _mm512_srli_epi32::<16>(rounded(even));
            let high = _mm512_and_si512(rounded(odd), _mm512_set1_epi32(-0x1_0000));
            _mm512_storeu_si512(to.as_mut_ptr().cast(), _mm512_or_si512(low, high));
        }
    }
}

#[target_feature(enable = "avx512f,avx512bf16")]
#[inline]
fn native_bf16(c: __m512, a: u32, b: __m512i) -> __m512 {
    // SAFETY: all three are 512 bits of plain numbers.
    let (a, b) = unsafe {
        (
            std::mem::transmute::<__m512i, __m512bh>(_mm512_set1_epi32(a.cast_signed())),
            std::mem::transmute::<__m512i, __m512bh>(b),
        )
    };
    _mm512_dpbf16_ps(c, a, b)
}

/// Takes denormals for zero, as the product that the pairs are for does as well.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
#[inline]
fn native_pairs(even: __m512, odd: __m512) -> __m512i {
    // SAFETY: both are 512 bits of plain numbers.
    let halves =
        unsafe { std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(odd, even)) };
    // The first 16 words are `even`, the others `odd`: take them in turn.
    let lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    let upper = _mm512_slli_epi32::<16>(_mm512_add_epi32(lanes, _mm512_set1_epi32(16)));
    _mm512_permutexvar_epi16(_mm512_or_si512(lanes, upper), halves)
}

#[target_feature(enable = "avx512f,avx512vnni")]
#[inline]
fn native_bytes(c: __m512i, a: __m512i, b: __m512i) -> __m512i {
    _mm512_dpbusd_epi32(c, a, b)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn words(x: &[u32; 16]) -> __m512i {
    // SAFETY: 16 dwords are read from an array of 16; no alignment is asked for.
    unsafe { _mm512_loadu_si512(x.as_ptr().cast()) }
}

/// As `portable::bf16`.
#[target_feature(enable = "avx512f")]
#[inline]
fn rounded(x: __m512) -> __m512i {
    let bits = _mm512_castps_si512(x);
    let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
    let half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
    let quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x0040_0000));
    let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x);
    _mm512_mask_mov_epi32(_mm512_add_epi32(bits, half), nan, quiet)
}
