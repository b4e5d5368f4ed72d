//! From words as they are stored to words as they are multiplied.

use std::marker::PhantomData;

use crate::{
    operand::Operand,
    simd::Simd,
    tile::{Dot, Floats, I16Pairs},
};

/// A way to store weights.
pub(super) trait Stored<S: Simd> {
    type Word: Copy;
    type Multiplied: Operand<S>;
    /// Multiplied words per stored word.
    const FACTOR: usize;
    /// Whole rows of `V` vectors, through `room` where they are not stored as they are multiplied.
    fn multiplied<'w, const V: usize>(
        s: S,
        words: &'w [Self::Word],
        room: &'w mut [<Self::Multiplied as Dot<S>>::Word],
    ) -> &'w [<Self::Multiplied as Dot<S>>::Word];
}

pub(super) struct AsTheyAre<O>(PhantomData<O>);
/// Pairs of bf16, multiplied as floats.
pub(super) struct WidenedBf16;
/// Four bytes, the second and third swapped, multiplied as pairs of `i16`.
pub(super) struct WidenedBytes;

impl<S: Simd, O: Operand<S>> Stored<S> for AsTheyAre<O> {
    type Word = O::Word;
    type Multiplied = O;
    const FACTOR: usize = 1;
    #[inline(always)]
    fn multiplied<'w, const V: usize>(
        _: S,
        words: &'w [O::Word],
        _: &'w mut [O::Word],
    ) -> &'w [O::Word] {
        words
    }
}

impl<S: Simd> Stored<S> for WidenedBf16 {
    type Word = u32;
    type Multiplied = Floats;
    const FACTOR: usize = 2;
    #[inline(always)]
    fn multiplied<'w, const V: usize>(s: S, words: &'w [u32], room: &'w mut [f32]) -> &'w [f32] {
        let (rows, _) = S::rows(words).as_chunks::<V>();
        let (to, _) = S::rows_mut(room).as_chunks_mut::<V>();
        for (pairs, [low, high]) in rows.iter().zip(to.as_chunks_mut().0) {
            for ((pair, low), high) in pairs.iter().zip(low).zip(high) {
                s.widen_bf16(pair, low, high);
            }
        }
        room
    }
}

impl<S: Simd> Stored<S> for WidenedBytes {
    type Word = u32;
    type Multiplied = I16Pairs;
    const FACTOR: usize = 2;
    #[inline(always)]
    fn multiplied<'w, const V: usize>(s: S, words: &'w [u32], room: &'w mut [u32]) -> &'w [u32] {
        let (rows, _) = S::rows(words).as_chunks::<V>();
        let (to, _) = S::rows_mut(room).as_chunks_mut::<V>();
        for (fours, [even, odd]) in rows.iter().zip(to.as_chunks_mut().0) {
            for ((four, even), odd) in fours.iter().zip(even).zip(odd) {
                s.widen_bytes(four, even, odd);
            }
        }
        room
    }
}
