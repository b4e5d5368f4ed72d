//! How alike are two pictures? Colour and texture in a few hundred numbers.
//!
//! A descriptor needs no weights and a millisecond, and it finds the prompt that was taken under
//! the same light, of the same ground, by the same microscope. It knows nothing of what is shown;
//! where that matters, compare features of a network instead.

use image::RgbImage;

use crate::resize;

/// Side of the picture that the descriptor is computed on.
const SIDE: usize = 64;
/// Cells per side for layout and orientation.
const CELLS: usize = 4;
/// Orientations of gradients over half a turn.
const ORIENTATIONS: usize = 8;
/// Levels per axis of the colour histogram.
const BINS: usize = 6;

/// Length of a descriptor.
pub const LENGTH: usize = CELLS * CELLS * 3 + BINS * BINS * BINS + CELLS * CELLS * ORIENTATIONS;

/// The descriptor of a picture: [`LENGTH`] numbers of Euclidean length 1, so that the dot product of
/// two is their cosine similarity, -1..=1 and 1 for equal pictures. The same picture always
/// gives the same numbers.
///
/// Three parts of equal weight: mean colour in a 4 x 4 grid (layout), a soft histogram of colours
/// wherever they are, and gradient energy by orientation in the same grid (texture). Colours are
/// opponent: lightness, red against green, blue against yellow.
#[must_use]
pub fn descriptor(picture: &RgbImage) -> Vec<f32> {
    let small = resize::bicubic(picture, SIDE as u32, SIDE as u32);
    let (pixels, _) = small.as_raw().as_chunks::<3>();
    let colors: Vec<[f32; 3]> = pixels.iter().map(|&rgb| opponent(rgb)).collect();
    let mut all = Vec::with_capacity(LENGTH);
    for mut part in [layout(&colors), histogram(&colors), texture(&colors)] {
        normalise(&mut part);
        all.append(&mut part);
    }
    normalise(&mut all);
    all
}

/// Cosine similarity of two descriptors of length 1. Of different lengths, the shorter counts.
#[must_use]
pub fn similarity(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Lightness, red-green, blue-yellow; each about -1..=1, grey of half lightness at 0.
fn opponent(rgb: [u8; 3]) -> [f32; 3] {
    let [r, g, b] = rgb.map(|value| f32::from(value) / 255.0);
    [(r + g + b) * (2.0 / 3.0) - 1.0, r - g, b - (r + g) / 2.0]
}

fn cell(at: usize) -> usize {
    (at / SIDE * CELLS / SIDE) * CELLS + at % SIDE * CELLS / SIDE
}

fn layout(colors: &[[f32; 3]]) -> Vec<f32> {
    let mut means = vec![0.0; CELLS * CELLS * 3];
    for (at, color) in colors.iter().enumerate() {
        for (channel, value) in color.iter().enumerate() {
            means[cell(at) * 3 + channel] += value;
        }
    }
    means
}

/// Each pixel is shared between the eight nearest bins; square roots keep large areas from drowning
/// the rest (Hellinger).
fn histogram(colors: &[[f32; 3]]) -> Vec<f32> {
    let mut bins = vec![0.0f32; BINS * BINS * BINS];
    for color in colors {
        let axes = color.map(|value| {
            let at = ((value + 1.0) / 2.0).clamp(0.0, 1.0) * (BINS - 1) as f32;
            let low = (at as usize).min(BINS - 2);
            [(low, 1.0 - (at - low as f32)), (low + 1, at - low as f32)]
        });
        for (x, wx) in axes[0] {
            for (y, wy) in axes[1] {
                for (z, wz) in axes[2] {
                    bins[(x * BINS + y) * BINS + z] += wx * wy * wz;
                }
            }
        }
    }
    bins.iter_mut().for_each(|bin| *bin = bin.sqrt());
    bins
}

fn texture(colors: &[[f32; 3]]) -> Vec<f32> {
    let mut energy = vec![0.0f32; CELLS * CELLS * ORIENTATIONS];
    for y in 1..SIDE - 1 {
        for x in 1..SIDE - 1 {
            let at = y * SIDE + x;
            let dx = colors[at + 1][0] - colors[at - 1][0];
            let dy = colors[at + SIDE][0] - colors[at - SIDE][0];
            let turn = dy.atan2(dx) / std::f32::consts::PI + 1.0; // 0..=2, half turns
            let at_bin = turn.fract() * ORIENTATIONS as f32;
            let bin = at_bin as usize % ORIENTATIONS;
            let upper = at_bin.fract();
            let strength = dx.hypot(dy);
            let own = cell(at) * ORIENTATIONS;
            energy[own + bin] += strength * (1.0 - upper);
            energy[own + (bin + 1) % ORIENTATIONS] += strength * upper;
        }
    }
    energy.iter_mut().for_each(|value| *value = value.sqrt());
    energy
}

fn normalise(values: &mut [f32]) {
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 1e-6 {
        values.iter_mut().for_each(|value| *value /= length);
    }
}
