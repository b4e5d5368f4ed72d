//! Which instructions this CPU has.

use std::fmt;

use crate::simd::{Kernel, Simd, portable::Portable};
#[cfg(target_arch = "x86_64")]
use crate::simd::{avx2::Avx2, avx512::Avx512};

/// An instruction set that the kernels are written for, and that this CPU has: [`Isa::detect`] and [`Isa::available`]
/// are the only sources.
///
/// | | f32 | bf16 | int8 |
/// |---|---|---|---|
/// | `avx512-bf16` | 16 lanes | native pairs | native fours |
/// | `avx512-vnni` | 16 lanes | stored, widened to f32 | native fours |
/// | `avx512` | 16 lanes | stored, widened to f32 | stored, widened to 16 bits |
/// | `avx2` | 8 lanes | stored, widened to f32 | stored, widened to 16 bits |
/// | `portable` | 4 lanes, whatever the compiler makes of it | stored, widened to f32 | stored, widened to 16 bits |
#[derive(Clone, Copy)]
pub struct Isa(Set);

#[derive(Clone, Copy)]
enum Set {
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16(Avx512<2>),
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni(Avx512<1>),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512<0>),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    Portable(Portable<4>),
    /// The 16-lane layout with native pairs and fours, in plain Rust.
    #[cfg(test)]
    Emulated512(Portable<16>),
}

impl Isa {
    /// The fastest that this CPU has.
    pub fn detect() -> Self {
        Self::available()[0]
    }

    /// All that this CPU has, the fastest first, plain Rust included. The AVX-512 sets are compiled, but have not yet run on
    /// a CPU that has them: they count only with the feature `avx512`.
    pub fn available() -> Vec<Self> {
        let mut sets = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if cfg!(feature = "avx512") {
                sets.extend(Avx512::detect().map(Set::Avx512Bf16));
                sets.extend(Avx512::detect().map(Set::Avx512Vnni));
                sets.extend(Avx512::detect().map(Set::Avx512));
            }
            sets.extend(Avx2::detect().map(Set::Avx2));
        }
        sets.push(Set::Portable(Portable));
        #[cfg(test)]
        sets.push(Set::Emulated512(Portable));
        sets.into_iter().map(Self).collect()
    }

    /// As in the table above.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Bf16(_) => "avx512-bf16",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Vnni(_) => "avx512-vnni",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(_) => "avx2",
            Set::Portable(_) => "portable",
            #[cfg(test)]
            Set::Emulated512(_) => "emulated-512",
        }
    }

    /// Whether products of bf16 run on instructions of their own, rather than widened to f32.
    pub fn has_bf16(self) -> bool {
        self.run_tall(HasBf16)
    }

    /// Whether products of bytes run on instructions of their own, rather than widened to 16 bits.
    pub fn has_bytes(self) -> bool {
        self.run_tall(HasBytes)
    }

    /// Runs a kernel with tiles for long matrix products: as tall as the registers hold.
    pub(crate) fn run_tall<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Bf16(simd) => simd.vectorize::<K, 14, 2>(kernel),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Vnni(simd) => simd.vectorize::<K, 14, 2>(kernel),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(simd) => simd.vectorize::<K, 14, 2>(kernel),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(simd) => simd.vectorize::<K, 6, 2>(kernel),
            Set::Portable(simd) => simd.vectorize::<K, PORTABLE_ROWS, 2>(kernel),
            #[cfg(test)]
            Set::Emulated512(simd) => simd.vectorize::<K, 14, 2>(kernel),
        }
    }

    /// Runs a kernel with tiles whose height divides the usual 64 channels.
    pub(crate) fn run_even<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Bf16(simd) => simd.vectorize::<K, 8, 3>(kernel),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Vnni(simd) => simd.vectorize::<K, 8, 3>(kernel),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(simd) => simd.vectorize::<K, 8, 3>(kernel),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(simd) => simd.vectorize::<K, 6, 2>(kernel),
            Set::Portable(simd) => simd.vectorize::<K, PORTABLE_ROWS, 2>(kernel),
            #[cfg(test)]
            Set::Emulated512(simd) => simd.vectorize::<K, 8, 3>(kernel),
        }
    }
}

/// SSE2 has 16 registers of 4 lanes, NEON 32.
const PORTABLE_ROWS: usize = if cfg!(target_arch = "aarch64") { 8 } else { 4 };

struct HasBf16;
impl Kernel for HasBf16 {
    type Output = bool;
    #[inline(always)]
    fn run<S: Simd, const M: usize, const V: usize>(self, _: S) -> bool {
        S::BF16
    }
}

struct HasBytes;
impl Kernel for HasBytes {
    type Output = bool;
    #[inline(always)]
    fn run<S: Simd, const M: usize, const V: usize>(self, _: S) -> bool {
        S::BYTES
    }
}

impl fmt::Debug for Isa {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}
