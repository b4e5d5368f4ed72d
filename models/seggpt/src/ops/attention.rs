//! Attention, a few rows of scores at a time: nothing of size tokens x tokens is kept for the backward pass, which
//! computes the scores again.

use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::{
    kernels::{Matrix, dot, product, softmax, vectorised},
    storage::{gradient, output, values, with},
};

/// Scores held at once, so that they stay in the second-level cache.
const SCORES: usize = 1 << 17;

/// Queries `[Q, e]`, keys `[T, e]` and values `[T, d]` of one head.
#[derive(Clone, Copy)]
struct Head<'a> {
    q: Matrix<'a>,
    k: Matrix<'a>,
    v: Matrix<'a>,
    queries: usize,
    tokens: usize,
    /// `e` and `d`.
    widths: [usize; 2],
    scale: f32,
}

/// A writable matrix: values and the distance of its rows.
type Out<'a> = (&'a mut [f32], usize);

fn from_row(matrix: Matrix, row: usize) -> Matrix {
    Matrix {
        values: &matrix.values[row * matrix.strides[0]..],
        strides: matrix.strides,
    }
}

impl Head<'_> {
    fn step(&self) -> usize {
        (SCORES / self.tokens).clamp(1, self.queries)
    }

    /// Blocks of rows: first and number.
    fn blocks(&self) -> impl Iterator<Item = (usize, usize)> {
        let (queries, step) = (self.queries, self.step());
        (0..queries)
            .step_by(step)
            .map(move |first| (first, step.min(queries - first)))
    }

    /// The weights of some rows, each row summing to one.
    fn weights(&self, first: usize, rows: usize, out: &mut [f32]) {
        let size = [rows, self.tokens, self.widths[0]];
        product(
            size,
            from_row(self.q, first),
            self.k.t(),
            self.scale,
            (&mut *out, self.tokens),
            0.0,
        );
        vectorised(
            #[inline(always)]
            || {
                out.chunks_exact_mut(self.tokens).for_each(softmax);
            },
        );
    }

    fn forward(&self, (out, stride): Out, scratch: &mut Vec<f32>) {
        scratch.resize(self.step() * self.tokens, 0.0);
        for (first, rows) in self.blocks() {
            let weights = &mut scratch[..rows * self.tokens];
            self.weights(first, rows, weights);
            let size = [rows, self.widths[1], self.tokens];
            product(
                size,
                Matrix::rows(weights, self.tokens),
                self.v,
                1.0,
                (&mut out[first * stride..], stride),
                0.0,
            );
        }
    }

    /// Gradients from that of the output, `dy` `[Q, d]`, and the output itself. The products of `dy` and output, summed
    /// over a row, are what the softmax takes off that row's gradient.
    fn backward(&self, y: Matrix, dy: Matrix, [dq, dk, dv]: [Out; 3], scratch: &mut Vec<f32>) {
        let ([e, d], t) = (self.widths, self.tokens);
        scratch.resize(2 * self.step() * t, 0.0);
        let (weights, scores) = scratch.split_at_mut(self.step() * t);
        for (first, rows) in self.blocks() {
            let (weights, scores) = (&mut weights[..rows * t], &mut scores[..rows * t]);
            self.weights(first, rows, weights);
            let (y, dy) = (from_row(y, first), from_row(dy, first));
            let keep = if first == 0 { 0.0 } else { 1.0 };
            product(
                [t, d, rows],
                Matrix::rows(weights, t).t(),
                dy,
                1.0,
                (&mut *dv.0, dv.1),
                keep,
            );
            product([rows, t, d], dy, self.v.t(), 1.0, (&mut *scores, t), 0.0);
            vectorised(
                #[inline(always)]
                || {
                    for (i, (scores, weights)) in scores
                        .chunks_exact_mut(t)
                        .zip(weights.chunks_exact(t))
                        .enumerate()
                    {
                        let row = |m: Matrix<'_>| i * m.strides[0]..i * m.strides[0] + d;
                        let along = dot(&y.values[row(y)], &dy.values[row(dy)]);
                        for (score, weight) in scores.iter_mut().zip(weights) {
                            *score = weight * (*score - along);
                        }
                    }
                },
            );
            let ds = Matrix::rows(scores, t);
            product(
                [rows, e, t],
                ds,
                self.k,
                self.scale,
                (&mut dq.0[first * dq.1..], dq.1),
                0.0,
            );
            product(
                [t, e, rows],
                ds.t(),
                from_row(self.q, first),
                self.scale,
                (&mut *dk.0, dk.1),
                keep,
            );
        }
    }
}

/// Queries, keys and values side by side in each token.
pub(super) struct Packed {
    pub(super) heads: usize,
    pub(super) scale: f32,
}

impl Packed {
    /// One head of a sample `[T, 3 C]`.
    fn head<'a>(&self, qkv: &'a [f32], tokens: usize, head: usize) -> Head<'a> {
        let width = qkv.len() / tokens;
        let (c, d) = (width / 3, width / 3 / self.heads);
        let part = |i: usize| Matrix::rows(&qkv[i * c + head * d..], width);
        Head {
            q: part(0),
            k: part(1),
            v: part(2),
            queries: tokens,
            tokens,
            widths: [d, d],
            scale: self.scale,
        }
    }
}

