//! A run knows what it is: the same command goes on, another one is refused and told what differs.

use std::fs;

use seggpt_tests::{Scratch, root};

/// A ready flow, wherever it stands, with its results in `out`.
fn folder_flow(scratch: &Scratch, name: &str, change: (&str, &str)) -> String {
    let text = fs::read_to_string(root().join("dataflows/folder.yml")).unwrap();
    let out = scratch.path("out").display().to_string();
    let text = text
        .replace("../out/folder", &out)
        .replace("../tests", &root().join("tests").display().to_string());
    assert!(text.contains(change.0), "{}", change.0);
    let file = scratch.path(name);
    fs::write(&file, text.replace(change.0, change.1)).unwrap();
    file.display().to_string()
}

const SWAP: (&str, &str) = (
    "path: seggpt-ensemble-feature",
    "path: seggpt-ensemble-spatial",
);

#[test]
fn a_swapped_ensemble_is_refused_with_the_difference_and_makes_new_masks_when_the_old_may_go() {
    let scratch = Scratch::new();
    let first = folder_flow(&scratch, "first.yml", ("K: 2", "K: 2"));
    scratch.seggpt(["run", &first]).expect_code(0);
    let journal = || fs::read(scratch.path("out/.seggpt/journal.jsonl")).unwrap();
    let before = journal();
    scratch
        .seggpt(["run", &first])
        .expect_code(0)
        .expect_text("nothing was left to do");
    assert_eq!(journal(), before);

    let swapped = folder_flow(&scratch, "swapped.yml", SWAP);
    scratch
        .seggpt(["run", &swapped])
        .expect_code(2)
        .expect_text("seggpt-ensemble-feature -> seggpt-ensemble-spatial");
    assert_eq!(journal(), before);
    assert_eq!(
        scratch.report("out")["items"][0]["provenance"]["ensemble"],
        "feature"
    );

    scratch
        .seggpt(["run", &swapped, "--replace"])
        .expect_code(0);
    let items = scratch.report("out");
    for item in items["items"].as_array().unwrap() {
        assert_eq!(item["provenance"]["ensemble"], "spatial");
    }
    let kept = fs::read_dir(scratch.path("out/.seggpt/replaced")).unwrap();
    let kept = kept.map(|entry| entry.unwrap().path()).next().unwrap();
    assert_eq!(
        fs::read(kept.join(".seggpt/journal.jsonl")).unwrap(),
        before
    );
    assert!(kept.join("ground_3.mask.png").is_file());
}

#[test]
fn a_misspelt_setting_and_a_wrong_value_start_nothing() {
    let scratch = Scratch::new();
    let flow = folder_flow(&scratch, "a.yml", ("SELECT: nearest", "SELCT: nearest"));
    scratch
        .seggpt(["run", &flow])
        .expect_code(2)
        .expect_text("did you mean SELECT?");
    let flow = folder_flow(&scratch, "b.yml", ("K: 2", "K: none"));
    scratch
        .seggpt(["run", &flow])
        .expect_code(2)
        .expect_text("`prompts`");
    scratch
        .seggpt(["run", &flow, "--set", "infer.CUT=2"])
        .expect_code(2);
    assert!(!scratch.path("out").exists());
}

#[test]
fn a_constant_key_in_a_dataflow_is_a_warning() {
    let scratch = Scratch::new();
    let flow = folder_flow(
        &scratch,
        "a.yml",
        ("  MODEL: default", "  MODEL: default\n  RUN_KEY: one"),
    );
    scratch
        .seggpt(["run", &flow])
        .expect_code(0)
        .expect_text("RUN_KEY is made from the settings");
    let journal = fs::read_to_string(scratch.path("out/.seggpt/journal.jsonl")).unwrap();
    assert!(journal.contains("\"key\":\"run-"), "{journal}");
}

#[test]
fn two_folders_into_one_are_never_mixed() {
    let scratch = Scratch::new();
    let example = |n: u32| root().join(format!("tests/fixtures/ground/ground_{n}.png"));
    for (folder, n) in [("a", 3), ("b", 4)] {
        fs::create_dir(scratch.path(folder)).unwrap();
        fs::copy(example(n), scratch.path(folder).join("x.png")).unwrap();
    }
    let prompt = format!(
        "{}={}",
        example(1).display(),
        root()
            .join("tests/fixtures/ground/ground_1_pebbles.png")
            .display()
    );
    let segment = |folder| {
        scratch.seggpt([
            "segment",
            "--model",
            "untrained-tiny",
            "--prompt",
            &prompt,
            "--out",
            "out",
            folder,
        ])
    };
    segment("a").expect_code(0);
    let mask = || fs::read(scratch.path("out/x.mask.png")).unwrap();
    let before = mask();
    segment("b").expect_text("a/x.png");
    assert_eq!(mask(), before);
}
