//! Benchmarks over the tiny data sets of `seggpt-eval`: queries, scores, rows.
#![allow(clippy::unwrap_used)]

mod baselines;
mod episodes;
mod memory;
mod panoptic;
mod seen;
mod truths;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use seggpt_benchmark::{
    Benchmark, BenchmarkError, Kind, Predictor, Protocol, QueryBuilder, QueryScore, Row, Source,
    baseline,
    episodes::{class_tasks, long_side},
    report, table,
};
use seggpt_contract::SegType;
use seggpt_datasets::{Dataset, Folder};
use seggpt_imaging::LabelPlane;
use seggpt_metrics::ClassAreas;

/// A small data set of `seggpt-datasets`.
fn fixture(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/tests/fixtures/datasets");
    root.join(name)
}

fn set(name: &str) -> Source {
    Source::Folder(fixture(name))
}

fn plane(size: (usize, usize), values: &[u16]) -> LabelPlane {
    LabelPlane::new(size, values.to_vec()).unwrap()
}

fn open(name: &str, protocol: &Protocol) -> Benchmark {
    Benchmark::open(&[set(name)], protocol, 1).unwrap()
}

/// Asks without predictions to build on.
fn builder(benchmark: &Arc<Benchmark>, select: &str) -> QueryBuilder {
    let out = tempfile::tempdir().unwrap();
    let row = Row::open(out.path(), "row", "", "").unwrap();
    QueryBuilder::new(
        Arc::clone(benchmark),
        32,
        select,
        None,
        row.stored().clone(),
    )
    .unwrap()
}

/// Predicts every query, and adds the scores up.
fn predicted(
    benchmark: &Benchmark,
    out: &Path,
    prediction: impl Fn(&LabelPlane) -> LabelPlane,
) -> seggpt_benchmark::RowScores {
    let mut row = Row::open(out, "row", "key", "").unwrap();
    for (at, query) in benchmark.queries.iter().enumerate() {
        let truth = benchmark.splits[query.split]
            .dataset
            .truth(query.sample)
            .unwrap();
        let prediction = prediction(&truth.labels);
        let score = benchmark.score(query, &prediction, row.stored()).unwrap();
        row.add(benchmark, at, &score, &prediction).unwrap();
    }
    row.finish(benchmark, "fixed", 0).unwrap()
}

#[test]
fn the_truth_as_prediction_has_the_full_score() {
    let few = Protocol {
        min_pixels: Some(1),
        episodes: Some(6),
        ..Protocol::default()
    };
    for (name, kind) in [
        ("folder", Kind::Classes),
        ("folder-videos", Kind::Classes),
        ("fss", Kind::Episodes),
        ("davis", Kind::Video),
        ("davis2016", Kind::Video),
    ] {
        let benchmark = open(name, &few);
        let out = tempfile::tempdir().unwrap();
        let row = predicted(&benchmark, out.path(), Clone::clone);
        let set = &row.sets[0];
        assert_eq!(set.kind, kind, "{name}");
        assert_eq!(set.score, Some(1.0), "{name}: {set:?}");
        assert!(
            set.queries > 0 && set.queries == set.scored,
            "{name}: {set:?}"
        );
        assert!(
            row.cases_are_none(out.path()),
            "{name}: right predictions are no cases"
        );
    }
}

trait NoCases {
    fn cases_are_none(&self, out: &Path) -> bool;
}

impl NoCases for seggpt_benchmark::RowScores {
    fn cases_are_none(&self, out: &Path) -> bool {
        let folder = out
            .join("rows")
            .join(&self.row)
            .join(&self.run_key)
            .join("cases");
        fs::read_dir(folder).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    }
}

