//! Answers to masks, without dora.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use clap::Parser;
use seggpt_contract::{
    Class, ClassIds, ClassResult, Failure, Identity, Mask, Message, Parameter, Provenance, Shares,
    Square, Status,
};
use seggpt_raster::{Grid, Map, Placement};
use seggpt_sink_geotiff::{Settings, sink::Sink};

const SIZE: (u32, u32) = (700, 650);
const SIDE: u32 = 256;

fn open(out: &Path, key: &str) -> Sink {
    let out = out.to_str().unwrap();
    Sink::open(
        Settings::parse_from(["seggpt-sink-geotiff", "--out", out, "--run-key", key]),
        "run",
    )
    .unwrap()
}

fn grid() -> Grid {
    Grid::new(SIZE.0, SIZE.1, SIDE, 0.25).unwrap()
}

fn identity(tile: u32, is_empty: bool) -> Identity {
    let placement = Placement {
        map: "a.tif".to_owned(),
        name: "a".to_owned(),
        source: "/maps/a.tif".to_owned(),
        index: 0,
        size: SIZE,
        side: SIDE,
        overlap: 0.25,
        stamp: (5, 6),
        tags: vec![],
        tile,
        valid: None,
        is_empty,
    };
    let mut identity = Identity::new(format!("a.tif#{tile}"), tile.into(), (SIDE, SIDE));
    identity
        .extra
        .insert("map".into(), Parameter::String(placement.text()));
    identity
}

fn answer(tile: u32) -> Message<Mask> {
    let class = Class {
        id: 3,
        name: "roof".into(),
        color: [200, 10, 10],
    };
    let side = 8;
    let planes = vec![if tile.is_multiple_of(2) { 250u8 } else { 20 }; side * side];
    let mask = Mask {
        width: SIDE,
        height: SIDE,
        ids: ClassIds::from_ids(vec![0; (SIDE * SIDE) as usize]),
        confidence: vec![0u8; (SIDE * SIDE) as usize].into(),
        classes: vec![ClassResult {
            class,
            pixels: 0,
            confidence: 0.0,
        }],
        painted: Square::new(1, vec![0u8; 3]).unwrap(),
        instances: None,
        shares: Some(Shares::new(side as u32, planes, 0.5).unwrap()),
        provenance: Provenance::default(),
    };
    Message::Item(identity(tile, false), mask)
}

fn take(sink: &mut Sink, message: Message<Mask>) -> Status {
    let finished = sink.mask(message).unwrap();
    assert_eq!(finished.len(), 1);
    sink.advance().unwrap();
    finished[0].1
}

fn record(out: &Path) -> String {
    fs::read_to_string(out.join(".seggpt/journal.jsonl")).unwrap()
}

#[test]
fn a_map_is_written_when_its_last_tile_came_whatever_came_before() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    let mut sink = open(&one, "k");
    for tile in 0..grid().len() {
        assert_eq!(take(&mut sink, answer(tile)), Status::Done);
        assert_eq!(take(&mut sink, answer(tile)), Status::Done, "sent twice");
    }
    sink.close(Ok(())).unwrap();
    for tile in (0..grid().len()).rev() {
        let mut sink = open(&other, "k");
        take(&mut sink, answer(tile));
        // Every process dies without a word.
        drop(sink);
    }
    for file in [
        "a.mask.tif",
        "a.confidence.tif",
        "a.mask.qml",
        "a.mask.tif.aux.xml",
    ] {
        assert!(
            fs::read(one.join(file)).unwrap() == fs::read(other.join(file)).unwrap(),
            "{file}"
        );
    }
    assert_eq!(
        Map::open(&one.join("a.mask.tif"), None).unwrap().size(),
        SIZE
    );
    assert!(!one.join(".work").exists());
    let run: serde_json::Value =
        serde_json::from_slice(&fs::read(one.join("run.json")).unwrap()).unwrap();
    assert_eq!(run["maps"][0]["classes"][0]["name"], "roof");
    assert_eq!(record(&one).matches(r#""status":"done""#).count(), 1);
}

#[test]
fn failed_and_empty_tiles_are_holes_and_one_of_them_is_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let mut sink = open(dir.path(), "k");
    let failure = || Failure {
        node: "infer".into(),
        error: "no".into(),
    };
    for tile in 0..grid().len() {
        let (message, status) = match tile {
            0 => (
                Message::Failed(identity(tile, true), failure()),
                Status::Done,
            ),
            1 => (
                Message::Failed(identity(tile, false), failure()),
                Status::Failed,
            ),
            _ => (answer(tile), Status::Done),
        };
        assert_eq!(take(&mut sink, message), status);
    }
    let text = record(dir.path());
    assert!(text.contains("1 of 16 tiles failed"), "{text}");
    assert!(text.contains(r#""empty":1,"failed":1"#), "{text}");
}

#[test]
fn answers_that_cannot_be_blended_fail_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let mut sink = open(dir.path(), "k");
    let mut foreign = answer(0);
    if let Message::Item(identity, _) = &mut foreign {
        identity.extra.clear();
    }
    assert_eq!(take(&mut sink, foreign), Status::Failed);
    let Message::Item(identity, mut mask) = answer(1) else {
        panic!("an answer")
    };
    mask.shares = None;
    assert_eq!(
        take(&mut sink, Message::Item(identity, mask)),
        Status::Failed
    );
}

#[test]
fn another_key_is_refused_and_without_one_nothing_of_an_earlier_run_counts() {
    let dir = tempfile::tempdir().unwrap();
    let mut sink = open(dir.path(), "k");
    take(&mut sink, answer(0));
    drop(sink);
    let out = dir.path().to_str().unwrap();
    let other = Settings::parse_from(["x", "--out", out, "--run-key", "other"]);
    let error = Sink::open(other, "run").unwrap_err();
    assert!(format!("{error:#}").contains("other"), "{error:#}");
}
