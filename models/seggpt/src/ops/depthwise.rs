//! The depthwise convolution over the patch grid.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::{
    kernels::{summed, vectorised},
    storage::{gradient, output, values, with},
};

/// `x + conv(x) + b` for `x` `[B, rows, columns, C]` and taps `[edge², C]`.
pub(super) struct AddDepthwise {
    pub(super) edge: usize,
}

/// Rows, columns and channels of one sample.
type Grid = [usize; 3];

impl AddDepthwise {
    /// For every tap and row: the tap, the output row, the input row, and the columns that exist in both.
    fn pairs(
        &self,
        [rows, columns, _]: Grid,
    ) -> impl Iterator<Item = (usize, usize, usize, usize, usize, usize)> {
        let (edge, reach) = (self.edge, self.edge / 2);
        (0..rows).flat_map(move |row| {
            (0..edge * edge).filter_map(move |tap| {
                let (down, right) = (tap / edge, tap % edge);
                let source = (row + down)
                    .checked_sub(reach)
                    .filter(|source| *source < rows)?;
                let first = reach.saturating_sub(right);
                let last = columns.min((columns + reach).saturating_sub(right));
                // The input's first column is `first + right - reach`.
                (first < last).then_some((tap, row, source, first, last, (first + right) - reach))
            })
        })
    }

    /// Adds the convolution of `x` to `y`, with the taps as they are or turned by half a turn.
    fn add(&self, x: &[f32], taps: &[f32], y: &mut [f32], grid: Grid, turned: bool) {
        let [_, columns, c] = grid;
        for (tap, row, source, first, last, from) in self.pairs(grid) {
            let tap = if turned {
                self.edge * self.edge - 1 - tap
            } else {
                tap
            };
            let tap = &taps[tap * c..][..c];
            let y = &mut y[(row * columns + first) * c..(row * columns + last) * c];
            let x = &x[(source * columns + from) * c..][..y.len()];
            vectorised(
                #[inline(always)]
                || {
                    for (y, x) in y.chunks_exact_mut(c).zip(x.chunks_exact(c)) {
                        for ((y, x), tap) in y.iter_mut().zip(x).zip(tap) {
                            *y += x * tap;
                        }
                    }
                },
            );
        }
    }
}

impl CustomOp3 for AddDepthwise {
    fn name(&self) -> &'static str {
        "add-depthwise"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        taps: &CpuStorage,
        taps_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, rows, columns, c) = x_layout.shape().dims4()?;
        let (x, taps, bias) = (
            values(x, x_layout)?,
            values(taps, taps_layout)?,
            values(bias, bias_layout)?,
        );
        let mut y = vec![0.0; x.len()];
        let sample = rows * columns * c;
        y.par_chunks_mut(sample)
            .zip(x.par_chunks(sample))
            .for_each(|(y, x)| {
                vectorised(
                    #[inline(always)]
                    || {
                        for (y, x) in y.chunks_exact_mut(c).zip(x.chunks_exact(c)) {
                            for ((y, x), bias) in y.iter_mut().zip(x).zip(bias) {
                                *y = x + bias;
                            }
                        }
                    },
                );
                self.add(x, taps, y, [rows, columns, c], false);
            });
        output(y, x_layout.shape())
    }

    fn bwd(
        &self,
        x: &Tensor,
        taps: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (batch, rows, columns, c) = x.dims4()?;
        let (grid, sample, count) = (
            [rows, columns, c],
            rows * columns * c,
            self.edge * self.edge,
        );
        let wanted = taps.track_op();
        let (dx, sums) = with(x, |x| {
            with(grad, |dy| {
                with(taps, |taps| {
                    let mut dx = dy.to_vec();
                    dx.par_chunks_mut(sample)
                        .zip(dy.par_chunks(sample))
                        .for_each(|(dx, dy)| self.add(dy, taps, dx, grid, true));
                    let add_up = |i: usize, sums: &mut [f32]| {
                        let (x, dy) = (&x[i * sample..][..sample], &dy[i * sample..][..sample]);
                        let (taps, bias) = sums.split_at_mut(count * c);
                        for (tap, row, source, first, last, from) in self.pairs(grid) {
                            let tap = &mut taps[tap * c..][..c];
                            let dy = &dy[(row * columns + first) * c..(row * columns + last) * c];
                            let x = &x[(source * columns + from) * c..][..dy.len()];
                            add_products(tap, x, dy);
                        }
                        vectorised(
                            #[inline(always)]
                            || {
                                for dy in dy.chunks_exact(c) {
                                    bias.iter_mut().zip(dy).for_each(|(bias, dy)| *bias += dy);
                                }
                            },
                        );
                    };
                    let sums = wanted.then(|| summed(batch, (count + 1) * c, add_up));
                    Ok((dx, sums))
                })
            })
        })?;
        let dx = Some(gradient(dx, x)?);
        let Some(mut sums) = sums else {
            return Ok((dx, None, None));
        };
        let db = sums.split_off(count * c);
        Ok((dx, Some(gradient(sums, taps)?), Some(gradient(db, bias)?)))
    }
}

/// Adds up the products of two rows of pixels, channel by channel.
fn add_products(sum: &mut [f32], x: &[f32], y: &[f32]) {
    let c = sum.len();
    vectorised(
        #[inline(always)]
        || {
            for (x, y) in x.chunks_exact(c).zip(y.chunks_exact(c)) {
                for ((sum, x), y) in sum.iter_mut().zip(x).zip(y) {
                    *sum += x * y;
                }
            }
        },
    );
}
