//! From pictures with roles to a task: which roles are asked for, and in which colours.

use image::{GrayImage, Luma, Rgb, RgbImage};

use crate::{
    Example, Sample, SegType,
    picture::{NOTHING, Picture, UNKNOWN},
    rng::Rng,
};

/// The smallest share of a picture that a class which is asked for must cover.
const VISIBLE: f32 = 0.008;

/// A class that covers nearly everything teaches nothing.
const DOMINANT: f32 = 0.93;

const WHITE: [u8; 3] = [255; 3];

/// Chooses 1 to 3 roles of the prompts and paints them. The query, which is the last of the pictures, shows at least one
/// of them, or none where it is to be empty. `None` if there is no such role.
pub(crate) fn paint(
    mut pictures: Vec<Picture>,
    kind: SegType,
    origin: String,
    empty: bool,
    rng: &mut Rng,
) -> Option<Sample> {
    let query = pictures.pop()?;
    let fits = |areas: &[u32; 256], role: usize| {
        let share = areas[role] as f32 / query.roles.len() as f32;
        (VISIBLE..DOMINANT).contains(&share)
    };
    let in_prompts: Vec<_> = pictures.iter().map(Picture::areas).collect();
    let in_query = query.areas();
    let mut shared = Vec::new();
    let mut others = Vec::new();
    for role in 1..usize::from(UNKNOWN) {
        if !in_prompts.iter().any(|areas| fits(areas, role)) {
            continue;
        }
        if fits(&in_query, role) {
            shared.push(role as u8);
        } else {
            others.push(role as u8);
        }
    }
    if empty {
        others.retain(|&role| in_query[usize::from(role)] == 0);
        shared = std::mem::take(&mut others);
    }
    if shared.is_empty() {
        return None;
    }
    rng.shuffle(&mut shared);
    let count = 1 + rng.weighted(&[0.55, 0.27, 0.18]);
    let mut chosen = vec![shared[0]];
    let mut rest: Vec<u8> = shared[1..].to_vec();
    // Now and then the prompts show a class that the query does not have.
    if rng.chance(0.3) {
        rest.extend(others);
        rng.shuffle(&mut rest);
    }
    chosen.extend(rest.into_iter().take(count - 1));

    let mut colors = [[0; 3]; 256];
    for (&role, color) in chosen.iter().zip(distinct(chosen.len(), rng)) {
        colors[usize::from(role)] = color;
    }
    debug_assert_eq!(colors[usize::from(NOTHING)], [0; 3]);
    let valid = query.roles.contains(&UNKNOWN).then(|| {
        let mut roles = query.roles.iter();
        GrayImage::from_fn(query.rgb.width(), query.rgb.height(), |_, _| {
            Luma([if roles.next() == Some(&UNKNOWN) {
                0
            } else {
                255
            }])
        })
    });
    let example = |picture: Picture| Example {
        mask: mask(&picture, &colors),
        picture: picture.rgb,
    };
    Some(Sample {
        prompts: pictures.into_iter().map(example).collect(),
        query_mask: mask(&query, &colors),
        query: query.rgb,
        valid,
        kind,
        origin,
    })
}

fn mask(picture: &Picture, colors: &[[u8; 3]; 256]) -> RgbImage {
    let mut mask = RgbImage::new(picture.rgb.width(), picture.rgb.height());
    for (pixel, &role) in mask.pixels_mut().zip(&picture.roles) {
        *pixel = Rgb(colors[usize::from(role)]);
    }
    mask
}

