//! From the ONNX file of a pretrained encoder to a checkpoint.

use std::{collections::BTreeMap, fs, path::Path};

use candle_core::{Device, Tensor};

use super::{
    EncoderConfig, HeadConfig, MatchingConfig, Weights,
    onnx::{Initialiser, initialisers},
    start,
};
use crate::{Architecture, DTypeChoice, Error, convert::save};

/// Channels of every head of a DINOv2 transformer; the file's weights do not tell.
const HEAD_WIDTH: usize = 64;
/// Epsilon of its layer norms.
const EPSILON: f64 = 1e-6;
/// Products of weights and activations that a block has in the file, in this order; exporters drop their names.
const PRODUCTS: [&str; 6] = ["key", "value", "query", "attention output", "fc1", "fc2"];

/// Reads a DINOv2 vision transformer out of an ONNX file, as transformers' modules are exported, up to the last of
/// `kept` blocks, and writes a matching network whose head has not been trained: it votes.
///
/// `image_size` is the side of the pictures that the network is meant for. The output appears whole or not at all.
///
/// # Errors
/// [`Error::Encoder`] says what of the file is not as it should be; [`Error::Config`] for kept blocks that there are
/// not; [`Error::Io`] where something cannot be read or written; [`Error::Choice`] for int8.
pub fn import_encoder(
    input: &Path,
    output: &Path,
    kept: &[usize],
    image_size: usize,
    dtype: DTypeChoice,
) -> Result<MatchingConfig, Error> {
    let bytes = fs::read(input).map_err(Error::io("read", input))?;
    let file = File {
        path: input,
        tensors: initialisers(input, &bytes)?,
    };
    let encoder = file.config(kept)?;
    let config = MatchingConfig {
        image_size,
        encoder,
        head: HeadConfig::default(),
    };
    config.validate()?;
    let mut weights = file.encoder(&config.encoder)?;
    weights.extend(start::voting(&config, 1)?);
    save(
        &Architecture::Matching(config.clone()),
        weights,
        output,
        dtype,
    )?;
    Ok(config)
}

struct File<'a> {
    path: &'a Path,
    tensors: Vec<Initialiser>,
}

