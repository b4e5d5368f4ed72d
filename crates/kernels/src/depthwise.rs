//! The depthwise convolution over a grid of tokens, added to it.

use rayon::prelude::*;

use crate::{
    Isa, KernelError,
    error::expect_length,
    simd::{Kernel, Simd},
};

/// `x + conv(x) + bias`, every channel on its own, zeros beyond the borders of each grid.
pub struct Depthwise {
    isa: Isa,
    edge: usize,
    /// `[edge * edge, channels]`
    taps: Vec<f32>,
    bias: Vec<f32>,
}

impl Depthwise {
    /// `weight` `[channels, 1, edge, edge]`, `bias` `[channels]`.
    ///
    /// # Errors
    /// [`KernelError`] if the lengths do not match, there is no channel, or `edge` is even.
    pub fn pack(isa: Isa, weight: &[f32], bias: &[f32], edge: usize) -> Result<Self, KernelError> {
        if bias.is_empty() || edge.is_multiple_of(2) {
            let (what, found, expected) = match edge % 2 {
                0 => ("the edge of the kernel", edge, "odd"),
                _ => ("the width of the convolution", 0, "at least 1"),
            };
            return Err(KernelError::Size {
                what,
                found,
                expected,
            });
        }
        let (channels, cells) = (bias.len(), edge * edge);
        expect_length(
            "the weight",
            weight.len(),
            channels * cells,
            "[channels, 1, edge, edge]",
        )?;
        let taps = (0..cells).flat_map(|tap| weight[tap..].iter().step_by(cells).copied());
        Ok(Self {
            isa,
            edge,
            taps: taps.collect(),
            bias: bias.to_vec(),
        })
    }

    /// `x` `[grids, rows, columns, channels]` to `y` of the same shape, on all threads of the current rayon pool.
    ///
    /// # Errors
    /// [`KernelError::Length`] if the lengths do not match.
    pub fn forward(
        &self,
        x: &[f32],
        y: &mut [f32],
        rows: usize,
        columns: usize,
    ) -> Result<(), KernelError> {
        let row = columns * self.bias.len();
        let grids = x.len() / (rows * row).max(1);
        expect_length(
            "x",
            x.len(),
            grids * rows * row,
            "[grids, rows, columns, channels]",
        )?;
        expect_length("y", y.len(), x.len(), "[grids, rows, columns, channels]")?;
        if y.is_empty() {
            return Ok(());
        }
        y.par_chunks_exact_mut(row)
            .enumerate()
            .for_each(|(index, y)| {
                let grid = index / rows * rows * row;
                self.isa.run_even(Row {
                    layer: self,
                    x: &x[grid..grid + rows * row],
                    y,
                    rows,
                    row: index % rows,
                });
            });
        Ok(())
    }
}

struct Row<'a> {
    layer: &'a Depthwise,
    /// The whole grid.
    x: &'a [f32],
    y: &'a mut [f32],
    rows: usize,
    row: usize,
}

impl Row<'_> {
    /// For every tap that lies on the grid: where its token and its weights begin.
    fn neighbours(&self, column: usize, found: &mut Vec<(usize, usize)>) {
        let (edge, channels) = (self.layer.edge, self.layer.bias.len());
        let (columns, reach) = (self.y.len() / channels, edge / 2);
        // Counted from `reach` beyond the border.
        let inside = |at: usize, size: usize| at.checked_sub(reach).filter(|at| *at < size);
        found.clear();
        for tap in 0..edge * edge {
            let row = inside(self.row + tap / edge, self.rows);
            let column = inside(column + tap % edge, columns);
            if let (Some(row), Some(column)) = (row, column) {
                found.push(((row * columns + column) * channels, tap * channels));
            }
        }
    }
}

impl Kernel for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const M: usize, const V: usize>(self, s: S) {
        let (taps, bias) = (&self.layer.taps[..], &self.layer.bias[..]);
        let channels = bias.len();
        let mut neighbours = Vec::with_capacity(self.layer.edge * self.layer.edge);
        for column in 0..self.y.len() / channels {
            self.neighbours(column, &mut neighbours);
            let own = (self.row * (self.y.len() / channels) + column) * channels;
            let x = &self.x[own..own + channels];
            let y = &mut self.y[column * channels..(column + 1) * channels];
            let vectors = S::rows(x).iter().zip(S::rows(bias));
            for (index, ((x, bias), y)) in vectors.zip(S::rows_mut(y)).enumerate() {
                let mut sum = s.add(s.load(x), s.load(bias));
                for &(token, tap) in &neighbours {
                    let x = &S::rows(&self.x[token..token + channels])[index];
                    let tap = &S::rows(&taps[tap..tap + channels])[index];
                    sum = s.fma(s.load(x), s.load(tap), sum);
                }
                s.store(sum, y);
            }
            for i in channels - channels % S::LANES..channels {
                let products = neighbours
                    .iter()
                    .map(|(token, tap)| self.x[token + i] * taps[tap + i]);
                y[i] = x[i] + bias[i] + products.sum::<f32>();
            }
        }
    }
}
