//! One block of the output, from packing to storing.

use super::{Epilogue, PackedLinear, panels::Panels};
use crate::{
    buffer::Buffer,
    math,
    operand::{Operand, pack},
    quantise::{inverse, scale},
    simd::{Kernel, Simd},
    tile::{Bf16Pairs, Bytes, Floats, I16Pairs, tile},
};

pub(super) struct Task<'a> {
    pub(super) layer: &'a PackedLinear,
    /// All inputs of the block's rows.
    pub(super) x: &'a [f32],
    /// The block's columns of the block's rows.
    pub(super) out: Vec<&'a mut [f32]>,
    pub(super) first_row: usize,
    /// The start of a panel.
    pub(super) first_column: usize,
    pub(super) epilogue: Epilogue<'a>,
}

impl Kernel for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const M: usize, const V: usize>(self, s: S) {
        let slab = self.layer.geometry.slab;
        match &self.layer.panels {
            Panels::F32(words) => {
                self.slabs::<S, Floats, _, _, M, V>(s, words, slab, 1, |words, _: &mut [f32]| {
                    words
                });
            }
            Panels::Bf16(words) if S::BF16 => {
                self.slabs::<S, Bf16Pairs, _, _, M, V>(
                    s,
                    words,
                    slab,
                    1,
                    |words, _: &mut [u32]| words,
                );
            }
            Panels::Bf16(words) => {
                self.slabs::<S, Floats, _, _, M, V>(s, words, slab / 2, 2, widen_bf16::<S, V>);
            }
            Panels::Int8 { words, .. } if S::BYTES => {
                self.slabs::<S, Bytes, _, _, M, V>(s, words, slab, 1, |words, _: &mut [u32]| words);
            }
            Panels::Int8 { words, .. } => {
                self.slabs::<S, I16Pairs, _, _, M, V>(s, words, slab / 2, 2, widen_bytes::<S, V>);
            }
        }
    }
}

impl<'a> Task<'a> {
    /// Slab by slab, panel by panel, tile by tile. `slab` counts stored words, each of which `widen` turns into
    /// `factor` words of the kind that are multiplied, through a scratch space.
    #[inline(always)]
    fn slabs<S: Simd, O: Operand<S>, W: Copy, F, const M: usize, const V: usize>(
        mut self,
        s: S,
        panels: &'a [W],
        slab: usize,
        factor: usize,
        widen: F,
    ) where
        F: for<'w> Fn(&'w [W], &'w mut [O::Word]) -> &'w [O::Word],
    {
        let layer = self.layer;
        let (inputs, columns, per_word) = (layer.inputs, V * S::LANES, O::PER_WORD * factor);
        let words = inputs.div_ceil(per_word);
        let rows: Vec<&[f32]> = self.x.chunks_exact(inputs).collect();
        let tiles = rows.len().div_ceil(M);
        let scales: Vec<f32> = match layer.panels {
            Panels::Int8 { .. } => rows.iter().map(|row| scale(row)).collect(),
            _ => vec![1.0; rows.len()],
        };
        let inverses: Vec<f32> = scales.iter().map(|scale| inverse(*scale)).collect();

        let longest = slab.min(words) * factor;
        let mut packed = Buffer::<O::Word>::new(tiles * longest * M);
        let mut scratch = Buffer::<O::Word>::new(if factor > 1 { longest * columns } else { 0 });
        let width = self.out.first().map_or(0, |row| row.len());

        for (index, first) in (0..words).step_by(slab).enumerate() {
            let stored = slab.min(words - first);
            let length = stored * factor;
            let range = first * per_word..inputs.min((first + stored) * per_word);
            for (tile, to) in packed.chunks_exact_mut(length * M).take(tiles).enumerate() {
                let of_tile = tile * M..rows.len().min(tile * M + M);
                let mut part = [&[][..]; M];
                for (part, row) in part.iter_mut().zip(&rows[of_tile.clone()]) {
                    *part = &row[range.clone()];
                }
                // What the last stored word lacks of its `factor` words.
                to.fill(O::Word::default());
                pack::<S, O, M>(&part[..of_tile.len()], &inverses[of_tile], to);
            }
            let (is_first, is_last) = (index == 0, first + stored == words);
            for column in (0..width).step_by(columns) {
                let output = self.first_column + column;
                let start = output * words + first * columns;
                let b = widen(&panels[start..start + stored * columns], &mut scratch);
                let corrections = match &layer.panels {
                    Panels::Int8 { corrections, .. } if S::BYTES => {
                        let start = index * layer.bias.len() + output;
                        S::rows(&corrections[start..start + columns])
                    }
                    _ => &[],
                };
                for (tile_index, a) in packed.chunks_exact(length * M).take(tiles).enumerate() {
                    // Rows of the output lie far apart: without this, every tile waits for memory before it ends.
                    for out in self.out.iter().skip(tile_index * M).take(M) {
                        s.prefetch(&out[column..width.min(column + columns)]);
                    }
                    let zero: [O::Sum; V] =
                        std::array::from_fn(|j| O::start(s, corrections.get(j)));
                    let sums = tile::<S, O, M, V>(s, [zero; M], a, &b[..length * columns]);
                    let at = Place {
                        row: tile_index * M,
                        column,
                        is_first,
                        is_last,
                    };
                    self.finish::<S, O, M, V>(s, sums, &scales, at);
                }
            }
        }
    }

