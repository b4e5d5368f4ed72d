//! The 3x3 convolution on pixels with their channels last.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::{
    kernels::{Matrix, product, summed, vectorised},
    storage::{gradient, output, values, with},
};

/// `x` `[B, height, width, I]`, taps `[O, 9 I]` (row, column, channel), bias `[O]`.
pub(super) struct Convolve {
    pub(super) stride: usize,
}

/// Values of cut-out neighbourhoods held at once.
const WINDOWS: usize = 1 << 16;

/// Sizes of one sample.
#[derive(Clone, Copy)]
struct Plan {
    width: usize,
    channels: usize,
    /// Rows and columns of the output.
    out: [usize; 2],
    outputs: usize,
    stride: usize,
}

impl Plan {
    /// Values of one neighbourhood.
    fn window(&self) -> usize {
        9 * self.channels
    }

    /// Strips of output rows: first and number.
    fn strips(&self) -> impl Iterator<Item = (usize, usize)> {
        let rows = self.out[0];
        let step = (WINDOWS / (self.out[1] * self.window())).clamp(1, rows.max(1));
        (0..rows)
            .step_by(step)
            .map(move |first| (first, step.min(rows - first)))
    }

    /// For every output row of a strip and kernel row: where the neighbourhoods of that row lie and which row of the
    /// input, if it exists, fills that part of them.
    fn rows(
        &self,
        first: usize,
        rows: usize,
        height: usize,
    ) -> impl Iterator<Item = (usize, usize, Option<usize>)> {
        let stride = self.stride;
        (0..rows * 3).map(move |i| {
            let (row, down) = (i / 3, i % 3);
            let source = ((first + row) * stride + down)
                .checked_sub(1)
                .filter(|source| *source < height);
            (row, down, source)
        })
    }

    /// Cuts the neighbourhoods of some output rows out of a sample.
    fn cut(&self, x: &[f32], first: usize, rows: usize, windows: &mut [f32]) {
        let (c, width, columns) = (self.channels, self.width, self.out[1]);
        for (row, down, source) in self.rows(first, rows, x.len() / (width * c)) {
            for column in 0..columns {
                let window =
                    &mut windows[(row * columns + column) * 9 * c + down * 3 * c..][..3 * c];
                let Some(source) = source else {
                    window.fill(0.0);
                    continue;
                };
                let left = column * self.stride;
                // Columns left - 1 ..= left + 1, of which the outermost may not exist.
                let (skip, take) = (usize::from(left == 0), (width - left + 1).min(3));
                window[..skip * c].fill(0.0);
                window[take * c..].fill(0.0);
                let from = (source * width + left + skip - 1) * c;
                window[skip * c..take * c].copy_from_slice(&x[from..from + (take - skip) * c]);
            }
        }
    }

    /// Adds neighbourhoods back to where they were cut out.
    fn paste(&self, windows: &[f32], first: usize, rows: usize, x: &mut [f32]) {
        let (c, width, columns) = (self.channels, self.width, self.out[1]);
        let height = x.len() / (width * c);
        for (row, down, source) in self.rows(first, rows, height) {
            let Some(source) = source else { continue };
            for column in 0..columns {
                let window = &windows[(row * columns + column) * 9 * c + down * 3 * c..][..3 * c];
                let left = column * self.stride;
                let (skip, take) = (usize::from(left == 0), (width - left + 1).min(3));
                let from = (source * width + left + skip - 1) * c;
                let x = &mut x[from..from + (take - skip) * c];
                x.iter_mut()
                    .zip(&window[skip * c..take * c])
                    .for_each(|(x, value)| *x += value);
            }
        }
    }
}

impl Convolve {
    fn plan(&self, x: &[usize], outputs: usize) -> Result<(usize, Plan)> {
        let &[batch, height, width, channels] = x else {
            candle_core::bail!("convolve: x of shape {x:?}")
        };
        if !height.is_multiple_of(self.stride) || !width.is_multiple_of(self.stride) {
            candle_core::bail!("convolve: {height} x {width} is no multiple of the stride")
        }
        let out = [height / self.stride, width / self.stride];
        Ok((
            batch,
            Plan {
                width,
                channels,
                out,
                outputs,
                stride: self.stride,
            },
        ))
    }
}

