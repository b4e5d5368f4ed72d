//! From pictures to tokens.

use seggpt_kernels::{Epilogue, PackedLinear, Precision};

use super::{pack::Pack, stem::Stem};
use crate::{
    Config, Error, SegType, TargetEmbedding,
    network::{Canvas, embeddings::Stream, positions},
};

pub(super) struct Embeddings {
    stem: Option<Stem>,
    patch: PackedLinear,
    /// For masks; none where they share that of the pictures.
    target: Option<PackedLinear>,
    patch_size: usize,
    mask_token: Vec<f32>,
    /// For the image and for the target stream.
    segment_tokens: [Vec<f32>; 2],
    /// Semantic and instance; none in Painter.
    type_tokens: Option<[Vec<f32>; 2]>,
    /// As stored, `[1 + g², C]`; none where positions are not absolute.
    positions: Option<Vec<f32>>,
    width: usize,
}

impl Embeddings {
    pub(super) fn load(config: &Config, pack: &Pack) -> Result<Self, Error> {
        // Pixels are worth more than 8 bits, and the layers cost little.
        let linear = |name| pack.linear(name, Precision::F32);
        Ok(Self {
            stem: Stem::load(config, pack)?,
            patch: linear("patch_embed.proj")?,
            target: match config.target_embedding {
                TargetEmbedding::Shared => None,
                TargetEmbedding::Separate => Some(linear("target_embed.proj")?),
            },
            patch_size: config.patch_size,
            mask_token: pack.numbers("mask_token")?,
            segment_tokens: [
                pack.numbers("segment_token_x")?,
                pack.numbers("segment_token_y")?,
            ],
            type_tokens: match config.type_tokens {
                true => Some([
                    pack.numbers("type_token_cls")?,
                    pack.numbers("type_token_ins")?,
                ]),
                false => None,
            },
            positions: match config.absolute_positions {
                true => Some(pack.numbers("pos_embed")?),
                false => None,
            },
            width: config.width,
        })
    }

    /// Absolute positions of the two halves, each `[L, C]`.
    pub(super) fn absolute(&self, canvas: Canvas) -> [Vec<f32>; 2] {
        let half = canvas.tokens() * self.width;
        let mut upper = match &self.positions {
            Some(table) => positions::absolute(table, self.width, 2 * canvas.rows, canvas.columns),
            None => vec![0.0; 2 * half],
        };
        let lower = upper.split_off(half);
        [upper, lower]
    }

    /// A picture or mask `[3, rows * P, columns * P]` to tokens `[L, C]`, with everything added that says what they are.
    pub(super) fn tokens(
        &self,
        picture: &[f32],
        stream: Stream,
        positions: &[f32],
        kind: SegType,
        canvas: Canvas,
        to: &mut [f32],
    ) -> Result<(), Error> {
        self.mark(stream, positions, kind, to);
        let windows = || windows(picture, canvas, self.patch_size);
        match (stream, &self.target, &self.stem) {
            (Stream::Target, Some(target), _) => target.forward(&windows(), to, Epilogue::Add)?,
            (Stream::Image, _, Some(stem)) => {
                let features = stem.forward(picture, canvas.columns * self.patch_size)?;
                self.patch.forward(&features, to, Epilogue::Add)?;
            }
            _ => self.patch.forward(&windows(), to, Epilogue::Add)?,
        }
        Ok(())
    }

    /// Tokens `[L, C]` of a wholly masked target half: the same for every query.
    pub(super) fn masked_tokens(&self, positions: &[f32], kind: SegType, to: &mut [f32]) {
        self.mark(Stream::Target, positions, kind, to);
        for token in to.chunks_exact_mut(self.width) {
            add(token, &self.mask_token);
        }
    }

    /// What every token of a stream has besides its picture: position, segment and type.
    fn mark(&self, stream: Stream, positions: &[f32], kind: SegType, to: &mut [f32]) {
        to.copy_from_slice(positions);
        let kind = self
            .type_tokens
            .as_ref()
            .map(|[semantic, instance]| match kind {
                SegType::Semantic => semantic,
                SegType::Instance => instance,
            });
        for token in to.chunks_exact_mut(self.width) {
            add(token, &self.segment_tokens[stream as usize]);
            if let Some(kind) = kind {
                add(token, kind);
            }
        }
    }
}

fn add(to: &mut [f32], other: &[f32]) {
    to.iter_mut().zip(other).for_each(|(to, x)| *to += x);
}

/// Cuts a picture into patches `[L, 3 P²]`: a convolution whose windows do not overlap is one product over them.
pub(crate) fn windows(picture: &[f32], canvas: Canvas, p: usize) -> Vec<f32> {
    let (width, area) = (canvas.columns * p, canvas.tokens() * p * p);
    let mut windows = Vec::with_capacity(picture.len());
    for token in 0..canvas.tokens() {
        let (row, column) = (token / canvas.columns * p, token % canvas.columns * p);
        for plane in picture.chunks_exact(area) {
            for y in row..row + p {
                windows.extend_from_slice(&plane[y * width + column..][..p]);
            }
        }
    }
    windows
}
