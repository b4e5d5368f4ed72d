//! From kept features to painted pixels.

use seggpt_kernels::{Epilogue, PackedLinear, Painter, PainterWeights, PatchGrid};
use tracing::debug_span;

use super::pack::Pack;
use crate::{Config, Error, network::Canvas};

pub(super) struct Decoder {
    embed: PackedLinear,
    painter: Painter,
    patch_size: usize,
    width: usize,
}

impl Decoder {
    pub(super) fn load(config: &Config, pack: &Pack) -> Result<Self, Error> {
        let part = |part: &str| pack.numbers(&format!("decoder_pred.{part}"));
        let painter = Painter::pack(
            pack.isa,
            PainterWeights {
                convolution: &part("0.weight")?,
                convolution_bias: &part("0.bias")?,
                norm: &part("1.weight")?,
                norm_bias: &part("1.bias")?,
                epsilon: config.layer_norm_eps as f32,
                head: &part("3.weight")?,
                head_bias: &part("3.bias")?,
            },
        )?;
        Ok(Self {
            embed: pack.linear("decoder_embed", pack.precision)?,
            painter,
            patch_size: config.patch_size,
            width: config.decoder_width,
        })
    }

    /// Features of one answer, `[columns + L, levels * C]`, to its pixels `[3, rows * P, columns * P]`.
    ///
    /// The first `columns` tokens are the lowest patch row of the prompt: the 3x3 convolution at the query's first row
    /// of pixels reaches one row of pixels into it.
    pub(super) fn answer(
        &self,
        features: &[f32],
        canvas: Canvas,
        answer: &mut [f32],
    ) -> Result<(), Error> {
        let _span = tracing::info_span!("decoder").entered();
        let (p, columns) = (self.patch_size, canvas.columns);
        let (patch, row) = (self.embed.outputs(), p * self.width);
        let mut embedded = vec![0.0; (columns + canvas.tokens()) * patch];
        debug_span!("linear decoder_embed")
            .in_scope(|| self.embed.forward(features, &mut embedded, Epilogue::Store))?;
        let (prompt, query) = embedded.split_at(columns * patch);
        let above: Vec<f32> = prompt
            .chunks_exact(patch)
            .flat_map(|patch| &patch[patch.len() - row..])
            .copied()
            .collect();
        let grid = PatchGrid {
            rows: canvas.rows,
            columns,
            patch: p,
        };
        debug_span!("convolutions")
            .in_scope(|| self.painter.forward(Some(&above), query, grid, answer))?;
        Ok(())
    }
}
