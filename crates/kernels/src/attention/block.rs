//! One block of queries of one head.

use super::{
    Attention, AttentionShape, Sharing,
    operand::Scores,
    pack::{Packed, Parts, Table},
};
use crate::{
    Isa,
    buffer::Buffer,
    math::exp2,
    simd::{Kernel, Simd},
    tile::{Bf16Pairs, Floats, tile},
};

/// Keys whose scores are held at once: of 48 queries 21 KiB of f32.
const fn keys(tile: usize) -> usize {
    112 / tile * tile
}

#[derive(Clone, Copy)]
pub(super) struct Geometry {
    /// Rows of a tile.
    pub(super) tile: usize,
    /// Queries of a block.
    pub(super) queries: usize,
}

struct Ask;
impl Kernel for Ask {
    type Output = Geometry;
    #[inline(always)]
    fn run<S: Simd, const M: usize, const V: usize>(self, _: S) -> Geometry {
        const { assert!(M.is_multiple_of(2), "keys come in pairs") }
        Geometry {
            tile: M,
            queries: V * S::LANES,
        }
    }
}

impl Geometry {
    pub(super) fn of(isa: Isa) -> Self {
        isa.run_even(Ask)
    }
}

pub(super) struct Block<'a> {
    pub(super) attention: &'a Attention,
    pub(super) qkv: &'a [f32],
    pub(super) packed: &'a Packed,
    pub(super) prompts: usize,
    pub(super) sharing: Sharing,
    pub(super) head: usize,
    /// Prompt, or the query if it is `prompts`.
    pub(super) part: usize,
    /// Of the part's tokens, the block's first.
    pub(super) first: usize,
    /// Per query: the head's results.
    pub(super) out: Vec<&'a mut [f32]>,
}

impl Kernel for Block<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd, const M: usize, const V: usize>(self, s: S) {
        match self.packed {
            Packed::Floats(parts) => attend::<S, Floats, M, V>(s, self, parts),
            Packed::Bf16(parts) => attend::<S, Bf16Pairs, M, V>(s, self, parts),
        }
    }
}

/// Softmax so far: everything `[.., queries]`.
struct State {
    /// Sums of values, by channel, padded to whole tiles.
    sums: Buffer<f32>,
    /// The largest score, in units of log2, and the sum of weights.
    largest: Buffer<f32>,
    weight: Buffer<f32>,
}

impl State {
    fn new(channels: usize, queries: usize) -> Self {
        let mut largest = Buffer::new(queries);
        largest.fill(f32::NEG_INFINITY);
        Self {
            sums: Buffer::new(channels * queries),
            largest,
            weight: Buffer::new(queries),
        }
    }

    fn copy(&mut self, other: &Self) {
        self.sums.copy_from_slice(&other.sums);
        self.largest.copy_from_slice(&other.largest);
        self.weight.copy_from_slice(&other.weight);
    }
}

/// The query's own half first, which its block then goes on from with every prompt.
#[inline(always)]
fn attend<S: Simd, O: Scores<S>, const M: usize, const V: usize>(
    s: S,
    mut block: Block,
    parts: &Parts<O::Word>,
) {
    let shape = block.attention.shape;
    let queries = V * S::LANES;
    let channels = shape.width.next_multiple_of(M);
    let floats = query_panel::<S, V>(&block);
    let mut panel = Buffer::new(floats.len() / O::PER_WORD);
    for (pair, rows) in S::rows(&floats).chunks_exact(2 * V).enumerate() {
        for j in 0..V {
            let pairs = [s.load(&rows[j]), s.load(&rows[V + j])];
            O::store(s, pairs, &mut panel, V, pair, j);
        }
    }
    let mut work = Work {
        shape,
        query: block.prompts,
        head: block.head,
        parts,
        biases: Biases::new::<S, M, V>(s, &block, &floats),
        panel,
        scores: Buffer::new(keys(M) * queries),
        weights: Buffer::new(keys(M) / O::PER_WORD * queries),
    };

    let prompts = if block.part == block.prompts {
        0..block.prompts
    } else {
        block.part..block.part + 1
    };
    let mut own = State::new(channels, queries);
    work.visit::<S, O, M, V>(s, &mut own, block.prompts);
    let mut result = Buffer::new(channels * queries);
    match block.sharing {
        Sharing::Average if !prompts.is_empty() => {
            let share = 1.0 / prompts.len() as f32;
            let mut with_prompt = State::new(channels, queries);
            for part in prompts {
                with_prompt.copy(&own);
                work.visit::<S, O, M, V>(s, &mut with_prompt, part);
                add::<S, V>(s, &with_prompt, share, &mut result);
            }
        }
        Sharing::Joint | Sharing::Average => {
            for part in prompts {
                work.visit::<S, O, M, V>(s, &mut own, part);
            }
            add::<S, V>(s, &own, 1.0, &mut result);
        }
    }
    for (lane, out) in block.out.iter_mut().enumerate() {
        for (out, row) in out.iter_mut().zip(result.chunks_exact(queries)) {
            *out = row[lane];
        }
    }
}