impl CustomOp1 for Packed {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, tokens, width) = layout.shape().dims3()?;
        let (qkv, c) = (values(qkv, layout)?, width / 3);
        let d = c / self.heads;
        let mut y = vec![0.0; batch * tokens * c];
        y.par_chunks_mut(tokens * c)
            .zip(qkv.par_chunks(tokens * width))
            .for_each_init(Vec::new, |scratch, (y, qkv)| {
                for head in 0..self.heads {
                    self.head(qkv, tokens, head)
                        .forward((&mut y[head * d..], c), scratch);
                }
            });
        output(y, (batch, tokens, c))
    }

    fn bwd(&self, qkv: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (batch, tokens, width) = qkv.dims3()?;
        let (c, d) = (width / 3, width / 3 / self.heads);
        let gradients = with(qkv, |qkv| {
            with(y, |y| {
                with(grad, |dy| {
                    let mut out = vec![0.0; batch * tokens * width];
                    let samples = out
                        .par_chunks_mut(tokens * width)
                        .zip(qkv.par_chunks(tokens * width));
                    let samples = samples
                        .zip(y.par_chunks(tokens * c))
                        .zip(dy.par_chunks(tokens * c));
                    samples.for_each_init(Scratch::default, |scratch, (((out, qkv), y), dy)| {
                        let Scratch { scores, apart } = scratch;
                        apart.resize(3 * tokens * d, 0.0);
                        for head in 0..self.heads {
                            let (y, dy) = (
                                Matrix::rows(&y[head * d..], c),
                                Matrix::rows(&dy[head * d..], c),
                            );
                            let mut parts =
                                apart.chunks_exact_mut(tokens * d).map(|part| (part, d));
                            if let (Some(dq), Some(dk), Some(dv)) =
                                (parts.next(), parts.next(), parts.next())
                            {
                                self.head(qkv, tokens, head)
                                    .backward(y, dy, [dq, dk, dv], scores);
                            }
                            for (i, part) in apart.chunks_exact(tokens * d).enumerate() {
                                let column = i * c + head * d;
                                for (row, part) in
                                    out.chunks_exact_mut(width).zip(part.chunks_exact(d))
                                {
                                    row[column..column + d].copy_from_slice(part);
                                }
                            }
                        }
                    });
                    Ok(out)
                })
            })
        })?;
        Ok(Some(gradient(gradients, qkv)?))
    }
}

#[derive(Default)]
struct Scratch {
    scores: Vec<f32>,
    apart: Vec<f32>,
}

/// Queries, keys and values in tensors of their own.
pub(super) struct Apart;

impl Apart {
    fn head<'a>(q: &'a [f32], k: &'a [f32], v: &'a [f32], [e, d]: [usize; 2]) -> Head<'a> {
        Head {
            q: Matrix::rows(q, e),
            k: Matrix::rows(k, e),
            v: Matrix::rows(v, d),
            queries: q.len() / e,
            tokens: k.len() / e,
            widths: [e, d],
            scale: 1.0,
        }
    }
}

impl CustomOp3 for Apart {
    fn name(&self) -> &'static str {
        "attention-apart"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        q_layout: &Layout,
        k: &CpuStorage,
        k_layout: &Layout,
        v: &CpuStorage,
        v_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (batch, heads, queries, e) = q_layout.shape().dims4()?;
        let (_, _, tokens, d) = v_layout.shape().dims4()?;
        let (q, k, v) = (
            values(q, q_layout)?,
            values(k, k_layout)?,
            values(v, v_layout)?,
        );
        let mut y = vec![0.0; batch * heads * queries * d];
        let each = y.par_chunks_mut(queries * d).zip(q.par_chunks(queries * e));
        let each = each
            .zip(k.par_chunks(tokens * e))
            .zip(v.par_chunks(tokens * d));
        each.for_each_init(Vec::new, |scratch, (((y, q), k), v)| {
            Self::head(q, k, v, [e, d]).forward((y, d), scratch);
        });
        output(y, (batch, heads, queries, d))
    }

    fn bwd(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (_, _, r, e) = q.dims4()?;
        let (_, _, t, d) = v.dims4()?;
        let (mut dq, mut dk, mut dv) = (
            vec![0.0; q.elem_count()],
            vec![0.0; k.elem_count()],
            vec![0.0; v.elem_count()],
        );
        with(q, |q| {
            with(k, |k| {
                with(v, |v| {
                    with(y, |y| {
                        with(grad, |dy| {
                            let outputs = dq
                                .par_chunks_mut(r * e)
                                .zip(dk.par_chunks_mut(t * e))
                                .zip(dv.par_chunks_mut(t * d));
                            let inputs = q
                                .par_chunks(r * e)
                                .zip(k.par_chunks(t * e))
                                .zip(v.par_chunks(t * d));
                            let results = y.par_chunks(r * d).zip(dy.par_chunks(r * d));
                            outputs.zip(inputs).zip(results).for_each_init(
                                Vec::new,
                                |scratch, ((((dq, dk), dv), ((q, k), v)), (y, dy))| {
                                    let out = [(dq, e), (dk, e), (dv, d)];
                                    let (y, dy) = (Matrix::rows(y, d), Matrix::rows(dy, d));
                                    Self::head(q, k, v, [e, d]).backward(y, dy, out, scratch);
                                },
                            );
                            Ok(())
                        })
                    })
                })
            })
        })?;
        Ok((
            Some(gradient(dq, q)?),
            Some(gradient(dk, k)?),
            Some(gradient(dv, v)?),
        ))
    }
}
