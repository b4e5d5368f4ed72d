//! The stack of blocks (`forward_encoder` of the original code).

use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::VarBuilder;

use super::{
    Canvas, Rows, attention::Relative, block::Block, canvas_positions::Positions, layers::LayerNorm,
};
use crate::{Config, Ensemble};

pub(super) struct Encoder {
    pub(super) blocks: Vec<Block>,
    pub(super) norm: LayerNorm,
    /// Number of blocks before the merge.
    apart: usize,
    kept_blocks: Vec<usize>,
}

impl Encoder {
    pub(super) fn load(config: &Config, vb: VarBuilder) -> Result<Self> {
        // Blocks beyond the last kept one have no say in the answer.
        let blocks: Result<Vec<_>> = (0..=config.last_block())
            .map(|i| Block::load(config, vb.pp(format!("blocks.{i}"))))
            .collect();
        Ok(Self {
            blocks: blocks?,
            norm: LayerNorm::load(config.width, config.layer_norm_eps, vb.pp("norm"))?,
            apart: config.merge_index.map_or(0, |index| index + 1),
            kept_blocks: config.kept_blocks.clone(),
        })
    }

    pub(super) fn relative(
        &self,
        canvas: Canvas,
        dtype: DType,
        device: &Device,
    ) -> Result<Vec<Option<Relative>>> {
        self.blocks
            .iter()
            .map(|block| block.relative(canvas, dtype, device))
            .collect()
    }

    /// Runs one stream, `[G, (n + 1) L, C]`, through the blocks before the merge.
    pub(super) fn until_merge(
        &self,
        x: &Tensor,
        canvas: Canvas,
        positions: &Positions,
        ensemble: Ensemble,
    ) -> Result<Tensor> {
        let _span = tracing::info_span!("encoder before the merge").entered();
        (0..self.apart).try_fold(x.clone(), |x, index| {
            self.block(index, &x, canvas, positions, ensemble, Rows::All)
        })
    }

    /// Runs the merged stream, `[G, (n + 1) L, C]`, through the rest, and collects the kept features of the tokens that
    /// the answer is painted from: `[G, columns + L, levels * C]`.
    pub(super) fn after_merge(
        &self,
        x: &Tensor,
        canvas: Canvas,
        positions: &Positions,
        ensemble: Ensemble,
    ) -> Result<Tensor> {
        let _span = tracing::info_span!("encoder after the merge").entered();
        let mut kept = Vec::with_capacity(self.kept_blocks.len());
        let mut x = x.clone();
        // The merge comes after the block of its index, which may be kept.
        for index in self.apart.saturating_sub(1)..self.blocks.len() {
            let merged = index >= self.apart;
            let rows = if merged && index + 1 == self.blocks.len() {
                Rows::Answer
            } else {
                Rows::All
            };
            if merged {
                x = self.block(index, &x, canvas, positions, ensemble, rows)?;
            }
            if self.kept_blocks.contains(&index) {
                let answer = if rows == Rows::Answer {
                    x.clone()
                } else {
                    Rows::Answer.of(&x, canvas)?
                };
                kept.push(self.norm.forward(&answer)?);
            }
        }
        Tensor::cat(&kept, D::Minus1)
    }

    fn block(
        &self,
        index: usize,
        x: &Tensor,
        canvas: Canvas,
        positions: &Positions,
        ensemble: Ensemble,
        rows: Rows,
    ) -> Result<Tensor> {
        let _span = tracing::debug_span!("block", index).entered();
        let relative = positions.relative[index].as_ref();
        self.blocks[index].forward(x, canvas, relative, &positions.keys, ensemble, rows)
    }
}
