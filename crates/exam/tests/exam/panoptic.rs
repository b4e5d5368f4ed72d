//! Stuff and things: two questions a picture, one count.

use std::{fs, path::Path, sync::Arc};

use seggpt_contract::SegType;
use seggpt_eval::{LabelPlane, baselines::CopiedMask};
use seggpt_exam::{Exam, ExamError, Kind, Protocol, Row, RowScores, SetScore, Source, baseline};
use seggpt_imaging::{RgbImage, write};

use crate::{answered, asker};

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

fn exam(folder: &Path) -> Exam {
    let source = Source::Folder(folder.to_owned());
    Exam::open(&[source], &Protocol::default(), 1).unwrap()
}

fn measure(row: &RowScores, name: &str) -> f64 {
    let SetScore { measures, .. } = &row.sets[0];
    let found = measures.iter().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("no {name}: {measures:?}")).1
}

#[test]
fn the_truth_as_answer_is_worth_everything() {
    let folder = drawn();
    let exam = exam(folder.path());
    let out = tempfile::tempdir().unwrap();
    let row = answered(&exam, out.path(), Clone::clone);
    let set = &row.sets[0];
    assert_eq!((set.kind, &set.measure[..]), (Kind::Panoptic, "PQ"));
    assert_eq!((set.asked, set.answered, set.score), (4, 4, Some(1.0)));
    for name in ["SQ", "RQ", "PQ things", "RQ things", "PQ stuff", "SQ stuff"] {
        assert_eq!(measure(&row, name), 1.0, "{name}");
    }
    let parts: Vec<_> = set.parts.iter().map(|part| &part.name[..]).collect();
    assert_eq!(parts, ["cat", "sky", "grass"]);
    assert!(!out.path().join("rows/row/key/kept").exists());
}

#[test]
fn two_things_that_hang_together_are_one_and_found_by_nobody() {
    let folder = drawn();
    let exam = exam(folder.path());
    let out = tempfile::tempdir().unwrap();
    let bridge = |truth: &LabelPlane| {
        let mut answer = truth.clone();
        let row = 10 * truth.width();
        answer.values_mut()[row + 3..row + 26].fill(CAT);
        answer
    };
    let row = answered(&exam, out.path(), bridge);
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
fn stuff_is_asked_as_a_kind_and_things_as_instances_after_it() {
    let folder = drawn();
    let exam = Arc::new(exam(folder.path()));
    let mut asker = asker(&exam, "fixed");
    let stuff = asker.ask(&exam.questions[0]).unwrap();
    assert_eq!(stuff.kind, SegType::Semantic);
    let names: Vec<_> = stuff.classes.iter().map(|class| &class.name[..]).collect();
    assert_eq!(names, ["sky", "grass"]);
    assert_eq!(stuff.examples[0].name, "1", "no picture is its own prompt");
    let error = asker.ask(&exam.questions[2]).unwrap_err();
    assert!(matches!(error, ExamError::Unanswered { .. }), "{error}");

    let out = tempfile::tempdir().unwrap();
    let mut row = Row::open(out.path(), "row", "", "").unwrap();
    let question = &exam.questions[0];
    let answer = exam.truth(question).unwrap();
    let mark = exam.mark(question, &answer, row.kept()).unwrap();
    assert!(mark.segments.is_empty(), "half an answer is not counted");
    row.add(&exam, 0, &mark, &answer).unwrap();
    let mut asker =
        seggpt_exam::Asker::new(Arc::clone(&exam), 32, "fixed", None, row.kept().clone()).unwrap();
    let things = asker.ask(&exam.questions[2]).unwrap();
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
    let error = Exam::open(&[crate::set("folder")], &protocol, 1).err();
    let error = error.unwrap().to_string();
    assert!(error.contains("things from stuff"), "{error}");
}

#[test]
fn baselines_answer_both_halves() {
    let folder = drawn();
    let exam = exam(folder.path());
    let out = tempfile::tempdir().unwrap();
    let mut row = Row::open(out.path(), "copied", "", "").unwrap();
    baseline::answer(&exam, &CopiedMask, &mut row, |_| true).unwrap();
    let row = row.finish(&exam, "fixed", 0).unwrap();
    assert_eq!(row.progress(), (4, 4));
    // The cats have moved by 0 and by 1 of 6 rows: 36 and 30 of 42 pixels.
    let expected = (1.0 + 30.0 / 42.0) / 2.0;
    assert!((measure(&row, "PQ things") - expected).abs() < 1e-12);
}
