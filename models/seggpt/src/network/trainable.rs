//! The network as it is trained: whole canvases in batches, every weight a variable, every step differentiable.

use std::{collections::BTreeMap, path::Path};

use candle_core::{DType, Device, Result as Computed, Tensor, Var};

use super::{Canvas, embeddings::windows, positions};
use crate::{
    Architecture, Config, DTypeChoice, Error, SegType, TargetEmbedding, convert::save, ops,
    weights::Checkpoint,
};

/// A batch of canvases with their targets. With `N` prompts above one the query attends to all of them at once, as in
/// [`crate::Ensemble::Joint`].
pub struct Canvases {
    /// The prompts' pictures and the query's `[B, N + 1, 3, S, S]`, normalised ([`crate::pixels::normalise`]).
    pub pictures: Tensor,
    /// Their masks `[B, N + 1, 3, S, S]`, normalised. What is masked of them has no say in the answer.
    pub masks: Tensor,
    /// The masked patches, `[B, (N + 1) L]`: 1 masked, 0 shown, the query's last.
    pub masked: Tensor,
    /// What a colour stands for in each canvas.
    pub kinds: Vec<SegType>,
}

/// Weights as variables, and the computation from a batch of canvases to painted pixels.
///
/// The weights bear the names of [`Config::tensors`]. On the CPU it computes in f32 with operations of its own; on
/// other devices, or in f64, out of candle's.
pub struct Trainable {
    config: Config,
    device: Device,
    dtype: DType,
    /// Of the computation; the weights are cast to it.
    compute: DType,
    weights: BTreeMap<String, Var>,
    frozen: bool,
}

impl Trainable {
    /// Takes the tensors of [`Config::tensors`], converted to `dtype` (f32, or f64 to check gradients).
    ///
    /// # Errors
    /// [`Error::Config`] for an impossible configuration, or a tensor that is missing or of another shape.
    pub fn new(
        config: Config,
        mut tensors: BTreeMap<String, Tensor>,
        device: &Device,
        dtype: DType,
    ) -> Result<Self, Error> {
        config.validate()?;
        let mut weights = BTreeMap::new();
        for (name, shape) in config.tensors() {
            let tensor = match tensors.remove(&name) {
                Some(tensor) if tensor.dims() == shape => tensor,
                found => {
                    let found = found.map(|tensor| tensor.dims().to_vec());
                    return Err(Error::Config(format!(
                        "weight `{name}` should have shape {shape:?}, and is {found:?}"
                    )));
                }
            };
            let tensor = tensor.to_dtype(dtype)?.to_device(device)?;
            weights.insert(name, Var::from_tensor(&tensor)?);
        }
        Ok(Self {
            config,
            device: device.clone(),
            dtype,
            compute: dtype,
            weights,
            frozen: false,
        })
    }

    /// Takes the weights of a checkpoint of any [`crate::Format`], to train on from them.
    ///
    /// # Errors
    /// Those of [`crate::Network::load`].
    pub fn load(path: &Path, device: &Device, dtype: DType) -> Result<Self, Error> {
        let checkpoint = Checkpoint::open(path)?;
        let config = checkpoint.seggpt()?.clone();
        let tensors = config.tensors().into_iter().map(|(name, _)| {
            let tensor = checkpoint.tensor(&name)?;
            Ok((name, tensor))
        });
        let tensors = tensors.collect::<Computed<_>>()?;
        Self::new(config, tensors, device, dtype)
    }

    /// The network with weights that are constants: gradients end at what it is shown ([`Canvases`]), and cost a third
    /// less.
    #[must_use]
    pub fn frozen(self) -> Self {
        Self {
            frozen: true,
            ..self
        }
    }

    /// The network with weights and gradients as they are, and a computation in `dtype`: bf16 on CUDA, where it is several
    /// times as fast and takes half the memory. Norms and softmax stay in f32.
    #[must_use]
    pub fn computing_in(self, dtype: DType) -> Self {
        Self {
            compute: dtype,
            ..self
        }
    }

    /// The architecture.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where it computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The weights by name, in the alphabet's order.
    pub fn weights(&self) -> &BTreeMap<String, Var> {
        &self.weights
    }

    /// Writes the weights as a checkpoint of our own format ([`crate::Format::Own`]); it appears whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be written; [`Error::Compute`].
    pub fn save(&self, path: &Path, dtype: DTypeChoice) -> Result<(), Error> {
        let tensors = self
            .weights
            .iter()
            .map(|(name, var)| (name.clone(), var.as_detached_tensor()));
        save(
            &Architecture::SegGpt(self.config.clone()),
            tensors.collect(),
            path,
            dtype,
        )
    }

