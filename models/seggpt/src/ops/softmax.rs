//! The softmax over the last dimension.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::{
    kernels::{ROWS, dot, softmax, vectorised},
    storage::{gradient, output, values, with},
};

pub(super) struct Softmax;

impl CustomOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let width = layout.dims().last().copied().unwrap_or(1).max(1);
        let x = values(x, layout)?;
        let mut y = x.to_vec();
        y.par_chunks_mut(ROWS * width).for_each(|y| {
            vectorised(
                #[inline(always)]
                || y.chunks_exact_mut(width).for_each(softmax),
            );
        });
        output(y, layout.shape())
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let width = x.dims().last().copied().unwrap_or(1).max(1);
        let dx = with(y, |y| {
            with(grad, |dy| {
                let mut dx = vec![0.0; y.len()];
                dx.par_chunks_mut(ROWS * width)
                    .zip(y.par_chunks(ROWS * width))
                    .zip(dy.par_chunks(ROWS * width))
                    .for_each(|((dx, y), dy)| {
                        vectorised(
                            #[inline(always)]
                            || {
                                let rows = dx.chunks_exact_mut(width);
                                let rows = rows.zip(y.chunks_exact(width));
                                for ((dx, y), dy) in rows.zip(dy.chunks_exact(width)) {
                                    let along = dot(y, dy);
                                    for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
                                        *dx = y * (dy - along);
                                    }
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
