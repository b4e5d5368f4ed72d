use std::collections::BTreeMap;

use crate::common::{fixture, fixture_bytes, pixels};
use proptest::prelude::*;
use seggpt_imaging::{RgbImage, resize};

/// Every fixture `NAME.FILTER.WxH.png` and the picture `NAME.png` that Pillow made it from.
fn made_by_pillow(filter: &str) -> Vec<(String, RgbImage, RgbImage)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(fixture("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let [source, kind, ..] = name.split('.').collect::<Vec<_>>()[..]
            && kind == filter
        {
            found.push((
                name.clone(),
                pixels(&format!("{source}.png")),
                pixels(&name),
            ));
        }
    }
    assert!(
        found.len() > 10,
        "the fixtures of {filter} are missing: run make.py"
    );
    found
}

#[test]
fn bicubic_is_pillow_to_the_last_bit_in_both_directions() {
    for (name, source, wanted) in made_by_pillow("bicubic") {
        let got = resize::bicubic(&source, wanted.width(), wanted.height());
        let worst = got
            .iter()
            .zip(wanted.iter())
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert_eq!(worst, Some(0), "{name}");
    }
}

#[test]
fn nearest_is_pillow_to_the_last_bit_in_both_directions() {
    for (name, source, wanted) in made_by_pillow("nearest") {
        let got = resize::nearest_rgb(&source, wanted.width(), wanted.height());
        assert!(got == wanted, "{name}");
    }
}

#[test]
fn nearest_picks_the_columns_that_pillow_picks() {
    let table: BTreeMap<String, Vec<usize>> =
        serde_json::from_slice(&fixture_bytes("nearest.json")).unwrap();
    for (sizes, wanted) in table {
        let (from, to) = sizes.split_once('>').unwrap();
        let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
        let ramp: Vec<usize> = (0..from).collect();
        assert_eq!(
            resize::nearest(&ramp, (from, 1), (to, 1)),
            wanted,
            "{sizes}"
        );
    }
}

#[test]
fn a_target_without_pixels_is_empty_and_not_a_panic() {
    let picture = RgbImage::new(4, 4);
    assert_eq!(resize::bicubic(&picture, 0, 5).dimensions(), (0, 5));
    assert_eq!(
        resize::nearest_rgb(&RgbImage::new(0, 0), 2, 1).as_raw(),
        &[0; 6]
    );
}

proptest! {
    #[test]
    fn a_flat_picture_stays_flat(
        color: [u8; 3], w in 1u32..40, h in 1u32..40, to_w in 1u32..60, to_h in 1u32..60,
    ) {
        let picture = RgbImage::from_pixel(w, h, image::Rgb(color));
        let flat = RgbImage::from_pixel(to_w, to_h, image::Rgb(color));
        prop_assert!(resize::bicubic(&picture, to_w, to_h) == flat);
        prop_assert!(resize::nearest_rgb(&picture, to_w, to_h) == flat);
    }

    #[test]
    fn nearest_invents_no_value(
        w in 1usize..30, h in 1usize..30, to_w in 1usize..50, to_h in 1usize..50,
    ) {
        let plane: Vec<usize> = (0..w * h).collect();
        let out = resize::nearest(&plane, (w, h), (to_w, to_h));
        prop_assert_eq!(out.len(), to_w * to_h);
        prop_assert!(out.iter().all(|value| *value < w * h));
        // Rows and columns keep their order.
        prop_assert!(out.chunks(to_w).all(|row| row.is_sorted()));
    }
}
