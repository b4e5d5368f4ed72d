//! From picture files to the raw output, through the whole flow, against that of the original code.

use image::RgbImage;
use seggpt_tests::{Scratch, ground, root};

use crate::{pebbles, prompt, text, words};

fn raw(arguments: Vec<String>, query: &str) -> RgbImage {
    let scratch = Scratch::new();
    let common = words("segment --raw --no-report --out out --model untrained-tiny");
    let all = common
        .into_iter()
        .chain(arguments)
        .chain([text(ground(query))]);
    scratch.seggpt(all).expect_code(0);
    let stem = query.split('.').next().unwrap();
    image::open(scratch.path(format!("out/{stem}.raw.png")))
        .unwrap()
        .to_rgb8()
}

/// Largest and mean difference in levels from the unrounded answer.
fn difference(output: &RgbImage, golden: &str) -> (f32, f32) {
    let path = root().join(format!("tests/golden/seggpt-tiny/{golden}.painted.npy"));
    let npy = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let values = output.len();
    let golden = npy[npy.len() - 4 * values..]
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let differences: Vec<f32> = output
        .iter()
        .zip(golden)
        .map(|(&a, b)| (f32::from(a) - b).abs())
        .collect();
    (
        differences.iter().copied().fold(0.0, f32::max),
        differences.iter().sum::<f32>() / values as f32,
    )
}

#[test]
fn one_prompt_instance_from_png_files() {
    let output = raw(
        pebbles(&[1])
            .into_iter()
            .chain(words("--type instance"))
            .collect(),
        "ground_3.png",
    );
    let (most, mean) = difference(&output, "ground_3_from_1");
    assert!(
        most <= 1.0 && mean <= 0.3,
        "{most} at most, {mean} on average"
    );
}

#[test]
fn two_prompts_semantic_from_jpeg_files() {
    let prompts = [1, 2].into_iter().flat_map(|n| {
        prompt(
            &format!("ground_{n}.jpg"),
            &format!("ground_{n}_pebbles.png"),
        )
    });
    let output = raw(
        prompts
            .chain(words("--type semantic --ensemble feature"))
            .collect(),
        "ground_4.jpg",
    );
    let (most, mean) = difference(&output, "ground_4jpg_from_1_2jpg");
    assert!(most <= 2.0, "{most} at most, {mean} on average");
}

#[test]
fn three_prompts_with_palette_masks() {
    let prompts = (1..=3).flat_map(|n| {
        prompt(
            &format!("ground_{n}.png"),
            &format!("ground_{n}_classes.png"),
        )
    });
    let output = raw(
        prompts
            .chain(words("--type instance --ensemble feature"))
            .collect(),
        "ground_6.png",
    );
    let (most, mean) = difference(&output, "ground_6_from_1_2_3_classes");
    assert!(
        most <= 1.0 && mean <= 0.3,
        "{most} at most, {mean} on average"
    );
}
