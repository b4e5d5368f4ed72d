//! What an interactive pixel classifier looks at: colours and textures around a pixel at several
//! scales (the usual set of Weka segmentation and ilastik).

use rayon::prelude::*;
use seggpt_imaging::RgbImage;

/// Widths of the neighbourhoods, in pixels (standard deviations).
const SCALES: [f32; 4] = [1.0, 2.0, 4.0, 8.0];

/// Values per pixel: the colour itself, and at each scale the smoothed colour, the strength of the
/// edge, the two curvatures, how much the pixel stands out, and the spread of the brightness.
pub const COUNT: usize = 3 + SCALES.len() * 8;

/// The features of every pixel, [`COUNT`] after one another per pixel, row by row.
#[must_use]
pub fn features(picture: &RgbImage) -> Vec<f32> {
    let size = (picture.width() as usize, picture.height() as usize);
    let channel = |c: usize| -> Vec<f32> {
        picture
            .as_raw()
            .iter()
            .skip(c)
            .step_by(3)
            .map(|&value| f32::from(value))
            .collect()
    };
    let colors = [channel(0), channel(1), channel(2)];
    let brightness: Vec<f32> = (0..size.0 * size.1)
        .map(|at| (colors[0][at] + colors[1][at] + colors[2][at]) / 3.0)
        .collect();
    let squared: Vec<f32> = brightness.iter().map(|value| value * value).collect();

    let mut planes: Vec<Vec<f32>> = colors.to_vec();
    for sigma in SCALES {
        let smooth: Vec<Vec<f32>> = colors
            .iter()
            .map(|plane| blurred(plane, size, sigma))
            .collect();
        let grey = blurred(&brightness, size, sigma);
        let energy = blurred(&squared, size, sigma);
        let [edge, high, low] = derivatives(&grey, size);
        let spread = energy
            .iter()
            .zip(&grey)
            .map(|(e, g)| (e - g * g).max(0.0).sqrt())
            .collect();
        let contrast = brightness
            .iter()
            .zip(&grey)
            .map(|(here, around)| here - around)
            .collect();
        planes.extend(smooth);
        planes.extend([edge, high, low, spread, contrast]);
    }
    debug_assert_eq!(planes.len(), COUNT);
    let mut interleaved = vec![0.0; size.0 * size.1 * COUNT];
    interleaved
        .par_chunks_exact_mut(COUNT)
        .enumerate()
        .for_each(|(at, pixel)| {
            pixel
                .iter_mut()
                .zip(&planes)
                .for_each(|(value, plane)| *value = plane[at]);
        });
    interleaved
}

/// A Gaussian blur; beyond the border, the border repeats.
fn blurred(plane: &[f32], size: (usize, usize), sigma: f32) -> Vec<f32> {
    let radius = (3.0 * sigma).ceil() as usize;
    let weight = |at: usize| (-0.5 * ((at as f32 - radius as f32) / sigma).powi(2)).exp();
    let mut kernel: Vec<f32> = (0..=2 * radius).map(weight).collect();
    let sum: f32 = kernel.iter().sum();
    kernel.iter_mut().for_each(|weight| *weight /= sum);
    let across = rows_blurred(plane, size.0, &kernel);
    let turned = transposed(&across, size);
    let down = rows_blurred(&turned, size.1, &kernel);
    transposed(&down, (size.1, size.0))
}

fn rows_blurred(plane: &[f32], width: usize, kernel: &[f32]) -> Vec<f32> {
    let radius = kernel.len() / 2;
    let mut out = vec![0.0; plane.len()];
    let rows = out
        .par_chunks_exact_mut(width.max(1))
        .zip(plane.par_chunks_exact(width.max(1)));
    rows.for_each(|(out, row)| {
        let padded: Vec<f32> = (0..width + 2 * radius)
            .map(|x| row[x.saturating_sub(radius).min(width - 1)])
            .collect();
        for (tap, weight) in kernel.iter().enumerate() {
            let pixels = out.iter_mut().zip(&padded[tap..]);
            pixels.for_each(|(value, pixel)| *value += weight * pixel);
        }
    });
    out
}

fn transposed(plane: &[f32], (width, height): (usize, usize)) -> Vec<f32> {
    let mut out = vec![0.0; plane.len()];
    out.par_chunks_exact_mut(height.max(1))
        .enumerate()
        .for_each(|(x, column)| {
            column
                .iter_mut()
                .enumerate()
                .for_each(|(y, value)| *value = plane[y * width + x]);
        });
    out
}

/// The length of the gradient, and the larger and smaller eigenvalue of the Hessian.
fn derivatives(plane: &[f32], (width, height): (usize, usize)) -> [Vec<f32>; 3] {
    let at = |x: usize, y: usize| plane[y.min(height - 1) * width + x.min(width - 1)];
    let mut out = [(); 3].map(|()| Vec::with_capacity(plane.len()));
    for index in 0..plane.len() {
        let (x, y) = (index % width, index / width);
        let (left, up) = (x.saturating_sub(1), y.saturating_sub(1));
        let here = at(x, y);
        let (dx, dy) = (
            (at(x + 1, y) - at(left, y)) / 2.0,
            (at(x, y + 1) - at(x, up)) / 2.0,
        );
        let xx = at(x + 1, y) - 2.0 * here + at(left, y);
        let yy = at(x, y + 1) - 2.0 * here + at(x, up);
        let xy = (at(x + 1, y + 1) - at(left, y + 1) - at(x + 1, up) + at(left, up)) / 4.0;
        let (middle, half) = (
            (xx + yy) / 2.0,
            (((xx - yy) / 2.0).powi(2) + xy * xy).sqrt(),
        );
        let values = [(dx * dx + dy * dy).sqrt(), middle + half, middle - half];
        out.iter_mut()
            .zip(values)
            .for_each(|(plane, value)| plane.push(value));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_pictures_have_no_texture() {
        let values = features(&RgbImage::from_pixel(9, 5, [70; 3].into()));
        assert_eq!(values.len(), 45 * COUNT);
        let texture = values
            .chunks_exact(COUNT)
            .map(|row| row[6..11].iter().map(|v| v.abs()).sum::<f32>());
        assert!(texture.into_iter().all(|sum| sum < 0.5), "up to rounding");
    }
}
