//! Earlier frames and the predictions for them as prompts.

use std::{fs, path::Path, sync::Arc};

use seggpt_benchmark::{Benchmark, MEMORY, Protocol, QueryBuilder, Row, Schedule};
use seggpt_imaging::LabelPlane;
use seggpt_prompt_library::memory::{Policy, Shown};

use crate::{open, score};

fn with_memory() -> Arc<Benchmark> {
    let mut benchmark = open("davis", &Protocol::default());
    benchmark.enable_memory(Policy::Fifo).unwrap();
    Arc::new(benchmark)
}

fn builder(benchmark: &Arc<Benchmark>, row: &Row) -> QueryBuilder {
    QueryBuilder::new(
        Arc::clone(benchmark),
        32,
        MEMORY,
        None,
        row.stored().clone(),
    )
    .unwrap()
}

/// A prediction that no truth is.
fn prediction(benchmark: &Benchmark, at: usize) -> LabelPlane {
    let query = &benchmark.queries[at];
    let truth = benchmark.truth(query).unwrap();
    let mut prediction = LabelPlane::filled(truth.size(), 0);
    prediction.values_mut()[0] = query.classes[0];
    prediction
}

fn add(benchmark: &Benchmark, row: &mut Row, at: usize) {
    row.add(
        benchmark,
        at,
        &score(&benchmark.queries[at].item),
        &prediction(benchmark, at),
    )
    .unwrap();
}

fn stored(out: &Path, key: &str) -> usize {
    fs::read_dir(out.join("rows/row").join(key).join("predictions")).map_or(0, Iterator::count)
}

#[test]
fn a_frame_waits_for_the_one_before_and_has_it_with_its_prediction_as_a_prompt() {
    let benchmark = with_memory();
    let mut schedule = Schedule::new(&benchmark, &[0, 1]);
    assert_eq!(schedule.start(4), [0]);
    assert_eq!(schedule.after(0), Some(1));
    assert_eq!(schedule.after(1), None);

    let out = tempfile::tempdir().unwrap();
    let mut row = Row::open(out.path(), "row", "key", "").unwrap();
    let first = builder(&benchmark, &row)
        .build(&benchmark.queries[0])
        .unwrap();
    assert_eq!(first.examples.len(), 1);
    add(&benchmark, &mut row, 0);
    let second = builder(&benchmark, &row)
        .build(&benchmark.queries[1])
        .unwrap();
    let names: Vec<_> = second.examples.iter().map(|e| &e.name[..]).collect();
    assert_eq!(names, ["goat/00000", "goat/00001"]);
    let mask = second.examples[1].mask.bytes();
    let painted = mask.chunks(3).filter(|pixel| *pixel != [0; 3]).count();
    assert!(mask[..3] != [0; 3] && painted > 0 && painted < 32 * 32 / 4);
}

#[test]
fn without_memory_no_frame_waits() {
    let benchmark = open("davis", &Protocol::default());
    assert_eq!(Schedule::new(&benchmark, &[0, 1]).start(1), [0, 1]);
}

#[test]
fn an_interrupted_video_goes_on_with_the_predictions_it_had() {
    let benchmark = with_memory();
    let out = tempfile::tempdir().unwrap();
    let reopened = || Row::open(out.path(), "row", "key", "").unwrap();
    add(&benchmark, &mut reopened(), 0);
    let row = reopened();
    assert_eq!(row.open_queries(&benchmark).unwrap(), [1]);
    let built = builder(&benchmark, &row)
        .build(&benchmark.queries[1])
        .unwrap();
    assert_eq!(built.examples.len(), 2);

    fs::remove_file(out.path().join("rows/row/key/predictions/0.png")).unwrap();
    let error = row.open_queries(&benchmark).unwrap_err().to_string();
    assert!(error.contains("0.png") && error.contains("anew"), "{error}");

    let mut anew = Row::open(out.path(), "row", "another", "").unwrap();
    add(&benchmark, &mut anew, 0);
    assert_eq!(stored(out.path(), "another"), 1);
    add(&benchmark, &mut anew, 1);
    assert_eq!(
        stored(out.path(), "another"),
        0,
        "nothing builds on them any more"
    );
    assert!(anew.open_queries(&benchmark).unwrap().is_empty());
}

#[test]
fn only_videos_are_remembered() {
    let error = open("folder", &Protocol::default())
        .enable_memory(Policy::Fifo)
        .unwrap_err();
    assert!(error.to_string().contains("is for videos"), "{error}");
}

#[test]
fn a_prediction_that_is_not_sure_guides_nothing_where_memory_is_gated() {
    let mut benchmark = open("davis", &Protocol::default());
    benchmark.enable_memory(Policy::Gated).unwrap();
    let benchmark = Arc::new(benchmark);
    let out = tempfile::tempdir().unwrap();
    for (key, confidence, examples) in [("sure", 0.9, 2), ("unsure", 0.2, 1)] {
        let mut row = Row::open(out.path(), "row", key, "").unwrap();
        let shown = Shown {
            id: benchmark.queries[0].classes[0],
            pixels: 1,
            confidence,
        };
        row.stored().store_shown(0, &[shown]).unwrap();
        add(&benchmark, &mut row, 0);
        let builder = QueryBuilder::new(
            Arc::clone(&benchmark),
            32,
            "memory:gated",
            None,
            row.stored().clone(),
        );
        let built = builder.unwrap().build(&benchmark.queries[1]).unwrap();
        assert_eq!(built.examples.len(), examples, "{key}");
        add(&benchmark, &mut row, 1);
        assert_eq!(stored(out.path(), key), 0, "{key}");
    }
}
