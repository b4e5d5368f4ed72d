//! One block of the output, from packing to storing.

use super::{
    Epilogue, PackedLinear,
    panels::{Panels, SPAN},
    stored::{AsTheyAre, Stored, WidenedBf16, WidenedBytes},
};
use crate::{
    buffer::Buffer,
    math,
    operand::{Operand, pack},
    quantise::{inverse, scale},
    simd::{Kernel, Simd},
    tile::{Bf16Pairs, Bytes, Dot, Floats, tile},
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
            Panels::F32(words) => self.spans::<S, AsTheyAre<Floats>, M, V>(s, words, slab),
            Panels::Bf16(words) if S::BF16 => {
                self.spans::<S, AsTheyAre<Bf16Pairs>, M, V>(s, words, slab);
            }
            Panels::Bf16(words) => self.spans::<S, WidenedBf16, M, V>(s, words, slab / 2),
            Panels::Int8 { words, .. } if S::BYTES => {
                self.spans::<S, AsTheyAre<Bytes>, M, V>(s, words, slab);
            }
            Panels::Int8 { words, .. } => {
                self.spans::<S, WidenedBytes, M, V>(s, words, slab / 2);
            }
        }
    }
}

impl<'a> Task<'a> {
    /// Span by span, panel by panel, slab by slab (of so many stored words), tile by tile.
    ///
    /// A panel's sums stay in the first cache from slab to slab: the output, whose rows lie far apart, is touched once a
    /// span.
    #[inline(always)]
    fn spans<S: Simd, K: Stored<S>, const M: usize, const V: usize>(
        mut self,
        s: S,
        panels: &'a [K::Word],
        slab: usize,
    ) {
        type Word<S, K> = <<K as Stored<S>>::Multiplied as Dot<S>>::Word;
        type Sum<S, K> = <<K as Stored<S>>::Multiplied as Dot<S>>::Sum;
        let layer = self.layer;
        let (inputs, columns, per_word) = (
            layer.inputs,
            V * S::LANES,
            K::Multiplied::PER_WORD * K::FACTOR,
        );
        let words = inputs.div_ceil(per_word);
        let rows: Vec<&[f32]> = self.x.chunks_exact(inputs).collect();
        let tiles = rows.len().div_ceil(M);
        let scales: Vec<f32> = match layer.panels {
            Panels::Int8 { .. } => rows.iter().map(|row| scale(row)).collect(),
            _ => vec![1.0; rows.len()],
        };
        let inverses: Vec<f32> = scales.iter().map(|scale| inverse(*scale)).collect();

        let span = (SPAN / K::FACTOR).next_multiple_of(slab).min(words);
        let mut packed = Buffer::<Word<S, K>>::new(tiles * span * K::FACTOR * M);
        let widened = if K::FACTOR > 1 {
            slab.min(words) * K::FACTOR
        } else {
            0
        };
        let mut scratch = Buffer::<Word<S, K>>::new(widened * columns);
        let nothing = [[K::Multiplied::start(s, None); V]; M];
        let mut partial = vec![nothing; if span > slab { tiles } else { 0 }];
        let width = self.out.first().map_or(0, |row| row.len());

        for span_start in (0..words).step_by(span) {
            let span_end = words.min(span_start + span);
            let slabs = || {
                (span_start..span_end)
                    .step_by(slab)
                    .map(|first| (first, slab.min(span_end - first)))
            };
            let mut room = &mut packed[..];
            for (first, stored) in slabs() {
                let length = stored * K::FACTOR;
                let range = first * per_word..inputs.min((first + stored) * per_word);
                let (here, rest) = room.split_at_mut(tiles * length * M);
                room = rest;
                for (tile, to) in here.chunks_exact_mut(length * M).enumerate() {
                    let of_tile = tile * M..rows.len().min(tile * M + M);
                    let mut part = [&[][..]; M];
                    for (part, row) in part.iter_mut().zip(&rows[of_tile.clone()]) {
                        *part = &row[range.clone()];
                    }
                    // What the last stored word lacks of its words.
                    to.fill(Default::default());
                    pack::<S, K::Multiplied, M>(&part[..of_tile.len()], &inverses[of_tile], to);
                }
            }
            for column in (0..width).step_by(columns) {
                let output = self.first_column + column;
                let panel = &panels[output * words..(output + columns) * words];
                let corrections = match &layer.panels {
                    Panels::Int8 { corrections, .. } if S::BYTES => {
                        let start = span_start / span * layer.bias.len() + output;
                        S::rows(&corrections[start..start + columns])
                    }
                    _ => &[],
                };
                let start: [Sum<S, K>; V] =
                    std::array::from_fn(|j| K::Multiplied::start(s, corrections.get(j)));
                let mut packed = &packed[..];
                for (first, stored) in slabs() {
                    let length = stored * K::FACTOR;
                    let (a, rest) = packed.split_at(tiles * length * M);
                    packed = rest;
                    let at = first * columns;
                    let b = K::multiplied::<V>(s, &panel[at..at + stored * columns], &mut scratch);
                    let (begins, ends) = (first == span_start, first + stored == span_end);
                    let next = if ends {
                        let start = (output + columns) * words + span_start * columns;
                        panels.get(start..).unwrap_or_default()
                    } else {
                        &panel[at + stored * columns..]
                    };
                    let ahead = (slab * columns).div_ceil(tiles);
                    for (tile_index, a) in a.chunks_exact(length * M).enumerate() {
                        // Memory is far: what is needed next is called for while this tile is computed.
                        let from = next.len().min(tile_index * ahead);
                        s.prefetch(&next[from..next.len().min(from + ahead)]);
                        if ends {
                            for out in self.out.iter().skip(tile_index * M).take(M) {
                                s.prefetch(&out[column..width.min(column + columns)]);
                            }
                        }
                        let sums = if begins {
                            [start; M]
                        } else {
                            partial[tile_index]
                        };
                        let sums =
                            tile::<S, K::Multiplied, M, V>(s, sums, a, &b[..length * columns]);
                        if ends {
                            let at = Place {
                                row: tile_index * M,
                                column,
                                is_first: span_start == 0,
                                is_last: span_end == words,
                            };
                            let sums = self.floats::<S, K::Multiplied, M, V>(s, sums, &scales, at);
                            self.finish::<S, M, V>(s, sums, at);
                        } else {
                            partial[tile_index] = sums;
                        }
                    }
                }
            }
        }
    }