/// Queries `[channel, query]`, scaled for scores in units of log2; an even number of rows, missing queries zero.
#[inline(always)]
fn query_panel<S: Simd, const V: usize>(block: &Block) -> Buffer<f32> {
    let shape = block.attention.shape;
    let queries = V * S::LANES;
    let mut panel = Buffer::new(shape.width.next_multiple_of(2) * queries);
    let scale = std::f32::consts::LOG2_E / (shape.width as f32).sqrt();
    for lane in 0..block.out.len() {
        let token = block.part * shape.tokens() + block.first + lane;
        let start = token * 3 * shape.channels() + block.head * shape.width;
        let q = &block.qkv[start..start + shape.width];
        for (to, q) in panel.iter_mut().skip(lane).step_by(queries).zip(q) {
            *to = q * scale;
        }
    }
    panel
}

/// What the relative positions add to every score of the block: `[2 rows, queries]` and `[columns, queries]`; zeros
/// without them.
struct Biases {
    rows: Buffer<f32>,
    columns: Buffer<f32>,
}

impl Biases {
    #[inline(always)]
    fn new<S: Simd, const M: usize, const V: usize>(s: S, block: &Block, queries: &[f32]) -> Self {
        let shape = block.attention.shape;
        let lanes = V * S::LANES;
        let mut biases = Self {
            rows: Buffer::new(2 * shape.rows * lanes),
            columns: Buffer::new(shape.columns * lanes),
        };
        // No closure: it would be compiled without the instructions.
        let Some([by_row, by_column]) = &block.attention.tables else {
            return biases;
        };
        let rows = block_table::<S, M, V>(s, by_row, queries, shape.width);
        let columns = block_table::<S, M, V>(s, by_column, queries, shape.width);
        let upper = if block.part == block.prompts {
            shape.rows
        } else {
            0
        };
        for lane in 0..lanes {
            let token = block.first + lane.min(block.out.len() - 1);
            let (row, column) = (upper + token / shape.columns, token % shape.columns);
            pick(&rows, &mut biases.rows, row, lane, lanes);
            pick(&columns, &mut biases.columns, column, lane, lanes);
        }
        biases
    }
}

/// From the products with every distance those of one query's position with every key's.
#[inline(always)]
fn pick(products: &[f32], to: &mut [f32], position: usize, lane: usize, lanes: usize) {
    // Distance `query - key`, counted from the most negative.
    let most = position + to.len() / lanes - 1;
    for (key, to) in to.iter_mut().skip(lane).step_by(lanes).enumerate() {
        *to = products[(most - key) * lanes + lane];
    }
}

/// Every entry of a table with every query: `[distance, query]`.
#[inline(always)]
fn block_table<S: Simd, const M: usize, const V: usize>(
    s: S,
    table: &Table,
    queries: &[f32],
    width: usize,
) -> Buffer<f32> {
    let lanes = V * S::LANES;
    let mut products = Buffer::new(table.distances.next_multiple_of(M) * lanes);
    let tiles = table.words.chunks_exact(width * M);
    for (a, to) in tiles.zip(products.chunks_exact_mut(M * lanes)) {
        let sums = tile::<S, Floats, M, V>(s, [[s.splat(0.0); V]; M], a, queries);
        store_tile::<S, M, V>(s, &sums, S::rows_mut(to));
    }
    products
}

/// What a block needs at every half that it visits.
struct Work<'a, W> {
    shape: AttentionShape,
    /// The query's part.
    query: usize,
    head: usize,
    parts: &'a Parts<W>,
    biases: Biases,
    /// Queries `[word, query]`, perhaps with a row of zeros more.
    panel: Buffer<W>,
    /// `[key, query]`
    scores: Buffer<f32>,
    /// `[word of keys, query]`
    weights: Buffer<W>,
}

