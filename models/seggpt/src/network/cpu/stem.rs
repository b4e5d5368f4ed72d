//! The convolutions of stride 2 that pictures go through before they are embedded, each followed by a GELU.

use rayon::prelude::*;
use seggpt_kernels::{Epilogue, PackedLinear, Precision, Weight};

use super::pack::Pack;
use crate::{Config, Error};

pub(super) struct Stem {
    /// Inputs are the 3x3 neighbourhood: row, column, channel.
    layers: Vec<PackedLinear>,
}

/// Rows of the output per task, so that neighbourhoods are held of a few rows at a time.
const STRIP: usize = 4;

impl Stem {
    /// None where the configuration has none.
    pub(super) fn load(config: &Config, pack: &Pack) -> Result<Option<Self>, Error> {
        let layers = config.stem().into_iter().enumerate();
        let layers = layers.map(|(i, (inputs, outputs))| {
            let weight = pack.numbers(&format!("stem.{i}.weight"))?;
            let bias = pack.numbers(&format!("stem.{i}.bias"))?;
            // [output, input, 3 * 3] -> [output, 3 * 3, input]
            let weight: Vec<f32> = weight
                .chunks_exact(9 * inputs)
                .flat_map(|of_output| {
                    (0..9).flat_map(move |tap| of_output[tap..].iter().step_by(9).copied())
                })
                .collect();
            Ok(PackedLinear::pack(
                pack.isa,
                Precision::F32,
                Weight::Floats(&weight),
                Some(&bias),
                [outputs, 9 * inputs],
            )?)
        });
        let layers = layers.collect::<Result<Vec<_>, Error>>()?;
        Ok((!layers.is_empty()).then_some(Self { layers }))
    }

    /// A picture `[3, height, width]` to features `[height / P, width / P, channels]`.
    pub(super) fn forward(&self, picture: &[f32], width: usize) -> Result<Vec<f32>, Error> {
        let area = picture.len() / 3;
        let mut x: Vec<f32> = (0..area)
            .flat_map(|pixel| (0..3).map(move |channel| picture[channel * area + pixel]))
            .collect();
        let mut width = width;
        for layer in &self.layers {
            x = halve(layer, &x, width)?;
            width /= 2;
        }
        Ok(x)
    }
}

/// One convolution, of pixels with their channels last.
fn halve(layer: &PackedLinear, x: &[f32], width: usize) -> Result<Vec<f32>, Error> {
    let channels = layer.inputs() / 9;
    let (rows, columns) = (x.len() / channels / width / 2, width / 2);
    let mut y = vec![0.0; rows * columns * layer.outputs()];
    y.par_chunks_mut(STRIP * columns * layer.outputs())
        .enumerate()
        .try_for_each(|(strip, y)| {
            let first = strip * STRIP;
            let neighbourhoods = cut(x, [width, channels], first..rows.min(first + STRIP));
            layer.forward(&neighbourhoods, y, Epilogue::Gelu)
        })?;
    Ok(y)
}

/// The neighbourhoods of some rows of the output, `[rows * columns, 9 * channels]`; zeros beyond the border.
fn cut(x: &[f32], [width, channels]: [usize; 2], rows: std::ops::Range<usize>) -> Vec<f32> {
    let height = x.len() / channels / width;
    let (columns, three) = (width / 2, 3 * channels);
    let mut cut = vec![0.0; rows.len() * columns * 3 * three];
    let mut to = cut.chunks_exact_mut(three);
    for row in rows {
        for column in 0..columns {
            // The neighbours of pixel (2 row, 2 column): sides are even, so only the first may lie beyond the border.
            for down in 0..3 {
                let Some(to) = to.next() else { return cut };
                let Some(y) = (2 * row + down).checked_sub(1).filter(|y| *y < height) else {
                    continue;
                };
                let skipped = if column == 0 { channels } else { 0 };
                let start = (y * width + 2 * column) * channels + skipped - channels;
                to[skipped..].copy_from_slice(&x[start..start + three - skipped]);
            }
        }
    }
    cut
}
