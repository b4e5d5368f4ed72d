//! Attention with decomposed relative positions (`Attention` and `add_decomposed_rel_pos` of the original code).
//!
//! Tokens come as *groups*: `[G, (n + 1) L, C]`, the `L` tokens of each of `n` prompts, then the `L` tokens of the one
//! query that they share. Each prompt and the query attend to each other as on a canvas of their own, and the query's
//! results are averaged over the prompts. That is the feature ensemble of the original code, which keeps `n` equal
//! copies of the query; with `n` = 1 it is the plain network. In the joint ensemble the query attends to all prompts in
//! one softmax instead.

use std::ops::Range;

use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::{VarBuilder, ops};

#[cfg(feature = "cuda")]
use super::cuda;
use super::{Canvas, Rows, layers::Linear, positions};
use crate::{Config, Ensemble};

/// Relative positions of one block, looked up for one canvas size and laid out for the products with the queries.
pub(super) struct Relative {
    /// For the query rows of the upper and of the lower half: `[rows, d, 2 rows]`.
    rows: [Tensor; 2],
    /// `[columns, d, columns]`.
    columns: Tensor,
    /// By distance, `[4 rows - 1, d]` and `[2 columns - 1, d]`.
    #[cfg(feature = "cuda")]
    pub(super) distances: [Tensor; 2],
}

impl Relative {
    /// Of tables by distance as stored, `[2 s - 1, d]` for rows and for columns, f32 on the CPU.
    pub(super) fn of(
        stored: &[Tensor; 2],
        canvas: Canvas,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let place = |table: &Tensor| table.contiguous()?.to_dtype(dtype)?.to_device(device);
        let (height, width) = (2 * canvas.rows, canvas.columns);
        let rows = positions::relative(&stored[0], height)?.transpose(1, 2)?;
        let columns = positions::relative(&stored[1], width)?.transpose(1, 2)?;
        Ok(Self {
            rows: [
                place(&rows.narrow(0, 0, canvas.rows)?)?,
                place(&rows.narrow(0, canvas.rows, canvas.rows)?)?,
            ],
            columns: place(&columns)?,
            #[cfg(feature = "cuda")]
            distances: [
                place(&positions::by_distance(&stored[0], height)?)?,
                place(&positions::by_distance(&stored[1], width)?)?,
            ],
        })
    }
}

pub(super) struct Attention {
    qkv: Linear,
    proj: Linear,
    /// As stored, f32 on the CPU; none where positions are not relative.
    rel_pos: Option<[Tensor; 2]>,
    heads: usize,
    head_width: usize,
}

impl Attention {
    pub(super) fn load(config: &Config, vb: VarBuilder) -> Result<Self> {
        let (c, d, grid) = (config.width, config.head_width(), config.grid());
        let table = |size: usize, name: &str| {
            let table = vb.get((2 * size - 1, d), name)?;
            table.to_dtype(DType::F32)?.to_device(&Device::Cpu)
        };
        Ok(Self {
            qkv: Linear::load(c, 3 * c, vb.pp("qkv"))?,
            proj: Linear::load(c, c, vb.pp("proj"))?,
            rel_pos: match config.relative_positions {
                true => Some([table(2 * grid, "rel_pos_h")?, table(grid, "rel_pos_w")?]),
                false => None,
            },
            heads: config.heads,
            head_width: d,
        })
    }

    /// The tables of relative positions by (query, key) on an axis: `[2 rows, 2 rows, d]` and `[columns, columns, d]`,
    /// f32 on the CPU. None where positions are not relative.
    pub(super) fn relative_tables(&self, canvas: Canvas) -> Result<Option<[Tensor; 2]>> {
        let Some([rows, columns]) = &self.rel_pos else {
            return Ok(None);
        };
        Ok(Some([
            positions::relative(rows, 2 * canvas.rows)?,
            positions::relative(columns, canvas.columns)?,
        ]))
    }

    pub(super) fn relative(
        &self,
        canvas: Canvas,
        dtype: DType,
        device: &Device,
    ) -> Result<Option<Relative>> {
        let stored = self.rel_pos.as_ref();
        stored
            .map(|stored| Relative::of(stored, canvas, dtype, device))
            .transpose()
    }

