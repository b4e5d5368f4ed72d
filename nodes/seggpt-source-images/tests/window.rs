//! The node's loop against dora's testing mode: what is sent, repeated, given up, and how it ends.
#![allow(clippy::unwrap_used)]

use std::{fs, time::Instant};

use clap::Parser;
use dora_node_api::{
    DoraNode,
    integration_testing::{
        IntegrationTestInput, OutputJson, TestingInput, TestingOptions, TestingOutput,
        drain_outputs, output_channel,
    },
};
use image::RgbImage;
use seggpt_source_images::{Settings, run};
use seggpt_store::{Spec, header::Header, journal_path};
use serde_json::{Value, json};
use tempfile::TempDir;

fn pictures(names: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in names {
        RgbImage::new(2, 1).save(dir.path().join(name)).unwrap();
    }
    dir
}

fn ack(seconds: f64, item: &str) -> Value {
    let identity = json!({ "item": item }).to_string();
    let metadata = json!({ "seggpt": { "String": identity }, "status": { "String": "done" } });
    json!({ "type": "Input", "id": "ack", "time_offset_secs": seconds, "metadata": metadata, "data": [] , "data_type": "UInt8" })
}

/// The answer to the source's first greeting.
fn greeting() -> Value {
    let metadata = json!({ "seggpt": { "String": json!({ "greeting": 1 }).to_string() } });
    json!({ "type": "Input", "id": "ack", "time_offset_secs": 0.0, "metadata": metadata, "data": [], "data_type": "UInt8" })
}

fn at(seconds: f64, event: &str) -> Value {
    json!({ "type": event, "time_offset_secs": seconds })
}

/// Runs the node on a folder; the events come at their time.
fn run_with(
    dir: &TempDir,
    arguments: &[&str],
    events: Vec<Value>,
) -> (eyre::Result<()>, Vec<OutputJson>) {
    // The test engine sleeps until the next event and sends nothing meanwhile: ticks keep it awake.
    let end = events
        .iter()
        .filter_map(|event| event["time_offset_secs"].as_f64())
        .fold(0.0, f64::max);
    let ticks = (0..)
        .map(|n| f64::from(n) * 0.02)
        .take_while(|&seconds| seconds < end.min(8.0));
    let ticks =
        ticks.map(|seconds| json!({ "type": "Input", "id": "tick", "time_offset_secs": seconds }));
    let events: Vec<Value> = [greeting()]
        .into_iter()
        .chain(events)
        .chain(ticks)
        .collect();
    let input: IntegrationTestInput =
        serde_json::from_value(json!({ "id": "source", "events": events })).unwrap();
    let (sender, mut receiver) = output_channel();
    let (node, stream) = DoraNode::init_testing(
        TestingInput::Input(input),
        TestingOutput::ToChannel(sender),
        TestingOptions {
            skip_output_time_offsets: true,
        },
    )
    .unwrap();
    let folder = dir.path().display().to_string();
    let settings = ["source", "--inputs", &folder]
        .into_iter()
        .chain(arguments.iter().copied());
    let result = run(node, stream, Settings::parse_from(settings));
    // The first is the greeting.
    (
        result,
        drain_outputs(&mut receiver).into_iter().skip(1).collect(),
    )
}

/// How many bytes each message carried.
fn lengths(outputs: &[OutputJson]) -> Vec<usize> {
    assert!(outputs.iter().all(|output| output["id"] == "image"));
    let length = |output: &OutputJson| {
        output
            .get("data")
            .and_then(Value::as_array)
            .map_or(0, Vec::len)
    };
    outputs.iter().map(length).collect()
}

#[test]
fn it_sends_all_and_ends_when_all_are_acknowledged() {
    let dir = pictures(&["1.png", "2.png"]);
    fs::write(dir.path().join("3.png"), "no picture").unwrap();
    let acks = vec![
        ack(1.0, "2.png"),
        ack(1.0, "1.png"),
        ack(1.1, "3.png"),
        at(60.0, "Stop"),
    ];
    let started = Instant::now();
    let (result, outputs) = run_with(&dir, &[], acks);
    result.unwrap();
    assert!(started.elapsed().as_secs() < 30);
    // The third could not be read: its message has no payload.
    assert_eq!(lengths(&outputs), [6, 6, 0]);
}

#[test]
fn no_more_than_the_window_is_under_way() {
    let dir = pictures(&["1.png", "2.png", "3.png"]);
    let (result, outputs) = run_with(
        &dir,
        &["--window", "1"],
        vec![ack(1.0, "1.png"), at(2.0, "Stop")],
    );
    result.unwrap();
    assert_eq!(outputs.len(), 2);
}

