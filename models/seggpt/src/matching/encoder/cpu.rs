//! The encoder over the kernels of `seggpt-kernels`.

use std::{convert::Infallible, sync::Arc};

use candle_core::{Device, Tensor};
use seggpt_kernels::{
    Attention, AttentionShape, Epilogue, Isa, LayerNorm, PackedLinear, Precision, Sharing,
};

use super::grid;
use crate::{
    DTypeChoice, Error,
    matching::EncoderConfig,
    network::{
        Canvas, Rows,
        cpu::{Block, Pack, Parts, Scratch, lend, precision, windows},
        positions,
        recent::Recent,
    },
    weights::Source,
};

pub(crate) struct Encoder {
    config: EncoderConfig,
    isa: Isa,
    precision: Precision,
    patch: PackedLinear,
    class_token: Vec<f32>,
    /// As stored, `[g², C]`.
    positions: Vec<f32>,
    blocks: Vec<Block>,
    /// Without weights: what follows has its own.
    norm: LayerNorm,
    /// Positions by grid.
    resized: Recent<Vec<f32>>,
}

impl Encoder {
    pub(super) fn load(
        config: &EncoderConfig,
        source: Source,
        dtype: DTypeChoice,
    ) -> Result<Self, Error> {
        let pack = Pack {
            source,
            isa: Isa::detect(),
            precision: precision(dtype),
        };
        let block = |index| {
            let parts = Parts {
                name: &format!("encoder.blocks.{index}"),
                layer_norm_eps: config.layer_norm_eps,
                depthwise: 0,
                relative_positions: false,
            };
            Block::load(&parts, &pack)
        };
        let (ones, zeros) = (vec![1.0; config.width], vec![0.0; config.width]);
        Ok(Self {
            // Pixels are worth more than 8 bits.
            patch: pack.linear("encoder.patch_embed", Precision::F32)?,
            class_token: pack.numbers("encoder.class_token")?,
            positions: pack.numbers("encoder.positions")?,
            blocks: (0..config.depth).map(block).collect::<Result<_, Error>>()?,
            norm: LayerNorm::new(pack.isa, &ones, &zeros, config.layer_norm_eps as f32)?,
            resized: Recent::default(),
            isa: pack.isa,
            precision: pack.precision,
            config: config.clone(),
        })
    }

    pub(super) fn features(&self, pictures: &Tensor) -> Result<Tensor, Error> {
        let canvas = grid("pictures", pictures, &self.config)?;
        let (n, size) = (pictures.dim(0)?, pictures.elem_count());
        let each = canvas.tokens() * self.config.features();
        let mut features = vec![0.0; n * each];
        let positions = self.positions(canvas);
        let shape = AttentionShape {
            heads: self.config.heads,
            width: self.config.width / self.config.heads,
            rows: 1,
            columns: 1 + canvas.tokens(),
        };
        let attention = Attention::new(self.isa, self.precision, shape, None)?;
        lend(pictures, |pictures| {
            let pictures = pictures.chunks_exact(size / n);
            let mut scratch = Scratch::default();
            for (picture, features) in pictures.zip(features.chunks_exact_mut(each)) {
                self.picture(
                    picture,
                    canvas,
                    &positions,
                    &attention,
                    &mut scratch,
                    features,
                )?;
            }
            Ok(())
        })?;
        Ok(Tensor::from_vec(
            features,
            (n, canvas.tokens(), self.config.features()),
            &Device::Cpu,
        )?)
    }

    fn picture(
        &self,
        picture: &[f32],
        canvas: Canvas,
        positions: &[f32],
        attention: &Attention,
        scratch: &mut Scratch,
        features: &mut [f32],
    ) -> Result<(), Error> {
        let c = self.config.width;
        let mut x = [&self.class_token, positions].concat();
        let windows = windows(picture, canvas, self.config.patch_size);
        self.patch.forward(&windows, &mut x[c..], Epilogue::Add)?;
        for (index, block) in self.blocks.iter().enumerate() {
            block.forward(
                &mut x,
                canvas,
                attention,
                Sharing::Joint,
                Rows::All,
                scratch,
            )?;
            let level = self
                .config
                .kept_blocks
                .iter()
                .position(|kept| *kept == index);
            if let Some(level) = level {
                let stride = self.config.features();
                self.norm
                    .forward_into(&x[c..], features, stride, level * c)?;
            }
        }
        Ok(())
    }

    fn positions(&self, canvas: Canvas) -> Arc<Vec<f32>> {
        let Canvas { rows, columns } = canvas;
        let Ok(resized) = self.resized.get(canvas, || {
            let resized = positions::grid(&self.positions, self.config.width, rows, columns);
            Ok::<_, Infallible>(resized)
        });
        resized
    }
}
