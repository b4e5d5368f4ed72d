//! Stuff and things: two queries a picture, one count.

use std::{fs, path::Path, sync::Arc};

use seggpt_benchmark::{
    Benchmark, BenchmarkError, Kind, Protocol, Row, RowScores, Source, SplitScore, baseline,
    baselines::CopiedMask,
};
use seggpt_contract::SegType;
use seggpt_imaging::LabelPlane;
use seggpt_imaging::{RgbImage, write};

use crate::{builder, predicted};

const SIZE: (u32, u32) = (32, 16);
const SKY: u16 = 187;
const GRASS: u16 = 193;
const CAT: u16 = 17;

/// Sky over grass, and two cats of 36 pixels in the grass, the left one further down by `drop`; nothing is said of the
/// last column.
fn label(x: u32, y: u32, drop: u32) -> (u16, u32) {
    match (x, y) {
        (3..=8, y) if (8 + drop..14 + drop).contains(&y) => (CAT, 1000),
        (20..=25, 9..=14) => (CAT, 2000),
        (31, _) => (0, 0),
        (_, 0..=5) => (SKY, 70000),
        _ => (GRASS, 300),
    }
}

/// Two such pictures as COCO has them.
fn drawn() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in ["images", "panoptic_small"] {
        fs::create_dir(folder.path().join(part)).unwrap();
    }
    for drop in 0..2 {
        let mut ids = RgbImage::new(SIZE.0, SIZE.1);
        for (x, y, pixel) in ids.enumerate_pixels_mut() {
            let [r, g, b, _] = label(x, y, drop).1.to_le_bytes();
            pixel.0 = [r, g, b];
        }
        let put = |part: &str, picture: &RgbImage| {
            let path = folder.path().join(format!("{part}/{drop}.png"));
            fs::write(path, write::rgb_png(picture).unwrap()).unwrap();
        };
        put("panoptic_small", &ids);
        put("images", &ids);
    }
    let segments = r#"[{"id": 1000, "category_id": 17}, {"id": 2000, "category_id": 17},
        {"id": 70000, "category_id": 187}, {"id": 300, "category_id": 193}]"#;
    let json = format!(
        r#"{{"images": [{{"id": 0, "file_name": "0.png"}}, {{"id": 1, "file_name": "1.png"}}],
        "annotations": [{{"image_id": 0, "file_name": "0.png", "segments_info": {segments}}},
            {{"image_id": 1, "file_name": "1.png", "segments_info": {segments}}}],
        "categories": [{{"id": 17, "name": "cat", "isthing": 1}}, {{"id": 187, "name": "sky", "isthing": 0}},
            {{"id": 193, "name": "grass", "isthing": 0}}]}}"#
    );
    fs::write(folder.path().join("panoptic_small.json"), json).unwrap();
    folder
}

fn benchmark(folder: &Path) -> Benchmark {
    let source = Source::Folder(folder.to_owned());
    Benchmark::open(&[source], &Protocol::default(), 1).unwrap()
}

fn measure(row: &RowScores, name: &str) -> f64 {
    let SplitScore { measures, .. } = &row.sets[0];
    let found = measures.iter().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("no {name}: {measures:?}")).1
}

#[test]
fn the_truth_as_prediction_has_the_full_score() {
    let folder = drawn();
    let benchmark = benchmark(folder.path());
    let out = tempfile::tempdir().unwrap();
    let row = predicted(&benchmark, out.path(), Clone::clone);
    let set = &row.sets[0];
    assert_eq!((set.kind, &set.measure[..]), (Kind::Panoptic, "PQ"));
    assert_eq!((set.queries, set.scored, set.score), (4, 4, Some(1.0)));
    for name in ["SQ", "RQ", "PQ things", "RQ things", "PQ stuff", "SQ stuff"] {
        assert_eq!(measure(&row, name), 1.0, "{name}");
    }
    let parts: Vec<_> = set.parts.iter().map(|part| &part.name[..]).collect();
    assert_eq!(parts, ["cat", "sky", "grass"]);
    assert!(!out.path().join("rows/row/key/predictions").exists());
}

