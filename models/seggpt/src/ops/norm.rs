//! Layer norm and GELU.

use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::{
    kernels::{ROWS, dot, erf, exp, sum, summed, vectorised},
    storage::{gradient, output, values, with},
};

pub(super) struct LayerNorm {
    pub(super) epsilon: f32,
}

/// Parts that the sums over rows are taken in.
const PARTS: usize = 8;

impl LayerNorm {
    /// Writes `(x - mean) / deviation` and gives `1 / deviation`.
    #[inline(always)]
    fn normalise(&self, x: &[f32], out: &mut [f32]) -> f32 {
        let n = x.len() as f32;
        let mean = sum(x) / n;
        out.iter_mut().zip(x).for_each(|(out, x)| *out = x - mean);
        let factor = 1.0 / (dot(out, out) / n + self.epsilon).sqrt();
        out.iter_mut().for_each(|out| *out *= factor);
        factor
    }
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let width = weight_layout.shape().dims1()?;
        let (x, weight, bias) = (
            values(x, x_layout)?,
            values(weight, weight_layout)?,
            values(bias, bias_layout)?,
        );
        let mut y = vec![0.0; x.len()];
        y.par_chunks_mut(ROWS * width)
            .zip(x.par_chunks(ROWS * width))
            .for_each(|(y, x)| {
                vectorised(
                    #[inline(always)]
                    || {
                        for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                            self.normalise(x, y);
                            for ((y, w), b) in y.iter_mut().zip(weight).zip(bias) {
                                *y = *y * w + b;
                            }
                        }
                    },
                );
            });
        output(y, x_layout.shape())
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let width = weight.dims1()?;
        let (dx, mut sums) = with(x, |x| {
            with(grad, |dy| with(weight, |w| Ok(self.gradients(x, dy, w))))
        })?;
        let db = sums.split_off(width);
        Ok((
            Some(gradient(dx, x)?),
            Some(gradient(sums, weight)?),
            Some(gradient(db, bias)?),
        ))
    }
}

impl LayerNorm {
    /// The gradient of `x`, and those of weight and bias one after the other.
    fn gradients(&self, x: &[f32], dy: &[f32], weight: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let width = weight.len();
        let n = width as f32;
        let rows = x.len() / width;
        let step = rows.div_ceil(PARTS).max(1) * width;
        let mut dx = vec![0.0; x.len()];
        let partial: Vec<Vec<f32>> = dx
            .par_chunks_mut(step)
            .zip(x.par_chunks(step))
            .zip(dy.par_chunks(step))
            .map(|((dx, x), dy)| {
                let mut sums = vec![0.0; 2 * width];
                let (dw, db) = sums.split_at_mut(width);
                let (mut normal, mut scaled) = (vec![0.0; width], vec![0.0; width]);
                vectorised(
                    #[inline(always)]
                    || {
                        for ((dx, x), dy) in dx
                            .chunks_exact_mut(width)
                            .zip(x.chunks_exact(width))
                            .zip(dy.chunks_exact(width))
                        {
                            let factor = self.normalise(x, &mut normal);
                            for i in 0..width {
                                dw[i] += dy[i] * normal[i];
                                db[i] += dy[i];
                                scaled[i] = dy[i] * weight[i];
                            }
                            let mean = sum(&scaled) / n;
                            let along = dot(&scaled, &normal) / n;
                            for i in 0..width {
                                dx[i] = factor * (scaled[i] - mean - normal[i] * along);
                            }
                        }
                    },
                );
                sums
            })
            .collect();
        let sums = summed(1, 2 * width, |_, total| {
            for part in &partial {
                total
                    .iter_mut()
                    .zip(part)
                    .for_each(|(total, value)| *total += value);
            }
        });
        (dx, sums)
    }
}

pub(super) struct Gelu;

/// Values of a task.
const CHUNK: usize = 1 << 14;

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(x, layout)?;
        let mut y = vec![0.0; x.len()];
        y.par_chunks_mut(CHUNK)
            .zip(x.par_chunks(CHUNK))
            .for_each(|(y, x)| {
                vectorised(
                    #[inline(always)]
                    || {
                        for (y, x) in y.iter_mut().zip(x) {
                            *y = 0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2));
                        }
                    },
                );
            });
        output(y, layout.shape())
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        // 1 / √(2π)
        const DENSITY: f32 = 0.398_942_3;
        let dx = with(x, |x| {
            with(grad, |dy| {
                let mut dx = vec![0.0; x.len()];
                dx.par_chunks_mut(CHUNK)
                    .zip(x.par_chunks(CHUNK))
                    .zip(dy.par_chunks(CHUNK))
                    .for_each(|((dx, x), dy)| {
                        vectorised(
                            #[inline(always)]
                            || {
                                for ((dx, x), dy) in dx.iter_mut().zip(x).zip(dy) {
                                    let below =
                                        0.5 * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2));
                                    *dx = dy * (below + x * DENSITY * exp(-0.5 * x * x));
                                }
                            },
                        );
                    });
                Ok(dx)
            })
        })?;
        Ok(Some(gradient(dx, x)?))
    }
}
