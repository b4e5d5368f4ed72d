//! What transformers calls the tensors of the original code.

use super::Format;

/// Whole names: (original, transformers).
const TOKENS: [(&str, &str); 6] = [
    ("mask_token", "model.embeddings.mask_token"),
    ("segment_token_x", "model.embeddings.segment_token_input"),
    ("segment_token_y", "model.embeddings.segment_token_prompt"),
    ("type_token_cls", "model.embeddings.type_token_semantic"),
    ("type_token_ins", "model.embeddings.type_token_instance"),
    ("pos_embed", "model.embeddings.position_embeddings"),
];

/// Modules before their `.weight` and `.bias`: (original, transformers).
const MODULES: [(&str, &str); 6] = [
    (
        "patch_embed.proj.",
        "model.embeddings.patch_embeddings.projection.",
    ),
    ("norm.", "model.encoder.layernorm."),
    ("decoder_embed.", "decoder.decoder_embed."),
    ("decoder_pred.0.", "decoder.decoder_pred.conv."),
    ("decoder_pred.1.", "decoder.decoder_pred.layernorm."),
    ("decoder_pred.3.", "decoder.decoder_pred.head."),
];

/// Inside a block, after `blocks.i.` and `model.encoder.layers.i.`: (original, transformers).
const BLOCK: [(&str, &str); 5] = [
    ("norm1.", "layernorm_before."),
    ("norm2.", "layernorm_after."),
    ("attn.", "attention."),
    ("mlp.fc1.", "mlp.lin1."),
    ("mlp.fc2.", "mlp.lin2."),
];

/// The original name of a tensor of transformers' file; a name that is unknown stays as it is.
pub(super) fn original(name: &str) -> String {
    translate(
        name,
        "model.encoder.layers.",
        "blocks.",
        |(original, hf)| (hf, original),
    )
}

/// The name that an original tensor has in a file of this format.
pub(super) fn stored(name: &str, format: Format) -> String {
    match format {
        Format::Transformers => translate(name, "blocks.", "model.encoder.layers.", |pair| pair),
        Format::Pth | Format::Own => name.to_owned(),
    }
}

fn translate(
    name: &str,
    from: &str,
    to: &str,
    order: impl Fn((&'static str, &'static str)) -> (&'static str, &'static str),
) -> String {
    if let Some((_, token)) = TOKENS
        .map(&order)
        .into_iter()
        .find(|(source, _)| *source == name)
    {
        return token.to_owned();
    }
    let swap = |name: &str, pairs: &[(&'static str, &'static str)]| {
        pairs.iter().find_map(|pair| {
            let (source, target) = order(*pair);
            name.strip_prefix(source)
                .map(|rest| format!("{target}{rest}"))
        })
    };
    if let Some((index, inner)) = name
        .strip_prefix(from)
        .and_then(|rest| rest.split_once('.'))
    {
        return format!(
            "{to}{index}.{}",
            swap(inner, &BLOCK).unwrap_or_else(|| inner.to_owned())
        );
    }
    swap(name, &MODULES).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn every_name_survives_the_way_to_transformers_and_back() {
        for (name, _) in Config::vit_large().tensors() {
            let hf = stored(&name, Format::Transformers);
            assert!(
                hf.starts_with("model.") || hf.starts_with("decoder."),
                "{name} -> {hf}"
            );
            assert_eq!(original(&hf), name);
        }
    }
}