#[test]
fn all_classes_at_once_are_counted_as_mmsegmentation_does() {
    let protocol = Protocol {
        kind: Some(Kind::Semantic),
        ..Protocol::default()
    };
    let benchmark = open("folder", &protocol);
    let out = tempfile::tempdir().unwrap();
    let row = predicted(&benchmark, out.path(), |truth| {
        truth.map(|&id| u16::from(id == 2))
    });
    let Source::Folder(root) = set("folder") else {
        unreachable!("a folder")
    };
    let folder = Folder::open(root).unwrap();
    let mut areas = ClassAreas::new([1, 2]);
    for index in (0..folder.len()).filter(|&at| folder.samples()[at].name == "a") {
        let truth = folder.truth(index).unwrap().labels;
        areas
            .add(&truth.map(|&id| u16::from(id == 2)), &truth)
            .unwrap();
    }
    assert_eq!(row.sets[0].score, areas.finish().mean_iou);
    assert!(row.sets[0].score.unwrap() < 1.0);
}

/// The score of the folder protocol, straight from its definition.
#[test]
fn a_class_is_worth_the_iou_accumulated_over_its_queries_at_long_side_448() {
    let benchmark = open("folder-videos", &Protocol::default());
    let out = tempfile::tempdir().unwrap();
    let shift = |truth: &LabelPlane| {
        let mut values = truth.values().to_vec();
        values.rotate_right(1);
        LabelPlane::new(truth.size(), values).unwrap()
    };
    let row = predicted(&benchmark, out.path(), shift);

    let Source::Folder(root) = set("folder-videos") else {
        unreachable!("a folder")
    };
    let folder = Folder::open(root).unwrap();
    let mut found = Vec::new();
    for task in class_tasks(&folder, 1, 448).unwrap() {
        let mut areas = ClassAreas::new([1]);
        for query in task.queries {
            let truth = folder.truth(query).unwrap().labels;
            let size = long_side(truth.size(), 448);
            let prediction = shift(&truth).only(task.class).resized(size);
            areas
                .add(&prediction, &truth.only(task.class).resized(size))
                .unwrap();
        }
        found.extend(areas.finish().mean_iou);
    }
    let expected = found.iter().sum::<f64>() / found.len() as f64;
    assert_eq!(row.sets[0].score, Some(expected));
    assert!(expected < 1.0);
    assert!(!row.cases_are_none(out.path()));
}

#[test]
fn a_question_is_the_picture_with_white_on_black_prompts_of_its_class() {
    let benchmark = Arc::new(open("folder", &Protocol::default()));
    let mut builder = builder(&benchmark, "fixed");
    let query = benchmark
        .queries
        .iter()
        .find(|q| q.class == Some(2))
        .unwrap();
    let prompted = builder.build(query).unwrap();
    assert_eq!((prompted.image.width(), prompted.image.height()), (4, 2));
    assert_eq!(prompted.kind, SegType::Semantic);
    assert_eq!(prompted.examples.len(), 1);
    let class = &prompted.classes[..];
    assert_eq!((class[0].id, class[0].color, class.len()), (2, [255; 3], 1));
    let mask = prompted.examples[0].mask.bytes();
    assert!(mask.chunks(3).any(|pixel| pixel == [255; 3]));
    assert!(
        mask.chunks(3)
            .all(|pixel| pixel == [255; 3] || pixel == [0; 3])
    );
}

#[test]
fn a_video_is_queried_frame_by_frame_with_its_first_as_the_prompt() {
    let benchmark = Arc::new(open("davis", &Protocol::default()));
    let items: Vec<_> = benchmark.queries.iter().map(|q| q.item.as_str()).collect();
    // Of four frames, DAVIS counts neither the first nor the last.
    assert_eq!(
        items,
        ["DAVIS 2017 val/goat/00001", "DAVIS 2017 val/goat/00002"]
    );
    let mut builder = builder(&benchmark, "fixed");
    let prompted = builder.build(&benchmark.queries[0]).unwrap();
    assert_eq!(prompted.kind, SegType::Instance);
    assert_eq!(prompted.examples[0].name, "goat/00000");
}

