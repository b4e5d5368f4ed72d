//! Thirty real pictures with 1, 4 and 9 prompts under both engines; needs the evaluation pack.

use std::{fs, path::PathBuf};

use seggpt_tests::{Scratch, shared_data, stock_dora};

use crate::{stock::printed, text, words};

/// Prompt pairs and query pictures of a set of the evaluation pack.
fn pack(set: &str, prompts: usize, queries: usize) -> (Vec<String>, Vec<String>) {
    let folder = shared_data("eval").join(set);
    let split = fs::read_to_string(folder.join("split.tsv")).unwrap();
    let named = |kind: &str| {
        split
            .lines()
            .filter_map(|l| l.split_once('\t'))
            .filter(|(_, k)| *k == kind)
            .map(|(n, _)| n.to_owned())
            .collect::<Vec<_>>()
    };
    let picture = |name: &str| -> PathBuf {
        let paths = ["jpg", "png"].map(|e| folder.join(format!("images/{name}.{e}")));
        paths
            .into_iter()
            .find(|path| path.exists())
            .unwrap_or_else(|| panic!("{set}: no picture {name}"))
    };
    let (examples, rest) = (named("prompt"), named("query"));
    let pairs = examples.iter().chain(&rest).take(prompts).flat_map(|name| {
        let mask = folder.join(format!("masks/{name}.png"));
        [
            "--prompt".to_owned(),
            format!("{}={}", picture(name).display(), mask.display()),
        ]
    });
    (
        pairs.collect(),
        rest.iter()
            .rev()
            .take(queries)
            .map(|name| text(picture(name)))
            .collect(),
    )
}

fn arguments(set: &str, k: usize, options: &str) -> Vec<String> {
    let (prompts, queries) = pack(set, 9, 30);
    assert_eq!(queries.len(), 30);
    let common = words(&format!(
        "segment --no-report --out out --model untrained-tiny --k {k} {options}"
    ));
    common.into_iter().chain(prompts).chain(queries).collect()
}

/// Under our engine, and the same dataflow under the stock one.
fn thirty(set: &str, k: usize, options: &str) {
    let arguments = arguments(set, k, options);
    let scratch = Scratch::new();
    scratch.seggpt(arguments.clone()).expect_code(0);
    assert_done(&scratch);
    if let Some(dora) = stock_dora() {
        let scratch = Scratch::new();
        let print = arguments.into_iter().chain(["--print-dataflow".into()]);
        let flow = printed(&scratch, print);
        scratch.dora_run(&dora, &flow).expect_code(0);
        assert_done(&scratch);
    }
}

fn assert_done(scratch: &Scratch) {
    let report = scratch.report("out");
    let items = report["items"].as_array().unwrap();
    assert_eq!(items.len(), 30);
    for item in items {
        assert_eq!(item["status"], "done", "{item}");
        assert!(
            scratch
                .path("out")
                .join(item["files"]["mask"].as_str().unwrap())
                .exists()
        );
    }
}

#[test]
#[ignore = "needs ../shared/data/eval"]
fn one_fixed_prompt_with_the_feature_ensemble() {
    thirty("nuclei", 1, "--ensemble feature --select fixed");
}

#[test]
#[ignore = "needs ../shared/data/eval"]
fn four_nearest_prompts_with_the_feature_ensemble() {
    thirty("cityland", 4, "--ensemble feature --select nearest");
}

#[test]
#[ignore = "needs ../shared/data/eval"]
fn nine_random_prompts_with_the_feature_ensemble() {
    thirty("bloodcells", 9, "--ensemble feature --select random");
}

#[test]
#[ignore = "needs ../shared/data/eval"]
fn one_nearest_prompt_with_the_spatial_ensemble() {
    thirty("roads", 1, "--ensemble spatial --select nearest");
}

#[test]
#[ignore = "needs ../shared/data/eval"]
fn four_random_prompts_with_the_spatial_ensemble() {
    thirty("camvid", 4, "--ensemble spatial --select random");
}

#[test]
#[ignore = "needs ../shared/data/eval"]
fn nine_fixed_prompts_with_the_spatial_ensemble() {
    thirty("cropweed", 9, "--ensemble spatial --select fixed");
}

#[test]
#[ignore = "needs ../shared/data/eval"]
fn one_random_prompt_with_the_voting_ensemble() {
    thirty("coco", 1, "--ensemble vote --select random");
}

#[test]
#[ignore = "needs ../shared/data/eval"]
fn four_fixed_prompts_with_the_voting_ensemble() {
    thirty("clothing", 4, "--ensemble vote --select fixed");
}

#[test]
#[ignore = "needs ../shared/data/eval"]
fn nine_nearest_prompts_with_the_voting_ensemble() {
    thirty("nuclei", 9, "--ensemble vote --select nearest");
}