    /// The qkv layer, for the reference path.
    pub(super) fn qkv(&self, x: &Tensor) -> Result<Tensor> {
        self.qkv.forward(x)
    }

    /// The projection after the attention.
    pub(super) fn project(&self, x: &Tensor) -> Result<Tensor> {
        self.proj.forward(x)
    }

    /// The projection of `attended`, added to `x`.
    pub(super) fn project_onto(&self, x: &Tensor, attended: &Tensor) -> Result<Tensor> {
        self.proj.add_to(x, attended)
    }

    /// `x` `[G, (n + 1) L, C]` to what the rows attended to, `[G, rows, C]`, before the projection, which being
    /// linear may as well come after the average over the prompts.
    pub(super) fn attend(
        &self,
        x: &Tensor,
        canvas: Canvas,
        relative: Option<&Relative>,
        keys: &[Tensor; 2],
        ensemble: Ensemble,
        rows: Rows,
    ) -> Result<Tensor> {
        let (groups, tokens, _) = x.dims3()?;
        let (heads, d, l) = (self.heads, self.head_width, canvas.tokens());
        let qkv = self
            .qkv
            .forward(x)?
            .reshape(&[groups, tokens / l, l, 3, heads, d][..])?;
        #[cfg(feature = "cuda")]
        if ensemble != Ensemble::Joint {
            let tables = relative.map(|relative| &relative.distances);
            if let Some(attended) = cuda::attention(&qkv, tables, canvas, rows)? {
                return Ok(attended);
            }
        }
        attended(&qkv, canvas, relative, keys, ensemble, rows)
    }
}

/// Of queries, keys and values `[G, n + 1, L, 3, heads, d]`, what the rows attended to, `[G, rows, C]`.
pub(super) fn attended(
    qkv: &Tensor,
    canvas: Canvas,
    relative: Option<&Relative>,
    keys: &[Tensor; 2],
    ensemble: Ensemble,
    rows: Rows,
) -> Result<Tensor> {
    let &[groups, halves, l, _, heads, d] = qkv.dims() else {
        candle_core::bail!("queries, keys and values of shape {:?}", qkv.shape())
    };
    let (n, c) = (halves - 1, heads * d);
    // -> q, k and v, each [G, n + 1, heads, L, d]
    let part = |index: usize| {
        qkv.narrow(3, index, 1)?
            .squeeze(3)?
            .transpose(2, 3)?
            .contiguous()
    };
    let (q, k, v) = (part(0)?, part(1)?, part(2)?);

    let split = |x: &Tensor, half: usize| {
        if half == 0 {
            x.narrow(1, 0, n)
        } else {
            x.narrow(1, n, 1)
        }
    };
    let biased = |half: usize| -> Result<(Tensor, Tensor)> {
        let (q, k) = (split(&q, half)?, split(&k, half)?);
        let Some(relative) = relative else {
            return Ok(((q * (d as f64).powf(-0.5))?, k));
        };
        let q = biased_queries(&q, canvas, &relative.rows[half], &relative.columns)?;
        Ok((q, biased_keys(&k, &keys[half])?))
    };
    let (upper, lower) = (biased(0)?, biased(1)?);

    // How many prompts the query sees at once.
    let together = match ensemble {
        Ensemble::Joint => n,
        Ensemble::Feature | Ensemble::Independent => 1,
    };
    let (prompts, skipped) = match rows {
        Rows::All => (n, 0),
        Rows::Answer => (1, rows.skipped(canvas)),
    };
    let mut outputs = Vec::with_capacity(groups);
    for group in 0..groups {
        let half = |x: &Tensor, i: usize| x.get(group)?.get(i);
        // What `q` [heads, R, e] finds in some prompts and in the query: [R, C].
        let find = |q: Tensor, seen: Range<usize>| -> Result<Tensor> {
            let halves = |upper: &Tensor, lower: Tensor| {
                let mut halves: Vec<_> = seen
                    .clone()
                    .map(|i| half(upper, i))
                    .collect::<Result<_>>()?;
                halves.push(lower);
                Tensor::cat(&halves, 1)
            };
            let keys = halves(&upper.1, half(&lower.1, 0)?)?;
            weighted_values(&q, &keys, &halves(&v, half(&v, n)?)?)?
                .transpose(0, 1)?
                .reshape(((), c))
        };
        let mut attended = Vec::with_capacity(prompts + 1);
        for i in 0..prompts {
            let q = half(&upper.0, i)?.narrow(1, skipped, l - skipped)?;
            attended.push(find(q, i..i + 1)?);
        }
        let query = || half(&lower.0, 0);
        let mut sum = find(query()?, 0..together)?;
        for first in (together..n).step_by(together) {
            sum = (sum + find(query()?, first..first + together)?)?;
        }
        attended.push((sum * (together as f64 / n as f64))?);
        outputs.push(Tensor::cat(&attended, 0)?);
    }
    Tensor::stack(&outputs, 0)
}

