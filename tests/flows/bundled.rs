//! The bundled model segments what it was shown, by the command as users type it.

use image::{GrayImage, RgbImage};
use seggpt_tests::{Scratch, ground};

use crate::{pebbles, text, words};

/// IoU of the pebbles found in a picture with those that are there, after one example.
fn iou(query: &str, options: &str) -> f64 {
    let scratch = Scratch::new();
    let line = words("segment --no-report --mask ids --out out");
    let picture = [text(ground(&format!("{query}.png")))];
    let arguments = [line, pebbles(&[1]), words(options), picture.to_vec()].concat();
    scratch.seggpt(arguments).expect_code(0);
    let open = |path| image::open(path).expect("it was written");
    let found: GrayImage = open(scratch.path(format!("out/{query}.mask.png"))).to_luma8();
    let truth: RgbImage = open(ground(&format!("{query}_pebbles.png"))).to_rgb8();
    let (mut both, mut either) = (0.0, 0.0);
    for (found, truth) in found.pixels().zip(truth.pixels()) {
        let (found, truth) = (found[0] > 0, truth[0] > 127);
        both += f64::from(u8::from(found && truth));
        either += f64::from(u8::from(found || truth));
    }
    both / either
}

#[test]
fn pebbles_are_found_after_one_example() {
    for query in ["ground_2", "ground_4", "ground_6"] {
        let iou = iou(query, "");
        assert!(iou > 0.85, "{query}: {iou}");
    }
}

#[test]
fn the_network_alone_finds_them_more_roughly() {
    let iou = iou("ground_2", "--refine none");
    assert!((0.7..0.95).contains(&iou), "{iou}");
}
