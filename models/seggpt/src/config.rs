//! The architecture as data.

use serde::{Deserialize, Serialize};

use crate::Error;

/// One member of the SegGPT family: everything that decides the tensors' shapes and the order of the computation.
///
/// Written as JSON into the metadata of our own checkpoints. Unknown fields are refused, so that a checkpoint of a
/// later version is not run as something that it is not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Edge `S` of the square picture in each half of the canvas, in pixels: 448 for the published networks.
    pub image_size: usize,
    /// Edge `P` of a patch, in pixels. Divides `image_size`.
    pub patch_size: usize,
    /// Picture size that the stored table of absolute positions was trained for (224 for the published networks):
    /// the table has `(pretrain_image_size / patch_size)²` entries and one for an unused class token.
    pub pretrain_image_size: usize,
    /// Channels `C` of a token.
    pub width: usize,
    /// Number of transformer blocks.
    pub depth: usize,
    /// Attention heads per block. Divides `width`.
    pub heads: usize,
    /// Hidden channels of each block's MLP.
    pub mlp_width: usize,
    /// Channels `D` of the decoder's picture.
    pub decoder_width: usize,
    /// Index of the block after which the picture stream and the target stream become one; none if they are one from
    /// the start.
    pub merge_index: Option<usize>,
    /// Indices of the blocks whose normalised output feeds the decoder, ascending, none before the merge.
    pub kept_blocks: Vec<usize>,
    /// Whether there are type tokens for semantic and instance segmentation: SegGPT has them, Painter has not.
    pub type_tokens: bool,
    /// Epsilon of every layer norm.
    pub layer_norm_eps: f64,
    /// Whether there is a stored table of absolute positions.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub absolute_positions: bool,
    /// Whether every block has tables of relative positions.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub relative_positions: bool,
    /// How masks become tokens.
    #[serde(default, skip_serializing_if = "is_default")]
    pub target_embedding: TargetEmbedding,
    /// Channels of the first of `log2(patch_size)` convolutions of stride 2 that picture patches go through before they
    /// are embedded; each has twice the channels of the one before. 0: pixels are embedded as they are.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stem_width: usize,
    /// Edge of the depthwise convolution over the patch grid that each block begins with, odd. 0: there is none. The
    /// halves of the canvas do not see each other through it, nor through the stem.
    #[serde(default, skip_serializing_if = "is_default")]
    pub depthwise: usize,
}

