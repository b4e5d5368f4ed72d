#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Parser;
use image::RgbImage;
use seggpt_contract::{Encoding, Failure, Identity, Image, Message, Picture, SegType};
use seggpt_imaging::{
    read,
    resize::{bicubic, nearest_rgb},
};
use seggpt_node::testing::run_with;
use seggpt_prompts::{Selector, Settings, run};

fn ground(name: &str) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/ground");
    fixtures.join(name)
}

fn settings(more: &[&str]) -> Settings {
    let words = ["seggpt-prompts", "--canvas-size", "64"];
    Settings::parse_from(words.iter().chain(more))
}

/// The first pictures with their pebbles.
fn pairs(count: usize) -> String {
    let line = |n| {
        let files = [format!("ground_{n}.png"), format!("ground_{n}_pebbles.png")];
        files
            .map(|file| ground(&file).display().to_string())
            .join("=")
    };
    (1..=count).map(line).collect::<Vec<_>>().join("\n")
}

fn grey(shade: u8) -> Picture {
    Picture::from_rgb(RgbImage::from_pixel(12, 8, image::Rgb([shade; 3])))
}

fn identity(number: u64) -> Identity {
    Identity::new(format!("{number}.png"), number, (12, 8))
}

#[test]
fn examples_are_resized_as_the_network_takes_them() {
    let pairs = pairs(2);
    let mut selector = Selector::load(&settings(&["--prompt-pairs", &pairs, "--k", "2"])).unwrap();
    let prompted = selector.prompt(&identity(0), grey(9)).unwrap();
    let names: Vec<_> = prompted.examples.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["ground_1", "ground_2"]);
    let image = read::open(ground("ground_1.png")).unwrap();
    assert_eq!(prompted.examples[0].image.to_rgb(), bicubic(&image, 64, 64));
    let mask = read::open(ground("ground_1_pebbles.png")).unwrap();
    assert_eq!(
        prompted.examples[0].mask.to_rgb(),
        nearest_rgb(&mask, 64, 64)
    );
    assert_eq!(prompted.kind, SegType::Semantic);
    assert_eq!(prompted.selection, "fixed");
    assert_eq!(prompted.image, grey(9));
}

#[test]
fn the_nearest_example_of_a_picture_is_the_picture_itself() {
    let pairs = pairs(4);
    let words = ["--prompt-pairs", &pairs, "--select", "nearest"];
    let mut selector = Selector::load(&settings(&words)).unwrap();
    for n in 1..=4 {
        let picture = Picture::from_rgb(read::open(ground(&format!("ground_{n}.png"))).unwrap());
        let prompted = selector.prompt(&identity(0), picture).unwrap();
        assert_eq!(prompted.examples.len(), 1);
        assert_eq!(prompted.examples[0].name, format!("ground_{n}"));
        assert!(prompted.examples[0].score > 0.99);
    }
}

#[test]
fn settings_override_what_the_library_says() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["ground_1.png", "ground_1_classes.png"] {
        fs::copy(ground(file), folder.path().join(file)).unwrap();
    }
    let library = "type: instance\nclasses:\n  - {id: 1, name: pebble}\nprompts:\n  - {image: ground_1.png, mask: ground_1_classes.png}\n";
    fs::write(folder.path().join("prompts.yml"), library).unwrap();
    let path = folder.path().to_str().unwrap();
    let prompted = |more: &[&str]| {
        let words: Vec<_> = ["--prompts", path].iter().chain(more).copied().collect();
        let mut selector = Selector::load(&settings(&words)).unwrap();
        selector.prompt(&identity(0), grey(0)).unwrap()
    };
    let plain = prompted(&[]);
    assert_eq!((plain.kind, plain.classes.len()), (SegType::Instance, 1));
    let changed = prompted(&[
        "--type",
        "semantic",
        "--classes",
        "1:stone:#ff0000,2:leaf:#00ff00",
    ]);
    assert_eq!(changed.kind, SegType::Semantic);
    let classes: Vec<_> = changed
        .classes
        .iter()
        .map(|c| (c.id, c.name.as_str(), c.color))
        .collect();
    assert_eq!(
        classes,
        [(1, "stone", [255, 0, 0]), (2, "leaf", [0, 255, 0])]
    );
}

