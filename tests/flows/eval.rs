//! Benchmarks through the dataflow that users run: scores must be those of the masks that `segment` writes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use seggpt_tests::{Scratch, ground, root, shared_data};
use serde_json::Value;

use crate::{text, words};

/// Pictures and masks of pebbles in the layout of `--images` and `--truth`.
fn pictures(scratch: &Scratch, numbers: &[u32]) {
    for part in ["images", "masks"] {
        fs::create_dir_all(scratch.path(part)).unwrap();
    }
    for n in numbers {
        let to = |part: &str| scratch.path(part).join(format!("ground_{n}.png"));
        fs::copy(ground(&format!("ground_{n}.png")), to("images")).unwrap();
        fs::copy(ground(&format!("ground_{n}_pebbles.png")), to("masks")).unwrap();
    }
}

fn arguments(options: &str) -> Vec<String> {
    let prompt = format!(
        "--prompt={}={}",
        text(ground("ground_1.png")),
        text(ground("ground_1_pebbles.png"))
    );
    let mut all = words("eval --out out --model untrained-tiny --images images --truth masks");
    all.push(prompt);
    all.extend(words(options));
    all
}

fn scores(scratch: &Scratch) -> Value {
    let text = fs::read_to_string(scratch.path("out/scores.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Intersection and union of white in two pictures of masks.
fn overlap(prediction: &Path, truth: &Path) -> (u64, u64) {
    let white = |path: &Path| image::open(path).unwrap().to_luma8();
    // Palette files open as colours: whatever is not black is the class.
    let (prediction, truth) = (white(prediction), white(truth));
    assert_eq!(prediction.dimensions(), truth.dimensions());
    let pairs = prediction.pixels().zip(truth.pixels());
    pairs.fold((0, 0), |(both, either), (p, t)| {
        let (p, t) = (p.0[0] > 0, t.0[0] > 0);
        (both + u64::from(p && t), either + u64::from(p || t))
    })
}

#[test]
fn a_score_is_that_of_the_masks_that_segment_writes() {
    let scratch = Scratch::new();
    pictures(&scratch, &[3, 4, 6]);
    scratch
        .seggpt(arguments("--eval-size 0"))
        .expect_code(0)
        .expect_text("queries");
    let prompt = format!(
        "{}={}",
        text(ground("ground_1.png")),
        text(ground("ground_1_pebbles.png"))
    );
    let line = words("segment --no-report --mask ids --out masked --model untrained-tiny --prompt");
    scratch
        .seggpt(line.into_iter().chain([prompt, "images".into()]))
        .expect_code(0);
    let (mut both, mut either) = (0, 0);
    for n in [3, 4, 6] {
        let found = overlap(
            &scratch.path(format!("masked/ground_{n}.mask.png")),
            &scratch.path(format!("masks/ground_{n}.png")),
        );
        both += found.0;
        either += found.1;
    }
    let score = scores(&scratch)[0]["sets"][0]["score"].as_f64().unwrap();
    // A number in JSON is read to its last digit but one.
    assert!((score - both as f64 / either as f64).abs() < 1e-12);
    assert!(scratch.path("out/report.html").exists());
}

#[test]
fn every_combination_is_a_row_and_baselines_stand_beside_them() {
    let scratch = Scratch::new();
    let folder = text(root().join("crates/datasets/tests/fixtures/datasets/folder-videos"));
    let line = "eval --out out --model untrained-tiny --ensemble feature,vote,spatial --select coverage,nearest --baselines";
    let said = scratch
        .seggpt(words(line).into_iter().chain([folder]))
        .expect_code(0)
        .said();
    for row in [
        "untrained-tiny-feature-coverage-k1",
        "untrained-tiny-vote-nearest-k1",
        "untrained-tiny-spatial-coverage-k1",
        "forest",
    ] {
        assert!(said.contains(row), "{row}:\n{said}");
    }
    let rows = scores(&scratch);
    assert_eq!(rows.as_array().unwrap().len(), 3 * 2 + 3);
    for row in rows.as_array().unwrap() {
        assert_eq!(row["sets"][0]["queries"], row["sets"][0]["scored"], "{row}");
    }
}

#[test]
fn episodes_and_videos_go_through_the_same_flow() {
    let scratch = Scratch::new();
    let sets = ["davis", "fss"].map(|name| {
        text(
            root()
                .join("crates/datasets/tests/fixtures/datasets")
                .join(name),
        )
    });
    let line = words("eval --out out --model untrained-tiny --k 2");
    scratch.seggpt(line.into_iter().chain(sets)).expect_code(0);
    let row = &scores(&scratch)[0];
    let measure = |set: usize, name: &str| {
        let all = row["sets"][set]["measures"].as_array().unwrap();
        all.iter().any(|pair| pair[0] == name)
    };
    assert!(
        measure(0, "J") && measure(0, "F") && measure(1, "FB-IoU"),
        "{row}"
    );
}

/// The journal of a row that has one key.
fn journal(scratch: &Scratch, row: &str) -> PathBuf {
    let mut keys = fs::read_dir(scratch.path("out/rows").join(row)).unwrap();
    let folder = keys.next().unwrap().unwrap().path();
    assert!(keys.next().is_none(), "{row} has one key");
    seggpt_store::journal_path(&folder)
}

#[test]
fn first_frames_and_memory_are_two_rows_of_a_table() {
    let scratch = Scratch::new();
    let set = text(root().join("crates/datasets/tests/fixtures/datasets/davis"));
    let line = words("eval --out out --model untrained-tiny --select fixed,memory");
    let said = scratch
        .seggpt(line.into_iter().chain([set]))
        .expect_code(0)
        .said();
    assert_eq!(scores(&scratch).as_array().unwrap().len(), 2);
    let prompts = |select: &str| -> Vec<Value> {
        let row = format!("untrained-tiny-feature-{select}-k1");
        assert!(said.contains(&row), "{row}:\n{said}");
        let journal = journal(&scratch, &row);
        let text = fs::read_to_string(journal).unwrap();
        let lines = text.lines().skip(1).map(serde_json::from_str::<Value>);
        lines.map(|line| line.unwrap()["prompts"].clone()).collect()
    };
    assert_eq!(prompts("fixed")[1], serde_json::json!(["goat/00000"]));
    let last = serde_json::json!(["goat/00000", "goat/00001"]);
    assert_eq!(prompts("memory")[1], last);

    let folder = text(root().join("crates/datasets/tests/fixtures/datasets/folder"));
    let line = words("eval --out elsewhere --model untrained-tiny --select memory");
    scratch
        .seggpt(line.into_iter().chain([folder]))
        .expect_code(2)
        .expect_text("is for videos");
}

#[test]
fn an_interrupted_row_goes_on() {
    let scratch = Scratch::new();
    pictures(&scratch, &[3, 4, 6]);
    scratch.seggpt(arguments("")).expect_code(0);
    let whole = scores(&scratch);
    let journal = journal(&scratch, "untrained-tiny-feature-coverage-k1");
    let before = fs::read_to_string(&journal).unwrap();
    let kept: Vec<&str> = before.lines().take(2).collect();
    fs::write(&journal, kept.join("\n") + "\n{\"item\":").unwrap();
    scratch.seggpt(arguments("")).expect_code(0);
    assert_eq!(
        fs::read_to_string(&journal).unwrap().lines().count(),
        before.lines().count() + 1,
        "the torn line is ended, and stays"
    );
    let sets = |scores: &Value| scores[0]["sets"].clone();
    assert_eq!(sets(&whole), sets(&scores(&scratch)));
    assert!(
        fs::read_to_string(&journal)
            .unwrap()
            .starts_with(&(kept.join("\n") + "\n"))
    );
}

#[test]
fn what_cannot_be_evaluated_is_said_before_anything_starts() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("empty")).unwrap();
    let said = scratch
        .seggpt(words("eval --out out --model untrained-tiny empty"))
        .expect_code(2)
        .expect_text("not a data set");
    drop(said);
    scratch
        .seggpt(words("eval --out out --model untrained-tiny nowhere"))
        .expect_code(2)
        .expect_text("there is no nowhere");
    assert!(!scratch.path("out").exists());
}

#[test]
fn a_picture_that_cannot_be_read_fails_alone() {
    let scratch = Scratch::new();
    pictures(&scratch, &[3, 4]);
    fs::write(scratch.path("images/ground_4.png"), "no picture").unwrap();
    scratch
        .seggpt(arguments(""))
        .expect_code(1)
        .expect_text("ground_4");
    assert_eq!(scores(&scratch)[0]["sets"][0]["scored"], 1);
}

#[test]
#[ignore = "needs ../shared/data/eval"]
fn real_sets_are_evaluated() {
    let folder = shared_data("eval/bloodcells");
    let scratch = Scratch::new();
    let line = words("eval --out out --model untrained-tiny --stride 8");
    scratch
        .seggpt(line.into_iter().chain([text(folder)]))
        .expect_code(0);
    assert_eq!(
        scores(&scratch)[0]["sets"][0]["parts"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

/// Copies a folder of a sample.
fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copied(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Real pictures in the layouts of VOC, COCO and DAVIS, in folders of these names.
fn published(scratch: &Scratch) -> Vec<String> {
    let formats = shared_data("formats");
    let copy = |from: &str, to: &str| copied(&formats.join(from), &scratch.path(to));
    copy("voc/instance_segmentation", "voc");
    copy("coco-instances/rle/images", "coco/images");
    let objects = formats.join("coco-instances/rle/panoptic_coco_detection_format.json");
    fs::copy(objects, scratch.path("coco/instances.json")).unwrap();
    copy("coco-panoptic/val2017", "panoptic");
    // The masks of 2016 are black and white; those of 2017 tell objects apart.
    for (year, masks) in [
        ("davis2016", "Annotations2016/480p"),
        ("davis2017", "Results"),
    ] {
        copy("davis/JPEGImages", &format!("{year}/JPEGImages"));
        copy(
            &format!("davis/{masks}"),
            &format!("{year}/Annotations/480p"),
        );
    }
    copy("davis/ImageSets", "davis2017/ImageSets");
    fs::create_dir_all(scratch.path("davis2016/ImageSets/480p")).unwrap();
    let frames = ["bmx-trees", "soapbox"].map(|video| {
        format!("/JPEGImages/480p/{video}/00000.jpg /Annotations/480p/{video}/00000.png\n")
    });
    fs::write(
        scratch.path("davis2016/ImageSets/480p/val.txt"),
        frames.concat(),
    )
    .unwrap();
    words("voc coco panoptic davis2016 davis2017")
}

#[test]
#[ignore = "needs ../shared/data/formats"]
fn real_pictures_in_published_layouts_are_evaluated() {
    let scratch = Scratch::new();
    let sets = published(&scratch);
    let line = words("eval --out out --model untrained-tiny --episodes 4");
    scratch.seggpt(line.into_iter().chain(sets)).expect_code(0);
    let rows = scores(&scratch);
    for row in rows.as_array().unwrap() {
        let sets = row["sets"].as_array().unwrap();
        let named = sets.iter().map(|set| {
            assert_eq!(set["queries"], set["scored"], "{set}");
            assert!(set["score"].is_f64(), "{set}");
            (
                set["set"].as_str().unwrap(),
                set["measure"].as_str().unwrap(),
                set["queries"].as_u64().unwrap(),
            )
        });
        assert_eq!(
            named.collect::<Vec<_>>(),
            [
                ("voc fold 2", "mIoU", 4),
                ("instances fold 0", "mIoU", 4),
                ("panoptic_val2017", "PQ", 6),
                ("DAVIS 2016 val", "J&F", 8),
                ("DAVIS 2017 val", "J&F", 8),
            ],
            "{}",
            row["row"]
        );
    }
}

#[test]
fn old_options_are_accepted_with_a_warning_and_mean_what_the_new_ones_do() {
    let scratch = Scratch::new();
    pictures(&scratch, &[3, 4, 6]);
    let flow = |options: &str| {
        let ran = scratch.seggpt(arguments(&format!("{options} --print-dataflow")));
        ran.expect_code(0)
    };
    let new = flow("--stride 2 --offset 1 --eval-size 0 --threshold 0.3 --refine forest");
    let old = flow("--every 2 --skip 1 --side 0 --cut 0.3 --refine pixels");
    assert_eq!(old.said(), new.said());
    assert!(new.said().contains("THRESHOLD") && !new.text().contains("warning"));
    for text in [
        "`--every` is called `--stride` now",
        "`--refine forest` now",
    ] {
        assert!(old.text().contains(text), "{}", old.text());
    }
}
