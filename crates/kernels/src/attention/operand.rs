//! What differs between products of f32 and of bf16.

use crate::{
    operand::Operand,
    simd::{Simd, portable},
    tile::{Bf16Pairs, Floats},
};

/// Keys, values and softmax weights as words.
pub(super) trait Scores<S: Simd>: Operand<S, Sum = S::F> {
    /// Values of `PER_WORD` keys as one word, for the lane's channel.
    fn value(even: f32, odd: f32) -> [Self::Word; 2];
    /// Two rows of a panel of queries, or of softmax weights, as words of a panel of `width` vectors: row `pair` or rows
    /// `2 pair` and `2 pair + 1`, vector `vector`.
    fn store(
        s: S,
        values: [S::F; 2],
        to: &mut [Self::Word],
        width: usize,
        pair: usize,
        vector: usize,
    );
}

impl<S: Simd> Scores<S> for Floats {
    #[inline(always)]
    fn value(even: f32, odd: f32) -> [f32; 2] {
        [even, odd]
    }

    #[inline(always)]
    fn store(s: S, [even, odd]: [S::F; 2], to: &mut [f32], width: usize, pair: usize, j: usize) {
        let rows = S::rows_mut(to);
        s.store(even, &mut rows[2 * pair * width + j]);
        s.store(odd, &mut rows[(2 * pair + 1) * width + j]);
    }
}

impl<S: Simd> Scores<S> for Bf16Pairs {
    #[inline(always)]
    fn value(even: f32, odd: f32) -> [u32; 2] {
        [portable::pair(even, odd), 0]
    }

    #[inline(always)]
    fn store(s: S, [even, odd]: [S::F; 2], to: &mut [u32], width: usize, pair: usize, j: usize) {
        s.pair_bf16(even, odd, &mut S::rows_mut(to)[pair * width + j]);
    }
}