/// `[q / √d, q · Rh, q · Rw]` for queries `[G, n, heads, L, d]` of one half: the product with a biased key is the score
/// with its relative positions already in.
fn biased_queries(
    q: &Tensor,
    canvas: Canvas,
    row_table: &Tensor,
    column_table: &Tensor,
) -> Result<Tensor> {
    let &[groups, n, heads, l, d] = q.dims() else {
        candle_core::bail!("queries of shape {:?}", q.shape())
    };
    let (x, h, w) = (groups * n * heads, canvas.rows, canvas.columns);
    let grid = q.reshape((x, h, w, d))?;
    // einsum "xhwd,hdk->xhwk"
    let by_row = grid
        .transpose(0, 1)?
        .reshape((h, x * w, d))?
        .matmul(row_table)?;
    let by_row = by_row.reshape((h, x, w, ()))?.transpose(0, 1)?;
    // einsum "xhwd,wdk->xhwk"
    let by_column = grid
        .permute((2, 0, 1, 3))?
        .reshape((w, x * h, d))?
        .matmul(column_table)?;
    let by_column = by_column.reshape((w, x, h, ()))?.permute((1, 2, 0, 3))?;
    let scaled = (grid * (d as f64).powf(-0.5))?;
    Tensor::cat(&[scaled, by_row, by_column], D::Minus1)?.reshape((groups, n, heads, l, ()))
}

/// `[k, onehot(row), onehot(column)]` for keys `[G, n, heads, L, d]` of one half.
fn biased_keys(k: &Tensor, keys: &Tensor) -> Result<Tensor> {
    let &[groups, n, heads, l, _] = k.dims() else {
        candle_core::bail!("keys of shape {:?}", k.shape())
    };
    let keys = keys.broadcast_as(&[groups, n, heads, l, keys.dim(1)?][..])?;
    Tensor::cat(&[k, &keys], D::Minus1)
}

/// `softmax(q kᵀ) v` for `q` `[heads, R, e]`, `k` `[heads, T, e]`, `v` `[heads, T, d]`, some heads at a time so that
/// the scores stay within a budget.
fn weighted_values(q: &Tensor, k: &Tensor, v: &Tensor) -> Result<Tensor> {
    let (heads, rows, _) = q.dims3()?;
    let budget = if q.device().is_cpu() {
        CPU_SCORES
    } else {
        GPU_SCORES
    };
    let step = (budget / (rows * k.dim(1)?)).clamp(1, heads);
    let chunks: Result<Vec<_>> = (0..heads)
        .step_by(step)
        .map(|first| {
            let some = |x: &Tensor| x.narrow(0, first, step.min(heads - first));
            // einsum "hqe,hke->hqk"
            let scores = some(q)?.matmul(&some(k)?.t()?)?;
            let weights =
                ops::softmax_last_dim(&scores.to_dtype(DType::F32)?)?.to_dtype(q.dtype())?;
            // einsum "hqk,hkd->hqd"
            weights.matmul(&some(v)?)
        })
        .collect();
    Tensor::cat(&chunks?, 0)
}

/// Scores held at once: 32 MiB of f32 on the CPU, 512 MiB on a GPU.
const CPU_SCORES: usize = 8 << 20;
const GPU_SCORES: usize = 128 << 20;
