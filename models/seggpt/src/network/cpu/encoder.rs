//! The stack of blocks.

use seggpt_kernels::{Attention, AttentionShape, Isa, LayerNorm, Precision, Sharing};

use super::{
    block::{Block, Parts},
    pack::Pack,
    scratch::Scratch,
};
use crate::{
    Config, Error,
    network::{Canvas, Rows, positions},
};

pub(super) struct Encoder {
    isa: Isa,
    precision: Precision,
    blocks: Vec<Block>,
    norm: LayerNorm,
    /// Number of blocks before the merge.
    apart: usize,
    kept_blocks: Vec<usize>,
    heads: usize,
    width: usize,
}

/// What tokens stand for.
#[derive(Clone, Copy)]
pub(super) struct On<'a> {
    pub(super) canvas: Canvas,
    /// Of every block.
    pub(super) attention: &'a [Attention],
    pub(super) sharing: Sharing,
}

impl Encoder {
    pub(super) fn load(config: &Config, pack: &Pack) -> Result<Self, Error> {
        // Blocks beyond the last kept one have no say in the answer.
        let block = |index| {
            let parts = Parts {
                name: &format!("blocks.{index}"),
                layer_norm_eps: config.layer_norm_eps,
                depthwise: config.depthwise,
                relative_positions: config.relative_positions,
            };
            Block::load(&parts, pack)
        };
        let blocks = (0..=config.last_block()).map(block);
        Ok(Self {
            isa: pack.isa,
            precision: pack.precision,
            blocks: blocks.collect::<Result<_, Error>>()?,
            norm: pack.norm("norm", config.layer_norm_eps)?,
            apart: config.merge_index.map_or(0, |index| index + 1),
            kept_blocks: config.kept_blocks.clone(),
            heads: config.heads,
            width: config.width,
        })
    }

    /// Each block's attention on a canvas of this size.
    pub(super) fn attention(&self, canvas: Canvas) -> Result<Vec<Attention>, Error> {
        let shape = AttentionShape {
            heads: self.heads,
            width: self.width / self.heads,
            rows: canvas.rows,
            columns: canvas.columns,
        };
        let blocks = self.blocks.iter().map(|block| {
            let tables = block.relative.as_ref().map(|[by_row, by_column]| {
                [
                    positions::resized(by_row, shape.width, 2 * canvas.rows),
                    positions::resized(by_column, shape.width, canvas.columns),
                ]
            });
            let tables = tables
                .as_ref()
                .map(|tables| tables.each_ref().map(Vec::as_slice));
            Ok(Attention::new(self.isa, self.precision, shape, tables)?)
        });
        blocks.collect()
    }

    /// Runs one stream of a group, `[(n + 1) L, C]`, through the blocks before the merge.
    pub(super) fn until_merge(
        &self,
        x: &mut [f32],
        on: On,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        let _span = tracing::info_span!("encoder before the merge").entered();
        for index in 0..self.apart {
            self.block(index, x, on, Rows::All, scratch)?;
        }
        Ok(())
    }

    /// Runs the merged stream of a group, `[(n + 1) L, C]`, through the rest, and collects the kept features of the
    /// tokens that the answer is painted from: `[columns + L, levels * C]`.
    pub(super) fn after_merge(
        &self,
        mut x: Vec<f32>,
        on: On,
        scratch: &mut Scratch,
    ) -> Result<Vec<f32>, Error> {
        let _span = tracing::info_span!("encoder after the merge").entered();
        let (c, l, columns) = (self.width, on.canvas.tokens(), on.canvas.columns);
        let stride = self.kept_blocks.len() * c;
        let mut features = vec![0.0; (columns + l) * stride];
        // The merge comes after the block of its index, which may be kept.
        for index in self.apart.saturating_sub(1)..self.blocks.len() {
            if index >= self.apart {
                let rows = if index + 1 == self.blocks.len() {
                    Rows::Answer
                } else {
                    Rows::All
                };
                let tokens = self.block(index, &mut x, on, rows, scratch)?;
                x.truncate(tokens * c);
            }
            let Some(level) = self.kept_blocks.iter().position(|kept| *kept == index) else {
                continue;
            };
            // The last row of patches of the first prompt, and the query.
            let (tokens, first) = (x.len() / c, level * c);
            let above = if tokens == columns + l {
                0
            } else {
                l - columns
            };
            let (to_above, to_query) = features.split_at_mut(columns * stride);
            let above = &x[above * c..(above + columns) * c];
            self.norm.forward_into(above, to_above, stride, first)?;
            let query = &x[(tokens - l) * c..];
            self.norm.forward_into(query, to_query, stride, first)?;
        }
        Ok(features)
    }

    fn block(
        &self,
        index: usize,
        x: &mut [f32],
        on: On,
        rows: Rows,
        scratch: &mut Scratch,
    ) -> Result<usize, Error> {
        let _span = tracing::debug_span!("block", index).entered();
        self.blocks[index].forward(
            x,
            on.canvas,
            &on.attention[index],
            on.sharing,
            rows,
            scratch,
        )
    }
}
