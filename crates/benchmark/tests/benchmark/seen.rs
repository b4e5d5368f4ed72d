//! YouTube-VOS: categories that the training videos have, and the others.

use std::{fs, path::Path};

use seggpt_benchmark::{Benchmark, Protocol, RowScores, Source};
use seggpt_imaging::{RgbImage, write};

use crate::predicted;

/// Three frames: a penguin in all of them, and a snail that comes with the second.
fn drawn(root: &Path) {
    for part in ["JPEGImages/a", "Annotations/a"] {
        fs::create_dir_all(root.join(part)).unwrap();
    }
    for (frame, second) in [(0, 0), (1, 2), (2, 2)] {
        let mut ids = vec![0u16; 16 * 16];
        ids[16..64].fill(1);
        ids[128..176].fill(second);
        let put = |part: &str, bytes: Vec<u8>| {
            fs::write(root.join(format!("{part}/a/0000{frame}.png")), bytes).unwrap();
        };
        put("Annotations", write::ids_png16(&ids, (16, 16)).unwrap());
        put(
            "JPEGImages",
            write::rgb_png(&RgbImage::new(16, 16)).unwrap(),
        );
    }
    let meta = r#"{"videos": {"a": {"objects": {"1": {"category": "penguin"}, "2": {"category": "snail"}}}}}"#;
    fs::write(root.join("meta.json"), meta).unwrap();
}

/// The penguin is found, the snail never.
fn half(root: &Path) -> (Benchmark, RowScores) {
    let sources = [Source::Folder(root.to_owned())];
    let benchmark = Benchmark::open(&sources, &Protocol::default(), 1).unwrap();
    let out = tempfile::tempdir().unwrap();
    let row = predicted(&benchmark, out.path(), |truth| {
        truth.map(|&id| u16::from(id == 1))
    });
    (benchmark, row)
}

#[test]
fn g_is_the_mean_over_seen_and_unseen_categories() {
    let folder = tempfile::tempdir().unwrap();
    let valid = folder.path().join("valid");
    drawn(&valid);
    fs::create_dir(folder.path().join("train")).unwrap();
    let meta = r#"{"videos": {"b": {"objects": {"1": {"category": "penguin"}}}}}"#;
    fs::write(folder.path().join("train/meta.json"), meta).unwrap();
    let (benchmark, row) = half(&valid);
    assert!(benchmark.notes.is_empty(), "{:?}", benchmark.notes);
    let set = &row.sets[0];
    assert_eq!((&set.measure[..], set.score), ("G", Some(0.5)));
    let named = |name: &str| set.measures.iter().find(|m| m.0 == name).map(|m| m.1);
    assert_eq!(named("J seen"), Some(1.0));
    assert_eq!(named("F seen"), Some(1.0));
    assert_eq!(named("J unseen"), Some(0.0));
    assert_eq!(named("F unseen"), Some(0.0));
}

#[test]
fn without_training_videos_j_and_f_are_all_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let valid = folder.path().join("valid");
    drawn(&valid);
    let (benchmark, row) = half(&valid);
    let set = &row.sets[0];
    assert_eq!((&set.measure[..], set.score), ("J&F", Some(0.5)));
    assert!(set.measures.iter().all(|(name, _)| !name.contains("seen")));
    assert!(
        benchmark.notes[0].contains("meta.json"),
        "{:?}",
        benchmark.notes
    );
}
