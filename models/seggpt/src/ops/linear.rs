//! The linear layer.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::{
    kernels::{Matrix, ROWS, product, summed, vectorised},
    storage::{gradient, output, values, with},
};

pub(super) struct Linear;

/// Parts that the sum over rows is taken in.
const PARTS: usize = 8;

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
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
        let (outputs, inputs) = weight_layout.shape().dims2()?;
        let mut shape = x_layout.dims().to_vec();
        if shape.pop() != Some(inputs) {
            candle_core::bail!(
                "linear: x {:?}, weight {:?}",
                x_layout.shape(),
                weight_layout.shape()
            )
        }
        let (x, weight, bias) = (
            values(x, x_layout)?,
            values(weight, weight_layout)?,
            values(bias, bias_layout)?,
        );
        let mut y = vec![0.0; x.len() / inputs * outputs];
        y.par_chunks_mut(ROWS * outputs)
            .zip(x.par_chunks(ROWS * inputs))
            .for_each(|(y, x)| {
                y.chunks_exact_mut(outputs)
                    .for_each(|row| row.copy_from_slice(bias));
                let size = [x.len() / inputs, outputs, inputs];
                product(
                    size,
                    Matrix::rows(x, inputs),
                    Matrix::rows(weight, inputs).t(),
                    1.0,
                    (y, outputs),
                    1.0,
                );
            });
        shape.push(outputs);
        output(y, shape)
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (outputs, inputs) = weight.dims2()?;
        let (dx, sums) = with(x, |x_values| {
            with(grad, |dy| {
                with(weight, |w| {
                    let dx = x.track_op().then(|| {
                        let mut dx = vec![0.0; x_values.len()];
                        dx.par_chunks_mut(ROWS * inputs)
                            .zip(dy.par_chunks(ROWS * outputs))
                            .for_each(|(dx, dy)| {
                                let size = [dy.len() / outputs, inputs, outputs];
                                product(
                                    size,
                                    Matrix::rows(dy, outputs),
                                    Matrix::rows(w, inputs),
                                    1.0,
                                    (dx, inputs),
                                    0.0,
                                );
                            });
                        dx
                    });
                    let sums = weight
                        .track_op()
                        .then(|| weight_gradient(x_values, dy, inputs, outputs));
                    Ok((dx, sums))
                })
            })
        })?;
        let dx = dx.map(|dx| gradient(dx, x)).transpose()?;
        let Some((dw, db)) = sums else {
            return Ok((dx, None, None));
        };
        Ok((dx, Some(gradient(dw, weight)?), Some(gradient(db, bias)?)))
    }
}

/// Gradients of the weight, `dyᵀ x`, and of the bias, the sum over rows of `dy`.
pub(super) fn weight_gradient(
    x: &[f32],
    dy: &[f32],
    inputs: usize,
    outputs: usize,
) -> (Vec<f32>, Vec<f32>) {
    let rows = x.len() / inputs;
    let step = rows.div_ceil(PARTS).max(ROWS);
    let mut sums = summed(rows.div_ceil(step), outputs * (inputs + 1), |part, sum| {
        let (first, last) = (part * step, ((part + 1) * step).min(rows));
        let (x, dy) = (
            &x[first * inputs..last * inputs],
            &dy[first * outputs..last * outputs],
        );
        let (dw, db) = sum.split_at_mut(outputs * inputs);
        let size = [outputs, inputs, last - first];
        product(
            size,
            Matrix::rows(dy, outputs).t(),
            Matrix::rows(x, inputs),
            1.0,
            (dw, inputs),
            0.0,
        );
        vectorised(
            #[inline(always)]
            || {
                for row in dy.chunks_exact(outputs) {
                    db.iter_mut()
                        .zip(row)
                        .for_each(|(sum, value)| *sum += value);
                }
            },
        );
    });
    let db = sums.split_off(outputs * inputs);
    (sums, db)
}
