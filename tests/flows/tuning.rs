//! A tuned prompt, through the nodes that take any other.

use std::{fs, path::Path};

use image::imageops::{FilterType, resize};
use seggpt_tests::{Scratch, ground};

use crate::words;

/// How far the raw outputs are from the truth, 0 to 1.
fn distance(scratch: &Scratch, out: &str, queries: &[u32]) -> f64 {
    let mut sum = 0.0;
    for n in queries {
        let open = |path: &Path| image::open(path).unwrap().into_rgb8();
        let raw = open(&scratch.path(format!("{out}/ground_{n}.raw.png")));
        let truth = open(&ground(&format!("ground_{n}_pebbles.png")));
        let (width, height) = raw.dimensions();
        let truth = resize(&truth, width, height, FilterType::Nearest);
        let pixels = raw.as_raw().iter().zip(truth.as_raw());
        let apart: f64 = pixels.map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
        sum += apart / (255.0 * raw.as_raw().len() as f64);
    }
    sum / queries.len() as f64
}

#[test]
fn a_prompt_is_tuned_and_guides_a_flow_better_than_the_one_that_it_began_as() {
    let scratch = Scratch::new();
    fs::write(
        scratch.path("train.yml"),
        "network: {preset: small, image_size: 48, width: 64, depth: 2, heads: 2, mlp_width: 64, decoder_width: 8, \
         kept_blocks: [1], stem_width: 24}\nstages: [{steps: 20, size: 48, batch: 2}]\n\
         validation: {every: 20, samples: 4}\n",
    )
    .unwrap();
    scratch
        .seggpt(words("train train.yml --out run --device cpu"))
        .expect_code(0);
    fs::create_dir(scratch.path("library")).unwrap();
    let lines: String = (1..=6)
        .map(|n| {
            let (image, mask) = (format!("ground_{n}.jpg"), format!("ground_{n}_pebbles.png"));
            for file in [&image, &mask] {
                fs::copy(ground(file), scratch.path("library").join(file)).unwrap();
            }
            format!("  - {{image: {image}, mask: {mask}}}\n")
        })
        .collect();
    fs::write(
        scratch.path("library/prompts.yml"),
        format!("type: semantic\nprompts:\n{lines}"),
    )
    .unwrap();
    let tune =
        "tune --model run/best.safetensors --prompts library --out tuned --steps 40 --device cpu";
    let said = scratch.seggpt(words(tune)).expect_code(0).said();
    assert!(said.contains("40 of 40 steps"), "{said}");

    // Held out: the second of the library and every fourth after it.
    let queries = [2, 6];
    for library in ["library", "tuned"] {
        let line = format!(
            "segment --no-report --raw --model run/best.safetensors --prompts {library} --out masks-{library} --device cpu"
        );
        let files = queries.map(|n| ground(&format!("ground_{n}.png")).display().to_string());
        scratch
            .seggpt(words(&line).into_iter().chain(files))
            .expect_code(0);
    }
    let (before, after) = (
        distance(&scratch, "masks-library", &queries),
        distance(&scratch, "masks-tuned", &queries),
    );
    assert!(after < 0.9 * before, "{before} to {after}");
}
