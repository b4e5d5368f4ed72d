//! The examples of docs/write-your-own-node.md, in a real flow.

use std::fs;

use seggpt_tests::{Scratch, root, stock_dora};

use crate::{
    stock::{at_home, copy_folder},
    text,
};

#[test]
fn the_rust_strategy_runs() {
    let scratch = Scratch::new();
    let flow = at_home(&scratch, "write-your-own-rust.yml");
    scratch.seggpt(["run".into(), text(flow)]).expect_code(0);
    let report = scratch.report("home/out/write-your-own-rust");
    assert_eq!(report["items"][0]["provenance"]["ensemble"], "mirror");
}

#[test]
fn the_python_node_runs() {
    let Some(dora) = stock_dora() else { return };
    let scratch = Scratch::new();
    let flow = at_home(&scratch, "write-your-own-python.yml");
    copy_folder(
        &root().join("docs/examples/count-pixels"),
        &scratch.path("home/docs/examples/count-pixels"),
    );
    // The stock engine's folder has the Python that the node's `path:` asks for.
    scratch.dora_run(&dora, &flow).expect_code(0);
    let table =
        fs::read_to_string(scratch.path("home/out/write-your-own-python/areas.csv")).unwrap();
    for item in [
        "ground_3.png",
        "ground_4.png",
        "ground_5.jpg",
        "ground_6.png",
    ] {
        let rows: Vec<_> = table.lines().filter(|row| row.starts_with(item)).collect();
        assert!(
            rows.iter().any(|row| row.contains("pebble")),
            "{item} is not counted:\n{table}"
        );
    }
}

/// The folder flow with the lossless example in it, `from` replaced by `to`.
fn with_lossless(scratch: &Scratch, replaced: &[(&str, &str)]) -> std::path::PathBuf {
    let flow = at_home(scratch, "folder.yml");
    copy_folder(
        &root().join("docs/examples/lossless"),
        &scratch.path("home/docs/examples/lossless"),
    );
    let mut text = fs::read_to_string(&flow).unwrap();
    for (from, to) in replaced {
        assert!(text.contains(from), "folder.yml has no `{from}`");
        text = text.replace(from, to);
    }
    fs::write(&flow, text).unwrap();
    flow
}

#[test]
fn a_source_in_python_feeds_our_nodes_and_ends_when_all_is_acknowledged() {
    let Some(dora) = stock_dora() else { return };
    let scratch = Scratch::new();
    let source = [
        (
            "path: seggpt-source-images",
            "path: ../docs/examples/lossless/source.py",
        ),
        ("INPUTS: |", "PICTURES: ../pictures\n      INPUTS: |"),
    ];
    let flow = with_lossless(&scratch, &source);
    fs::create_dir_all(scratch.path("home/pictures")).unwrap();
    for picture in ["ground_3.png", "ground_5.jpg"] {
        let from = root().join("tests/fixtures/ground").join(picture);
        fs::copy(from, scratch.path("home/pictures").join(picture)).unwrap();
    }
    scratch.dora_run(&dora, &flow).expect_code(0);
    let report = scratch.report("home/out/folder");
    assert_eq!(report["counts"]["done"], 2);
}

#[test]
fn a_sink_in_python_takes_the_masks_of_our_nodes_and_acknowledges_them() {
    let Some(dora) = stock_dora() else { return };
    let scratch = Scratch::new();
    let sink = [
        (
            "path: seggpt-sink-files",
            "path: ../docs/examples/lossless/sink.py",
        ),
        (
            "infer/mask, queue_size: 64 }\n      prompted: { source: prompts/prompted, queue_size: 64 }\n",
            "infer/mask, queue_size: 64 }\n",
        ),
        (
            ", prompted: seggpt/flow/v1/Prompted }\n    output_types: { ack",
            " }\n    output_types: { ack",
        ),
    ];
    let flow = with_lossless(&scratch, &sink);
    scratch.dora_run(&dora, &flow).expect_code(0);
    let masks = fs::read_dir(scratch.path("home/out/folder")).unwrap();
    let written = masks.filter(|file| {
        let path = file.as_ref().unwrap().path();
        path.extension().is_some_and(|end| end == "npy")
    });
    assert_eq!(written.count(), 4);
}
