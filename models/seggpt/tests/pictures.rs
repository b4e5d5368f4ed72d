//! The whole path, from picture files to painted answers, against the original engine's answers on the golden weights.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{golden, root, tiny};
use seggpt::{Device, Ensemble, SegType, Tensor, pixels};
use seggpt_imaging::{read, resize};

/// Edge of the golden network's pictures.
const SIZE: u32 = 64;

/// How far painted colours may lie from the original's, in levels of 255.
struct Tolerance {
    anywhere: f32,
    on_average: f32,
}

const PNG: Tolerance = Tolerance {
    anywhere: 1.0,
    on_average: 0.3,
};
/// Decoders of JPEG may differ by a level.
const JPEG: Tolerance = Tolerance {
    anywhere: 2.0,
    on_average: 0.3,
};

fn squares(
    paths: &[PathBuf],
    resize: fn(&seggpt_imaging::RgbImage, u32, u32) -> seggpt_imaging::RgbImage,
) -> Tensor {
    let bytes: Vec<u8> = paths
        .iter()
        .flat_map(|path| resize(&read::open(path).unwrap(), SIZE, SIZE).into_raw())
        .collect();
    pixels::normalise(
        &bytes,
        paths.len(),
        SIZE as usize,
        SIZE as usize,
        &Device::Cpu,
    )
    .unwrap()
}

/// Paints `query` from (picture, mask) prompts, one feature ensemble.
fn paint(query: PathBuf, prompts: &[(PathBuf, PathBuf)], kind: SegType) -> Vec<f32> {
    let (pictures, masks): (Vec<_>, Vec<_>) = prompts.iter().cloned().unzip();
    let network = tiny();
    let (pictures, masks) = (
        squares(&pictures, resize::bicubic),
        squares(&masks, resize::nearest_rgb),
    );
    let prompts = network
        .prepare(&pictures, &masks, kind, Ensemble::Feature)
        .unwrap();
    let answer = network
        .forward(&squares(&[query], resize::bicubic), &prompts)
        .unwrap();
    pixels::painted(&answer).unwrap().remove(0)
}

fn painted_like(found: &[f32], expected: &Path, tolerance: &Tolerance) {
    let file = fs::read(expected).unwrap();
    let length = usize::from(u16::from_le_bytes([file[8], file[9]]));
    let expected: Vec<f32> = file[10 + length..]
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    assert_eq!(found.len(), expected.len());
    let differences: Vec<f32> = found
        .iter()
        .zip(&expected)
        .map(|(a, b)| (a - b).abs())
        .collect();
    let worst = differences.iter().copied().fold(0.0, f32::max);
    let mean = differences.iter().sum::<f32>() / differences.len() as f32;
    #[allow(clippy::print_stderr)] // who runs it by hand wants to see them
    {
        eprintln!("worst {worst}, mean {mean}");
    }
    assert!(
        worst <= tolerance.anywhere && mean <= tolerance.on_average,
        "worst {worst}, mean {mean}"
    );
}

fn ground(name: &str) -> PathBuf {
    root("tests/fixtures/ground").join(name)
}

#[test]
fn one_png_prompt_paints_as_the_original() {
    let prompts = [(ground("ground_1.png"), ground("ground_1_pebbles.png"))];
    let painted = paint(ground("ground_3.png"), &prompts, SegType::Instance);
    painted_like(
        &painted,
        &golden("seggpt-tiny/ground_3_from_1.painted.npy"),
        &PNG,
    );
}

#[test]
fn two_jpeg_prompts_paint_as_the_original() {
    let prompts = [1, 2].map(|i| {
        (
            ground(&format!("ground_{i}.jpg")),
            ground(&format!("ground_{i}_pebbles.png")),
        )
    });
    let painted = paint(ground("ground_4.jpg"), &prompts, SegType::Semantic);
    painted_like(
        &painted,
        &golden("seggpt-tiny/ground_4jpg_from_1_2jpg.painted.npy"),
        &JPEG,
    );
}

#[test]
fn three_prompts_with_palette_masks_paint_as_the_original() {
    let prompts = [1, 2, 3].map(|i| {
        (
            ground(&format!("ground_{i}.png")),
            ground(&format!("ground_{i}_classes.png")),
        )
    });
    let painted = paint(ground("ground_6.png"), &prompts, SegType::Instance);
    painted_like(
        &painted,
        &golden("seggpt-tiny/ground_6_from_1_2_3_classes.painted.npy"),
        &PNG,
    );
}

#[test]
#[ignore = "needs ../shared/data/examples"]
fn the_original_repository_s_own_examples_paint_as_the_original() {
    let shared = root("../shared/data");
    let (examples, answers) = (shared.join("examples"), shared.join("golden/seggpt-tiny"));
    let prompt = |i| {
        (
            examples.join(format!("hmbb_{i}.jpg")),
            examples.join(format!("hmbb_{i}_target.png")),
        )
    };
    let one = paint(examples.join("hmbb_2.jpg"), &[prompt(1)], SegType::Instance);
    painted_like(&one, &answers.join("hmbb_2_one_prompt.painted.npy"), &JPEG);
    let two = paint(
        examples.join("hmbb_3.jpg"),
        &[prompt(1), prompt(2)],
        SegType::Instance,
    );
    painted_like(&two, &answers.join("hmbb_3_two_prompts.painted.npy"), &JPEG);
}
