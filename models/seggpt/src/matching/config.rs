//! The architecture of a matching network as data.

use serde::{Deserialize, Serialize};

use crate::Error;

/// Everything that decides the tensors' shapes and the order of the computation. Unknown fields are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchingConfig {
    /// Edge of the square pictures that the network was made for, in pixels; any other multiple of two patches goes too.
    pub image_size: usize,
    /// What makes features of a picture.
    pub encoder: EncoderConfig,
    /// What compares them.
    pub head: HeadConfig,
}

/// A vision transformer as DINOv2 has it, up to the last block whose features are kept. Layer scale is part of the
/// weights: a branch's last layer is multiplied by it when a checkpoint is imported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderConfig {
    /// Edge `P` of a patch, in pixels, even.
    pub patch_size: usize,
    /// Channels of a token.
    pub width: usize,
    /// Number of transformer blocks.
    pub depth: usize,
    /// Attention heads per block. Divides `width`.
    pub heads: usize,
    /// Hidden channels of each block's MLP.
    pub mlp_width: usize,
    /// Edge of the stored grid of positions, in patches: 37 for DINOv2. Other grids are interpolated, bicubically.
    pub position_grid: usize,
    /// Indices of the blocks whose output, normalised, is the picture's features; ascending, the last is the last block.
    pub kept_blocks: Vec<usize>,
    /// Epsilon of every layer norm.
    pub layer_norm_eps: f64,
}

/// What is trained on top of the encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeadConfig {
    /// Channels that tokens are compared in.
    pub match_width: usize,
    /// Channels of a token in the blocks that look at prompts and query together.
    pub width: usize,
    /// Number of those blocks.
    pub depth: usize,
    /// Attention heads per block. Divides `width`.
    pub heads: usize,
    /// Channels, for each cell of two by two pixels, of what tokens tell pixels.
    pub cell_width: usize,
    /// Channels of the convolutions that look at the pixels themselves.
    pub stem_width: usize,
    /// Sets of words that local patterns are described with.
    pub codebooks: usize,
    /// Words of each set.
    pub words: usize,
    /// Channels of the convolution that the answer is made of.
    pub decoder_width: usize,
}

impl Default for HeadConfig {
    fn default() -> Self {
        Self {
            match_width: 256,
            width: 256,
            depth: 3,
            heads: 8,
            cell_width: 16,
            stem_width: 24,
            codebooks: 4,
            words: 16,
            decoder_width: 32,
        }
    }
}

impl EncoderConfig {
    /// Channels of a token's features.
    pub fn features(&self) -> usize {
        self.kept_blocks.len() * self.width
    }

    /// Cells of two by two pixels in a patch.
    pub fn cells(&self) -> usize {
        (self.patch_size / 2).pow(2)
    }

    pub(crate) fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let (c, p) = (self.width, self.patch_size);
        let mut all = vec![
            ("encoder.patch_embed.weight".to_owned(), vec![c, 3, p, p]),
            ("encoder.patch_embed.bias".to_owned(), vec![c]),
            ("encoder.class_token".to_owned(), vec![c]),
            (
                "encoder.positions".to_owned(),
                vec![self.position_grid.pow(2), c],
            ),
        ];
        for index in 0..self.depth {
            block(
                &mut all,
                &format!("encoder.blocks.{index}"),
                c,
                self.mlp_width,
            );
        }
        all
    }
}

/// The tensors of a transformer block.
fn block(all: &mut Vec<(String, Vec<usize>)>, name: &str, c: usize, hidden: usize) {
    for (part, shape) in [
        ("norm1.weight", vec![c]),
        ("norm1.bias", vec![c]),
        ("attn.qkv.weight", vec![3 * c, c]),
        ("attn.qkv.bias", vec![3 * c]),
        ("attn.proj.weight", vec![c, c]),
        ("attn.proj.bias", vec![c]),
        ("norm2.weight", vec![c]),
        ("norm2.bias", vec![c]),
        ("mlp.fc1.weight", vec![hidden, c]),
        ("mlp.fc1.bias", vec![hidden]),
        ("mlp.fc2.weight", vec![c, hidden]),
        ("mlp.fc2.bias", vec![c]),
    ] {
        all.push((format!("{name}.{part}"), shape));
    }
}

impl MatchingConfig {
    /// A network for tests, with all parts at a small size.
    pub fn tiny() -> Self {
        Self {
            image_size: 56,
            encoder: EncoderConfig {
                patch_size: 14,
                width: 32,
                depth: 3,
                heads: 2,
                mlp_width: 64,
                position_grid: 5,
                kept_blocks: vec![1, 2],
                layer_norm_eps: 1e-6,
            },
            head: HeadConfig {
                match_width: 16,
                width: 32,
                depth: 2,
                heads: 2,
                cell_width: 4,
                stem_width: 8,
                codebooks: 2,
                words: 4,
                decoder_width: 8,
            },
        }
    }

