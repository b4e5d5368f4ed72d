//! Attention with decomposed relative positions, without the matrix of scores.
//!
//! Scores are computed with queries across the lanes: a block of them against some keys at a time, while softmax, with
//! its running maximum, needs no sum across lanes, and the biases of a key are two vectors to start its sums from.
//! The product with the values then finds its operand as the loop in [`tile`](crate::tile) wants it.
//!
//! A group is the tokens of `n` prompts, then those of the one query that they share: each prompt and the query attend
//! to each other as on a canvas of their own; [`Sharing`] says what the query makes of several. What it makes of itself
//! is computed once. Without prompts the query attends to itself: plain attention.

mod block;
mod operand;
mod pack;

use rayon::prelude::*;

use self::{
    block::{Block, Geometry},
    pack::{Packed, Table},
};
use crate::{Isa, KernelError, Precision, error::expect_length};

/// The sizes of one attention layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionShape {
    /// Heads, each with queries, keys and values of its own.
    pub heads: usize,
    /// Numbers per query, key and value.
    pub width: usize,
    /// Rows of tokens in one half of the canvas.
    pub rows: usize,
    /// Columns of tokens.
    pub columns: usize,
}

impl AttentionShape {
    /// Tokens of one half.
    pub fn tokens(&self) -> usize {
        self.rows * self.columns
    }

    /// Numbers per token.
    pub fn channels(&self) -> usize {
        self.heads * self.width
    }
}

/// Whose results are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queries {
    /// Every token's.
    All,
    /// Of the first prompt those from this token on, of other prompts none, and the query's.
    From(usize),
}

/// What the query makes of several prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// It attends to each together with itself, and the results are averaged.
    Average,
    /// It attends to all together with itself: one softmax, to which a prompt counts as much as it is like the query.
    Joint,
}

/// One attention layer: its relative positions, if it has them, laid out.
pub struct Attention {
    isa: Isa,
    shape: AttentionShape,
    /// Products of bf16.
    bf16: bool,
    geometry: Geometry,
    /// Of rows and of columns.
    tables: Option<[Table; 2]>,
}

impl Attention {
    /// `tables` of rows `[2 * 2 rows - 1, width]` and of columns `[2 columns - 1, width]` hold what a query is multiplied
    /// with by its distance `query - key`, the most negative first (`rel_pos_h` and `rel_pos_w`, at this size). Without
    /// them positions have no say.
    ///
    /// [`Precision::F32`] multiplies f32; the others multiply bf16 where the CPU does ([`Isa::has_bf16`]), f32 elsewhere.
    ///
    /// # Errors
    /// [`KernelError`] if a size is zero, or the lengths do not match.
    pub fn new(
        isa: Isa,
        precision: Precision,
        shape: AttentionShape,
        tables: Option<[&[f32]; 2]>,
    ) -> Result<Self, KernelError> {
        let AttentionShape {
            heads,
            width,
            rows,
            columns,
        } = shape;
        if heads * width * rows * columns == 0 {
            return Err(KernelError::Size {
                what: "heads * width * rows * columns",
                found: 0,
                expected: "at least 1",
            });
        }
        if let Some([by_row, by_column]) = tables {
            expect_length(
                "the table of rows",
                by_row.len(),
                (4 * rows - 1) * width,
                "[2 * 2 rows - 1, width]",
            )?;
            expect_length(
                "the table of columns",
                by_column.len(),
                (2 * columns - 1) * width,
                "[2 columns - 1, width]",
            )?;
        }
        let geometry = Geometry::of(isa);
        Ok(Self {
            isa,
            shape,
            bf16: precision != Precision::F32 && isa.has_bf16(),
            geometry,
            tables: tables.map(|tables| tables.map(|table| Table::pack(isa, table, width))),
        })
    }

    /// `qkv` `[(n + 1) * tokens, 3 * channels]`, each token's queries, keys and values, head by head, to `out`
    /// `[wanted tokens, channels]`, on all threads of the current rayon pool.
    ///
    /// # Errors
    /// [`KernelError`] if the lengths do not match, or tokens of the first prompt are wanted where there is none.
    pub fn forward(
        &self,
        qkv: &[f32],
        out: &mut [f32],
        queries: Queries,
        sharing: Sharing,
    ) -> Result<(), KernelError> {
        let (tokens, channels, heads) =
            (self.shape.tokens(), self.shape.channels(), self.shape.heads);
        let parts = qkv.len() / (tokens * 3 * channels);
        expect_length(
            "qkv",
            qkv.len(),
            parts.max(1) * tokens * 3 * channels,
            "[(n + 1) * tokens, 3 * channels]",
        )?;
        let prompts = parts - 1;
        // (part, first token) of every run of queries.
        let runs: Vec<(usize, usize)> = match queries {
            Queries::All => (0..parts).map(|part| (part, 0)).collect(),
            Queries::From(_) if prompts == 0 => {
                return Err(KernelError::Size {
                    what: "the number of prompts, of the first of which tokens are wanted,",
                    found: 0,
                    expected: "at least 1",
                });
            }
            Queries::From(first) if first <= tokens => vec![(0, first), (prompts, 0)],
            Queries::From(first) => {
                return Err(KernelError::Size {
                    what: "the first wanted token",
                    found: first,
                    expected: "at most the tokens of one half",
                });
            }
        };
        let wanted: usize = runs.iter().map(|(_, first)| tokens - first).sum();
        expect_length(
            "out",
            out.len(),
            wanted * channels,
            "[wanted tokens, channels]",
        )?;

        let packed = Packed::new(self, qkv, parts);
        let mut rows = out.chunks_exact_mut(channels);
        let mut blocks = Vec::new();
        for (part, first) in runs {
            for first in (first..tokens).step_by(self.geometry.queries) {
                let count = self.geometry.queries.min(tokens - first);
                let mut of_heads: Vec<Vec<&mut [f32]>> = Vec::new();
                of_heads.resize_with(heads, || Vec::with_capacity(count));
                for row in rows.by_ref().take(count) {
                    for (of_head, row) in of_heads
                        .iter_mut()
                        .zip(row.chunks_exact_mut(self.shape.width))
                    {
                        of_head.push(row);
                    }
                }
                blocks.extend(of_heads.into_iter().enumerate().map(|(head, out)| Block {
                    attention: self,
                    qkv,
                    packed: &packed,
                    prompts,
                    sharing,
                    head,
                    part,
                    first,
                    out,
                }));
            }
        }
        // A head's keys and values stay in the cache of the core that works on it.
        blocks.sort_by_key(|block| block.head);
        blocks
            .into_par_iter()
            .for_each(|block| self.isa.run_even(block));
        Ok(())
    }
}
