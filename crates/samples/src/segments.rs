//! Two views of one photograph, whose areas of like colour and texture are the classes.

use std::sync::Arc;

use image::RgbImage;

use crate::{
    SamplesError, SegType,
    backgrounds::{Backgrounds, Scale},
    files::Files,
    picture::{Group, Picture},
    rng::Rng,
    task::{Ask, Task, views},
};

#[derive(Clone)]
pub(crate) struct Photographs {
    backgrounds: Backgrounds,
}

impl Photographs {
    pub(crate) fn open(files: &Arc<Files>, scale: Scale) -> Result<Self, SamplesError> {
        Ok(Self {
            backgrounds: Backgrounds::open(files, scale, "segments of photographs")?,
        })
    }
}

impl Task for Photographs {
    fn another(&self) -> Box<dyn Task> {
        Box::new(self.clone())
    }

    fn group(&mut self, ask: Ask, rng: &mut Rng) -> Option<Group> {
        // Grids of one photograph would be puzzles.
        if ask.grids {
            return None;
        }
        let (photograph, name) = self.backgrounds.photograph(rng)?;
        let whole = Picture::new(
            (*photograph).clone(),
            vec![0; (photograph.width() * photograph.height()) as usize],
        );
        let size = if ask.count == 1 {
            ask.size
        } else {
            ask.size * 5 / 4
        };
        let mut picture = whole.crop(
            rng.log_range(0.25, 1.0),
            1.0,
            0.0,
            rng.chance(0.5),
            size,
            rng,
        );
        picture.roles = cluster(&picture.rgb, rng.between(3, 6), rng)?;
        let origin = format!("segments of {}", name.rsplit('/').next().unwrap_or(&name));
        let group = Group {
            pictures: vec![picture],
            kind: SegType::Semantic,
            origin,
            colour_matters: true,
        };
        match ask.count {
            1 => Some(group),
            _ => Some(views(group, false, ask, rng)),
        }
    }
}

/// Colour, contrast in the neighbourhood, and a little of the place.
const FEATURES: usize = 6;

/// How far apart two areas must be, without their place, to be told apart.
const DISTINCT: f32 = 26.0;

/// Roles 1 to `count` by k-means, smoothed so that areas hang together. Areas that look alike become
/// one; `None` if that leaves a single one.
fn cluster(rgb: &RgbImage, count: usize, rng: &mut Rng) -> Option<Vec<u8>> {
    const STEP: usize = 2;
    let size = rgb.width() as usize;
    let side = size / STEP;
    let features = features(rgb, side, STEP);
    let mut centres: Vec<[f32; FEATURES]> = vec![*rng.pick(&features)];
    while centres.len() < count {
        // k-means++: far points are likely to become centres.
        let far: Vec<f32> = features.iter().map(|f| nearest(f, &centres).1).collect();
        centres.push(features[rng.weighted(&far)]);
    }
    let mut roles = vec![0u8; features.len()];
    for _ in 0..5 {
        let mut sums = vec![([0.0; FEATURES], 0.0f32); count];
        for (role, feature) in roles.iter_mut().zip(&features) {
            let (index, _) = nearest(feature, &centres);
            *role = index as u8;
            let (sum, number) = &mut sums[index];
            sum.iter_mut().zip(feature).for_each(|(s, f)| *s += f);
            *number += 1.0;
        }
        for (centre, (sum, number)) in centres.iter_mut().zip(sums) {
            if number > 0.0 {
                *centre = sum.map(|s| s / number);
            }
        }
    }
    let alike = |a: &[f32; FEATURES], b: &[f32; FEATURES]| {
        a[..4]
            .iter()
            .zip(b)
            .map(|(a, b)| (a - b) * (a - b))
            .sum::<f32>()
            < DISTINCT * DISTINCT
    };
    let first: Vec<u8> = centres
        .iter()
        .map(|centre| {
            centres
                .iter()
                .position(|other| alike(centre, other))
                .unwrap_or(0) as u8
        })
        .collect();
    roles
        .iter_mut()
        .for_each(|role| *role = first[usize::from(*role)]);
    if roles.iter().all(|&role| role == roles[0]) {
        return None;
    }
    roles = majority(&roles, side, count);
    let at = |v: usize| (v / STEP).min(side - 1);
    let mut fine: Vec<u8> = (0..size * size)
        .map(|i| roles[at(i / size) * side + at(i % size)])
        .collect();
    for _ in 0..2 {
        fine = majority(&fine, size, count);
    }
    fine.iter_mut().for_each(|role| *role += 1);
    Some(fine)
}

/// Of every `step`th pixel, over a neighbourhood of 4 x 4 pixels.
fn features(rgb: &RgbImage, side: usize, step: usize) -> Vec<[f32; FEATURES]> {
    let size = rgb.width() as usize;
    let raw = rgb.as_raw();
    (0..side * side)
        .map(|i| {
            let (x, y) = (i % side * step, i / side * step);
            let (mut color, mut square) = ([0.0f32; 3], 0.0f32);
            for v in (0..4).map(|v| (y + v).saturating_sub(1).min(size - 1)) {
                for u in (0..4).map(|u| (x + u).saturating_sub(1).min(size - 1)) {
                    let pixel: [f32; 3] =
                        std::array::from_fn(|c| f32::from(raw[(v * size + u) * 3 + c]));
                    color.iter_mut().zip(pixel).for_each(|(c, p)| *c += p);
                    square += pixel[1] * pixel[1];
                }
            }
            let [r, g, b] = color.map(|c| c / 16.0);
            let contrast = (square / 16.0 - g * g).max(0.0).sqrt();
            let place = 40.0 / size as f32;
            // Lightness, two differences of colour, contrast, place.
            [
                (r + g + b) / 3.0,
                1.5 * (r - g),
                0.75 * (r + g) - 1.5 * b,
                1.5 * contrast,
                x as f32 * place,
                y as f32 * place,
            ]
        })
        .collect()
}

fn nearest(feature: &[f32; FEATURES], centres: &[[f32; FEATURES]]) -> (usize, f32) {
    let mut best = (0, f32::MAX);
    for (index, centre) in centres.iter().enumerate() {
        let far = feature
            .iter()
            .zip(centre)
            .map(|(a, b)| (a - b) * (a - b))
            .sum();
        if far < best.1 {
            best = (index, far);
        }
    }
    best
}

/// The most frequent role among nine neighbours.
fn majority(roles: &[u8], side: usize, count: usize) -> Vec<u8> {
    (0..side * side)
        .map(|i| {
            let (x, y) = (i % side, i / side);
            let mut votes = [0u8; 8];
            votes[usize::from(roles[i])] += 1;
            for v in y.saturating_sub(1)..(y + 2).min(side) {
                for u in x.saturating_sub(1)..(x + 2).min(side) {
                    votes[usize::from(roles[v * side + u])] += 1;
                }
            }
            (0..count).max_by_key(|&role| votes[role]).unwrap_or(0) as u8
        })
        .collect()
}
