//! The loop that all the time is spent in: a tile of `M` rows by `V` vectors, held in registers, over one slab of
//! summands.

use crate::simd::Simd;

/// One kind of multiply-add. A *word* holds the one, two or four summands that it takes in at once.
pub(crate) trait Dot<S: Simd> {
    type Word: Copy + Default;
    /// A vector of accumulators.
    type Sum: Copy;
    fn dot(s: S, sum: Self::Sum, a: Self::Word, b: &S::Row<Self::Word>) -> Self::Sum;
}

/// One f32 per word.
pub(crate) struct Floats;
/// Two bf16 per word.
pub(crate) struct Bf16Pairs;
/// Four bytes per word, unsigned times signed.
pub(crate) struct Bytes;
/// Two `i16` per word.
pub(crate) struct I16Pairs;

impl<S: Simd> Dot<S> for Floats {
    type Word = f32;
    type Sum = S::F;
    #[inline(always)]
    fn dot(s: S, sum: S::F, a: f32, b: &S::Row<f32>) -> S::F {
        s.fma(s.splat(a), s.load(b), sum)
    }
}

impl<S: Simd> Dot<S> for Bf16Pairs {
    type Word = u32;
    type Sum = S::F;
    #[inline(always)]
    fn dot(s: S, sum: S::F, a: u32, b: &S::Row<u32>) -> S::F {
        s.dot_bf16(sum, a, b)
    }
}

impl<S: Simd> Dot<S> for Bytes {
    type Word = u32;
    type Sum = S::I;
    #[inline(always)]
    fn dot(s: S, sum: S::I, a: u32, b: &S::Row<u32>) -> S::I {
        s.dot_bytes(sum, a, b)
    }
}

impl<S: Simd> Dot<S> for I16Pairs {
    type Word = u32;
    type Sum = S::I;
    #[inline(always)]
    fn dot(s: S, sum: S::I, a: u32, b: &S::Row<u32>) -> S::I {
        s.dot_i16(sum, a, b)
    }
}

/// `sums[i] += Σ a[.., i] b[..]`, for `a` in columns of `M` words and `b` in rows of `V` vectors.
#[inline(always)]
pub(crate) fn tile<S: Simd, D: Dot<S>, const M: usize, const V: usize>(
    s: S,
    mut sums: [[D::Sum; V]; M],
    a: &[D::Word],
    b: &[D::Word],
) -> [[D::Sum; V]; M] {
    let a = a.as_chunks::<M>().0;
    let b = S::rows(b).as_chunks::<V>().0;
    for (a, b) in a.iter().zip(b) {
        for (sums, a) in sums.iter_mut().zip(a) {
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = D::dot(s, *sum, *a, b);
            }
        }
    }
    sums
}
