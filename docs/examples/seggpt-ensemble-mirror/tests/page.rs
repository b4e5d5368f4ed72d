//! docs/write-your-own-node.md quotes the examples: they must be the same.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

#[test]
fn the_page_quotes_the_examples_as_they_are() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |file: &str| fs::read_to_string(docs.join(file)).unwrap();
    let sources = |language: &str| match language {
        "rust" => read("examples/seggpt-ensemble-mirror/src/main.rs"),
        "toml" => read("examples/seggpt-ensemble-mirror/Cargo.toml"),
        "python" => read("examples/count-pixels/count_pixels.py"),
        "yaml" => {
            read("../dataflows/write-your-own-rust.yml")
                + &read("../dataflows/write-your-own-python.yml")
        }
        _ => String::new(),
    };
    let page = read("write-your-own-node.md");
    let mut quoted = 0;
    for block in page.split("\n```").skip(1).step_by(2) {
        let (language, code) = block.split_once('\n').unwrap();
        if language != "sh" {
            assert!(
                sources(language).contains(code),
                "not in the {language} example:\n{code}"
            );
            quoted += 1;
        }
    }
    assert_eq!(quoted, 8);
}

#[test]
fn the_flows_are_the_folder_flow_with_one_line_changed_or_nodes_added() {
    let flows = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../dataflows");
    let lines = |file: &str| -> Vec<String> {
        let text = fs::read_to_string(flows.join(file)).unwrap();
        let lines = text.lines().map(str::to_owned);
        lines
            .skip_while(|line| !line.starts_with("strict_types"))
            .collect()
    };
    let folder = lines("folder.yml");
    let changed = |file: &str| -> Vec<String> {
        let pairs = folder.iter().zip(lines(file));
        let changed = pairs.filter(|(before, after)| *before != after);
        changed.map(|(_, after)| after.trim().to_owned()).collect()
    };
    assert_eq!(
        changed("write-your-own-rust.yml"),
        [
            "RESULTS: ../out/write-your-own-rust # the sink's OUT: what is done there, under the same run key, is skipped",
            "path: seggpt-ensemble-mirror # docs/examples/seggpt-ensemble-mirror",
            "OUT: ../out/write-your-own-rust"
        ]
    );
    assert_eq!(
        changed("write-your-own-python.yml"),
        [
            "RESULTS: ../out/write-your-own-python # the sink's OUT: what is done there, under the same run key, is skipped",
            "OUT: ../out/write-your-own-python"
        ]
    );
}