impl CustomOp3 for Convolve {
    fn name(&self) -> &'static str {
        "convolve"
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
        let (outputs, window) = taps_layout.shape().dims2()?;
        let (batch, plan) = self.plan(x_layout.dims(), outputs)?;
        let (x, taps, bias) = (
            values(x, x_layout)?,
            values(taps, taps_layout)?,
            values(bias, bias_layout)?,
        );
        let [rows, columns] = plan.out;
        let mut y = vec![0.0; batch * rows * columns * outputs];
        let samples = y
            .par_chunks_mut(rows * columns * outputs)
            .zip(x.par_chunks(x.len() / batch));
        samples.for_each_init(Vec::new, |windows, (y, x)| {
            y.chunks_exact_mut(outputs)
                .for_each(|pixel| pixel.copy_from_slice(bias));
            for (first, rows) in plan.strips() {
                windows.resize(rows * columns * window, 0.0);
                plan.cut(x, first, rows, windows);
                let y = &mut y[first * columns * outputs..][..rows * columns * outputs];
                let size = [rows * columns, outputs, window];
                let (windows, taps) = (Matrix::rows(windows, window), Matrix::rows(taps, window));
                product(size, windows, taps.t(), 1.0, (y, outputs), 1.0);
            }
        });
        output(y, (batch, rows, columns, outputs))
    }

    fn bwd(
        &self,
        x: &Tensor,
        taps: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (outputs, window) = taps.dims2()?;
        let (batch, plan) = self.plan(x.dims(), outputs)?;
        let (dx, sums) = with(x, |x_values| {
            with(grad, |dy| {
                with(taps, |w| {
                    let dx = x
                        .track_op()
                        .then(|| plan.input_gradient(dy, w, batch, x_values.len()));
                    let sums = taps
                        .track_op()
                        .then(|| plan.tap_gradient(x_values, dy, batch));
                    Ok((dx, sums))
                })
            })
        })?;
        let dx = dx.map(|dx| gradient(dx, x)).transpose()?;
        let Some(mut sums) = sums else {
            return Ok((dx, None, None));
        };
        let db = sums.split_off(outputs * window);
        Ok((dx, Some(gradient(sums, taps)?), Some(gradient(db, bias)?)))
    }
}

impl Plan {
    /// The gradients of taps and bias one after the other.
    fn tap_gradient(self, x: &[f32], dy: &[f32], batch: usize) -> Vec<f32> {
        let ([rows, columns], outputs, window) = (self.out, self.outputs, self.window());
        let (sample, result) = (x.len() / batch, rows * columns * outputs);
        summed(batch, outputs * (window + 1), |i, sums| {
            let (x, dy) = (&x[i * sample..][..sample], &dy[i * result..][..result]);
            let (dw, db) = sums.split_at_mut(outputs * window);
            let mut windows = Vec::new();
            for (first, rows) in self.strips() {
                windows.resize(rows * columns * window, 0.0);
                self.cut(x, first, rows, &mut windows);
                let dy = Matrix::rows(&dy[first * columns * outputs..], outputs);
                let size = [outputs, window, rows * columns];
                product(
                    size,
                    dy.t(),
                    Matrix::rows(&windows, window),
                    1.0,
                    (&mut *dw, window),
                    1.0,
                );
            }
            vectorised(
                #[inline(always)]
                || {
                    for pixel in dy.chunks_exact(outputs) {
                        db.iter_mut()
                            .zip(pixel)
                            .for_each(|(sum, value)| *sum += value);
                    }
                },
            );
        })
    }

    /// The gradient of `x`, which has `length` values.
    fn input_gradient(self, dy: &[f32], taps: &[f32], batch: usize, length: usize) -> Vec<f32> {
        let ([rows, columns], outputs, window) = (self.out, self.outputs, self.window());
        let mut dx = vec![0.0; length];
        dx.par_chunks_mut(length / batch)
            .zip(dy.par_chunks(rows * columns * outputs))
            .for_each_init(Vec::new, |windows, (dx, dy)| {
                for (first, rows) in self.strips() {
                    windows.resize(rows * columns * window, 0.0);
                    let dy = Matrix::rows(&dy[first * columns * outputs..], outputs);
                    let size = [rows * columns, window, outputs];
                    product(
                        size,
                        dy,
                        Matrix::rows(taps, window),
                        1.0,
                        (&mut *windows, window),
                        0.0,
                    );
                    self.paste(windows, first, rows, dx);
                }
            });
        dx
    }
}
