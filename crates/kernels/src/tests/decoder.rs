#![allow(clippy::unwrap_used)]

use super::{Numbers, assert_close, gelu};
use crate::{Isa, Painter, PainterWeights, PatchGrid};

struct Case {
    channels: usize,
    grid: PatchGrid,
    embedded: Vec<f32>,
    above: Option<Vec<f32>>,
    tensors: [Vec<f32>; 6],
}

impl Case {
    fn new(channels: usize, grid: PatchGrid, with_above: bool) -> Self {
        let d = channels;
        let mut numbers = Numbers::new(d as u64);
        let pixels = grid.rows * grid.columns * grid.patch * grid.patch;
        Self {
            channels,
            grid,
            embedded: numbers.take(pixels * d),
            above: with_above.then(|| numbers.take(grid.columns * grid.patch * d)),
            tensors: [9 * d * d, d, d, d, 3 * d, 3].map(|count| numbers.take(count)),
        }
    }

    fn run(&self, isa: Isa) -> Vec<f32> {
        let [
            convolution,
            convolution_bias,
            norm,
            norm_bias,
            head,
            head_bias,
        ] = &self.tensors;
        let weights = PainterWeights {
            convolution,
            convolution_bias,
            norm,
            norm_bias,
            epsilon: 1e-6,
            head,
            head_bias,
        };
        let (height, width) = (
            self.grid.rows * self.grid.patch,
            self.grid.columns * self.grid.patch,
        );
        let mut out = vec![f32::NAN; 3 * height * width];
        Painter::pack(isa, weights)
            .unwrap()
            .forward(self.above.as_deref(), &self.embedded, self.grid, &mut out)
            .unwrap();
        out
    }

    fn expected(&self) -> Vec<f64> {
        let [
            convolution,
            convolution_bias,
            norm,
            norm_bias,
            head,
            head_bias,
        ] = &self.tensors;
        let PatchGrid {
            rows,
            columns,
            patch,
        } = self.grid;
        let (d, height, width) = (self.channels, rows * patch, columns * patch);
        let wide = |x: f32| f64::from(x);
        let pixel = |y: isize, x: isize, channel: usize| -> f64 {
            if x < 0 || x >= width as isize || y >= height as isize {
                return 0.0;
            }
            let x = x as usize;
            if y < 0 {
                return self
                    .above
                    .as_ref()
                    .map_or(0.0, |above| wide(above[x * d + channel]));
            }
            let y = y as usize;
            let token = y / patch * columns + x / patch;
            let inside = y % patch * patch + x % patch;
            wide(self.embedded[(token * patch * patch + inside) * d + channel])
        };
        let mut out = vec![0f64; 3 * height * width];
        for y in 0..height {
            for x in 0..width {
                let mut hidden: Vec<f64> = convolution_bias.iter().map(|b| wide(*b)).collect();
                for (o, hidden) in hidden.iter_mut().enumerate() {
                    for i in 0..d {
                        for k in 0..9 {
                            let w = wide(convolution[(o * d + i) * 9 + k]);
                            let (dy, dx) = ((k / 3) as isize - 1, (k % 3) as isize - 1);
                            *hidden += w * pixel(y as isize + dy, x as isize + dx, i);
                        }
                    }
                }
                let n = d as f64;
                let mean = hidden.iter().sum::<f64>() / n;
                let variance = hidden.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
                for (c, colour) in head_bias.iter().enumerate() {
                    let mut sum = wide(*colour);
                    for (i, x) in hidden.iter().enumerate() {
                        let x = (x - mean) / (variance + 1e-6).sqrt();
                        let x = gelu(x * wide(norm[i]) + wide(norm_bias[i]));
                        sum += x * wide(head[c * d + i]);
                    }
                    out[(c * height + y) * width + x] = sum;
                }
            }
        }
        out
    }
}

#[test]
fn every_size_gives_the_plain_convolution_norm_and_head() {
    for (channels, rows, columns, patch, above) in [
        (8, 2, 3, 4, true),
        (5, 3, 2, 3, false),
        (1, 1, 1, 1, true),
        (3, 1, 7, 2, true),
        (64, 1, 2, 5, true),
        (8, 2, 4, 16, false),
    ] {
        let case = Case::new(
            channels,
            PatchGrid {
                rows,
                columns,
                patch,
            },
            above,
        );
        let expected = case.expected();
        for isa in Isa::available() {
            let what = format!("{channels} channels, {:?}", case.grid);
            // One channel is its own mean: what is left is rounding, blown up by the norm.
            let tolerance = if channels == 1 { 1e-3 } else { 1e-5 };
            assert_close(isa, &what, &case.run(isa), &expected, tolerance);
        }
    }
}

#[test]
fn wrong_lengths_are_refused() {
    let case = Case::new(
        8,
        PatchGrid {
            rows: 1,
            columns: 2,
            patch: 2,
        },
        false,
    );
    let [
        convolution,
        convolution_bias,
        norm,
        norm_bias,
        head,
        head_bias,
    ] = &case.tensors;
    let weights = PainterWeights {
        convolution,
        convolution_bias,
        norm,
        norm_bias,
        epsilon: 1e-6,
        head,
        head_bias,
    };
    let isa = Isa::detect();
    let short = PainterWeights {
        head: &head[1..],
        ..weights
    };
    assert!(Painter::pack(isa, short).is_err());
    let painter = Painter::pack(isa, weights).unwrap();
    let mut out = vec![0.0; 3 * 2 * 4];
    assert!(
        painter
            .forward(Some(&[0.0; 3]), &case.embedded, case.grid, &mut out)
            .is_err()
    );
    assert!(
        painter
            .forward(None, &case.embedded[1..], case.grid, &mut out)
            .is_err()
    );
    assert!(
        painter
            .forward(None, &case.embedded, case.grid, &mut out[1..])
            .is_err()
    );
    assert!(
        painter
            .forward(None, &case.embedded, case.grid, &mut out)
            .is_ok()
    );
}