    /// Name and shape of every tensor: `encoder.` those that are imported, `head.` those that are trained.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let mut all = self.encoder.tensors();
        all.extend(self.head_tensors());
        all
    }

    pub(crate) fn head_tensors(&self) -> Vec<(String, Vec<usize>)> {
        let head = &self.head;
        let (features, cells) = (self.encoder.features(), self.encoder.cells());
        let (c, s, d) = (head.width, head.stem_width, head.decoder_width);
        let words = head.codebooks * head.words;
        let mixed = head.cell_width + s + head.codebooks + 1;
        let mut all: Vec<(String, Vec<usize>)> = Vec::new();
        for (name, shape) in [
            ("match.weight", vec![head.match_width, features]),
            ("match.temperature", vec![1]),
            ("match.scale", vec![1]),
            ("match.centre", vec![1]),
            ("features.weight", vec![c, features]),
            ("features.bias", vec![c]),
            ("mask.weight", vec![c, cells]),
            ("mask.prompt", vec![c]),
            ("mask.query", vec![c]),
            ("norm.weight", vec![c]),
            ("norm.bias", vec![c]),
            ("cells.weight", vec![cells * head.cell_width, c]),
            ("cells.bias", vec![cells * head.cell_width]),
            ("stem.0.weight", vec![s, 3, 3, 3]),
            ("stem.0.bias", vec![s]),
            ("stem.1.weight", vec![s, s, 3, 3]),
            ("stem.1.bias", vec![s]),
            ("words.weight", vec![words, s]),
            ("words.bias", vec![words]),
            ("decoder.0.weight", vec![d, mixed, 3, 3]),
            ("decoder.0.bias", vec![d]),
            ("decoder.1.weight", vec![1, d, 3, 3]),
            ("decoder.1.bias", vec![1]),
        ] {
            all.push((format!("head.{name}"), shape));
        }
        for index in 0..head.depth {
            block(&mut all, &format!("head.blocks.{index}"), c, 4 * c);
        }
        all
    }

    /// Checks that such a network can exist.
    ///
    /// # Errors
    /// [`Error::Config`] names the first field that contradicts another.
    pub fn validate(&self) -> Result<(), Error> {
        let fail = |text: String| Err(Error::Config(text));
        let (encoder, head) = (&self.encoder, &self.head);
        let counts = [
            ("image_size", self.image_size),
            ("encoder.patch_size", encoder.patch_size),
            ("encoder.width", encoder.width),
            ("encoder.depth", encoder.depth),
            ("encoder.heads", encoder.heads),
            ("encoder.mlp_width", encoder.mlp_width),
            ("encoder.position_grid", encoder.position_grid),
            ("head.match_width", head.match_width),
            ("head.width", head.width),
            ("head.heads", head.heads),
            ("head.cell_width", head.cell_width),
            ("head.stem_width", head.stem_width),
            ("head.codebooks", head.codebooks),
            ("head.words", head.words),
            ("head.decoder_width", head.decoder_width),
        ];
        // Far beyond any network, and small enough for products of a few to be computed with.
        const MOST: usize = 1 << 14;
        for (name, count) in counts.into_iter().chain([("head.depth", head.depth)]) {
            if count > MOST || (count == 0 && name != "head.depth") {
                return fail(format!("{name} is {count}: it must lie in 1..={MOST}"));
            }
        }
        if !encoder.patch_size.is_multiple_of(2) {
            return fail(format!("encoder.patch_size {} is odd", encoder.patch_size));
        }
        if !self.image_size.is_multiple_of(encoder.patch_size) {
            return fail(format!(
                "image_size {} is no multiple of encoder.patch_size {}",
                self.image_size, encoder.patch_size
            ));
        }
        for (what, width, heads) in [
            ("encoder", encoder.width, encoder.heads),
            ("head", head.width, head.heads),
        ] {
            if !width.is_multiple_of(heads) {
                return fail(format!(
                    "{what}.width {width} is no multiple of {what}.heads {heads}"
                ));
            }
        }
        let kept = &encoder.kept_blocks;
        if !kept.is_sorted_by(|a, b| a < b) || kept.last() != Some(&(encoder.depth - 1)) {
            return fail(format!(
                "encoder.kept_blocks {kept:?} must be ascending and end with the last of {} blocks",
                encoder.depth
            ));
        }
        if !(encoder.layer_norm_eps > 0.0 && encoder.layer_norm_eps.is_finite()) {
            return fail(format!(
                "encoder.layer_norm_eps {} is not positive",
                encoder.layer_norm_eps
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn contradictions_are_named() {
        let mut odd = MatchingConfig::tiny();
        assert!(odd.validate().is_ok());
        odd.encoder.heads = 5;
        let error = odd.validate().unwrap_err().to_string();
        assert!(error.contains("encoder.heads 5"), "{error}");
        let mut short = MatchingConfig::tiny();
        short.encoder.kept_blocks = vec![0];
        let error = short.validate().unwrap_err().to_string();
        assert!(error.contains("kept_blocks [0]"), "{error}");
        let mut huge = MatchingConfig::tiny();
        huge.encoder.depth = usize::MAX;
        assert!(huge.validate().is_err());
    }
}