#[test]
fn the_same_protocol_gives_the_same_queries_and_stride_two_half_of_them() {
    let protocol = |stride| Protocol {
        stride,
        ..Protocol::default()
    };
    let all = open("fss", &protocol(1));
    assert_eq!(all.queries, open("fss", &protocol(1)).queries);
    let half = open("fss", &protocol(2));
    assert_eq!(half.queries.len(), all.queries.len().div_ceil(2));
    assert_eq!(half.queries[1], all.queries[2]);
}

#[test]
fn classes_of_too_few_pictures_are_left_out_of_a_fold_and_named() {
    let few = Protocol {
        min_pixels: Some(1),
        episodes: Some(3),
        ..Protocol::default()
    };
    let benchmark = open("coco", &few);
    let splits = benchmark.splits.iter().map(|split| {
        let classes: Vec<_> = split.classes.iter().map(|class| &class.name[..]).collect();
        (&split.name[..], classes, split.queries.len())
    });
    assert_eq!(
        splits.collect::<Vec<_>>(),
        [
            ("instances fold 0", vec!["person"], 3),
            ("instances fold 2", vec!["car"], 3),
            ("instances fold 3", vec!["toothbrush"], 3),
        ]
    );
    assert!(
        benchmark.notes[0].contains("class 5 (0)"),
        "{:?}",
        benchmark.notes
    );
    assert!(
        benchmark.notes[1].contains("fold 1: no episode"),
        "{:?}",
        benchmark.notes
    );
}

#[test]
fn two_sets_of_one_name_are_told_apart() {
    let benchmark =
        Benchmark::open(&[set("folder"), set("folder")], &Protocol::default(), 1).unwrap();
    let names: Vec<_> = benchmark
        .splits
        .iter()
        .map(|split| split.name.as_str())
        .collect();
    assert_eq!(names, ["folder", "folder (2)"]);
}

#[test]
fn strides_with_all_offsets_cover_every_query_once() {
    let items = |stride, offset| -> Vec<String> {
        let protocol = Protocol {
            stride,
            offset,
            ..Protocol::default()
        };
        let queries = open("folder-videos", &protocol).queries;
        queries.into_iter().map(|query| query.item).collect()
    };
    let mut halves = [items(2, 0), items(2, 1)].concat();
    let mut all = items(1, 0);
    assert!(all.len() > 2);
    halves.sort();
    all.sort();
    assert_eq!(halves, all);
}

#[test]
fn what_no_reader_knows_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let source = Source::Folder(folder.path().to_owned());
    let error = Benchmark::open(&[source], &Protocol::default(), 1)
        .err()
        .unwrap();
    assert!(matches!(error, BenchmarkError::Layout { .. }), "{error}");
    let video = Protocol {
        kind: Some(Kind::Video),
        ..Protocol::default()
    };
    let error = Benchmark::open(&[set("folder")], &video, 1).err().unwrap();
    assert!(error.to_string().contains("no videos"), "{error}");
}

fn score(item: &str) -> QueryScore {
    QueryScore {
        item: item.to_owned(),
        run: String::new(),
        areas: vec![[0, 3, 4, 4], [2, 3, 4, 4]],
        objects: vec![],
        segments: vec![],
        prompts: vec!["b".to_owned()],
        predictor: Predictor::default(),
        milliseconds: 1.5,
    }
}

fn journal(out: &Path) -> PathBuf {
    seggpt_store::journal_path(&out.join("rows/row/key"))
}