/// How masks become tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetEmbedding {
    /// Through the patch embedding of the pictures, as the published networks do.
    #[default]
    Shared,
    /// Through a patch embedding of their own, `target_embed`.
    Separate,
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Config {
    /// `seggpt_vit_large_patch16_input896x448`, the published SegGPT: 370 723 203 parameters.
    pub fn vit_large() -> Self {
        Self {
            image_size: 448,
            patch_size: 16,
            pretrain_image_size: 224,
            width: 1024,
            depth: 24,
            heads: 16,
            mlp_width: 4096,
            decoder_width: 64,
            merge_index: Some(2),
            kept_blocks: vec![5, 11, 17, 23],
            type_tokens: true,
            layer_norm_eps: 1e-6,
            absolute_positions: true,
            relative_positions: true,
            target_embedding: TargetEmbedding::Shared,
            stem_width: 0,
            depthwise: 0,
        }
    }

    /// `painter_vit_large_patch16_input896x448_win_dec64_8glb_sl1`, the published Painter: 370 721 155 parameters.
    pub fn painter_vit_large() -> Self {
        Self {
            type_tokens: false,
            ..Self::vit_large()
        }
    }

    /// The same plan at a size for tests: 64 pixel pictures, 32 channels, all 24 blocks.
    pub fn tiny() -> Self {
        Self {
            image_size: 64,
            width: 32,
            heads: 4,
            mlp_width: 128,
            decoder_width: 8,
            ..Self::vit_large()
        }
    }

    /// The network that is small enough to be trained on a CPU: fine patches, a convolutional stem, positions from
    /// depthwise convolutions alone (so that it runs at any size), one stream from the start.
    pub fn small() -> Self {
        Self {
            image_size: 128,
            patch_size: 4,
            pretrain_image_size: 128,
            width: 128,
            depth: 4,
            heads: 4,
            mlp_width: 512,
            decoder_width: 16,
            merge_index: None,
            kept_blocks: vec![1, 3],
            absolute_positions: false,
            relative_positions: false,
            target_embedding: TargetEmbedding::Separate,
            stem_width: 48,
            depthwise: 5,
            ..Self::vit_large()
        }
    }

    /// `SegGPT` or `Painter`, by the type tokens.
    pub fn family(&self) -> &'static str {
        if self.type_tokens {
            "SegGPT"
        } else {
            "Painter"
        }
    }

    /// Channels of one attention head.
    pub fn head_width(&self) -> usize {
        self.width / self.heads
    }

    /// Patches along one edge of a picture of `image_size`.
    pub fn grid(&self) -> usize {
        self.image_size / self.patch_size
    }

    /// Patches along one edge of the stored table of absolute positions.
    pub fn pretrain_grid(&self) -> usize {
        self.pretrain_image_size / self.patch_size
    }

    /// The last block that the answer depends on.
    pub fn last_block(&self) -> usize {
        self.kept_blocks.last().copied().unwrap_or(0)
    }

    /// Checks that such a network can exist.
    ///
    /// # Errors
    /// [`Error::Config`] names the first field that contradicts another.
    pub fn validate(&self) -> Result<(), Error> {
        let fail = |text: String| Err(Error::Config(text));
        let counts = [
            ("image_size", self.image_size),
            ("patch_size", self.patch_size),
            ("pretrain_image_size", self.pretrain_image_size),
            ("width", self.width),
            ("depth", self.depth),
            ("heads", self.heads),
            ("mlp_width", self.mlp_width),
            ("decoder_width", self.decoder_width),
        ];
        // Far beyond any network, and small enough for products of a few to be computed with.
        const MOST: usize = 1 << 14;
        let others = [
            ("stem_width", self.stem_width),
            ("depthwise", self.depthwise),
        ];
        for (name, count) in counts.into_iter().chain(others) {
            let may_be_zero = others.iter().any(|(other, _)| *other == name);
            if count > MOST || (count == 0 && !may_be_zero) {
                return fail(format!("{name} is {count}: it must lie in 1..={MOST}"));
            }
        }
        for (name, size) in [
            ("image_size", self.image_size),
            ("pretrain_image_size", self.pretrain_image_size),
        ] {
            if !size.is_multiple_of(self.patch_size) {
                return fail(format!(
                    "{name} {size} is no multiple of patch_size {}",
                    self.patch_size
                ));
            }
        }
        if !self.width.is_multiple_of(self.heads) {
            return fail(format!(
                "width {} is no multiple of heads {}",
                self.width, self.heads
            ));
        }
        if self.kept_blocks.is_empty() || !self.kept_blocks.is_sorted_by(|a, b| a < b) {
            return fail(format!(
                "kept_blocks {:?} must be ascending and not empty",
                self.kept_blocks
            ));
        }
        if self.last_block() >= self.depth {
            return fail(format!(
                "kept_blocks {:?} reach beyond depth {}",
                self.kept_blocks, self.depth
            ));
        }
        if let Some(merge) = self
            .merge_index
            .filter(|&merge| merge > self.kept_blocks[0])
        {
            return fail(format!(
                "merge_index {merge} comes after the first of kept_blocks {:?}",
                self.kept_blocks
            ));
        }
        if self.stem_width > 0 && !(self.patch_size.is_power_of_two() && self.patch_size > 1) {
            return fail(format!(
                "stem_width {} needs a patch_size that is a power of two, not {}",
                self.stem_width, self.patch_size
            ));
        }
        if self.stem_width > 0 && self.target_embedding == TargetEmbedding::Shared {
            return fail(format!(
                "stem_width {} needs target_embedding separate: masks do not go through the stem",
                self.stem_width
            ));
        }
        if self.depthwise > 0 && self.depthwise.is_multiple_of(2) {
            return fail(format!("depthwise {} is even", self.depthwise));
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps.is_finite()) {
            return fail(format!(
                "layer_norm_eps {} is not positive",
                self.layer_norm_eps
            ));
        }
        Ok(())
    }

    /// Reads the `config.json` that transformers writes beside its weights. Fields that it leaves out, because they
    /// equal its defaults, have the value of the published network.
    ///
    /// # Errors
    /// [`Error::Config`] if the text is no such file or asks for something that SegGPT's own code does not have.
    pub fn from_transformers(json: &str) -> Result<Self, Error> {
        let hf: Transformers = serde_json::from_str(json)
            .map_err(|error| Error::Config(format!("config.json: {error}")))?;
        let fail = |text: String| Err(Error::Config(format!("config.json: {text}")));
        if hf.model_type != "seggpt" {
            return fail(format!("model_type is `{}`, not `seggpt`", hf.model_type));
        }
        if hf.hidden_act != "gelu"
            || hf.num_channels != 3
            || !hf.qkv_bias
            || !hf.use_relative_position_embeddings
        {
            return fail(
                "only hidden_act gelu, num_channels 3, qkv_bias true and use_relative_position_embeddings true are \
                 SegGPT"
                    .into(),
            );
        }
        let [height, width] = hf.image_size;
        if height != 2 * width {
            return fail(format!(
                "image_size {:?} is not two squares on top of each other",
                hf.image_size
            ));
        }
        let config = Self {
            image_size: width,
            patch_size: hf.patch_size,
            pretrain_image_size: hf.pretrain_image_size,
            width: hf.hidden_size,
            depth: hf.num_hidden_layers,
            heads: hf.num_attention_heads,
            mlp_width: hf.mlp_dim.unwrap_or(4 * hf.hidden_size),
            decoder_width: hf.decoder_hidden_size,
            merge_index: Some(hf.merge_index),
            kept_blocks: hf.intermediate_hidden_state_indices,
            type_tokens: true,
            layer_norm_eps: hf.layer_norm_eps,
            ..Self::vit_large()
        };
        config.validate()?;
        Ok(config)
    }

    /// Name and shape of every tensor of the original checkpoint, in the order of the original code.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let (c, d, p) = (self.width, self.decoder_width, self.patch_size);
        let grid = self.grid();
        let mut all: Vec<(String, Vec<usize>)> = Vec::new();
        let mut add = |name: String, shape: &[usize]| all.push((name, shape.to_vec()));
        let tokens = ["mask_token", "segment_token_x", "segment_token_y"];
        let types: &[&str] = if self.type_tokens {
            &["type_token_cls", "type_token_ins"]
        } else {
            &[]
        };
        for token in tokens.iter().chain(types) {
            add((*token).into(), &[1, 1, 1, c]);
        }
        if self.absolute_positions {
            add("pos_embed".into(), &[1, self.pretrain_grid().pow(2) + 1, c]);
        }
        let mut features = [3, p, p];
        for (i, (input, output)) in self.stem().into_iter().enumerate() {
            add(format!("stem.{i}.weight"), &[output, input, 3, 3]);
            add(format!("stem.{i}.bias"), &[output]);
            features = [output, 1, 1];
        }
        add(
            "patch_embed.proj.weight".into(),
            &[c, features[0], features[1], features[2]],
        );
        add("patch_embed.proj.bias".into(), &[c]);
        if self.target_embedding == TargetEmbedding::Separate {
            add("target_embed.proj.weight".into(), &[c, 3, p, p]);
            add("target_embed.proj.bias".into(), &[c]);
        }
        for i in 0..self.depth {
            let k = self.depthwise;
            if k > 0 {
                add(format!("blocks.{i}.conv.weight"), &[c, 1, k, k]);
                add(format!("blocks.{i}.conv.bias"), &[c]);
            }
            let relative = [
                ("attn.rel_pos_h", vec![4 * grid - 1, self.head_width()]),
                ("attn.rel_pos_w", vec![2 * grid - 1, self.head_width()]),
            ];
            let relative = relative.into_iter().filter(|_| self.relative_positions);
            let before = [("norm1.weight", vec![c]), ("norm1.bias", vec![c])];
            let after = [
                ("attn.qkv.weight", vec![3 * c, c]),
                ("attn.qkv.bias", vec![3 * c]),
                ("attn.proj.weight", vec![c, c]),
                ("attn.proj.bias", vec![c]),
                ("norm2.weight", vec![c]),
                ("norm2.bias", vec![c]),
                ("mlp.fc1.weight", vec![self.mlp_width, c]),
                ("mlp.fc1.bias", vec![self.mlp_width]),
                ("mlp.fc2.weight", vec![c, self.mlp_width]),
                ("mlp.fc2.bias", vec![c]),
            ];
            for (name, shape) in before.into_iter().chain(relative).chain(after) {
                add(format!("blocks.{i}.{name}"), &shape);
            }
        }
        for (name, shape) in [
            ("norm.weight", vec![c]),
            ("norm.bias", vec![c]),
            (
                "decoder_embed.weight",
                vec![p * p * d, self.kept_blocks.len() * c],
            ),
            ("decoder_embed.bias", vec![p * p * d]),
            ("decoder_pred.0.weight", vec![d, d, 3, 3]),
            ("decoder_pred.0.bias", vec![d]),
            ("decoder_pred.1.weight", vec![d]),
            ("decoder_pred.1.bias", vec![d]),
            ("decoder_pred.3.weight", vec![3, d, 1, 1]),
            ("decoder_pred.3.bias", vec![3]),
        ] {
            add(name.into(), &shape);
        }
        all
    }

    /// Input and output channels of each of the stem's convolutions.
    pub(crate) fn stem(&self) -> Vec<(usize, usize)> {
        let layers = if self.stem_width > 0 {
            self.patch_size.ilog2()
        } else {
            0
        };
        (0..layers)
            .map(|i| match i {
                0 => (3, self.stem_width),
                _ => (self.stem_width << (i - 1), self.stem_width << i),
            })
            .collect()
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.tensors()
            .iter()
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum()
    }
}

