//! From the decoder's embedding to painted pixels: 3x3 convolution, layer norm over channels, GELU, 1x1 convolution,
//! with nothing between them in memory.
//!
//! Pixels lie across the lanes: the channels of a pixel are rows of numbers, so that the norm over them needs no sum
//! across lanes, and the output comes as the planes that it is wanted in.

use rayon::prelude::*;

use crate::{
    Isa, KernelError,
    buffer::Buffer,
    error::expect_length,
    math,
    operand::pack,
    simd::{Kernel, Simd},
    tile::{Floats, tile},
};

/// The weights of the decoder's last layers, as checkpoints store them.
#[derive(Clone, Copy, Debug)]
pub struct PainterWeights<'a> {
    /// `[D, D, 3, 3]`
    pub convolution: &'a [f32],
    /// `[D]`
    pub convolution_bias: &'a [f32],
    /// `[D]`
    pub norm: &'a [f32],
    /// `[D]`
    pub norm_bias: &'a [f32],
    /// Added to the variance.
    pub epsilon: f32,
    /// `[3, D]`
    pub head: &'a [f32],
    /// `[3]`
    pub head_bias: &'a [f32],
}

/// The picture to paint: patches in rows and columns, each a square of pixels.
#[derive(Clone, Copy, Debug)]
pub struct PatchGrid {
    /// Rows of patches.
    pub rows: usize,
    /// Columns of patches.
    pub columns: usize,
    /// Side of a patch in pixels.
    pub patch: usize,
}

impl PatchGrid {
    fn size(&self) -> (usize, usize) {
        (self.rows * self.patch, self.columns * self.patch)
    }
}

/// The decoder's last layers, laid out.
pub struct Painter {
    isa: Isa,
    channels: usize,
    /// Per row of the kernel: `[tile of outputs, (column, input), M]`.
    kernel: [Buffer<f32>; 3],
    convolution_bias: Vec<f32>,
    norm: Vec<f32>,
    norm_bias: Vec<f32>,
    epsilon: f32,
    head: Vec<f32>,
    head_bias: [f32; 3],
}

impl Painter {
    /// Lays out the weights, f32.
    ///
    /// # Errors
    /// [`KernelError`] if the lengths do not match.
    pub fn pack(isa: Isa, weights: PainterWeights) -> Result<Self, KernelError> {
        let channels = weights.norm.len();
        if channels == 0 {
            return Err(KernelError::Size {
                what: "the width of the decoder",
                found: 0,
                expected: "at least 1",
            });
        }
        let kernel = weights.convolution;
        expect_length(
            "the convolution",
            kernel.len(),
            9 * channels * channels,
            "[D, D, 3, 3]",
        )?;
        let bias = weights.convolution_bias;
        expect_length("the convolution's bias", bias.len(), channels, "[D]")?;
        expect_length("the norm's bias", weights.norm_bias.len(), channels, "[D]")?;
        expect_length("the head", weights.head.len(), 3 * channels, "[3, D]")?;
        expect_length("the head's bias", weights.head_bias.len(), 3, "[3]")?;
        let row = |row: usize| {
            isa.run_even(PackKernel {
                kernel,
                channels,
                row,
            })
        };
        Ok(Self {
            isa,
            channels,
            kernel: [row(0), row(1), row(2)],
            convolution_bias: bias.to_vec(),
            norm: weights.norm.to_vec(),
            norm_bias: weights.norm_bias.to_vec(),
            epsilon: weights.epsilon,
            head: weights.head.to_vec(),
            head_bias: std::array::from_fn(|i| weights.head_bias[i]),
        })
    }

