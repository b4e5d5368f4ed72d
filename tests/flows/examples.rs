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

/// The folder flow with an example in it, `from` replaced by `to`.
fn with_example(scratch: &Scratch, example: &str, replaced: &[(&str, &str)]) -> std::path::PathBuf {
    let flow = at_home(scratch, "folder.yml");
    let folder = format!("docs/examples/{example}");
    copy_folder(
        &root().join(&folder),
        &scratch.path(format!("home/{folder}")),
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
    let flow = with_example(&scratch, "lossless", &source);
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
    let flow = with_example(&scratch, "lossless", &sink);
    scratch.dora_run(&dora, &flow).expect_code(0);
    let masks = fs::read_dir(scratch.path("home/out/folder")).unwrap();
    let written = masks.filter(|file| {
        let path = file.as_ref().unwrap().path();
        path.extension().is_some_and(|end| end == "npy")
    });
    assert_eq!(written.count(), 4);
}

#[test]
fn a_network_in_python_sends_masks_that_our_sink_takes() {
    let Some(dora) = stock_dora() else { return };
    let scratch = Scratch::new();
    let network = [(
        "path: seggpt-infer",
        "path: ../docs/examples/color-histogram/color_histogram.py",
    )];
    let flow = with_example(&scratch, "color-histogram", &network);
    scratch.dora_run(&dora, &flow).expect_code(0);
    let report = scratch.report("home/out/folder");
    assert_eq!(report["counts"]["done"], 4, "{report}");
    for item in report["items"].as_array().unwrap() {
        assert_eq!(item["provenance"]["model"], "color histogram");
        let classes = item["classes"].as_array().unwrap();
        let pebble = classes.iter().find(|class| class["name"] == "pebble");
        assert!(pebble.unwrap()["pixels"].as_u64() > Some(0), "{item}");
    }
}

#[test]
fn the_mask_image_of_the_network_holds_the_class_ids_that_the_sink_writes() {
    let Some(dora) = stock_dora() else { return };
    let scratch = Scratch::new();
    let saver = "  - id: saver
    path: ../saver.py
    inputs:
      mask_image: { source: infer/mask_image, queue_size: 64, queue_policy: backpressure }
    input_types: { mask_image: seggpt/flow/v1/MaskImage }
    finish_grace_secs: 86400.0

  - id: sink
";
    let changes = [
        ("outputs: [mask]", "outputs: [mask, mask_image]"),
        (
            "output_types: { mask: seggpt/flow/v1/Mask }",
            "output_types: { mask: seggpt/flow/v1/Mask, mask_image: seggpt/flow/v1/MaskImage }",
        ),
        ("  - id: sink\n", saver),
        (
            "      OUT: ../out/folder\n",
            "      OUT: ../out/folder\n      MASK: ids\n",
        ),
    ];
    let flow = with_example(&scratch, "lossless", &changes);
    let script = "from dora import Node
from PIL import Image
from seggpt_contract import passes_on, read, read_image

for event in Node():
    if event['type'] == 'INPUT' and not passes_on(event):
        picture = read_image(event['value'], event['metadata'])
        Image.fromarray(picture.array()).save(f\"../{read(event['metadata']).name}.saved.png\")
";
    fs::write(scratch.path("home/saver.py"), script).unwrap();
    scratch.dora_run(&dora, &flow).expect_code(0);
    for name in ["ground_3", "ground_4", "ground_5", "ground_6"] {
        let open = |path: String| image::open(scratch.path(path)).unwrap().into_luma8();
        let saved = open(format!("home/{name}.saved.png"));
        let written = open(format!("home/out/folder/{name}.mask.png"));
        assert_eq!(saved, written, "{name}");
        assert!(saved.pixels().any(|pixel| pixel.0 != [0]), "{name}");
    }
}