/// The fields of transformers' `SegGptConfig` that matter here; the rest of its `config.json` is passed over.
#[derive(Deserialize)]
#[serde(default)]
struct Transformers {
    model_type: String,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    hidden_act: String,
    layer_norm_eps: f64,
    image_size: [usize; 2],
    patch_size: usize,
    num_channels: usize,
    qkv_bias: bool,
    mlp_dim: Option<usize>,
    pretrain_image_size: usize,
    decoder_hidden_size: usize,
    use_relative_position_embeddings: bool,
    merge_index: usize,
    intermediate_hidden_state_indices: Vec<usize>,
}

impl Default for Transformers {
    fn default() -> Self {
        let large = Config::vit_large();
        Self {
            model_type: String::new(),
            hidden_size: large.width,
            num_hidden_layers: large.depth,
            num_attention_heads: large.heads,
            hidden_act: "gelu".into(),
            layer_norm_eps: large.layer_norm_eps,
            image_size: [2 * large.image_size, large.image_size],
            patch_size: large.patch_size,
            num_channels: 3,
            qkv_bias: true,
            mlp_dim: None,
            pretrain_image_size: large.pretrain_image_size,
            decoder_hidden_size: large.decoder_width,
            use_relative_position_embeddings: true,
            merge_index: 2,
            intermediate_hidden_state_indices: large.kept_blocks,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_published_networks_have_their_published_sizes() {
        assert_eq!(Config::vit_large().parameters(), 370_723_203);
        assert_eq!(Config::vit_large().tensors().len(), 354);
        assert_eq!(Config::painter_vit_large().parameters(), 370_721_155);
        assert!(Config::vit_large().validate().is_ok());
    }

    #[test]
    fn transformers_leaves_out_what_equals_its_defaults() {
        let config = Config::from_transformers(
            r#"{"model_type": "seggpt", "architectures": ["SegGptModel"]}"#,
        );
        assert_eq!(config.unwrap(), Config::vit_large());
    }

    #[test]
    fn another_model_type_is_refused_by_name() {
        let error = Config::from_transformers(r#"{"model_type": "vit"}"#).unwrap_err();
        assert!(error.to_string().contains("model_type is `vit`"), "{error}");
    }

    #[test]
    fn unknown_fields_are_refused() {
        let mut json = serde_json::to_value(Config::tiny()).unwrap();
        json["stem"] = true.into();
        assert!(serde_json::from_value::<Config>(json).is_err());
    }

    #[test]
    fn contradictions_are_named() {
        let odd = Config {
            heads: 5,
            ..Config::tiny()
        };
        assert!(odd.validate().unwrap_err().to_string().contains("heads 5"));
        let late = Config {
            merge_index: Some(9),
            ..Config::tiny()
        };
        assert!(
            late.validate()
                .unwrap_err()
                .to_string()
                .contains("merge_index 9")
        );
    }
}