/// Random colours that keep apart from each other and from black. White is frequent: people's
/// binary masks are white.
fn distinct(count: usize, rng: &mut Rng) -> Vec<[u8; 3]> {
    let mut colors: Vec<[u8; 3]> = Vec::with_capacity(count);
    if rng.chance(if count == 1 { 0.4 } else { 0.2 }) {
        colors.push(WHITE);
    }
    // Pure colours are what palettes of tools consist of.
    let pure = rng.chance(0.4);
    let mut apart = 170.0;
    while colors.len() < count {
        let color = std::array::from_fn(|_| {
            if pure {
                255 * rng.below(2) as u8
            } else {
                rng.below(256) as u8
            }
        });
        let distance = |other: &[u8; 3]| {
            let square = |i: usize| (f32::from(color[i]) - f32::from(other[i])).powi(2);
            (square(0) + square(1) + square(2)).sqrt()
        };
        if distance(&[0; 3]) >= 150.0 && colors.iter().all(|other| distance(other) >= apart) {
            colors.push(color);
        }
        apart = f32::max(apart - 0.5, 100.0);
    }
    rng.shuffle(&mut colors);
    colors
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Four stripes with the roles 1, 2, 3 and unknown.
    fn striped() -> Picture {
        let roles = [1, 2, 3, UNKNOWN]
            .into_iter()
            .flat_map(|role| [role; 64])
            .collect();
        Picture::new(RgbImage::new(16, 16), roles)
    }

    fn task(seed: u64) -> Sample {
        let rng = &mut Rng::new(seed);
        let pictures = vec![striped(), striped(), striped()];
        paint(pictures, SegType::Semantic, String::new(), false, rng).unwrap()
    }

    #[test]
    fn the_same_picture_has_another_answer_for_another_prompt() {
        let asked = |sample: &Sample| {
            sample
                .query_mask
                .pixels()
                .step_by(64)
                .map(|p| p.0 != [0; 3])
                .collect::<Vec<_>>()
        };
        let mut answers: Vec<_> = (0..100).map(|seed| asked(&task(seed))).collect();
        answers.sort();
        answers.dedup();
        // Each of three, each pair of them, all three.
        assert_eq!(answers.len(), 7);
    }

    #[test]
    fn colours_keep_apart() {
        for seed in 0..200 {
            let colors = distinct(3, &mut Rng::new(seed));
            for (index, a) in colors.iter().enumerate() {
                for b in colors[..index].iter().chain([&[0; 3]]) {
                    let apart: u32 = a
                        .iter()
                        .zip(b)
                        .map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2))
                        .sum();
                    assert!(apart >= 100 * 100, "{a:?} and {b:?}");
                }
            }
        }
    }

    #[test]
    fn unknown_pixels_do_not_count_and_are_black() {
        let sample = task(1);
        let valid = sample.valid.unwrap();
        assert!(
            valid
                .pixels()
                .zip(sample.query_mask.pixels())
                .skip(192)
                .all(|(v, m)| v.0 == [0] && m.0 == [0; 3])
        );
        assert!(valid.pixels().take(192).all(|v| v.0 == [255]));
    }

    #[test]
    fn there_is_no_task_without_a_shared_role() {
        let other = Picture::new(RgbImage::new(16, 16), vec![9; 256]);
        let rng = &mut Rng::new(0);
        let pictures = vec![striped(), striped(), other];
        assert!(paint(pictures, SegType::Semantic, String::new(), false, rng).is_none());
    }

    #[test]
    fn an_empty_query_shows_nothing_of_what_the_prompts_do() {
        let half = Picture::new(RgbImage::new(16, 16), [[1; 128], [9; 128]].concat());
        for seed in 0..50 {
            let rng = &mut Rng::new(seed);
            let pictures = vec![striped(), half.clone()];
            let sample = paint(pictures, SegType::Semantic, String::new(), true, rng).unwrap();
            assert!(sample.query_mask.pixels().all(|pixel| pixel.0 == [0; 3]));
            assert!(
                sample.prompts[0]
                    .mask
                    .pixels()
                    .any(|pixel| pixel.0 != [0; 3])
            );
        }
        let same = vec![striped(), striped()];
        let rng = &mut Rng::new(0);
        assert!(paint(same, SegType::Semantic, String::new(), true, rng).is_none());
    }
}
