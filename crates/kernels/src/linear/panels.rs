//! How weights lie in memory, and how the work is cut.

use rayon::prelude::*;

use super::{Precision, Weight};
use crate::{
    Isa,
    buffer::Buffer,
    quantise::{inverse, quantise, scale},
    simd::{Kernel, Simd, portable},
};

/// Words of a row that are laid out at a time: a whole number of slabs.
pub(super) const SPAN: usize = 1024;
/// Rows of a block: a span of them (448 KiB) fits the second-level cache, and their sums for one panel (7 KiB) the first.
const MOST_ROWS: usize = 112;

/// What an instruction set makes of the layout.
#[derive(Clone, Copy)]
pub(super) struct Geometry {
    /// Rows of a tile.
    pub(super) rows: usize,
    /// Columns of a tile and of a panel.
    pub(super) columns: usize,
    /// Words in a slab of summands: a panel's share of it stays in the first-level cache (16 KiB), or with vectors of a
    /// whole cache line, where one load feeds more multiplications, in the second (128 KiB).
    pub(super) slab: usize,
    bytes: bool,
}

/// Rows and columns of the output per task.
pub(super) struct Split {
    pub(super) rows: usize,
    pub(super) columns: usize,
}

struct Ask;
impl Kernel for Ask {
    type Output = Geometry;
    #[inline(always)]
    fn run<S: Simd, const M: usize, const V: usize>(self, _: S) -> Geometry {
        Geometry {
            rows: M,
            columns: V * S::LANES,
            slab: if S::LANES == 16 { 1024 } else { 256 },
            bytes: S::BYTES,
        }
    }
}

impl Geometry {
    pub(super) fn of(isa: Isa) -> Self {
        isa.run_tall(Ask)
    }

    /// Blocks of few enough rows, as many as there are threads or a multiple of it; where there are too few rows for
    /// that, groups of columns as well.
    pub(super) fn split(&self, rows: usize, outputs: usize, threads: usize) -> Split {
        let few = rows.div_ceil(4 * self.rows).max(1);
        let blocks = rows.div_ceil(MOST_ROWS).next_multiple_of(threads).min(few);
        let groups = if blocks.is_multiple_of(threads) {
            1
        } else {
            (4 * threads).div_ceil(blocks)
        };
        let panels = outputs.div_ceil(self.columns);
        Split {
            rows: rows
                .max(1)
                .div_ceil(blocks.max(1))
                .next_multiple_of(self.rows),
            columns: panels.div_ceil(groups) * self.columns,
        }
    }
}

/// `[panel, word, column]`, the last panel padded with zeros, and so the last word.
pub(super) enum Panels {
    F32(Buffer<f32>),
    Bf16(Buffer<u32>),
    Int8 {
        words: Buffer<u32>,
        /// Per output: what 1 stands for.
        scales: Vec<f32>,
        /// Per span and output: -128 times the sum of its weights, as the unsigned inputs are 128 too large.
        corrections: Vec<u32>,
    },
}

impl Panels {
    pub(super) fn pack(
        geometry: Geometry,
        precision: Precision,
        weight: Weight,
        [outputs, inputs]: [usize; 2],
    ) -> Self {
        let columns = geometry.columns;
        let padded = outputs.next_multiple_of(columns);
        let per_word = per_word(precision);
        let words = inputs.div_ceil(per_word);
        match precision {
            Precision::F32 => {
                let mut panels = Buffer::new(padded * words);
                each(
                    &mut panels,
                    words,
                    columns,
                    weight,
                    [outputs, inputs],
                    |row, column, panel| {
                        for (to, x) in panel.iter_mut().skip(column).step_by(columns).zip(row) {
                            *to = *x;
                        }
                    },
                );
                Self::F32(panels)
            }
            Precision::Bf16 => {
                let mut panels = Buffer::new(padded * words);
                each(
                    &mut panels,
                    words,
                    columns,
                    weight,
                    [outputs, inputs],
                    |row, column, panel| {
                        let pairs = row.chunks(2).map(|x| match *x {
                            [low, high] => portable::pair(low, high),
                            _ => portable::pair(x[0], 0.0),
                        });
                        for (to, x) in panel.iter_mut().skip(column).step_by(columns).zip(pairs) {
                            *to = x;
                        }
                    },
                );
                Self::Bf16(panels)
            }
            Precision::Int8 => {
                let mut panels = Buffer::new(padded * words);
                each(
                    &mut panels,
                    words,
                    columns,
                    weight,
                    [outputs, inputs],
                    |row, column, panel| {
                        let scale = scale(row);
                        // Where bytes are widened to pairs, the even ones make the first pair.
                        let order = if geometry.bytes {
                            [0, 1, 2, 3]
                        } else {
                            [0, 2, 1, 3]
                        };
                        let fours = row.chunks(4).map(|x| {
                            let mut bytes = [0; 4];
                            for (at, x) in order.into_iter().zip(x) {
                                bytes[at] = quantise(*x, inverse(scale)) as i8 as u8;
                            }
                            u32::from_le_bytes(bytes)
                        });
                        for (to, x) in panel.iter_mut().skip(column).step_by(columns).zip(fours) {
                            *to = x;
                        }
                    },
                );
                let mut scales: Vec<f32> = (0..outputs)
                    .into_par_iter()
                    .map_with(vec![0.0; inputs], |row, output| {
                        weight.read(output * inputs, row);
                        scale(row)
                    })
                    .collect();
                scales.resize(padded, 0.0);
                let corrections = if geometry.bytes {
                    corrections(&panels, words, columns)
                } else {
                    Vec::new()
                };
                Self::Int8 {
                    words: panels,
                    scales,
                    corrections,
                }
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::F32(panels) => size_of_val(&**panels),
            Self::Bf16(panels) => size_of_val(&**panels),
            Self::Int8 {
                words,
                scales,
                corrections,
            } => size_of_val(&**words) + size_of_val(&**scales) + size_of_val(&**corrections),
        }
    }
}

/// Hands every row of the weight to `write`, with its column and its panel, panels in parallel.
fn each<T: Send>(
    panels: &mut [T],
    words: usize,
    columns: usize,
    weight: Weight,
    [outputs, inputs]: [usize; 2],
    write: impl Fn(&[f32], usize, &mut [T]) + Sync,
) {
    panels
        .par_chunks_mut(words * columns)
        .enumerate()
        .for_each_with(vec![0.0; inputs], |row, (index, panel)| {
            let first = index * columns;
            for output in first..outputs.min(first + columns) {
                weight.read(output * inputs, row);
                write(row, output - first, panel);
            }
        });
}

fn corrections(panels: &[u32], words: usize, columns: usize) -> Vec<u32> {
    let spans = words.div_ceil(SPAN);
    let padded = panels.len() / words;
    let mut sums = vec![0i32; spans * padded];
    for (index, panel) in panels.chunks(words * columns).enumerate() {
        for (word, row) in panel.chunks(columns).enumerate() {
            let start = (word / SPAN) * padded + index * columns;
            for (sum, four) in sums[start..start + columns].iter_mut().zip(row) {
                let bytes = four.to_le_bytes().map(|b| i32::from(b.cast_signed()));
                *sum -= 128 * bytes.iter().sum::<i32>();
            }
        }
    }
    sums.into_iter().map(i32::cast_unsigned).collect()
}

pub(super) fn per_word(precision: Precision) -> usize {
    match precision {
        Precision::F32 => 1,
        Precision::Bf16 => 2,
        Precision::Int8 => 4,
    }
}
