//! Vector instructions behind one trait, so that every algorithm is written once.
//!
//! A [`Simd`] value is the proof that the CPU has the instructions: only [`Isa`](crate::Isa) makes one, after asking
//! the CPU. That is what makes its methods safe to call, and all code outside the two files named after instruction
//! sets safe Rust.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
pub(crate) mod portable;

/// One instruction set. Every method works on [`LANES`](Self::LANES) numbers at once.
pub(crate) trait Simd: Copy + Send + Sync {
    const LANES: usize;
    /// Dwords of two bf16 are multiplied by one instruction.
    const BF16: bool;
    /// Dwords of four bytes, unsigned times signed, are multiplied by one instruction.
    const BYTES: bool;

    /// What a vector looks like in memory: `[T; LANES]`.
    type Row<T: Copy>: Copy + AsRef<[T]> + AsMut<[T]>;
    /// Floats in a register.
    type F: Copy;
    /// 32-bit integers in a register.
    type I: Copy;

    /// Runs `kernel` where the compiler may use these instructions.
    fn vectorize<K: Kernel, const M: usize, const V: usize>(self, kernel: K) -> K::Output;

    /// All whole vectors of a slice.
    fn rows<T: Copy>(x: &[T]) -> &[Self::Row<T>];
    /// All whole vectors of a slice.
    fn rows_mut<T: Copy>(x: &mut [T]) -> &mut [Self::Row<T>];

    fn splat(self, x: f32) -> Self::F;
    fn load(self, x: &Self::Row<f32>) -> Self::F;
    fn store(self, x: Self::F, to: &mut Self::Row<f32>);
    /// Says that `x` is needed soon; may do nothing.
    #[inline(always)]
    fn prefetch<T>(self, _: &[T]) {}
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    fn sqrt(self, x: Self::F) -> Self::F;
    /// `b` where either is NaN.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// `b` where either is NaN.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a b + c`, rounded once where the CPU can.
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// Adds the lowest bits of `n` to the exponent of `x`: see [`math::exp2`](crate::math::exp2).
    fn scale(self, x: Self::F, n: Self::F) -> Self::F;
    /// The same dword in all lanes.
    fn splat_word(self, x: u32) -> Self::I;
    fn load_words(self, x: &Self::Row<u32>) -> Self::I;
    fn to_float(self, x: Self::I) -> Self::F;

    /// `c + a₀ b₀ + a₁ b₁` for two bf16 per dword, the lower half first.
    fn dot_bf16(self, c: Self::F, a: u32, b: &Self::Row<u32>) -> Self::F;
    /// `c + Σ aᵢ bᵢ` for four bytes per dword, `a` unsigned and `b` signed.
    fn dot_bytes(self, c: Self::I, a: u32, b: &Self::Row<u32>) -> Self::I;
    /// `c + a₀ b₀ + a₁ b₁` for two `i16` per dword.
    fn dot_i16(self, c: Self::I, a: u32, b: &Self::Row<u32>) -> Self::I;
    /// The lower and the upper bf16 of every dword as floats.
    fn widen_bf16(self, x: &Self::Row<u32>, low: &mut Self::Row<f32>, high: &mut Self::Row<f32>);
    /// The even and the odd bytes of every dword as two `i16` each.
    fn widen_bytes(self, x: &Self::Row<u32>, even: &mut Self::Row<u32>, odd: &mut Self::Row<u32>);
    /// Two vectors as bf16, rounded to nearest even: one dword per lane, `even` in its lower half.
    fn pair_bf16(self, even: Self::F, odd: Self::F, to: &mut Self::Row<u32>);
}

/// Work to be compiled for every instruction set: a tile is `M` rows by `V` vectors of accumulators.
pub(crate) trait Kernel {
    type Output;
    fn run<S: Simd, const M: usize, const V: usize>(self, simd: S) -> Self::Output;
}
