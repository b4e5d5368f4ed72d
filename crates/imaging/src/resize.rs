//! Pillow's resampling, bit for bit.
//!
//! The network was trained and published on what Pillow's `Image.resize` makes of a picture, so
//! this is that filter and not a similar one: cubic with a = -0.5, stretched when it shrinks
//! (antialias), weights of 22 fractional bits, the horizontal pass first and rounded to 8 bits
//! before the vertical one. The order and the rounding matter: on hard edges, a resampler with
//! 16-bit weights that goes vertically first is off by more than five levels.

use std::ops::Deref;

use image::{ImageBuffer, Rgb, RgbImage};
use rayon::prelude::*;

const CHANNELS: usize = 3;
const PRECISION: u32 = 32 - 8 - 2;

/// Resizes with Pillow's default filter for RGB: `picture.resize((width, height))`.
///
/// No bytes differ from Pillow 13. A picture or target without pixels gives a black picture.
#[must_use]
pub fn bicubic<C>(picture: &ImageBuffer<Rgb<u8>, C>, width: u32, height: u32) -> RgbImage
where
    C: Deref<Target = [u8]>,
{
    let (from_w, from_h) = (picture.width() as usize, picture.height() as usize);
    let (to_w, to_h) = (width as usize, height as usize);
    if from_w * from_h == 0 || to_w * to_h == 0 {
        return RgbImage::new(width, height);
    }
    let source: &[u8] = picture.as_raw();
    let mut pixels = None;
    if to_w != from_w {
        pixels = Some(horizontally(source, from_w, &cubic_taps(from_w, to_w)));
    }
    if to_h != from_h {
        let rows = pixels.as_deref().unwrap_or(source);
        pixels = Some(vertically(rows, to_w, &cubic_taps(from_h, to_h)));
    }
    let pixels = pixels.unwrap_or_else(|| source.to_vec());
    RgbImage::from_raw(width, height, pixels).expect("both passes make whole rows")
}

/// Resizes like Pillow's `Image.Resampling.NEAREST`: source index floor((o + 0.5) * in / out).
///
/// A picture or target without pixels gives a black picture.
#[must_use]
pub fn nearest_rgb(picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    let (pixels, _) = picture.as_raw().as_chunks::<CHANNELS>();
    let from = (picture.width() as usize, picture.height() as usize);
    if pixels.is_empty() {
        return RgbImage::new(width, height);
    }
    let resized = nearest(pixels, from, (width as usize, height as usize));
    RgbImage::from_raw(width, height, resized.into_flattened()).expect("nearest makes whole rows")
}

/// [`nearest_rgb`] for one value per pixel of any kind (class ids, depth, ...); sizes are (width, height).
///
/// # Panics
/// If `data` does not hold `from.0 * from.1` values, or holds none while the target wants some.
#[must_use]
pub fn nearest<T: Copy>(data: &[T], from: (usize, usize), to: (usize, usize)) -> Vec<T> {
    assert_eq!(
        data.len(),
        from.0 * from.1,
        "one value per pixel of a {from:?} plane"
    );
    let columns: Vec<usize> = nearest_indices(from.0, to.0).collect();
    let mut out = Vec::with_capacity(to.0 * to.1);
    for row in nearest_indices(from.1, to.1) {
        let row = &data[row * from.0..][..from.0];
        out.extend(columns.iter().map(|&column| row[column]));
    }
    out
}

/// Pillow adds up a step in floating point (`ImagingScaleAffine`), so this does too: at the borders
/// of two pixels its rounding error decides.
fn nearest_indices(from: usize, to: usize) -> impl Iterator<Item = usize> {
    let step = from as f64 / to as f64;
    std::iter::successors(Some(step * 0.5), move |at| Some(at + step))
        .take(to)
        .map(move |at| (at as usize).min(from - 1))
}

/// The taps of one output position.
struct Tap {
    /// First input position.
    start: usize,
    /// Weights in 1 / 2^22, for `start` and what follows it.
    weights: Vec<i32>,
}

/// `precompute_coeffs` and `normalize_coeffs_8bpc` of Pillow's Resample.c.
fn cubic_taps(from: usize, to: usize) -> Vec<Tap> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let support = 2.0 * stretch;
    let tap = |o: usize| {
        let centre = (o as f64 + 0.5) * scale;
        let start = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(from);
        let weights: Vec<f64> = (start..end)
            .map(|i| cubic((i as f64 - centre + 0.5) * (1.0 / stretch)))
            .collect();
        let total: f64 = weights.iter().sum();
        let fixed = |weight: f64| {
            let weight = if total == 0.0 { weight } else { weight / total };
            (weight * f64::from(1 << PRECISION)).round() as i32
        };
        Tap {
            start,
            weights: weights.into_iter().map(fixed).collect(),
        }
    };
    (0..to).map(tap).collect()
}

/// Keys' cubic with a = -0.5.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

fn horizontally(pixels: &[u8], width: usize, taps: &[Tap]) -> Vec<u8> {
    let rows = pixels.len() / (width * CHANNELS);
    let mut out = vec![0; rows * taps.len() * CHANNELS];
    out.par_chunks_exact_mut(taps.len() * CHANNELS)
        .zip(pixels.par_chunks_exact(width * CHANNELS))
        .for_each(|(out, row)| {
            let (out, _) = out.as_chunks_mut::<CHANNELS>();
            let (row, _) = row.as_chunks::<CHANNELS>();
            for (pixel, tap) in out.iter_mut().zip(taps) {
                let mut sums = [HALF; CHANNELS];
                for (source, weight) in row[tap.start..].iter().zip(&tap.weights) {
                    for (sum, &value) in sums.iter_mut().zip(source) {
                        *sum += i32::from(value) * weight;
                    }
                }
                *pixel = sums.map(rounded);
            }
        });
    out
}

fn vertically(pixels: &[u8], width: usize, taps: &[Tap]) -> Vec<u8> {
    let stride = width * CHANNELS;
    let mut out = vec![0; taps.len() * stride];
    out.par_chunks_exact_mut(stride).zip(taps).for_each_init(
        || vec![0i32; stride],
        |sums, (out, tap)| {
            sums.fill(HALF);
            for (row, weight) in pixels[tap.start * stride..]
                .chunks_exact(stride)
                .zip(&tap.weights)
            {
                for (sum, &value) in sums.iter_mut().zip(row) {
                    *sum += i32::from(value) * weight;
                }
            }
            for (value, &sum) in out.iter_mut().zip(sums.iter()) {
                *value = rounded(sum);
            }
        },
    );
    out
}

const HALF: i32 = 1 << (PRECISION - 1);

fn rounded(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}