    /// `embedded` `[rows * columns, patch * patch * D]` (row, column, channel of a patch) to `out`
    /// `[3, rows * patch, columns * patch]`. `above` `[columns * patch, D]` is the row of pixels above the picture, where
    /// it has one; all else around it is zero.
    ///
    /// # Errors
    /// [`KernelError::Length`] if the lengths do not match.
    pub fn forward(
        &self,
        above: Option<&[f32]>,
        embedded: &[f32],
        grid: PatchGrid,
        out: &mut [f32],
    ) -> Result<(), KernelError> {
        let (height, width) = grid.size();
        expect_length(
            "the embedding",
            embedded.len(),
            height * width * self.channels,
            "[rows * columns, patch * patch * D]",
        )?;
        expect_length("out", out.len(), 3 * height * width, "[3, height, width]")?;
        if let Some(above) = above {
            expect_length(
                "the row above",
                above.len(),
                width * self.channels,
                "[width, D]",
            )?;
        }
        if out.is_empty() {
            return Ok(());
        }
        let (red, rest) = out.split_at_mut(height * width);
        let (green, blue) = rest.split_at_mut(height * width);
        let strips = |plane| <[f32]>::par_chunks_mut(plane, STRIP * width);
        (strips(red), strips(green), strips(blue))
            .into_par_iter()
            .enumerate()
            .for_each(|(strip, (red, green, blue))| {
                self.isa.run_even(Strip {
                    painter: self,
                    above,
                    embedded,
                    grid,
                    first: strip * STRIP,
                    planes: [red, green, blue],
                });
            });
        Ok(())
    }
}

/// Rows of pixels per task: its input, with a row more on either side, is held by channel.
const STRIP: usize = 4;

struct PackKernel<'a> {
    kernel: &'a [f32],
    channels: usize,
    row: usize,
}

impl Kernel for PackKernel<'_> {
    type Output = Buffer<f32>;
    #[inline(always)]
    fn run<S: Simd, const M: usize, const V: usize>(self, _: S) -> Buffer<f32> {
        let d = self.channels;
        let rows: Vec<Vec<f32>> = (0..d)
            .map(|output| {
                let at = |column, input| ((output * d + input) * 3 + self.row) * 3 + column;
                (0..3)
                    .flat_map(|column| (0..d).map(move |input| self.kernel[at(column, input)]))
                    .collect()
            })
            .collect();
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let mut packed = Buffer::new(d.next_multiple_of(M) * 3 * d);
        for (rows, to) in rows.chunks(M).zip(packed.chunks_exact_mut(3 * d * M)) {
            pack::<S, Floats, M>(rows, &[1.0; M], to);
        }
        packed
    }
}

struct Strip<'a> {
    painter: &'a Painter,
    above: Option<&'a [f32]>,
    embedded: &'a [f32],
    grid: PatchGrid,
    first: usize,
    planes: [&'a mut [f32]; 3],
}

impl Strip<'_> {
    /// Pixel `x` of row `y` of the picture, counted from -1; `None` is zeros.
    fn pixel(&self, y: isize, x: usize) -> Option<&[f32]> {
        let (d, p) = (self.painter.channels, self.grid.patch);
        match usize::try_from(y) {
            Err(_) => self.above.map(|above| &above[x * d..(x + 1) * d]),
            Ok(y) if y >= self.grid.rows * p => None,
            Ok(y) => {
                let token = y / p * self.grid.columns + x / p;
                let start = (token * p * p + y % p * p + x % p) * d;
                Some(&self.embedded[start..start + d])
            }
        }
    }

    /// The input by channel: `[D, stride]`, rows with a zero on either side one after the other.
    fn by_channel(&self, rows: usize, width: usize, stride: usize) -> Buffer<f32> {
        let mut input = Buffer::new(self.painter.channels * stride);
        for row in 0..rows + 2 {
            for x in 0..width {
                let y = (self.first + row) as isize - 1;
                let at = row * (width + 2) + x + 1;
                if let Some(pixel) = self.pixel(y, x) {
                    for (to, value) in input.iter_mut().skip(at).step_by(stride).zip(pixel) {
                        *to = *value;
                    }
                }
            }
        }
        input
    }
}