#[test]
fn a_bad_prompt_is_left_out_and_without_any_other_the_node_does_not_start() {
    let [image, mask] =
        ["ground_1.png", "ground_2.png"].map(|file| ground(file).display().to_string());
    let other_size = format!("{image}={}", ground("ground_3_pebbles.png").display());
    let missing = format!("{image}={mask}.not");
    let bad = format!("{other_size}\n{missing}");

    let mixed = format!("{bad}\n{}", pairs(1));
    let mut selector = Selector::load(&settings(&["--prompt-pairs", &mixed, "--k", "3"])).unwrap();
    assert_eq!(
        selector
            .prompt(&identity(0), grey(0))
            .unwrap()
            .examples
            .len(),
        1
    );

    let settings = settings(&["--prompt-pairs", &bad]);
    let error = run_with([], |node, events| run(node, events, settings)).unwrap_err();
    let error = format!("{error:#}");
    assert!(
        error.contains("ground_3_pebbles.png has 900 x 600 pixels"),
        "{error}"
    );
    assert!(error.contains("ground_2.png.not"), "{error}");
}

#[test]
fn examples_must_come_from_one_place() {
    let load = |words: &[&str]| format!("{:#}", Selector::load(&settings(words)).err().unwrap());
    assert!(load(&[]).contains("set PROMPTS"));
    assert!(load(&["--prompts", "x", "--prompt-pairs", "a=b"]).contains("both set"));
    assert!(load(&["--prompts", "nowhere"]).contains("nowhere"));
}

#[test]
fn the_loop_answers_each_item_and_passes_failures_on() {
    let broken = Picture::new(12, 8, Encoding::Jpeg, b"no picture".to_vec()).unwrap();
    let failure = Failure {
        node: "source".into(),
        error: "cannot be read".into(),
    };
    let messages = [
        Message::Item(identity(0), Image(grey(40))),
        Message::Item(identity(1), Image(broken)),
        Message::Failed(identity(2), failure),
        Message::Item(identity(3), Image(grey(80))),
    ];
    let inputs = messages.map(|message| ("image", message.encode().unwrap()));
    let pairs = pairs(2);
    let words = ["--prompt-pairs", &pairs, "--select", "nearest"];
    let sent = run_with(inputs, |node, events| run(node, events, settings(&words))).unwrap();
    assert!(sent.iter().all(|s| s.output == "prompted"));
    assert_eq!(
        sent.iter().map(|s| s.rows.len()).collect::<Vec<_>>(),
        [1, 0, 0, 1]
    );
    assert_eq!(sent[0].rows[0]["selection"], "nearest");
    assert_eq!(sent[0].rows[0]["class_ids"], serde_json::json!([1]));
}

fn told_before_the_start(pairs: &str, dir: &Path) -> Result<(), String> {
    let values = [("PROMPT_PAIRS".to_owned(), pairs.to_owned())].into();
    let check = seggpt_prompts::node_spec().check.unwrap();
    check(&values, dir).map_err(|error| format!("{error:#}"))
}

#[test]
fn comma10k_1952_a_mask_of_another_size_is_told_before_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let save = |name: &str, width: u32| {
        let picture = RgbImage::from_fn(width, 8, |x, _| {
            image::Rgb([if x < 4 { 255 } else { 0 }; 3])
        });
        picture.save(folder.path().join(name)).unwrap();
    };
    save("a.png", 12);
    save("mask.png", 12);
    save("narrow.png", 11);
    assert_eq!(
        told_before_the_start("a.png=mask.png", folder.path()),
        Ok(())
    );
    for pairs in [
        "a.png=narrow.png",
        "a.png=mask.png\na.png=narrow.png",
        "a.png=gone.png",
    ] {
        let error = told_before_the_start(pairs, folder.path()).unwrap_err();
        assert!(
            error.contains("narrow.png has 11 x 8 pixels") || error.contains("gone.png"),
            "{error}"
        );
    }
}
