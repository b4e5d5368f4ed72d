use image::Rgb;
use seggpt_benchmark::{
    BenchmarkError,
    baselines::{Baseline, ColorNeighbours, CopiedMask, Example, Forest},
};
use seggpt_imaging::{IGNORE, LabelPlane, RgbImage};
use seggpt_metrics::ClassAreas;

use crate::plane;

const SIDE: u32 = 48;

/// A disk on a ground; the disk is a fine checkerboard of the two shades that the ground is a coarse
/// one of, so that single colours say nothing.
fn textured(shift: u32) -> (RgbImage, LabelPlane) {
    let inside =
        |x: u32, y: u32| (x as i32 - 20 - shift as i32).pow(2) + (y as i32 - 24).pow(2) < 200;
    let picture = RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let cell = if inside(x, y) { x + y } else { x / 6 + y / 6 };
        image_rgb(if cell.is_multiple_of(2) { 90 } else { 160 })
    });
    let labels = (0..SIDE * SIDE).map(|at| if inside(at % SIDE, at / SIDE) { 3 } else { 0 });
    (
        picture,
        plane(
            (SIDE as usize, SIDE as usize),
            &labels.collect::<Vec<u16>>(),
        ),
    )
}

fn image_rgb(grey: u8) -> Rgb<u8> {
    Rgb([grey; 3])
}

fn coloured(shift: u32) -> (RgbImage, LabelPlane) {
    let (mut picture, labels) = textured(shift);
    for (pixel, &label) in picture.pixels_mut().zip(labels.values()) {
        let noise = pixel.0[0] / 8;
        pixel.0 = if label == 3 {
            [200 + noise, 60, 40]
        } else {
            [60, 150 + noise, 40]
        };
    }
    (picture, labels)
}

fn iou(
    baseline: &dyn Baseline,
    prompt: (RgbImage, LabelPlane),
    query: (RgbImage, LabelPlane),
) -> f64 {
    let (picture, labels) = prompt;
    let fitted = baseline.fit(&[Example { picture, labels }]).unwrap();
    let mut areas = ClassAreas::new([3]);
    areas.add(&fitted.predict(&query.0), &query.1).unwrap();
    areas.finish().mean_iou.unwrap()
}

#[test]
fn a_copied_mask_is_right_where_nothing_moved() {
    assert_eq!(iou(&CopiedMask, coloured(0), coloured(0)), 1.0);
    assert!(iou(&CopiedMask, coloured(0), coloured(9)) < 0.6);
}

#[test]
fn colours_are_found_wherever_they_went_and_textures_are_not() {
    assert_eq!(
        iou(&ColorNeighbours::default(), coloured(0), coloured(9)),
        1.0
    );
    assert!(iou(&ColorNeighbours::default(), textured(0), textured(9)) < 0.5);
}

#[test]
fn the_forest_finds_textures() {
    let found = iou(&Forest::default(), textured(0), textured(9));
    assert!(found > 0.8, "{found}");
}

#[test]
fn the_forest_predicts_the_same_from_the_same_seed() {
    let (picture, labels) = textured(0);
    let example = [Example { picture, labels }];
    let prediction = |seed| {
        let forest = Forest {
            trees: 5,
            seed,
            ..Forest::default()
        };
        forest.fit(&example).unwrap().predict(&textured(9).0)
    };
    assert_eq!(prediction(1), prediction(1));
    assert_ne!(prediction(1), prediction(2));
}

#[test]
fn prompts_that_teach_nothing_are_refused() {
    let (picture, labels) = textured(0);
    let blank = Example {
        picture: picture.clone(),
        labels: labels.map(|_| IGNORE),
    };
    let small = Example {
        picture,
        labels: plane((1, 1), &[0]),
    };
    for baseline in [
        &CopiedMask as &dyn Baseline,
        &ColorNeighbours::default(),
        &Forest::default(),
    ] {
        for prompts in [vec![], vec![blank.clone()], vec![small.clone()]] {
            assert!(matches!(
                baseline.fit(&prompts),
                Err(BenchmarkError::Fit { .. })
            ));
        }
    }
}