    /// Paints the first prompt and the query of each canvas: `[B, 2 S, S, 3]`, in normalised colours, channels last.
    ///
    /// `paths` `[2 depth, B]` are factors on each block's attention and MLP for each canvas: drop path draws 0 or
    /// `1 / (1 - rate)`; none are ones.
    ///
    /// # Errors
    /// [`Error::Shape`] if the tensors of the batch do not fit each other or the patch; [`Error::Compute`].
    pub fn forward(&self, batch: &Canvases, paths: Option<&Tensor>) -> Result<Tensor, Error> {
        let (b, prompts, canvas) = self.accept(batch)?;
        let painted = self.paint(batch, b, prompts, canvas, paths)?;
        Ok(painted.to_dtype(self.dtype)?)
    }

    /// Number of canvases and of prompts in each, and the grid of patches of each half.
    fn accept(&self, batch: &Canvases) -> Result<(usize, usize, Canvas), Error> {
        let p = self.config.patch_size;
        let (b, prompts, height, width) = match *batch.pictures.dims() {
            [b, halves, 3, height, width] if halves > 1 => (b, halves - 1, height, width),
            _ => {
                return Err(Error::Shape {
                    what: "pictures",
                    found: batch.pictures.dims().to_vec(),
                    expected: "[B, prompts + 1, 3, height, width]".into(),
                });
            }
        };
        let canvas = Canvas {
            rows: height / p,
            columns: width / p,
        };
        let fits = height.is_multiple_of(p) && width.is_multiple_of(p);
        if !fits || batch.masks.dims() != batch.pictures.dims() {
            return Err(Error::Shape {
                what: "masks",
                found: batch.masks.dims().to_vec(),
                expected: format!(
                    "that of the pictures, {:?}, with sides that are multiples of {p}",
                    batch.pictures.dims()
                ),
            });
        }
        let tokens = (prompts + 1) * canvas.tokens();
        if batch.masked.dims() != [b, tokens] || batch.kinds.len() != b {
            return Err(Error::Shape {
                what: "masked and kinds",
                found: [batch.masked.dims(), &[batch.kinds.len()]].concat(),
                expected: format!("[{b}, {tokens}] and {b}"),
            });
        }
        Ok((b, prompts, canvas))
    }

    fn weight(&self, name: &str) -> Computed<Tensor> {
        match self.weights.get(name) {
            Some(var) if self.frozen => var.as_detached_tensor().to_dtype(self.compute),
            Some(var) => var.as_tensor().to_dtype(self.compute),
            None => Err(candle_core::Error::CannotFindTensor { path: name.into() }.bt()),
        }
    }

    fn linear(&self, x: &Tensor, name: &str) -> Computed<Tensor> {
        let weight = self.weight(&format!("{name}.weight"))?.flatten_from(1)?;
        ops::linear(x, &weight, &self.weight(&format!("{name}.bias"))?)
    }

    fn norm(&self, x: &Tensor, name: &str) -> Computed<Tensor> {
        let (weight, bias) = (
            self.weight(&format!("{name}.weight"))?,
            self.weight(&format!("{name}.bias"))?,
        );
        ops::layer_norm(x, &weight, &bias, self.config.layer_norm_eps)
    }

    fn paint(
        &self,
        batch: &Canvases,
        b: usize,
        prompts: usize,
        canvas: Canvas,
        paths: Option<&Tensor>,
    ) -> Computed<Tensor> {
        let config = &self.config;
        let marks = self.marks(&batch.kinds, (prompts + 1) * canvas.tokens())?;
        let images = self.images(batch, &marks)?;
        let targets = self.targets(batch, &marks)?;
        let merge = |x: &Tensor| (x.narrow(0, 0, b)? + x.narrow(0, b, b)?)? * 0.5;
        let mut x = match config.merge_index {
            None => ((images + targets)? * 0.5)?,
            Some(_) => Tensor::cat(&[images, targets], 0)?,
        };
        if config.absolute_positions {
            let positions = over_halves(&self.absolute(canvas)?, prompts)?;
            x = x.broadcast_add(&positions)?;
        }
        let relative = match config.relative_positions {
            true => Some(self.one_hot_keys(prompts, canvas)?),
            false => None,
        };
        let mut kept = Vec::with_capacity(config.kept_blocks.len());
        for index in 0..=config.last_block() {
            x = self.block(index, &x, canvas, relative.as_ref(), paths, b)?;
            if config.merge_index == Some(index) {
                x = merge(&x)?;
            }
            if config.kept_blocks.contains(&index) {
                kept.push(self.norm(&x, "norm")?);
            }
        }
        let features = match kept.as_slice() {
            [one] => one.clone(),
            several => Tensor::cat(several, 2)?,
        };
        self.decode(&first_and_last(&features, prompts)?, b, canvas)
    }

