//! The same files under the stock `dora` command line.

use std::fs;

use seggpt_tests::{Scratch, ground, root, stock_dora};

use crate::{pebbles, text, words};

#[test]
fn a_composed_dataflow_runs_under_the_stock_engine() {
    let Some(dora) = stock_dora() else { return };
    let scratch = Scratch::new();
    let line = words(
        "segment --out out --model untrained-tiny --ensemble vote --select nearest --k 2 --print-dataflow",
    );
    let arguments = line
        .into_iter()
        .chain(pebbles(&[1, 2]))
        .chain([3, 4, 6].map(|n| text(ground(&format!("ground_{n}.png")))));
    let flow = printed(&scratch, arguments);
    scratch.dora_run(&dora, &flow).expect_code(0);
    assert_eq!(scratch.report("out")["counts"]["done"], 3);
}

#[test]
fn a_flow_of_the_gallery_runs_under_both_engines() {
    let Some(dora) = stock_dora() else { return };
    let scratch = Scratch::new();
    let flow = at_home(&scratch, "folder.yml");
    scratch.dora_run(&dora, &flow).expect_code(0);
    assert_eq!(scratch.report("home/out/folder")["counts"]["failed"], 0);
    let again = text(flow);
    scratch
        .seggpt([
            "run",
            &again,
            "--set",
            "sink.OUT=../out/ours",
            "--set",
            "source.RESULTS=../out/ours",
        ])
        .expect_code(0);
    let done = |out| scratch.report(out)["counts"]["done"].as_u64();
    assert!(done("home/out/ours") > Some(0));
    assert_eq!(done("home/out/folder"), done("home/out/ours"));
}

/// What `--print-dataflow` prints, in a folder with the types.
pub fn printed(
    scratch: &Scratch,
    arguments: impl IntoIterator<Item = String>,
) -> std::path::PathBuf {
    let ran = scratch
        .seggpt(arguments)
        .expect_code(0)
        .expect_text("strict_types: true");
    let folder = scratch.path("printed");
    copy_folder(&root().join("dataflows/types"), &folder.join("types"));
    let flow = folder.join("dataflow.yml");
    fs::write(&flow, ran.said()).unwrap();
    flow
}

/// A copy of the dataflows beside the fixtures they read, so that tests write nothing into the repository.
pub fn at_home(scratch: &Scratch, flow: &str) -> std::path::PathBuf {
    let home = scratch.path("home");
    fs::create_dir_all(home.join("tests/fixtures")).unwrap();
    copy_folder(&root().join("dataflows"), &home.join("dataflows"));
    copy_folder(
        &root().join("tests/fixtures/ground"),
        &home.join("tests/fixtures/ground"),
    );
    home.join("dataflows").join(flow)
}

pub fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