#[test]
fn two_things_that_hang_together_are_one_and_found_by_nobody() {
    let folder = drawn();
    let benchmark = benchmark(folder.path());
    let out = tempfile::tempdir().unwrap();
    let bridge = |truth: &LabelPlane| {
        let mut prediction = truth.clone();
        let row = 10 * truth.width();
        prediction.values_mut()[row + 3..row + 26].fill(CAT);
        prediction
    };
    let row = predicted(&benchmark, out.path(), bridge);
    assert_eq!(measure(&row, "PQ things"), 0.0);
    // 11 pixels of grass lie under the bridge.
    let grass = |drop| {
        let all = (0..SIZE.1).flat_map(|y| (0..SIZE.0).map(move |x| label(x, y, drop).0));
        all.filter(|&id| id == GRASS).count() as f64
    };
    let iou = (0..2).map(|drop| (grass(drop) - 11.0) / grass(drop));
    let expected = (1.0 + iou.sum::<f64>() / 2.0) / 2.0;
    assert!((measure(&row, "PQ stuff") - expected).abs() < 1e-12);
    assert!((row.sets[0].score.unwrap() - 2.0 * expected / 3.0).abs() < 1e-12);
}

#[test]
fn stuff_is_a_semantic_query_and_things_are_an_instance_query_after_it() {
    let folder = drawn();
    let benchmark = Arc::new(benchmark(folder.path()));
    let mut builder = builder(&benchmark, "fixed");
    let stuff = builder.build(&benchmark.queries[0]).unwrap();
    assert_eq!(stuff.kind, SegType::Semantic);
    let names: Vec<_> = stuff.classes.iter().map(|class| &class.name[..]).collect();
    assert_eq!(names, ["sky", "grass"]);
    assert_eq!(stuff.examples[0].name, "1", "no picture is its own prompt");
    let error = builder.build(&benchmark.queries[2]).unwrap_err();
    assert!(
        matches!(error, BenchmarkError::NoPrediction { .. }),
        "{error}"
    );

    let out = tempfile::tempdir().unwrap();
    let mut row = Row::open(out.path(), "row", "", "").unwrap();
    let query = &benchmark.queries[0];
    let prediction = benchmark.truth(query).unwrap();
    let score = benchmark.score(query, &prediction, row.stored()).unwrap();
    assert!(
        score.segments.is_empty(),
        "half a prediction is not counted"
    );
    row.add(&benchmark, 0, &score, &prediction).unwrap();
    let mut builder = seggpt_benchmark::QueryBuilder::new(
        Arc::clone(&benchmark),
        32,
        "fixed",
        None,
        row.stored().clone(),
    )
    .unwrap();
    let things = builder.build(&benchmark.queries[2]).unwrap();
    assert_eq!(things.kind, SegType::Instance);
    let names: Vec<_> = things.classes.iter().map(|class| &class.name[..]).collect();
    assert_eq!(names, ["cat"]);
}

#[test]
fn sets_that_do_not_tell_things_from_stuff_are_refused() {
    let protocol = Protocol {
        kind: Some(Kind::Panoptic),
        ..Protocol::default()
    };
    let error = Benchmark::open(&[crate::set("folder")], &protocol, 1).err();
    let error = error.unwrap().to_string();
    assert!(error.contains("things from stuff"), "{error}");
}

#[test]
fn baselines_predict_both_halves() {
    let folder = drawn();
    let benchmark = benchmark(folder.path());
    let out = tempfile::tempdir().unwrap();
    let mut row = Row::open(out.path(), "copied", "", "").unwrap();
    baseline::predict(&benchmark, &CopiedMask, &mut row, |_| true).unwrap();
    let row = row.finish(&benchmark, "fixed", 0).unwrap();
    assert_eq!(row.progress(), (4, 4));
    // The cats have moved by 0 and by 1 of 6 rows: 36 and 30 of 42 pixels.
    let expected = (1.0 + 30.0 / 42.0) / 2.0;
    assert!((measure(&row, "PQ things") - expected).abs() < 1e-12);
}