    /// What is added to every token of a canvas besides its picture and position, as features of the canvas: a constant
    /// one for the segment token, and one for the type. `[B, tokens, 1 or 3]`.
    fn marks(&self, kinds: &[SegType], tokens: usize) -> Computed<Tensor> {
        let b = kinds.len();
        let types = |kind: SegType| match (self.config.type_tokens, kind) {
            (false, _) => vec![1.0],
            (true, SegType::Semantic) => vec![1.0, 1.0, 0.0],
            (true, SegType::Instance) => vec![1.0, 0.0, 1.0],
        };
        let marks: Vec<f32> = kinds.iter().flat_map(|kind| types(*kind)).collect();
        let marks = Tensor::from_vec(marks, (b, 1, ()), &self.device)?.to_dtype(self.compute)?;
        marks.broadcast_as((b, tokens, marks.dim(2)?))?.contiguous()
    }

    /// The weights of [`Self::marks`] for a stream, `[C, 1]` each.
    fn mark_weights(&self, segment: &str) -> Computed<Vec<Tensor>> {
        let types: &[&str] = if self.config.type_tokens {
            &["type_token_cls", "type_token_ins"]
        } else {
            &[]
        };
        std::iter::once(&segment)
            .chain(types)
            .map(|name| self.weight(name)?.reshape((self.config.width, 1)))
            .collect()
    }

    /// The picture stream, `[B, (N + 1) L, C]`. The stem sees each half apart.
    fn images(&self, batch: &Canvases, marks: &Tensor) -> Computed<Tensor> {
        let (b, tokens, _) = marks.dims3()?;
        let pictures = batch
            .pictures
            .to_device(&self.device)?
            .to_dtype(self.compute)?
            .flatten(0, 1)?;
        let features = if self.config.stem_width > 0 {
            let mut x = pictures.permute((0, 2, 3, 1))?.contiguous()?;
            for i in 0..self.config.stem().len() {
                let (weight, bias) = (
                    self.weight(&format!("stem.{i}.weight"))?,
                    self.weight(&format!("stem.{i}.bias"))?,
                );
                x = ops::gelu(&ops::convolve(&x, &weight, &bias, 2)?)?;
            }
            x.flatten(1, 2)?
        } else {
            windows(&pictures, self.config.patch_size)?
        };
        let features = Tensor::cat(&[&features.reshape((b, tokens, ()))?, marks], 2)?;
        let mut weights = vec![self.weight("patch_embed.proj.weight")?.flatten_from(1)?];
        weights.extend(self.mark_weights("segment_token_x")?);
        ops::linear(
            &features,
            &Tensor::cat(&weights, 1)?,
            &self.weight("patch_embed.proj.bias")?,
        )
    }

    /// The target stream, `[B, (N + 1) L, C]`: where a patch is masked, its pixels and the bias count as nothing and the mask
    /// token stands instead.
    fn targets(&self, batch: &Canvases, marks: &Tensor) -> Computed<Tensor> {
        let (b, tokens, _) = marks.dims3()?;
        let place = |x: &Tensor| x.to_device(&self.device)?.to_dtype(self.compute);
        let masked = place(&batch.masked)?.unsqueeze(2)?;
        let shown = (1.0 - &masked)?;
        let pixels = windows(&place(&batch.masks)?.flatten(0, 1)?, self.config.patch_size)?;
        let pixels = pixels.reshape((b, tokens, ()))?.broadcast_mul(&shown)?;
        let features = Tensor::cat(&[&pixels, &shown, &masked, marks], 2)?;
        let name = match self.config.target_embedding {
            TargetEmbedding::Shared => "patch_embed.proj",
            TargetEmbedding::Separate => "target_embed.proj",
        };
        let column = |name: &str| self.weight(name)?.reshape((self.config.width, 1));
        let mut weights = vec![
            self.weight(&format!("{name}.weight"))?.flatten_from(1)?,
            column(&format!("{name}.bias"))?,
            column("mask_token")?,
        ];
        weights.extend(self.mark_weights("segment_token_y")?);
        let none = Tensor::zeros(self.config.width, self.compute, &self.device)?;
        ops::linear(&features, &Tensor::cat(&weights, 1)?, &none)
    }

