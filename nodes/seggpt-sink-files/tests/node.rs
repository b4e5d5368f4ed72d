//! The event loop in dora's testing mode.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use dora_node_api::{
    DoraNode,
    integration_testing::{
        IntegrationTestInput, TestingInput, TestingOptions, TestingOutput, drain_outputs,
        output_channel,
    },
};
use serde_json::json;

#[test]
fn the_node_drains_its_inputs_acknowledges_and_leaves_a_summary() {
    let out = tempfile::tempdir().unwrap();
    let input = |at: f64, id: &str, item: &str| {
        json!({"type": "Input", "id": id, "data": [], "data_type": "UInt8", "time_offset_secs": at, "metadata": {
            "seggpt": {"String": json!({"item": item, "error": "no such file", "failed_in": "source", "total": 3}).to_string()},
        }})
    };
    let garbage = json!({"type": "Input", "id": "mask", "data": [1, 2], "data_type": "UInt8", "time_offset_secs": 0.04, "metadata": {
        "seggpt": {"String": json!({"item": "d", "width": 4, "height": 3}).to_string()},
    }});
    let events = json!([
        input(0.0, "prompted", "a"),
        input(0.01, "mask", "a"),
        input(0.02, "elsewhere", "c"),
        input(0.03, "mask", "b"),
        garbage,
    ]);
    let inputs = IntegrationTestInput::new(
        "sink".parse().unwrap(),
        serde_json::from_value(events).unwrap(),
    );
    let (send, mut outputs) = output_channel();
    let options = TestingOptions {
        skip_output_time_offsets: true,
    };
    let (node, events) = DoraNode::init_testing(
        TestingInput::Input(inputs),
        TestingOutput::ToChannel(send),
        options,
    )
    .unwrap();
    seggpt_sink_files::run(node, events, common::settings(out.path(), &[])).unwrap();

    let acknowledged: Vec<_> = drain_outputs(&mut outputs)
        .into_iter()
        .map(|output| output["id"].clone())
        .collect();
    assert!(acknowledged.iter().all(|id| id == "ack"));
    // `a` came by both edges: once more, unless it was still on its way to the disk.
    assert!((3..=4).contains(&acknowledged.len()), "{acknowledged:?}");
    let run: serde_json::Value =
        serde_json::from_slice(&fs::read(out.path().join("run.json")).unwrap()).unwrap();
    assert_eq!(
        (
            &run["state"],
            &run["counts"]["total"],
            &run["counts"]["failed"]
        ),
        (&"finished".into(), &3.into(), &3.into())
    );
    assert_eq!(
        fs::read_to_string(seggpt_store::journal_path(out.path()))
            .unwrap()
            .lines()
            .count(),
        4,
        "a header and a line each"
    );
}

#[test]
fn the_manual_makes_a_manifest_and_a_readme() {
    let node_spec = seggpt_sink_files::node_spec();
    assert!(
        node_spec.manifest().contains("  OUT:\n    type: string\n"),
        "{}",
        node_spec.manifest()
    );
    assert!(
        node_spec
            .readme()
            .contains("| `prompted` | `seggpt/flow/v1/Prompted` |")
    );
}