#[test]
fn a_row_goes_on_after_half_a_line_and_another_key_is_another_row_beside_it() {
    let benchmark = open("folder", &Protocol::default());
    let out = tempfile::tempdir().unwrap();
    let blank = LabelPlane::filled((4, 2), 0);
    let add = |row: &mut Row, at: usize| {
        let score = score(&benchmark.queries[at].item);
        row.add(&benchmark, at, &score, &blank).unwrap();
    };
    let mut row = Row::open(out.path(), "row", "key", "").unwrap();
    add(&mut row, 0);
    drop(row);
    let whole = fs::read(journal(out.path())).unwrap();
    fs::write(
        journal(out.path()),
        [&whole[..], b"{\"item\": \"ha"].concat(),
    )
    .unwrap();

    let mut row = Row::open(out.path(), "row", "key", "").unwrap();
    assert!(row.has(&benchmark.queries[0].item) && !row.has(&benchmark.queries[1].item));
    add(&mut row, 1);
    let scores = row.finish(&benchmark, "fixed", 0).unwrap();
    assert_eq!(scores.progress(), (2, 2));
    assert_eq!(scores.milliseconds, Some(1.5));
    drop(row);

    let row = Row::open(out.path(), "row", "another", "").unwrap();
    assert!(!row.has(&benchmark.queries[0].item));
    assert_eq!(
        row.finish(&benchmark, "fixed", 0).unwrap().progress(),
        (2, 0)
    );
    drop(row);
    let first = seggpt_benchmark::RowScores::read(out.path(), "row", "key")
        .unwrap()
        .unwrap();
    assert_eq!(first.progress(), (2, 2), "the first is as it was");
}

#[test]
fn a_row_is_a_folder_and_nothing_else() {
    let out = tempfile::tempdir().unwrap();
    for name in ["", "a/b", "..", ".hidden"] {
        assert!(Row::open(out.path(), name, "", "").is_err(), "{name}");
    }
}

#[test]
fn rows_stand_beside_each_other_in_table_and_page() {
    let benchmark = open("folder-videos", &Protocol::default());
    let out = tempfile::tempdir().unwrap();
    let right = predicted(&benchmark, out.path(), Clone::clone);
    let mut rows = vec![right];
    for one in baseline::all() {
        let mut row = Row::open(out.path(), one.name(), "", "").unwrap();
        baseline::predict(&benchmark, &*one, &mut row, |_| true).unwrap();
        rows.push(row.finish(&benchmark, "fixed", 0).unwrap());
    }
    let text = table::markdown(&rows);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2 + rows.len(), "{text}");
    assert!(
        lines[2].starts_with("| row ") && lines[2].contains("100.0"),
        "{text}"
    );
    assert!(
        lines
            .iter()
            .all(|line| line.chars().count() == lines[0].chars().count()),
        "{text}"
    );

    let page =
        fs::read_to_string(report::write(out.path(), &Protocol::default()).unwrap()).unwrap();
    assert!(page.contains("folder-videos") && page.contains("forest") && page.contains("100.0"));
    let other = Protocol {
        stride: 2,
        ..Protocol::default()
    };
    let (shown, hidden) = report::rows(out.path(), &other).unwrap();
    assert_eq!((shown.len(), hidden.len()), (0, 4));
}

#[test]
fn pictures_and_masks_from_anywhere_are_a_set() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/ground");
    for part in ["images", "masks"] {
        fs::create_dir(folder.path().join(part)).unwrap();
    }
    for number in [2, 3] {
        let to = |part: &str| folder.path().join(format!("{part}/{number}.png"));
        fs::copy(ground.join(format!("ground_{number}.png")), to("images")).unwrap();
        fs::copy(
            ground.join(format!("ground_{number}_pebbles.png")),
            to("masks"),
        )
        .unwrap();
    }
    let source = Source::Parts {
        images: folder.path().join("images"),
        truth: folder.path().join("masks"),
        prompts: vec![(
            ground.join("ground_1.png"),
            ground.join("ground_1_pebbles.png"),
        )],
    };
    let benchmark = Benchmark::open(&[source], &Protocol::default(), 1).unwrap();
    assert_eq!(benchmark.queries.len(), 2);
    let row = predicted(&benchmark, &folder.path().join("out"), Clone::clone);
    assert_eq!(row.sets[0].score, Some(1.0));
}