#[test]
fn pictures_that_are_too_large_together_go_one_by_one_though_the_window_has_places() {
    let dir = tempfile::tempdir().unwrap();
    // More than a megabyte of pixels each.
    for name in ["1.png", "2.png", "3.png"] {
        RgbImage::new(700, 600).save(dir.path().join(name)).unwrap();
    }
    let sent = |window_mb| {
        let acks = vec![ack(1.0, "1.png"), at(2.0, "Stop")];
        let (result, outputs) = run_with(&dir, &["--window-mb", window_mb], acks);
        result.unwrap();
        // Greetings carry nothing.
        let pictures = lengths(&outputs).into_iter().filter(|bytes| *bytes > 0);
        pictures.count()
    };
    assert_eq!(sent("1"), 2);
    assert_eq!(sent("2"), 2);
    assert_eq!(sent("3"), 3);
}

#[test]
fn it_sends_again_what_is_not_acknowledged() {
    let dir = pictures(&["1.png"]);
    let (result, outputs) = run_with(
        &dir,
        &["--resend-s", "1"],
        vec![ack(2.5, "1.png"), at(60.0, "Stop")],
    );
    result.unwrap();
    let lengths = lengths(&outputs);
    assert!(
        lengths.len() >= 2 && lengths.iter().all(|&length| length == 6),
        "{lengths:?}"
    );
}

#[test]
fn it_gives_up_with_a_failed_item() {
    let dir = pictures(&["1.png"]);
    let timeout = ["--resend-s", "1", "--max-tries", "1"];
    let (result, outputs) = run_with(&dir, &timeout, vec![ack(1.8, "1.png"), at(60.0, "Stop")]);
    result.unwrap();
    assert_eq!(lengths(&outputs), [6, 0]);
}

#[test]
fn a_picture_that_nobody_acknowledges_is_lost_and_named() {
    let dir = pictures(&["1.png", "2.png"]);
    let timeout = ["--resend-s", "2", "--max-tries", "1"];
    let (result, outputs) = run_with(&dir, &timeout, vec![ack(1.5, "2.png"), at(60.0, "Stop")]);
    let error = result.unwrap_err().to_string();
    assert!(
        error.starts_with("1 of 2 pictures were lost") && error.ends_with("Lost: 1.png"),
        "{error}"
    );
    assert_eq!(lengths(&outputs), [6, 6, 0]);
}

#[test]
fn acknowledgements_that_end_early_are_an_error_with_a_count() {
    let dir = pictures(&["1.png", "2.png"]);
    let (result, _) = run_with(
        &dir,
        &[],
        vec![ack(1.0, "1.png"), at(1.2, "AllInputsClosed")],
    );
    let error = result.unwrap_err().to_string();
    assert!(
        error.starts_with("the acknowledgements ended after 1 of 2 pictures"),
        "{error}"
    );
}

#[test]
fn it_leaves_at_once_when_the_user_stops_the_dataflow() {
    let dir = pictures(&["1.png"]);
    let started = Instant::now();
    let (result, _) = run_with(&dir, &[], vec![at(0.5, "Stop")]);
    result.unwrap();
    assert!(started.elapsed().as_secs() < 30);
}

#[test]
fn what_the_journal_has_is_not_sent() {
    let dir = pictures(&["1.png", "2.png"]);
    let metadata = fs::metadata(dir.path().join("1.png")).unwrap();
    let mtime = metadata
        .modified()
        .unwrap()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_nanos() as i64;
    let source = dir.path().join("1.png");
    let line = json!({ "item": "1.png", "status": "done", "source": source, "file_size": metadata.len(), "file_mtime": mtime });
    let out = tempfile::tempdir().unwrap();
    Header::new("k", &Spec::new()).begin(out.path()).unwrap();
    let header = fs::read_to_string(journal_path(out.path())).unwrap();
    fs::write(journal_path(out.path()), format!("{header}{line}\n")).unwrap();
    let results = out.path().display().to_string();
    let resume = ["--results", &results, "--run-key", "k"];
    let (result, outputs) = run_with(&dir, &resume, vec![ack(1.0, "2.png"), at(60.0, "Stop")]);
    result.unwrap();
    assert_eq!(outputs.len(), 1);
}

#[test]
fn inputs_that_mean_nothing_end_it_before_anything_is_sent() {
    let dir = pictures(&[]);
    let (result, outputs) = run_with(&dir, &[], vec![at(60.0, "Stop")]);
    assert!(format!("{:#}", result.unwrap_err()).contains("the folder holds no pictures"));
    assert!(outputs.is_empty());
}
