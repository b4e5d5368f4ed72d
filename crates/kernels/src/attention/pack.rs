//! Keys, values and tables as the tiles want them.

use rayon::prelude::*;

use super::{Attention, operand::Scores};
use crate::{
    Isa,
    buffer::Buffer,
    operand::pack,
    simd::{Kernel, Simd},
    tile::{Bf16Pairs, Floats},
};

/// Keys `[tile of keys, word, M]` and values `[tile of channels, word of keys, M]`, for every head and part. Keys are
/// padded with zeros to a whole tile.
pub(super) enum Packed {
    Floats(Parts<f32>),
    Bf16(Parts<u32>),
}

pub(super) struct Parts<W> {
    words: Buffer<W>,
    /// Words of one head's keys, and of its values.
    keys: usize,
    values: usize,
    parts: usize,
}

impl<W: Copy + Default> Parts<W> {
    pub(super) fn keys_and_values(&self, head: usize, part: usize) -> (&[W], &[W]) {
        let each = self.keys + self.values;
        let start = (head * self.parts + part) * each;
        self.words[start..start + each].split_at(self.keys)
    }
}

impl Packed {
    pub(super) fn new(attention: &Attention, qkv: &[f32], parts: usize) -> Self {
        if attention.bf16 {
            Self::Bf16(pack_parts(attention, qkv, parts, 2, |job| {
                attention
                    .isa
                    .run_even(Job::<_, Bf16Pairs>(job, std::marker::PhantomData))
            }))
        } else {
            Self::Floats(pack_parts(attention, qkv, parts, 1, |job| {
                attention
                    .isa
                    .run_even(Job::<_, Floats>(job, std::marker::PhantomData))
            }))
        }
    }
}

/// One head of one part.
struct Source<'a, W> {
    attention: &'a Attention,
    /// `[tokens, 3 * channels]`
    qkv: &'a [f32],
    head: usize,
    keys: &'a mut [W],
    values: &'a mut [W],
}

fn pack_parts<W: Copy + Default + Send + Sync>(
    attention: &Attention,
    qkv: &[f32],
    parts: usize,
    per_word: usize,
    run: impl Fn(Source<W>) + Sync,
) -> Parts<W> {
    let (shape, tile) = (attention.shape, attention.geometry.tile);
    let padded = shape.tokens().next_multiple_of(tile);
    let keys = padded * shape.width.div_ceil(per_word);
    let values = shape.width.next_multiple_of(tile) * (padded / per_word);
    let mut words = Buffer::new(shape.heads * parts * (keys + values));
    words
        .par_chunks_exact_mut(keys + values)
        .enumerate()
        .for_each(|(index, words)| {
            let tokens = shape.tokens() * 3 * shape.channels();
            let (head, part) = (index / parts, index % parts);
            let (keys, values) = words.split_at_mut(keys);
            run(Source {
                attention,
                qkv: &qkv[part * tokens..(part + 1) * tokens],
                head,
                keys,
                values,
            });
        });
    Parts {
        words,
        keys,
        values,
        parts,
    }
}

struct Job<'a, W, O>(Source<'a, W>, std::marker::PhantomData<O>);

macro_rules! job {
    ($operand:ty, $word:ty) => {
        impl Kernel for Job<'_, $word, $operand> {
            type Output = ();
            #[inline(always)]
            fn run<S: Simd, const M: usize, const V: usize>(self, _: S) {
                pack_head::<S, $operand, M>(self.0);
            }
        }
    };
}
job!(Floats, f32);
job!(Bf16Pairs, u32);

#[inline(always)]
fn pack_head<S: Simd, O: Scores<S>, const M: usize>(source: Source<O::Word>) {
    let shape = source.attention.shape;
    let (width, channels, tokens) = (shape.width, shape.channels(), shape.tokens());
    let row = |token: usize, which: usize| {
        let start = token * 3 * channels + which * channels + source.head * width;
        &source.qkv[start..start + width]
    };
    let words = width.div_ceil(O::PER_WORD);
    for (tile, to) in source.keys.chunks_exact_mut(words * M).enumerate() {
        let mut rows = [&[][..]; M];
        let count = M.min(tokens - tile * M);
        for (i, to) in rows.iter_mut().take(count).enumerate() {
            *to = row(tile * M + i, 1);
        }
        pack::<S, O, M>(&rows[..count], &[1.0; M], to);
    }
    let padded = tokens.next_multiple_of(M);
    let per_channels = padded / O::PER_WORD;
    for first in (0..padded).step_by(2) {
        let even = row(first.min(tokens - 1), 2);
        let odd = row((first + 1).min(tokens - 1), 2);
        let real = |token: usize, x: f32| if token < tokens { x } else { 0.0 };
        for (channel, (even, odd)) in even.iter().zip(odd).enumerate() {
            let values = O::value(real(first, *even), real(first + 1, *odd));
            let start = (channel / M) * per_channels * M + channel % M;
            for (i, value) in values.iter().take(2 / O::PER_WORD).enumerate() {
                source.values[start + (first / O::PER_WORD + i) * M] = *value;
            }
        }
    }
}

/// A table of relative positions, `[tile of distances, channel, M]`, times `√width`: the queries that it is multiplied
/// with are scaled.
pub(super) struct Table {
    pub(super) words: Buffer<f32>,
    pub(super) distances: usize,
}

impl Table {
    pub(super) fn pack(isa: Isa, table: &[f32], width: usize) -> Self {
        isa.run_even(PackTable { table, width })
    }
}

struct PackTable<'a> {
    table: &'a [f32],
    width: usize,
}

impl Kernel for PackTable<'_> {
    type Output = Table;
    #[inline(always)]
    fn run<S: Simd, const M: usize, const V: usize>(self, _: S) -> Table {
        let distances = self.table.len() / self.width;
        let mut words = Buffer::new(distances.next_multiple_of(M) * self.width);
        let scale = (self.width as f32).sqrt();
        let rows: Vec<&[f32]> = self.table.chunks_exact(self.width).collect();
        for (rows, to) in rows.chunks(M).zip(words.chunks_exact_mut(self.width * M)) {
            pack::<S, Floats, M>(rows, &[1.0; M], to);
            to.iter_mut().for_each(|x| *x *= scale);
        }
        Table { words, distances }
    }
}
