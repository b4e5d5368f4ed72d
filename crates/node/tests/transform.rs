//! The shared loop against dora's testing mode. It shows no metadata, so what is seen is how many bytes each message has:
//! an item carries its picture, a failed one nothing.
#![allow(clippy::unwrap_used)]

use std::{thread::sleep, time::Duration};

use dora_node_api::{
    DoraNode, EventStream,
    integration_testing::{
        IntegrationTestInput, OutputReceiver, TestingInput, TestingOptions, TestingOutput,
        drain_outputs, output_channel,
    },
};
use eyre::bail;
use seggpt_contract::{Identity, Image};
use seggpt_node::{Io, one_by_one, transform, transform_several};
use serde_json::{Value, json};

fn node(events: Vec<Value>) -> (DoraNode, EventStream, OutputReceiver) {
    let input: IntegrationTestInput =
        serde_json::from_value(json!({ "id": "node", "events": events })).unwrap();
    let (sender, receiver) = output_channel();
    let (node, events) = DoraNode::init_testing(
        TestingInput::Input(input),
        TestingOutput::ToChannel(sender),
        TestingOptions::default(),
    )
    .unwrap();
    (node, events, receiver)
}

fn metadata(item: &str) -> Value {
    json!({
        "seggpt": { "String": json!({ "item": item }).to_string() }, "width": { "Integer": 2 }, "height": { "Integer": 1 },
        "encoding": { "String": "mono8" },
    })
}

fn picture(input: &str, item: &str) -> Value {
    json!({
        "type": "Input", "id": input, "time_offset_secs": 0.0, "metadata": metadata(item),
        "data": [1, 2], "data_type": "UInt8",
    })
}

fn without(mut event: Value, key: &str) -> Value {
    event["metadata"].as_object_mut().unwrap().remove(key);
    event
}

fn run(
    events: Vec<Value>,
    work: impl FnMut(&Identity, Image) -> eyre::Result<Image>,
) -> Vec<usize> {
    let (node, stream, mut receiver) = node(events);
    transform(node, stream, "in", "out", work).unwrap();
    let outputs = drain_outputs(&mut receiver);
    assert!(outputs.iter().all(|output| output["id"] == "out"));
    let length = |data: Option<&Value>| data.and_then(Value::as_array).map_or(0, Vec::len);
    outputs
        .iter()
        .map(|output| length(output.get("data")))
        .collect()
}

#[test]
fn every_message_is_worked_on_in_its_order() {
    let mut seen = Vec::new();
    let sent = run(
        vec![picture("in", "a"), picture("in", "b")],
        |identity, image| {
            seen.push(identity.item.clone());
            Ok(image)
        },
    );
    assert_eq!(sent, [2, 2]);
    assert_eq!(seen, ["a", "b"]);
}

#[test]
fn an_item_that_the_work_refuses_goes_on_as_a_failed_one() {
    let sent = run(
        vec![picture("in", "a"), picture("in", "b")],
        |identity, image| match identity.item.as_str() {
            "a" => bail!("not this one"),
            _ => Ok(image),
        },
    );
    assert_eq!(sent, [0, 2]);
}

#[test]
fn an_item_that_the_work_panics_on_goes_on_as_a_failed_one() {
    let sent = run(
        vec![picture("in", "a"), picture("in", "b")],
        |identity, image| match identity.item.as_str() {
            "a" => panic!("a diagnostic in the work"),
            _ => Ok(image),
        },
    );
    assert_eq!(sent, [0, 2]);
}

#[test]
fn a_panic_over_several_items_fails_only_the_one_that_causes_it() {
    let (node, stream, mut receiver) = node(vec![
        picture("in", "a"),
        picture("in", "b"),
        picture("in", "c"),
    ]);
    transform_several(
        node,
        stream,
        ["in", "out"],
        3,
        || {
            Ok(|items: Vec<(Identity, Image)>| {
                assert!(items.iter().all(|(identity, _)| identity.item != "b"));
                let worked = items.into_iter();
                worked
                    .map(|(identity, image)| (identity, Ok(image)))
                    .collect()
            })
        },
        |_, _| Ok(()),
    )
    .unwrap();
    let bytes =
        |output: &serde_json::Map<String, Value>| output["data"].as_array().map_or(0, Vec::len);
    let sent: Vec<_> = drain_outputs(&mut receiver)
        .iter()
        .map(|output| output.get("data").map_or(0, |_| bytes(output)))
        .collect();
    assert_eq!(sent, [2, 0, 2]);
}

