//! What cameras, files and the paper's recipe do to a picture.

use image::{ImageFormat, RgbImage, codecs::jpeg::JpegEncoder};

use crate::{
    Augmentation,
    picture::{Group, Picture},
    rng::Rng,
};

/// Changes that all pictures of a task share, because the roles keep their meaning through them.
pub(crate) fn together(group: &mut Group, how: &Augmentation, rng: &mut Rng) {
    if rng.chance(how.hue) {
        let matrix = hue_rotation(rng.angle());
        group
            .pictures
            .iter_mut()
            .for_each(|p| each_pixel(&mut p.rgb, |rgb| apply(&matrix, rgb)));
    }
    if rng.chance(how.grey) && !group.colour_matters {
        group
            .pictures
            .iter_mut()
            .for_each(|p| each_pixel(&mut p.rgb, |rgb| [luma(rgb); 3]));
    }
}

/// Changes that each picture meets on its own: flips and crops.
pub(crate) fn geometry(picture: &mut Picture, how: &Augmentation, rng: &mut Rng) {
    let mirror = rng.chance(how.flip);
    let cropped = rng.chance(how.crop);
    if !(mirror || cropped) {
        return;
    }
    let (share, aspect) = if cropped {
        (rng.range(how.crop_area, 1.0), rng.log_range(0.8, 1.25))
    } else {
        (1.0, 1.0)
    };
    *picture = picture.crop(share, aspect, 0.0, mirror, picture.width(), rng);
}

/// Changes of light, lens, sensor and file.
pub(crate) fn photometry(rgb: &mut RgbImage, how: &Augmentation, rng: &mut Rng) {
    if rng.chance(how.light) {
        uneven_light(rgb, rng);
    }
    if rng.chance(how.jitter) {
        jitter(rgb, how.jitter_strength, rng);
    }
    if rng.chance(how.blur) {
        let passes = 1 + rng.below(1 + rgb.width() as usize / 64);
        (0..passes).for_each(|_| blur(rgb));
    }
    if rng.chance(how.noise) {
        noise(rgb, rng);
    }
    if rng.chance(how.jpeg) {
        compress(rgb, rng.between(25, 90) as u8);
    }
}

fn each_pixel(rgb: &mut RgbImage, change: impl Fn([f32; 3]) -> [f32; 3]) {
    for pixel in rgb.pixels_mut() {
        pixel.0 = change(pixel.0.map(f32::from)).map(|c| (c + 0.5).clamp(0.0, 255.0) as u8);
    }
}

fn luma([r, g, b]: [f32; 3]) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b
}

fn apply(matrix: &[[f32; 3]; 3], rgb: [f32; 3]) -> [f32; 3] {
    matrix.map(|row| row[0] * rgb[0] + row[1] * rgb[1] + row[2] * rgb[2])
}

/// A turn around the grey axis.
fn hue_rotation(angle: f32) -> [[f32; 3]; 3] {
    let (sin, cos) = angle.sin_cos();
    let (same, s) = ((1.0 - cos) / 3.0, sin / 3f32.sqrt());
    let row = [cos + same, same - s, same + s];
    [row, [row[2], row[0], row[1]], [row[1], row[2], row[0]]]
}

/// Brightness, contrast, gamma, saturation and white balance.
fn jitter(rgb: &mut RgbImage, strength: f32, rng: &mut Rng) {
    let mut factor = |scale: f32| (1.0 + strength * scale * rng.range(-1.0, 1.0)).max(0.05);
    let (brightness, contrast, saturation, gamma) =
        (factor(1.0), factor(1.0), factor(1.5), factor(1.0));
    let balance = [factor(0.4), factor(0.4), factor(0.4)];
    let curves: [[f32; 256]; 3] = balance.map(|gain| {
        std::array::from_fn(|value| {
            let value = (value as f32 / 255.0).powf(gamma) * brightness * gain;
            ((value - 0.5) * contrast + 0.5) * 255.0
        })
    });
    for pixel in rgb.pixels_mut() {
        let [r, g, b] = pixel.0;
        let color = [
            curves[0][usize::from(r)],
            curves[1][usize::from(g)],
            curves[2][usize::from(b)],
        ];
        let grey = luma(color);
        pixel.0 = color.map(|c| (grey + (c - grey) * saturation + 0.5).clamp(0.0, 255.0) as u8);
    }
}

/// A ramp across the picture, or a bright spot.
fn uneven_light(rgb: &mut RgbImage, rng: &mut Rng) {
    let size = rgb.width().max(rgb.height()) as f32;
    let strength = rng.range(0.1, 0.45);
    let (sin, cos) = rng.angle().sin_cos();
    let spot = rng.chance(0.4).then(|| [rng.unit(), rng.unit()]);
    for (x, y, pixel) in rgb.enumerate_pixels_mut() {
        let (x, y) = (x as f32 / size, y as f32 / size);
        let shade = match spot {
            Some([a, b]) => 0.3 - (x - a).hypot(y - b),
            None => (x - 0.5) * cos + (y - 0.5) * sin,
        };
        let light = 1.0 + strength * shade;
        pixel.0 = pixel
            .0
            .map(|c| (f32::from(c) * light + 0.5).clamp(0.0, 255.0) as u8);
    }
}

/// One pass of the binomial filter 1-2-1 in both directions.
fn blur(rgb: &mut RgbImage) {
    let (width, height) = (rgb.width() as usize, rgb.height() as usize);
    let pass =
        |from: &[u8], to: &mut [u8], length: usize, step: usize, line: &dyn Fn(usize) -> usize| {
            for index in 0..to.len() {
                let at = line(index);
                let before = if at == 0 { index } else { index - step };
                let after = if at + 1 == length {
                    index
                } else {
                    index + step
                };
                let sum =
                    u16::from(from[before]) + 2 * u16::from(from[index]) + u16::from(from[after]);
                to[index] = ((sum + 2) >> 2) as u8;
            }
        };
    let from = rgb.as_raw().clone();
    let mut between = from.clone();
    pass(&from, &mut between, width, 3, &|index| index / 3 % width);
    pass(&between, rgb, height, 3 * width, &|index| index / 3 / width);
}

/// Sensor noise, coloured or grey.
fn noise(rgb: &mut RgbImage, rng: &mut Rng) {
    let strength = rng.log_range(2.0, 22.0);
    let coloured = rng.chance(0.5);
    for pixel in rgb.pixels_mut() {
        // Four bytes of one draw make a bell that is good enough for noise.
        let mut draw = || {
            let sum: u32 = (rng.bits() as u32)
                .to_le_bytes()
                .map(u32::from)
                .iter()
                .sum();
            (sum as f32 - 510.0) / 148.0 * strength
        };
        let first = draw();
        let by = if coloured {
            [first, draw(), draw()]
        } else {
            [first; 3]
        };
        for (channel, by) in pixel.0.iter_mut().zip(by) {
            *channel = (f32::from(*channel) + by).clamp(0.0, 255.0) as u8;
        }
    }
}

fn compress(rgb: &mut RgbImage, quality: u8) {
    let mut bytes = Vec::new();
    let encoded = rgb.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality));
    let decoded =
        encoded.and_then(|()| image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg));
    *rgb = decoded
        .expect("a JPEG that was just written in memory can be read")
        .into_rgb8();
}
