use seggpt_imaging::{
    RgbImage,
    descriptor::{LENGTH, descriptor, similarity},
    read,
};

use crate::common::ground;

#[test]
fn a_descriptor_has_length_one_and_is_the_same_every_time() {
    let picture = read::open(ground("ground_1.jpg")).unwrap();
    let (first, again) = (descriptor(&picture), descriptor(&picture));
    assert_eq!(first.len(), LENGTH);
    assert_eq!(first, again);
    assert!((similarity(&first, &first) - 1.0).abs() < 1e-5);
}

#[test]
fn any_picture_has_one_even_a_black_pixel() {
    let black = descriptor(&RgbImage::new(1, 1));
    assert!(black.iter().all(|value| value.is_finite()));
    assert!((similarity(&black, &black) - 1.0).abs() < 1e-5);
}

#[test]
fn the_same_picture_smaller_is_nearer_than_any_other_picture() {
    let all: Vec<RgbImage> = (1..=6)
        .map(|n| read::open(ground(&format!("ground_{n}.jpg"))).unwrap())
        .collect();
    for (own, picture) in all.iter().enumerate() {
        let reduced = seggpt_imaging::resize::bicubic(picture, 150, 110);
        let query = descriptor(&reduced);
        let best = (0..all.len())
            .max_by(|&a, &b| {
                let near = |n: usize| similarity(&query, &descriptor(&all[n]));
                near(a).total_cmp(&near(b))
            })
            .unwrap();
        assert_eq!(best, own);
    }
}
