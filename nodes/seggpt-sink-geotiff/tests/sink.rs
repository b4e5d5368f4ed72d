//! Answers to masks, without dora.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use clap::Parser;
use seggpt_contract::{
    Class, ClassIds, ClassResult, Failure, Identity, Mask, Message, Parameter, Provenance, Shares,
    Square, Status,
};
use seggpt_raster::{Grid, Map, Placement, SentTag, Tag, Window};
use seggpt_sink_geotiff::{Settings, sink::Sink};
use seggpt_tiff::Samples;
use seggpt_vector::{
    burn::{Burnable, Part},
    read::read,
};

const SIZE: (u32, u32) = (700, 650);
const SIDE: u32 = 256;

fn open(out: &Path, key: &str) -> Sink {
    open_with(out, key, &[])
}

fn open_with(out: &Path, key: &str, more: &[&str]) -> Sink {
    let out = out.to_str().unwrap();
    let words = ["seggpt-sink-geotiff", "--out", out, "--run-key", key];
    Sink::open(Settings::parse_from(words.iter().chain(more)), "run").unwrap()
}

/// Pixels of half a metre in UTM zone 33.
fn tags(crs: u16) -> Vec<SentTag> {
    let doubles = |code: u16, values: &[f64]| Tag {
        code,
        kind: 12,
        data: values.iter().flat_map(|n| n.to_le_bytes()).collect(),
    };
    let keys: [u16; 12] = [1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, crs];
    let keys = Tag {
        code: 34_735,
        kind: 3,
        data: keys.iter().flat_map(|n| n.to_le_bytes()).collect(),
    };
    let scale = doubles(33_550, &[0.5, 0.5, 0.0]);
    let tie = doubles(33_922, &[0.0, 0.0, 0.0, 500_000.0, 5_000_000.0, 0.0]);
    [&scale, &tie, &keys].map(SentTag::from).to_vec()
}

fn grid() -> Grid {
    Grid::new(SIZE.0, SIZE.1, SIDE, 0.25).unwrap()
}

fn placement(tile: u32, is_empty: bool) -> Placement {
    Placement {
        map: "a.tif".to_owned(),
        name: "a".to_owned(),
        source: "/maps/a.tif".to_owned(),
        index: 0,
        size: SIZE,
        side: SIDE,
        overlap: 0.25,
        stamp: (5, 6),
        tags: tags(32_633),
        tile,
        valid: None,
        is_empty,
    }
}

fn identity(tile: u32, is_empty: bool) -> Identity {
    let placement = placement(tile, is_empty);
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
    let regions = [
        "--polygons",
        "gpkg,geojson",
        "--instances",
        "true",
        "--simplify",
        "1.5",
    ];
    let mut sink = open_with(&one, "k", &regions);
    for tile in 0..grid().len() {
        assert_eq!(take(&mut sink, answer(tile)), Status::Done);
        assert_eq!(take(&mut sink, answer(tile)), Status::Done, "sent twice");
    }
    sink.close(Ok(())).unwrap();
    for tile in (0..grid().len()).rev() {
        let mut sink = open_with(&other, "k", &regions);
        take(&mut sink, answer(tile));
        // Every process dies without a word.
        drop(sink);
    }
    for file in [
        "a.mask.tif",
        "a.confidence.tif",
        "a.mask.qml",
        "a.mask.tif.aux.xml",
        "a.polygons.gpkg",
        "a.polygons.geojson",
        "a.instances.tif",
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
fn polygons_burnt_again_are_the_mask_and_instances_their_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let out = |name: &str| dir.path().join(name);
    let regions = ["--polygons", "gpkg", "--instances", "true"];
    let mut sink = open_with(dir.path(), "k", &regions);
    for tile in 0..grid().len() {
        take(&mut sink, answer(tile));
    }
    sink.close(Ok(())).unwrap();
    let polygons = read(&out("a.polygons.gpkg"), Some("class_id")).unwrap();
    assert_eq!(polygons.crs, 32_633);
    let mask = ids(&out("a.mask.tif"));
    let map = Map::open(&out("a.mask.tif"), None).unwrap();
    let burnt = |labels: &dyn Fn(usize) -> u16| {
        let all = polygons.features.iter().enumerate();
        let all = all.map(|(at, feature)| (labels(at), &feature.polygons[0]));
        let mut burnt = vec![0; mask.len()];
        let part = Part::whole([0, 0], [SIZE.0, SIZE.1]);
        let laid = Burnable::new(all, &map.place().unwrap().grid).unwrap();
        laid.burn(part, &mut burnt);
        burnt.into_iter().map(f64::from).collect::<Vec<_>>()
    };
    assert!(mask.contains(&3.0) && mask.contains(&0.0));
    assert!(burnt(&|_| 3) == mask);
    assert!(burnt(&|at| at as u16 + 1) == ids(&out("a.instances.tif")));
    let run: serde_json::Value =
        serde_json::from_slice(&fs::read(out("run.json")).unwrap()).unwrap();
    assert_eq!(run["maps"][0]["regions"], polygons.features.len());
}

/// The pixels of a map's only band.
fn ids(path: &Path) -> Vec<f64> {
    let map = Map::open(path, None).unwrap();
    let window = Window {
        x: 0,
        y: 0,
        width: SIZE.0,
        height: SIZE.1,
    };
    let mut cache = map.cache(0, SIZE.0, SIZE.1);
    match map.read(0, window, &mut cache).unwrap() {
        Samples::Bytes(values) => values.into_iter().map(f64::from).collect(),
        Samples::Words(values) => values.into_iter().map(f64::from).collect(),
        Samples::Wide(values) => values,
    }
}

#[test]
fn polygons_that_have_no_place_are_refused_before_the_first_answer_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut sink = open_with(dir.path(), "k", &["--polygons", "geojson"]);
    for (tags, reason) in [
        (vec![], "nothing says where it lies"),
        (tags(27_700), "OSGB"),
    ] {
        let Message::Item(mut identity, mask) = answer(0) else {
            panic!("an answer")
        };
        let placement = Placement {
            tags,
            ..placement(0, false)
        };
        let text = Parameter::String(placement.text());
        identity.extra.insert("map".into(), text);
        let error = sink.mask(Message::Item(identity, mask)).unwrap_err();
        assert!(format!("{error:#}").contains(reason), "{error:#}");
    }
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
