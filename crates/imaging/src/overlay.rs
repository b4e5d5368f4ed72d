//! Masks over pictures, for people.

use image::RgbImage;
use rayon::prelude::*;

use crate::{ImagingError, Rgb, resize};

/// How an overlay is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// How much of the class colour covers the picture inside a mask: 0 nothing, 1 all.
    pub alpha: f32,
    /// Width of the contour in pixels; 0 draws none; `None` takes 1/300 of the shorter side, at least 1.
    pub contour: Option<usize>,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            alpha: 0.45,
            contour: None,
        }
    }
}

/// Blends class colours over the picture and draws each mask's contour: the class colour at full
/// strength inside, a thin dark line outside that sets it off from bright and coloured ground.
///
/// `labels` holds one palette index per pixel; 0 leaves the picture as it is. An index beyond the
/// palette is drawn in the palette's last colour.
///
/// # Errors
/// [`ImagingError::Size`] if `labels` does not fit the picture; [`ImagingError::Classes`] for an
/// empty palette.
pub fn overlay(
    picture: &RgbImage,
    labels: &[u16],
    palette: &[Rgb],
    style: Style,
) -> Result<RgbImage, ImagingError> {
    const WHAT: &str = "draw an overlay";
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    ImagingError::check_size(WHAT, labels.len(), (width, height), 1)?;
    let Some(&last) = palette.last() else {
        return Err(ImagingError::Classes {
            what: WHAT,
            reason: "the palette is empty".to_owned(),
        });
    };
    let line = style
        .contour
        .unwrap_or_else(|| (width.min(height) / 300).max(1));
    let halo = line.div_ceil(2);

    let mut out = picture.clone();
    let stride = (width * 3).max(1);
    out.par_chunks_exact_mut(stride)
        .enumerate()
        .for_each(|(y, row)| {
            let (row, _) = row.as_chunks_mut::<3>();
            let here = &labels[y * width..][..width];
            let inside = borders(labels, (width, height), y, line);
            let outside = borders(labels, (width, height), y, halo);
            for (x, (pixel, &label)) in row.iter_mut().zip(here).enumerate() {
                if label == 0 {
                    if outside[x] {
                        *pixel = blend(*pixel, [0; 3], 0.5);
                    }
                    continue;
                }
                let color = palette.get(usize::from(label)).copied().unwrap_or(last);
                *pixel = if inside[x] {
                    color
                } else {
                    blend(*pixel, color, style.alpha)
                };
            }
        });
    Ok(out)
}

/// Where in a row a label differs from one of eight around it, `reach` pixels away. Beyond the picture's edge is the edge.
fn borders(labels: &[u16], size: (usize, usize), y: usize, reach: usize) -> Vec<bool> {
    let (width, height) = size;
    let mut differs = vec![false; width];
    if reach == 0 {
        return differs;
    }
    let slant = (reach * 7 + 5) / 10;
    let row = |y: usize| &labels[y.min(height - 1) * width..][..width];
    let here = row(y);
    let mut compare = |other: &[u16], shift: usize| {
        let (shift, edges) = (shift.min(width), (other[0], other[width - 1]));
        let (start, end) = (&here[shift..], &here[..width - shift]);
        for ((differs, a), b) in differs[shift..].iter_mut().zip(start).zip(other) {
            *differs |= a != b;
        }
        for ((differs, a), b) in differs.iter_mut().zip(end).zip(&other[shift..]) {
            *differs |= a != b;
        }
        for (differs, a) in differs.iter_mut().zip(here).take(shift) {
            *differs |= *a != edges.0;
        }
        for (differs, a) in differs.iter_mut().zip(here).rev().take(shift) {
            *differs |= *a != edges.1;
        }
    };
    compare(here, reach);
    for other in [row(y + reach), row(y.saturating_sub(reach))] {
        compare(other, 0);
    }
    for other in [row(y + slant), row(y.saturating_sub(slant))] {
        compare(other, slant);
    }
    differs
}

/// The original engine's picture: `picture * (0.6 * painted / 255 + 0.4)`, truncated, so that black
/// paint dims to 40 % and white leaves as is; the painting is enlarged like torch's `nearest`.
///
/// `painted` holds `size.0 * size.1 * 3` values 0..=255.
///
/// # Errors
/// [`ImagingError::Size`] if `painted` does not fit `size`, or has no pixels.
pub fn original(
    picture: &RgbImage,
    painted: &[f32],
    size: (usize, usize),
) -> Result<RgbImage, ImagingError> {
    ImagingError::check_size(
        "blend a painting",
        painted.len(),
        (size.0.max(1), size.1.max(1)),
        3,
    )?;
    let columns = crate::decode::torch_nearest_indices(size.0, picture.width() as usize);
    let rows = crate::decode::torch_nearest_indices(size.1, picture.height() as usize);
    let mut out = picture.clone();
    for (x, y, pixel) in out.enumerate_pixels_mut() {
        let paint = &painted[(rows[y as usize] * size.0 + columns[x as usize]) * 3..][..3];
        for (value, paint) in pixel.0.iter_mut().zip(paint) {
            *value = (f32::from(*value) * (0.6 * paint / 255.0 + 0.4)) as u8;
        }
    }
    Ok(out)
}

/// A plane of values 0..=255 as a picture from dark violet (0) over green to yellow (255), the
/// perceptually even "viridis" scale.
///
/// # Errors
/// [`ImagingError::Size`] if `values` does not hold `size.0 * size.1` values.
pub fn heat(values: &[u8], size: (usize, usize)) -> Result<RgbImage, ImagingError> {
    ImagingError::check_size("color a plane of values", values.len(), size, 1)?;
    let table: Vec<Rgb> = (0..=255).map(viridis).collect();
    let pixels = values
        .iter()
        .flat_map(|&value| table[usize::from(value)])
        .collect();
    Ok(RgbImage::from_raw(size.0 as u32, size.1 as u32, pixels).expect("three values per pixel"))
}

/// One colour of [`heat`], for legends.
#[must_use]
pub fn viridis(value: u8) -> Rgb {
    const STOPS: [Rgb; 10] = [
        [68, 1, 84],
        [72, 40, 120],
        [62, 73, 137],
        [49, 104, 142],
        [38, 130, 142],
        [31, 158, 137],
        [53, 183, 121],
        [110, 206, 88],
        [181, 222, 43],
        [253, 231, 37],
    ];
    let at = f32::from(value) / 255.0 * (STOPS.len() - 1) as f32;
    let stop = (at as usize).min(STOPS.len() - 2);
    blend(STOPS[stop], STOPS[stop + 1], at - stop as f32)
}

/// The picture reduced so that its longer side has at most `max_side` pixels; never enlarged.
#[must_use]
pub fn thumbnail(picture: &RgbImage, max_side: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let longest = width.max(height);
    if longest <= max_side {
        return picture.clone();
    }
    let side = |side: u32| {
        let reduced = (f64::from(side) * f64::from(max_side) / f64::from(longest)).round();
        (reduced as u32).max(1)
    };
    resize::bicubic(picture, side(width), side(height))
}

fn blend(under: Rgb, over: Rgb, alpha: f32) -> Rgb {
    // Rounds: the sum is never negative.
    let mix = |u: u8, o: u8| (f32::from(u) + (f32::from(o) - f32::from(u)) * alpha + 0.5) as u8;
    [
        mix(under[0], over[0]),
        mix(under[1], over[1]),
        mix(under[2], over[2]),
    ]
}