    /// Adds a tile to the output, the bias and the residual with the first slab, and takes the GELU with the last.
    #[inline(always)]
    fn finish<S: Simd, O: Operand<S>, const M: usize, const V: usize>(
        &mut self,
        s: S,
        sums: [[O::Sum; V]; M],
        scales: &[f32],
        at: Place,
    ) {
        let columns = V * S::LANES;
        let layer = self.layer;
        let output = self.first_column + at.column;
        let bias = S::rows(&layer.bias[output..output + columns]);
        let column_scales = match &layer.panels {
            Panels::Int8 { scales, .. } => S::rows(&scales[output..output + columns]),
            _ => bias,
        };
        let adds = matches!(self.epilogue, Epilogue::Add | Epilogue::Residual(_));
        let takes_gelu = at.is_last && matches!(self.epilogue, Epilogue::Gelu);
        // A panel that is not full ends the row: it is finished in a full one.
        let mut full = [0f32; MOST_COLUMNS];
        for (i, sums) in sums.into_iter().enumerate() {
            let row = at.row + i;
            let Some(out) = self.out.get_mut(row) else {
                break;
            };
            let width = columns.min(out.len() - at.column);
            let out = &mut out[at.column..at.column + width];
            if let (true, Epilogue::Residual(x)) = (at.is_first, self.epilogue) {
                let start = (self.first_row + row) * layer.outputs + output;
                out.copy_from_slice(&x[start..start + width]);
            }
            if width < columns {
                full[..width].copy_from_slice(out);
            }
            let to = if width < columns {
                S::rows_mut(&mut full)
            } else {
                S::rows_mut(&mut *out)
            };
            for (j, (sum, to)) in sums.into_iter().zip(&mut *to).enumerate() {
                let scale = s.mul(s.splat(scales[row]), s.load(&column_scales[j]));
                let mut y = O::float(s, sum, scale);
                if at.is_first {
                    y = s.add(y, s.load(&bias[j]));
                }
                if !at.is_first || adds {
                    y = s.add(y, s.load(to));
                }
                s.store(y, to);
            }
            if takes_gelu {
                for to in &mut to[..V] {
                    s.store(math::gelu(s, s.load(to)), to);
                }
            }
            if width < columns {
                out.copy_from_slice(&full[..width]);
            }
        }
    }
}

/// Of the widest tile, 2 vectors of 16.
const MOST_COLUMNS: usize = 32;

/// Where a tile lies in the task's output, and in the order of slabs.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    column: usize,
    is_first: bool,
    is_last: bool,
}

/// Rows of bf16 pairs to two rows of floats each.
#[inline(always)]
fn widen_bf16<'w, S: Simd, const V: usize>(words: &'w [u32], to: &'w mut [f32]) -> &'w [f32] {
    let columns = V * S::LANES;
    for (pairs, to) in words
        .chunks_exact(columns)
        .zip(to.chunks_exact_mut(2 * columns))
    {
        let (even, odd) = to.split_at_mut(columns);
        for ((pair, even), odd) in pairs.iter().zip(even).zip(odd) {
            *even = f32::from_bits(pair << 16);
            *odd = f32::from_bits(pair & 0xffff_0000);
        }
    }
    to
}

/// Rows of four bytes to two rows of `i16` pairs each.
#[inline(always)]
fn widen_bytes<'w, S: Simd, const V: usize>(words: &'w [u32], to: &'w mut [u32]) -> &'w [u32] {
    let columns = V * S::LANES;
    let pair = |low: u32, high: u32| {
        let low = (low << 24).cast_signed() >> 24;
        let high = (high << 24).cast_signed() >> 24;
        low.cast_unsigned() & 0xffff | high.cast_unsigned() << 16
    };
    for (fours, to) in words
        .chunks_exact(columns)
        .zip(to.chunks_exact_mut(2 * columns))
    {
        let (low, high) = to.split_at_mut(columns);
        for ((four, low), high) in fours.iter().zip(low).zip(high) {
            *low = pair(*four, four >> 8);
            *high = pair(four >> 16, four >> 24);
        }
    }
    to
}
