//! Truths that cannot be counted are refused by name before anything is sent, and those in another form are understood.

use std::{fs, path::Path};

use seggpt_benchmark::{Benchmark, Predictor, Protocol, Source};
use seggpt_imaging::{
    RgbImage,
    write::{grey_png, rgb_png},
};

fn picture(path: &Path, (width, height): (u32, u32)) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, rgb_png(&RgbImage::new(width, height)).unwrap()).unwrap();
}

/// A mask whose first half has one value, the second another.
fn mask(path: &Path, (width, height): (usize, usize), values: [u8; 2]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let half = width * height / 2;
    let value = |at| if at < half { values[0] } else { values[1] };
    let pixels: Vec<u8> = (0..width * height).map(value).collect();
    fs::write(path, grey_png(&pixels, (width, height)).unwrap()).unwrap();
}

/// `images/`, `truth/` and an example.
fn parts(root: &Path, example: [u8; 2], truths: &[[u8; 2]]) -> Source {
    picture(&root.join("p.png"), (8, 4));
    mask(&root.join("p_mask.png"), (8, 4), example);
    for (at, truth) in truths.iter().enumerate() {
        picture(&root.join(format!("images/{at}.png")), (8, 4));
        mask(&root.join(format!("truth/{at}.png")), (8, 4), *truth);
    }
    Source::Parts {
        images: root.join("images"),
        truth: root.join("truth"),
        prompts: vec![(root.join("p.png"), root.join("p_mask.png"))],
    }
}

fn refused(source: Source) -> String {
    let opened = Benchmark::open(&[source], &Protocol::default(), 1);
    opened.err().unwrap().to_string()
}

#[test]
fn black_and_white_truths_go_with_examples_of_ids_and_the_other_way_round() {
    for (example, truth) in [
        ([0, 1], [0, 255]),
        ([0, 255], [0, 1]),
        ([0, 255], [0, 255]),
        ([0, 3], [0, 255]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let source = parts(folder.path(), example, &[truth, [0, 0]]);
        let benchmark = Benchmark::open(&[source], &Protocol::default(), 1).unwrap();
        let set = &benchmark.splits[0].dataset;
        let class = set.classes()[0].id;
        for sample in [0, 1] {
            let truth = set.truth(sample).unwrap().labels;
            assert_eq!(truth.mask(class).area(), 16, "{example:?} {truth:?}");
        }
        assert_eq!(set.truth(2).unwrap().labels.mask(class).area(), 0);
    }
}

#[test]
fn where_a_truth_has_ids_255_stays_what_is_not_counted() {
    let folder = tempfile::tempdir().unwrap();
    let source = parts(folder.path(), [0, 1], &[[1, 0], [0, 255]]);
    let benchmark = Benchmark::open(&[source], &Protocol::default(), 1).unwrap();
    let labels = benchmark.splits[0].dataset.truth(2).unwrap().labels;
    assert_eq!(labels.mask(1).area(), 0);
    assert_eq!(labels.mask(seggpt_imaging::IGNORE).area(), 16);
}

#[test]
fn truths_of_which_nothing_counts_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let error = refused(parts(folder.path(), [1, 2], &[[0, 255], [0, 255]]));
    assert!(
        error.contains("truth/0.png: none of the 2 truths shows what is asked for (class 1, 2)"),
        "{error}"
    );
    assert!(error.contains("0 and 255"), "{error}");
    let error = refused(parts(folder.path(), [1, 2], &[[1, 0], [255, 255]]));
    assert!(error.contains("truth/1.png: every pixel is 255"), "{error}");
    let error = refused(parts(folder.path(), [0, 255], &[[1, 2], [0, 0]]));
    assert!(
        error.contains("p_mask.png: this example is black and white"),
        "{error}"
    );
}

