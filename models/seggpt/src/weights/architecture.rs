//! The architecture of a checkpoint that does not state it, read off the shapes of its tensors.

use std::{collections::BTreeMap, path::Path};

use super::Entry;
use crate::{Config, Error};

/// Reads the configuration off the tensors.
///
/// Shapes tell everything but the order of the computation: the merge comes after block 2 and the kept blocks end
/// the equal parts of the depth, as in both published networks.
pub(super) fn infer(path: &Path, entries: &BTreeMap<String, Entry>) -> Result<Config, Error> {
    let shape = |name: &str, rank: usize| match entries.get(name) {
        Some(entry) if entry.shape.len() == rank => Ok(entry.shape.as_slice()),
        Some(entry) => Err(Error::foreign(
            path,
            format!("tensor `{name}` has shape {:?}", entry.shape),
        )),
        None => Err(Error::foreign(path, format!("it has no tensor `{name}`"))),
    };
    let patch = shape("patch_embed.proj.weight", 4)?;
    let (width, patch_size) = (patch[0], patch[3]);
    let positions = shape("pos_embed", 3)?[1];
    let relative = shape("blocks.0.attn.rel_pos_w", 2)?;
    let embed = shape("decoder_embed.weight", 2)?;
    let head_width = relative[1].max(1);
    let depth = (0..)
        .take_while(|i| entries.contains_key(&format!("blocks.{i}.norm1.weight")))
        .count();
    // No more than there are blocks; an empty tensor may claim any shape.
    let kept = (embed[1] / width.max(1)).clamp(1, depth.max(1));
    let config = Config {
        image_size: relative[0].div_ceil(2).saturating_mul(patch_size),
        patch_size,
        pretrain_image_size: (positions.saturating_sub(1).isqrt()).saturating_mul(patch_size),
        width,
        depth,
        heads: width / head_width,
        mlp_width: shape("blocks.0.mlp.fc1.weight", 2)?[0],
        decoder_width: shape("decoder_pred.0.weight", 4)?[0],
        merge_index: Config::vit_large().merge_index,
        kept_blocks: (1..=kept)
            .map(|i| (depth * i / kept).saturating_sub(1))
            .collect(),
        type_tokens: entries.keys().any(|name| name.starts_with("type_token_")),
        ..Config::vit_large()
    };
    config
        .validate()
        .map_err(|error| Error::foreign(path, error.to_string()))?;
    Ok(config)
}
