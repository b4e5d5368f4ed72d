//! Rows of `x` as words, and sums as floats again.

use crate::{
    quantise::quantise,
    simd::{Simd, portable},
    tile::{Bf16Pairs, Bytes, Dot, Floats, I16Pairs},
};

/// A kind of multiply-add, with the way in and out.
pub(crate) trait Operand<S: Simd>: Dot<S> {
    /// Inputs per word.
    const PER_WORD: usize;
    /// `x` holds `PER_WORD` numbers.
    fn word(x: &[f32], inverse: f32) -> Self::Word;
    /// Sums to start from: `correction`, if this kind needs one.
    fn start(s: S, correction: Option<&S::Row<u32>>) -> Self::Sum;
    fn float(s: S, sum: Self::Sum, scale: S::F) -> S::F;
}

impl<S: Simd> Operand<S> for Floats {
    const PER_WORD: usize = 1;
    #[inline(always)]
    fn word(x: &[f32], _: f32) -> f32 {
        x[0]
    }
    #[inline(always)]
    fn start(s: S, _: Option<&S::Row<u32>>) -> S::F {
        s.splat(0.0)
    }
    #[inline(always)]
    fn float(_: S, sum: S::F, _: S::F) -> S::F {
        sum
    }
}

impl<S: Simd> Operand<S> for Bf16Pairs {
    const PER_WORD: usize = 2;
    #[inline(always)]
    fn word(x: &[f32], _: f32) -> u32 {
        portable::pair(x[0], x[1])
    }
    #[inline(always)]
    fn start(s: S, _: Option<&S::Row<u32>>) -> S::F {
        s.splat(0.0)
    }
    #[inline(always)]
    fn float(_: S, sum: S::F, _: S::F) -> S::F {
        sum
    }
}

impl<S: Simd> Operand<S> for Bytes {
    const PER_WORD: usize = 4;
    #[inline(always)]
    fn word(x: &[f32], inverse: f32) -> u32 {
        let byte = |i: usize| (quantise(x[i], inverse) + 128) as u8;
        u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
    }
    #[inline(always)]
    fn start(s: S, correction: Option<&S::Row<u32>>) -> S::I {
        match correction {
            Some(correction) => s.load_words(correction),
            None => s.splat_word(0),
        }
    }
    #[inline(always)]
    fn float(s: S, sum: S::I, scale: S::F) -> S::F {
        s.mul(s.to_float(sum), scale)
    }
}

impl<S: Simd> Operand<S> for I16Pairs {
    const PER_WORD: usize = 2;
    #[inline(always)]
    fn word(x: &[f32], inverse: f32) -> u32 {
        let (low, high) = (quantise(x[0], inverse), quantise(x[1], inverse));
        low.cast_unsigned() & 0xffff | high.cast_unsigned() << 16
    }
    #[inline(always)]
    fn start(s: S, _: Option<&S::Row<u32>>) -> S::I {
        s.splat_word(0)
    }
    #[inline(always)]
    fn float(s: S, sum: S::I, scale: S::F) -> S::F {
        s.mul(s.to_float(sum), scale)
    }
}

/// Lays out some columns of up to `M` rows: `[word, M]`. Missing rows, and what the last word lacks, are zeros.
#[inline(always)]
pub(crate) fn pack<S: Simd, O: Operand<S>, const M: usize>(
    rows: &[&[f32]],
    inverse: &[f32],
    to: &mut [O::Word],
) {
    let to = to.as_chunks_mut::<M>().0;
    for i in 0..M {
        let Some(row) = rows.get(i) else {
            for column in &mut *to {
                column[i] = O::word(&[0.0; 4], 0.0);
            }
            continue;
        };
        let inverse = inverse[i];
        let whole = row.chunks_exact(O::PER_WORD);
        let (count, rest) = (whole.len(), whole.remainder());
        for (column, x) in to.iter_mut().zip(whole) {
            column[i] = O::word(x, inverse);
        }
        if !rest.is_empty() {
            let mut padded = [0.0; 4];
            padded[..rest.len()].copy_from_slice(rest);
            to[count][i] = O::word(&padded, inverse);
        }
    }
}