/// A folder with a split: one prompt, and queries.
fn set(root: &Path, sizes: &[(usize, usize)]) -> Source {
    let mut split = String::new();
    for (at, size) in sizes.iter().enumerate() {
        picture(&root.join(format!("images/p{at}.png")), (8, 4));
        mask(&root.join(format!("masks/p{at}.png")), *size, [0, 1]);
        let role = if at == 0 { "prompt" } else { "query" };
        split += &format!("p{at}\t{role}\r\n");
    }
    fs::write(root.join("classes.tsv"), "\u{feff}1\tdisc\r\n").unwrap();
    fs::write(root.join("split.tsv"), split).unwrap();
    Source::Folder(root.to_owned())
}

#[test]
fn comma10k_1952_a_truth_of_another_size_is_named_and_not_the_prediction() {
    let folder = tempfile::tempdir().unwrap();
    let error = refused(set(folder.path(), &[(8, 4), (7, 4), (8, 4), (4, 4)]));
    assert!(
        error.contains("2 truths differ in size from their pictures: `p1` has a truth of 7 x 4 pixels, but a picture of 8 x 4"),
        "{error}"
    );
    assert!(error.contains("`p3`") && !error.contains("`p2`"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let error = refused(set(folder.path(), &[(8, 2), (8, 4)]));
    assert!(
        error.contains("1 truth differs in size from its picture: `p0`"),
        "{error}"
    );
}

#[test]
fn monai_8305_twins_of_macos_and_marks_of_editors_are_no_part_of_a_set() {
    let folder = tempfile::tempdir().unwrap();
    let source = set(folder.path(), &[(8, 4), (8, 4)]);
    for twin in [
        "images/._p0.png",
        "images/._p1.png",
        "masks/._p0.png",
        "masks/.DS_Store",
    ] {
        fs::write(folder.path().join(twin), b"\0\x05\x16\x07").unwrap();
    }
    let benchmark = Benchmark::open(&[source], &Protocol::default(), 1).unwrap();
    assert_eq!(benchmark.splits[0].dataset.len(), 2);
    assert_eq!(benchmark.splits[0].classes[0].name, "disc");
}

#[test]
fn two_pictures_of_one_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let source = set(folder.path(), &[(8, 4), (8, 4)]);
    fs::copy(
        folder.path().join("images/p1.png"),
        folder.path().join("images/p1.bmp"),
    )
    .unwrap();
    let error = refused(source);
    assert!(
        error.contains("p1.png") && error.contains("p1.bmp is called so as well"),
        "{error}"
    );
}

#[test]
fn a_predictor_that_never_ran_is_not_untrained() {
    assert!(!Predictor::default().is_untrained());
    let mut predictor = Predictor {
        model: "tiny".into(),
        ..Predictor::default()
    };
    assert!(predictor.is_untrained());
    predictor.trained = true;
    assert!(!predictor.is_untrained());
}

#[test]
fn cvat_6446_what_a_labelling_tool_exported_is_a_set() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let mut shapes = String::new();
    for name in ["a", "b", "c"] {
        picture(&root.join(format!("images/{name}.png")), (8, 4));
        shapes += &format!(
            r#"<image id="0" name="{name}.png" width="8" height="4"><polygon label="ball" points="0,0;4,0;4,4;0,4"/>
               <polygon label="ball" points="0,0"/></image>"#
        );
    }
    let text = format!("<annotations><version>1.1</version><meta/>{shapes}</annotations>");
    fs::write(root.join("annotations.xml"), text).unwrap();
    for source in [root.to_owned(), root.join("annotations.xml")] {
        let benchmark =
            Benchmark::open(&[Source::Folder(source)], &Protocol::default(), 1).unwrap();
        assert_eq!(benchmark.queries.len(), 3);
        assert_eq!(benchmark.splits[0].classes[0].name, "ball");
        assert!(
            benchmark.notes[0].contains("3 shapes are left out"),
            "{:?}",
            benchmark.notes
        );
    }
}