    /// Absolute positions `[2 L, C]`.
    fn absolute(&self, canvas: Canvas) -> Computed<Tensor> {
        let side = self.config.pretrain_grid();
        let table = self
            .weight("pos_embed")?
            .narrow(1, 1, side * side)?
            .squeeze(0)?;
        let weights = positions::absolute_weights(side, 2 * canvas.rows, canvas.columns)?;
        weights
            .to_device(&self.device)?
            .to_dtype(self.compute)?
            .matmul(&table.contiguous()?)
    }

    /// One-hot row and column of every key, `[(N + 1) L, 2 rows + columns]`.
    fn one_hot_keys(&self, prompts: usize, canvas: Canvas) -> Computed<Tensor> {
        let [upper, lower] = positions::one_hot_keys(canvas, self.compute, &self.device)?;
        over_halves(&Tensor::cat(&[upper, lower], 0)?, prompts)
    }

    /// `x` `[B or 2 B, (N + 1) L, C]`.
    fn block(
        &self,
        index: usize,
        x: &Tensor,
        canvas: Canvas,
        keys: Option<&Tensor>,
        paths: Option<&Tensor>,
        b: usize,
    ) -> Computed<Tensor> {
        let name = |part: &str| format!("blocks.{index}.{part}");
        let mut x = x.clone();
        if self.config.depthwise > 0 {
            let shape = x.shape().clone();
            let grids = x.reshape(((), canvas.rows, canvas.columns, self.config.width))?;
            let (weight, bias) = (
                self.weight(&name("conv.weight"))?,
                self.weight(&name("conv.bias"))?,
            );
            x = ops::add_depthwise(&grids, &weight, &bias)?.reshape(shape)?;
        }
        let add = |x: Tensor, branch: Tensor, path: usize| -> Computed<Tensor> {
            let Some(paths) = paths else {
                return x + branch;
            };
            let factors = paths
                .get(2 * index + path)?
                .to_device(&self.device)?
                .to_dtype(self.compute)?;
            // Both streams of a canvas take the same path.
            let streams = x.dim(0)? / b;
            let factors = factors.repeat(streams)?.reshape(((), 1, 1))?;
            x + branch.broadcast_mul(&factors)?
        };
        let qkv = self.linear(&self.norm(&x, &name("norm1"))?, &name("attn.qkv"))?;
        let attended = match keys {
            None if qkv.dim(1)? == 2 * canvas.tokens() => ops::attention(&qkv, self.config.heads)?,
            None => {
                let (q, k, v) = ops::heads_apart(&qkv, self.config.heads)?;
                let scaled = (q * (self.config.head_width() as f64).powf(-0.5))?;
                self.attend(&scaled, &k, &v, canvas)?
            }
            Some(keys) => self.relative_attention(&qkv, index, canvas, keys)?,
        };
        let x = add(x, self.linear(&attended, &name("attn.proj"))?, 0)?;
        let hidden = self.linear(&self.norm(&x, &name("norm2"))?, &name("mlp.fc1"))?;
        let mlp = self.linear(&ops::gelu(&hidden)?, &name("mlp.fc2"))?;
        add(x, mlp, 1)
    }