impl File<'_> {
    fn refuse(&self, reason: impl Into<String>) -> Error {
        Error::encoder(self.path, reason)
    }

    /// The tensor whose name ends so.
    fn named(&self, end: &str) -> Result<&Initialiser, Error> {
        let found = self
            .tensors
            .iter()
            .find(|tensor| tensor.name.ends_with(end));
        found.ok_or_else(|| self.refuse(format!("it has no tensor `{end}`")))
    }

    /// The numbers of a vector.
    fn vector(&self, end: &str, length: usize) -> Result<&[f32], Error> {
        let tensor = self.named(end)?;
        if tensor.values.len() != length {
            return Err(self.refuse(format!(
                "tensor `{}` has shape {:?}, not [{length}]",
                tensor.name, tensor.shape
            )));
        }
        Ok(&tensor.values)
    }

    fn config(&self, kept: &[usize]) -> Result<EncoderConfig, Error> {
        let patch = self.named("embeddings.patch_embeddings.projection.weight")?;
        let &[width, 3, patch_size, square] = &patch.shape[..] else {
            return Err(self.refuse(format!("patches are embedded by {:?}", patch.shape)));
        };
        if patch_size != square || !width.is_multiple_of(HEAD_WIDTH) {
            return Err(self.refuse(format!(
                "patches are embedded by {:?}, and heads have {HEAD_WIDTH} channels",
                patch.shape
            )));
        }
        let depth = (0..)
            .take_while(|index| self.named(&format!("layer.{index}.norm1.weight")).is_ok())
            .count();
        let config = EncoderConfig {
            patch_size,
            width,
            depth: kept.last().map_or(depth, |last| last + 1),
            heads: width / HEAD_WIDTH,
            mlp_width: self.named("layer.0.mlp.fc1.bias")?.values.len(),
            position_grid: self.positions(width)?.1,
            kept_blocks: kept.to_vec(),
            layer_norm_eps: EPSILON,
        };
        if config.depth > depth {
            return Err(self.refuse(format!("it has {depth} blocks, and {kept:?} are asked for")));
        }
        Ok(config)
    }

    /// Tensors that lost their names, of a shape `[1, count, width]`.
    fn anonymous_tokens(&self, width: usize) -> impl Iterator<Item = &Initialiser> {
        self.tensors.iter().filter(move |tensor| {
            tensor.name.starts_with("onnx::")
                && matches!(&tensor.shape[..], [1, _, last] if *last == width)
        })
    }

    /// The grid of positions and its side. The file has it without the class token's.
    fn positions(&self, width: usize) -> Result<(&[f32], usize), Error> {
        let side = |tensor: &Initialiser| tensor.shape[1].isqrt();
        let grid = self
            .anonymous_tokens(width)
            .find(|tensor| tensor.shape[1] > 1 && side(tensor).pow(2) == tensor.shape[1]);
        let grid =
            grid.ok_or_else(|| self.refuse(format!("it has no positions [1, n², {width}]")))?;
        Ok((&grid.values, side(grid)))
    }

    /// The class token and, without a name, its position, added up.
    fn class_token(&self, width: usize) -> Result<Vec<f32>, Error> {
        let token = self.vector("embeddings.cls_token", width)?;
        let position = self
            .anonymous_tokens(width)
            .find(|tensor| tensor.shape[1] == 1);
        let position = position.ok_or_else(|| {
            self.refuse(format!(
                "it has no position of the class token [1, 1, {width}]"
            ))
        })?;
        let both = token.iter().zip(&position.values);
        Ok(both.map(|(token, position)| token + position).collect())
    }

    /// The matrices of the blocks `[input, output]`, one block's six after the other's.
    fn products(&self, config: &EncoderConfig) -> Result<Vec<&[f32]>, Error> {
        let (c, hidden) = (config.width, config.mlp_width);
        let anonymous = |tensor: &&Initialiser| tensor.name.starts_with("onnx::MatMul_");
        let all: Vec<_> = self.tensors.iter().filter(anonymous).collect();
        let wanted = config.depth * PRODUCTS.len();
        if all.len() < wanted {
            return Err(self.refuse(format!(
                "it has {} matrices without names, and {wanted} are needed",
                all.len()
            )));
        }
        let shapes = [[c, c], [c, c], [c, c], [c, c], [c, hidden], [hidden, c]];
        let all = all.into_iter().take(wanted).enumerate();
        let checked = all.map(|(index, tensor)| {
            let (block, part) = (index / PRODUCTS.len(), index % PRODUCTS.len());
            if tensor.shape == shapes[part] {
                return Ok(&tensor.values[..]);
            }
            Err(self.refuse(format!(
                "tensor `{}` should be the {} of block {block}, {:?}, and is {:?}",
                tensor.name, PRODUCTS[part], shapes[part], tensor.shape
            )))
        });
        checked.collect()
    }

    /// The tensors `encoder.*`.
    fn encoder(&self, config: &EncoderConfig) -> Result<Weights, Error> {
        let (c, hidden) = (config.width, config.mlp_width);
        let products = self.products(config)?;
        let mut found: BTreeMap<String, Vec<f32>> = BTreeMap::new();
        let mut add = |name: String, values: Vec<f32>| {
            found.insert(format!("encoder.{name}"), values);
        };
        let patch = "embeddings.patch_embeddings.projection";
        add(
            "patch_embed.weight".into(),
            self.named(&format!("{patch}.weight"))?.values.clone(),
        );
        add(
            "patch_embed.bias".into(),
            self.vector(&format!("{patch}.bias"), c)?.to_vec(),
        );
        add("class_token".into(), self.class_token(c)?);
        add("positions".into(), self.positions(c)?.0.to_vec());
        for (index, products) in products.chunks_exact(PRODUCTS.len()).enumerate() {
            let &[key, value, query, out, fc1, fc2] = products else {
                continue;
            };
            let vector = |part: &str, length| self.vector(&format!("layer.{index}.{part}"), length);
            let mut add = |part: &str, values| add(format!("blocks.{index}.{part}"), values);
            for norm in ["norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias"] {
                add(norm, vector(norm, c)?.to_vec());
            }
            let parts = [("query", query), ("key", key), ("value", value)];
            let (mut weights, mut biases) = (Vec::new(), Vec::new());
            for (part, weight) in parts {
                weights.extend(transposed(weight, c));
                biases.extend(vector(&format!("attention.attention.{part}.bias"), c)?);
            }
            add("attn.qkv.weight", weights);
            add("attn.qkv.bias", biases);
            let scale = vector("layer_scale1.lambda1", c)?;
            let bias = vector("attention.output.dense.bias", c)?;
            add("attn.proj.weight", scaled(transposed(out, c), scale));
            add("attn.proj.bias", scaled(bias.to_vec(), scale));
            add("mlp.fc1.weight", transposed(fc1, hidden));
            add("mlp.fc1.bias", vector("mlp.fc1.bias", hidden)?.to_vec());
            let scale = vector("layer_scale2.lambda1", c)?;
            let bias = vector("mlp.fc2.bias", c)?;
            add("mlp.fc2.weight", scaled(transposed(fc2, c), scale));
            add("mlp.fc2.bias", scaled(bias.to_vec(), scale));
        }
        let tensors = config.tensors().into_iter().map(|(name, shape)| {
            let values = found.remove(&name).unwrap_or_default();
            Ok((name, Tensor::from_vec(values, shape, &Device::Cpu)?))
        });
        tensors.collect()
    }
}

/// `[input, output]` to `[output, input]`.
fn transposed(matrix: &[f32], outputs: usize) -> Vec<f32> {
    let column = |output| matrix.iter().skip(output).step_by(outputs).copied();
    (0..outputs).flat_map(column).collect()
}

/// Every output's row times its scale.
fn scaled(mut rows: Vec<f32>, scale: &[f32]) -> Vec<f32> {
    let length = rows.len() / scale.len();
    for (row, scale) in rows.chunks_exact_mut(length).zip(scale) {
        row.iter_mut().for_each(|x| *x *= scale);
    }
    rows
}