impl Kernel for Strip<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const M: usize, const V: usize>(mut self, s: S) {
        let painter = self.painter;
        let d = painter.channels;
        let (_, width) = self.grid.size();
        let (rows, padded, lanes) = (self.planes[0].len() / width, width + 2, V * S::LANES);
        let stride = (rows + 2) * padded + lanes;
        let input = self.by_channel(rows, width, stride);

        let mut panel = Buffer::new(3 * d * lanes);
        let mut hidden = Buffer::new(d.next_multiple_of(M) * lanes);
        let mut painted = Buffer::new(3 * lanes);
        // Two positions at the end of each row are no pixels.
        for first in (0..rows * padded - 2).step_by(lanes) {
            for (to, bias) in hidden
                .chunks_exact_mut(lanes)
                .zip(&painter.convolution_bias)
            {
                to.fill(*bias);
            }
            for (row, kernel) in painter.kernel.iter().enumerate() {
                for (index, to) in panel.chunks_exact_mut(lanes).enumerate() {
                    let start = index % d * stride + first + row * padded + index / d;
                    to.copy_from_slice(&input[start..start + lanes]);
                }
                let tiles = kernel.chunks_exact(3 * d * M);
                for (a, sums) in tiles.zip(hidden.chunks_exact_mut(M * lanes)) {
                    let sums = S::rows_mut(sums);
                    let start: [[S::F; V]; M] =
                        std::array::from_fn(|i| std::array::from_fn(|j| s.load(&sums[i * V + j])));
                    let found = tile::<S, Floats, M, V>(s, start, a, &panel);
                    for (found, to) in found.iter().zip(sums.chunks_exact_mut(V)) {
                        for (found, to) in found.iter().zip(to) {
                            s.store(*found, to);
                        }
                    }
                }
            }
            for j in 0..V {
                finish::<S, V>(s, painter, &hidden, j, &mut painted);
            }
            for (plane, values) in self.planes.iter_mut().zip(painted.chunks_exact(lanes)) {
                for (lane, value) in values.iter().enumerate() {
                    let (y, x) = ((first + lane) / padded, (first + lane) % padded);
                    if y < rows && x < width {
                        plane[y * width + x] = *value;
                    }
                }
            }
        }
    }
}

/// Norm, GELU and head of one vector of pixels.
#[inline(always)]
fn finish<S: Simd, const V: usize>(
    s: S,
    painter: &Painter,
    hidden: &[f32],
    j: usize,
    painted: &mut [f32],
) {
    let d = painter.channels;
    let channels = || S::rows(hidden)[j..].iter().step_by(V).take(d);
    let share = s.splat(1.0 / d as f32);
    // Loops, not folds: closures inside of iterators are compiled without the instructions.
    let mut sum = s.splat(0.0);
    for x in channels() {
        sum = s.add(sum, s.load(x));
    }
    let mean = s.mul(sum, share);
    let mut squares = s.splat(0.0);
    for x in channels() {
        let x = s.sub(s.load(x), mean);
        squares = s.fma(x, x, squares);
    }
    let variance = s.fma(squares, share, s.splat(painter.epsilon));
    let scale = s.div(s.splat(1.0), s.sqrt(variance));
    let mut colours = painter.head_bias.map(|bias| s.splat(bias));
    for (channel, x) in channels().enumerate() {
        let x = s.mul(s.sub(s.load(x), mean), scale);
        let x = s.fma(
            x,
            s.splat(painter.norm[channel]),
            s.splat(painter.norm_bias[channel]),
        );
        let x = math::gelu(s, x);
        for (colour, head) in colours.iter_mut().zip(painter.head.chunks_exact(d)) {
            *colour = s.fma(x, s.splat(head[channel]), *colour);
        }
    }
    for (colour, to) in colours.iter().zip(S::rows_mut(painted).chunks_exact_mut(V)) {
        s.store(*colour, &mut to[j]);
    }
}
