//! Layer norm.

use rayon::prelude::*;

use crate::{
    Isa, KernelError,
    error::expect_length,
    simd::{Kernel, Simd},
};

/// Normalises rows: `(x - mean) / √(variance + epsilon) * weight + bias`, with the variance of the row itself.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    isa: Isa,
    weight: Vec<f32>,
    bias: Vec<f32>,
    epsilon: f32,
}

impl LayerNorm {
    /// `weight` and `bias` `[width]`.
    ///
    /// # Errors
    /// [`KernelError`] if they are empty, or not of one length.
    pub fn new(isa: Isa, weight: &[f32], bias: &[f32], epsilon: f32) -> Result<Self, KernelError> {
        if weight.is_empty() {
            return Err(KernelError::Size {
                what: "the width of the layer norm",
                found: 0,
                expected: "at least 1",
            });
        }
        expect_length("the bias", bias.len(), weight.len(), "[width]")?;
        Ok(Self {
            isa,
            weight: weight.to_vec(),
            bias: bias.to_vec(),
            epsilon,
        })
    }

    /// `x` `[rows, width]` to `y` of the same shape, on all threads of the current rayon pool.
    ///
    /// # Errors
    /// [`KernelError::Length`] if the lengths do not match.
    pub fn forward(&self, x: &[f32], y: &mut [f32]) -> Result<(), KernelError> {
        self.forward_into(x, y, self.weight.len(), 0)
    }

    /// As [`forward`](Self::forward), into columns `first..first + width` of `y` `[rows, stride]`: so that several
    /// norms can fill one matrix.
    ///
    /// # Errors
    /// [`KernelError`] if the lengths do not match, or a row would not fit.
    pub fn forward_into(
        &self,
        x: &[f32],
        y: &mut [f32],
        stride: usize,
        first: usize,
    ) -> Result<(), KernelError> {
        let width = self.weight.len();
        if first + width > stride {
            return Err(KernelError::Size {
                what: "the end of the normalised columns",
                found: first + width,
                expected: "at most the width of the output",
            });
        }
        let rows = x.len() / width;
        expect_length("x", x.len(), rows * width, "[rows, width]")?;
        expect_length("y", y.len(), rows * stride, "[rows, stride]")?;
        y.par_chunks_mut(ROWS * stride)
            .zip(x.par_chunks(ROWS * width))
            .for_each(|(y, x)| {
                self.isa.run_even(Rows {
                    norm: self,
                    x,
                    y,
                    stride,
                    first,
                });
            });
        Ok(())
    }
}

/// Rows per task.
const ROWS: usize = 32;

struct Rows<'a> {
    norm: &'a LayerNorm,
    x: &'a [f32],
    y: &'a mut [f32],
    stride: usize,
    first: usize,
}

impl Kernel for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const M: usize, const V: usize>(self, s: S) {
        let (weight, bias) = (&self.norm.weight[..], &self.norm.bias[..]);
        let width = weight.len();
        let rows = self.x.chunks_exact(width);
        for (x, y) in rows.zip(self.y.chunks_exact_mut(self.stride)) {
            let y = &mut y[self.first..self.first + width];
            let mean = sum(s, x, |_, x| x, |x| x) / width as f32;
            let centre = s.splat(mean);
            let squares = sum(
                s,
                x,
                |s, x| {
                    let x = s.sub(x, centre);
                    s.mul(x, x)
                },
                |x| (x - mean) * (x - mean),
            );
            let scale = 1.0 / (squares / width as f32 + self.norm.epsilon).sqrt();
            let vectors = S::rows(x).iter().zip(S::rows(weight)).zip(S::rows(bias));
            for (((x, w), b), y) in vectors.zip(S::rows_mut(y)) {
                let x = s.mul(s.sub(s.load(x), centre), s.splat(scale));
                s.store(s.fma(x, s.load(w), s.load(b)), y);
            }
            for i in width - width % S::LANES..width {
                y[i] = (x[i] - mean) * scale * weight[i] + bias[i];
            }
        }
    }
}

/// The sum of a function's values, in four vectors of partial sums.
#[inline(always)]
fn sum<S: Simd>(
    s: S,
    x: &[f32],
    vector: impl Fn(S, S::F) -> S::F,
    scalar: impl Fn(f32) -> f32,
) -> f32 {
    let rows = S::rows(x);
    let (fours, rest) = rows.as_chunks::<4>();
    let mut sums = [s.splat(0.0); 4];
    for four in fours {
        for (sum, x) in sums.iter_mut().zip(four) {
            *sum = s.add(*sum, vector(s, s.load(x)));
        }
    }
    for x in rest {
        sums[0] = s.add(sums[0], vector(s, s.load(x)));
    }
    let total = s.add(s.add(sums[0], sums[1]), s.add(sums[2], sums[3]));
    let tail: f32 = x[rows.len() * S::LANES..].iter().map(|x| scalar(*x)).sum();
    let mut lanes = [0f32; 16];
    s.store(total, &mut S::rows_mut(&mut lanes)[0]);
    lanes[..S::LANES].iter().sum::<f32>() + tail
}