    /// What the sums of a tile stand for.
    #[inline(always)]
    fn floats<S: Simd, O: Operand<S>, const M: usize, const V: usize>(
        &self,
        s: S,
        sums: [[O::Sum; V]; M],
        scales: &[f32],
        at: Place,
    ) -> [[S::F; V]; M] {
        let output = self.first_column + at.column;
        let of_columns = match &self.layer.panels {
            Panels::Int8 { scales, .. } => &scales[output..],
            _ => &self.layer.bias[output..],
        };
        let of_columns = S::rows(&of_columns[..V * S::LANES]);
        let mut floats = [[s.splat(0.0); V]; M];
        for (i, (floats, sums)) in floats.iter_mut().zip(sums).enumerate() {
            let scale = s.splat(scales.get(at.row + i).copied().unwrap_or_default());
            for ((float, sum), of_column) in floats.iter_mut().zip(sums).zip(of_columns) {
                *float = O::float(s, sum, s.mul(scale, s.load(of_column)));
            }
        }
        floats
    }

    /// Adds a tile to the output, the bias and the residual with the first span, and takes the GELU with the last.
    #[inline(always)]
    fn finish<S: Simd, const M: usize, const V: usize>(
        &mut self,
        s: S,
        sums: [[S::F; V]; M],
        at: Place,
    ) {
        let columns = V * S::LANES;
        let layer = self.layer;
        let output = self.first_column + at.column;
        let bias = S::rows(&layer.bias[output..output + columns]);
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
            for (j, (mut y, to)) in sums.into_iter().zip(&mut *to).enumerate() {
                if at.is_first {
                    y = s.add(y, s.load(&bias[j]));
                }
                if !at.is_first || adds {
                    y = s.add(y, s.load(to));
                }
                if takes_gelu {
                    y = math::gelu(s, y);
                }
                s.store(y, to);
            }
            if width < columns {
                out.copy_from_slice(&full[..width]);
            }
        }
    }
}

/// Of the widest tile, 2 vectors of 16.
const MOST_COLUMNS: usize = 32;

/// Where a tile lies in the task's output, and in the order of spans.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    column: usize,
    is_first: bool,
    is_last: bool,
}
