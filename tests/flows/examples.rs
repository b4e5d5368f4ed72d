//! The examples of docs/write-your-own-node.md, in a real flow.

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
        std::fs::read_to_string(scratch.path("home/out/write-your-own-python/areas.csv")).unwrap();
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