#[test]
fn a_greeting_passes_behind_what_came_before_it() {
    let mut greeting = picture("in", "a");
    greeting["metadata"] = json!({ "seggpt": { "String": json!({ "greeting": 1 }).to_string() } });
    let sent = run(
        vec![picture("in", "a"), greeting, picture("in", "b")],
        |_, image| Ok(image),
    );
    assert_eq!(sent, [2, 0, 2]);
}

#[test]
fn a_greeting_passes_while_the_node_prepares_and_an_item_waits() {
    let mut greeting = picture("in", "a");
    greeting["metadata"] = json!({ "seggpt": { "String": json!({ "greeting": 1 }).to_string() } });
    let (node, stream, mut receiver) = node(vec![greeting, picture("in", "a"), picture("in", "b")]);
    let loading = Duration::from_millis(400);
    let prepare = || {
        sleep(loading);
        Ok(one_by_one(|_: &Identity, image: Image| Ok(image)))
    };
    transform_several(node, stream, ["in", "out"], 1, prepare, |_, _| Ok(())).unwrap();
    let sent = drain_outputs(&mut receiver);
    let at = |n: usize| Duration::from_secs_f64(sent[n]["time_offset_secs"].as_f64().unwrap());
    assert_eq!(sent.len(), 3);
    assert_eq!(sent[0]["data_type"], "Null", "the greeting comes first");
    assert!(at(1) - at(0) >= loading / 2, "{:?} {:?}", at(0), at(1));
}

#[test]
fn a_node_that_cannot_prepare_ends_with_the_reason() {
    let (node, stream, _receiver) = node(vec![picture("in", "a")]);
    let work = one_by_one(|_: &Identity, image: Image| Ok(image));
    let prepare = || match "no model" {
        "" => Ok(work),
        reason => bail!(reason),
    };
    let ended = transform_several(node, stream, ["in", "out"], 1, prepare, |_, _| Ok(()));
    assert_eq!(ended.unwrap_err().to_string(), "no model");
}

#[test]
fn a_failed_item_passes_through_without_work() {
    let mut failed = picture("in", "a");
    let identity = json!({ "item": "a", "error": "unreadable" }).to_string();
    failed["metadata"]["seggpt"] = json!({ "String": identity });
    assert_eq!(run(vec![failed], |_, _| panic!("nothing to work on")), [0]);
}

#[test]
fn what_cannot_be_read_goes_on_as_a_failed_item() {
    let sent = run(vec![without(picture("in", "a"), "encoding")], |_, _| {
        panic!("it cannot be read")
    });
    assert_eq!(sent, [0]);
}

#[test]
fn other_inputs_are_ignored() {
    assert_eq!(
        run(
            vec![picture("elsewhere", "a"), picture("in", "b")],
            |_, image| Ok(image)
        ),
        [2]
    );
}

#[test]
fn a_stop_by_the_user_ends_the_inputs_at_once() {
    let stop = json!({ "type": "Stop", "time_offset_secs": 0.1 });
    let mut late = picture("in", "late");
    late["time_offset_secs"] = json!(60.0);
    let (node, stream, _receiver) = node(vec![picture("in", "a"), stop, late]);
    let mut io = Io::new(node, stream);
    assert!(io.receive().is_some());
    assert!(io.receive().is_none());
    assert!(io.stopped());
}

#[test]
fn in_the_testing_mode_everything_counts_as_wired() {
    let (node, stream, _receiver) = node(vec![]);
    let io = Io::new(node, stream);
    assert!(io.wants("anything") && io.is_wired("anything"));
}