    /// Attention with decomposed relative positions: the product of `[q / √d, q · Rh, q · Rw]` and
    /// `[k, onehot(row), onehot(column)]` is the score with its positions in.
    fn relative_attention(
        &self,
        qkv: &Tensor,
        index: usize,
        canvas: Canvas,
        keys: &Tensor,
    ) -> Computed<Tensor> {
        let (q, k, v) = ops::heads_apart(qkv, self.config.heads)?;
        let (b, heads, tokens, d) = q.dims4()?;
        let (rows, w) = (tokens / canvas.columns, canvas.columns);
        let table = |axis: &str, size: usize| -> Computed<Tensor> {
            let table = self.weight(&format!("blocks.{index}.attn.rel_pos_{axis}"))?;
            positions::relative_of(&table, size)
        };
        // Every prompt is in the upper half.
        let by_row = over_halves(&table("h", 2 * canvas.rows)?, rows / canvas.rows - 1)?;
        let transposed = |table: &Tensor| table.transpose(1, 2)?.contiguous();
        let x = b * heads;
        let grid = q.reshape((x, rows, w, d))?;
        let by_row = grid
            .transpose(0, 1)?
            .contiguous()?
            .reshape((rows, x * w, d))?
            .matmul(&transposed(&by_row)?)?;
        let by_row = by_row
            .reshape((rows, x, w, ()))?
            .transpose(0, 1)?
            .contiguous()?;
        let by_column = grid
            .permute((2, 0, 1, 3))?
            .contiguous()?
            .reshape((w, x * rows, d))?
            .matmul(&transposed(&table("w", w)?)?)?;
        let by_column = by_column
            .reshape((w, x, rows, w))?
            .permute((1, 2, 0, 3))?
            .contiguous()?;
        let q = Tensor::cat(&[(grid * (d as f64).powf(-0.5))?, by_row, by_column], 3)?;
        let q = q.reshape((b, heads, tokens, ()))?;
        let keys = keys
            .broadcast_as((b, heads, tokens, keys.dim(1)?))?
            .contiguous()?;
        self.attend(&q, &Tensor::cat(&[&k, &keys], 3)?, &v, canvas)
    }

    /// What `q` and `k` `[B, heads, (N + 1) L, e]` find in `v` `[B, heads, (N + 1) L, d]`: each prompt in itself and in the
    /// query, the query in everything. `[B, (N + 1) L, C]`.
    fn attend(&self, q: &Tensor, k: &Tensor, v: &Tensor, canvas: Canvas) -> Computed<Tensor> {
        let (b, _, tokens, _) = q.dims4()?;
        let l = canvas.tokens();
        let attended = if tokens == 2 * l {
            ops::attention_of(q, k, v)?
        } else {
            let query = tokens - l;
            let half = |x: &Tensor, first: usize| x.narrow(2, first, l);
            let mut attended = Vec::with_capacity(tokens / l);
            for first in (0..query).step_by(l) {
                let seen = |x: &Tensor| Tensor::cat(&[half(x, first)?, half(x, query)?], 2);
                attended.push(ops::attention_of(&half(q, first)?, &seen(k)?, &seen(v)?)?);
            }
            attended.push(ops::attention_of(&half(q, query)?, k, v)?);
            Tensor::cat(&attended, 2)?
        };
        attended
            .transpose(1, 2)?
            .reshape((b, tokens, self.config.width))
    }

    /// Features `[B, 2 L, levels * C]` to pixels `[B, 2 S, S, 3]`.
    fn decode(&self, features: &Tensor, b: usize, canvas: Canvas) -> Computed<Tensor> {
        let (p, d, rows, columns) = (
            self.config.patch_size,
            self.config.decoder_width,
            2 * canvas.rows,
            canvas.columns,
        );
        let embedded = self.linear(features, "decoder_embed")?;
        let pixels = embedded
            .reshape((b * rows, columns, p, p * d))?
            .transpose(1, 2)?
            .contiguous()?
            .reshape((b, rows * p, columns * p, d))?;
        let (weight, bias) = (
            self.weight("decoder_pred.0.weight")?,
            self.weight("decoder_pred.0.bias")?,
        );
        let hidden = ops::convolve(&pixels, &weight, &bias, 1)?;
        let hidden = ops::gelu(&self.norm(&hidden, "decoder_pred.1")?)?;
        self.linear(&hidden, "decoder_pred.3")
    }
}

/// Of a table whose first dimension runs over the upper and the lower half, the upper one for each prompt, then the lower.
fn over_halves(table: &Tensor, prompts: usize) -> Computed<Tensor> {
    if prompts == 1 {
        return Ok(table.clone());
    }
    let half = table.dim(0)? / 2;
    let (upper, lower) = (table.narrow(0, 0, half)?, table.narrow(0, half, half)?);
    let mut halves = vec![&upper; prompts];
    halves.push(&lower);
    Tensor::cat(&halves, 0)
}

/// The tokens of the first prompt and of the query, out of `[B, (N + 1) L, C]`.
fn first_and_last(x: &Tensor, prompts: usize) -> Computed<Tensor> {
    if prompts == 1 {
        return Ok(x.clone());
    }
    let half = x.dim(1)? / (prompts + 1);
    Tensor::cat(
        &[x.narrow(1, 0, half)?, x.narrow(1, prompts * half, half)?],
        1,
    )
}