impl<W: Copy + Default> Work<'_, W> {
    /// Takes the keys of one half into the softmax, some at a time: scores, weights, sums.
    #[inline(always)]
    fn visit<S: Simd, O: Scores<S, Word = W>, const M: usize, const V: usize>(
        &mut self,
        s: S,
        state: &mut State,
        part: usize,
    ) {
        let parts = self.parts;
        let (all_keys, values) = parts.keys_and_values(self.head, part);
        let words = self.shape.width.div_ceil(O::PER_WORD);
        let padded = self.shape.tokens().next_multiple_of(M);
        for first in (0..padded).step_by(keys(M)) {
            let count = keys(M).min(padded - first);
            let some_keys = &all_keys[first * words..(first + count) * words];
            let mut largest = [s.splat(0.0); V];
            for (to, from) in largest.iter_mut().zip(S::rows(&state.largest)) {
                *to = s.load(from);
            }
            let before = largest;
            self.score::<S, O, M, V>(s, some_keys, first, part, &mut largest);
            let weight = self.weigh::<S, O, V>(s, count, &largest);

            let mut shrink = before;
            for j in 0..V {
                shrink[j] = exp2(s, s.sub(before[j], largest[j]));
                s.store(largest[j], &mut S::rows_mut(&mut state.largest)[j]);
                let to = &mut S::rows_mut(&mut state.weight)[j];
                s.store(s.fma(s.load(to), shrink[j], weight[j]), to);
            }
            let weights = &self.weights[..count / O::PER_WORD * V * S::LANES];
            let some = first / O::PER_WORD * M..(first + count) / O::PER_WORD * M;
            let values = values.chunks_exact(padded / O::PER_WORD * M);
            for (values, sums) in values.zip(state.sums.chunks_exact_mut(M * V * S::LANES)) {
                let sums = S::rows_mut(sums);
                let mut start = [[s.splat(0.0); V]; M];
                for (start, sums) in start.iter_mut().zip(sums.chunks_exact(V)) {
                    for j in 0..V {
                        start[j] = s.mul(s.load(&sums[j]), shrink[j]);
                    }
                }
                let found = tile::<S, O, M, V>(s, start, &values[some.clone()], weights);
                store_tile::<S, M, V>(s, &found, sums);
            }
        }
    }

    /// Scores of some keys, and the largest.
    #[inline(always)]
    fn score<S: Simd, O: Scores<S, Word = W>, const M: usize, const V: usize>(
        &mut self,
        s: S,
        keys: &[W],
        first: usize,
        part: usize,
        largest: &mut [S::F; V],
    ) {
        let (tokens, columns) = (self.shape.tokens(), self.shape.columns);
        let first_row = if part == self.query {
            self.shape.rows
        } else {
            0
        };
        let by_row = S::rows(&self.biases.rows).as_chunks::<V>().0;
        let by_column = S::rows(&self.biases.columns).as_chunks::<V>().0;
        let (mut row, mut column) = (first_row + first / columns, first % columns);
        let to = S::rows_mut(&mut self.scores).chunks_exact_mut(M * V);
        let tiles = keys.chunks_exact(self.shape.width.div_ceil(O::PER_WORD) * M);
        for (index, (a, to)) in tiles.zip(to).enumerate() {
            // Nothing can be worth less than padding.
            let mut start = [[s.splat(f32::NEG_INFINITY); V]; M];
            let real = tokens - first - index * M;
            for start in start.iter_mut().take(real) {
                for j in 0..V {
                    start[j] = s.add(s.load(&by_row[row][j]), s.load(&by_column[column][j]));
                }
                column += 1;
                if column == columns {
                    (row, column) = (row + 1, 0);
                }
            }
            let scores = tile::<S, O, M, V>(s, start, a, &self.panel);
            for scores in &scores {
                for j in 0..V {
                    largest[j] = s.max(largest[j], scores[j]);
                }
            }
            store_tile::<S, M, V>(s, &scores, to);
        }
    }

    /// Scores to softmax weights, relative to the largest score; their sum.
    #[inline(always)]
    fn weigh<S: Simd, O: Scores<S, Word = W>, const V: usize>(
        &mut self,
        s: S,
        count: usize,
        largest: &[S::F; V],
    ) -> [S::F; V] {
        let mut sum = [s.splat(0.0); V];
        let rows = S::rows(&self.scores)[..count * V].chunks_exact(2 * V);
        for (pair, rows) in rows.enumerate() {
            for j in 0..V {
                let even = exp2(s, s.sub(s.load(&rows[j]), largest[j]));
                let odd = exp2(s, s.sub(s.load(&rows[V + j]), largest[j]));
                sum[j] = s.add(sum[j], s.add(even, odd));
                O::store(s, [even, odd], &mut self.weights, V, pair, j);
            }
        }
        sum
    }
}

#[inline(always)]
fn store_tile<S: Simd, const M: usize, const V: usize>(
    s: S,
    tile: &[[S::F; V]; M],
    to: &mut [S::Row<f32>],
) {
    for (row, to) in tile.iter().zip(to.as_chunks_mut::<V>().0) {
        for j in 0..V {
            s.store(row[j], &mut to[j]);
        }
    }
}

/// Adds `share` of the softmax's result to `to`.
#[inline(always)]
fn add<S: Simd, const V: usize>(s: S, state: &State, share: f32, to: &mut [f32]) {
    let mut factor = [s.splat(share); V];
    for (factor, weight) in factor.iter_mut().zip(S::rows(&state.weight)) {
        *factor = s.div(*factor, s.load(weight));
    }
    let sums = S::rows(&state.sums).as_chunks::<V>().0;
    for (sums, to) in sums.iter().zip(S::rows_mut(to).as_chunks_mut::<V>().0) {
        for j in 0..V {
            s.store(
                s.fma(s.load(&sums[j]), factor[j], s.load(&to[j])),
                &mut to[j],
            );
        }
    }
}
