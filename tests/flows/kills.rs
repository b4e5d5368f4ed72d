//! Nodes killed in the middle of a run, at moments drawn from a seed.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use seggpt_tests::Scratch;

use crate::endings::{child_named, long_run, signal};

#[test]
fn nodes_killed_by_turns_are_started_again_and_nothing_is_lost_doubled_or_failed() {
    let scratch = Scratch::new();
    let mut child = long_run(&scratch);
    let mut random = 12_345_u64;
    let nodes = ["seggpt-infer", "seggpt-ensemble-feature", "seggpt-prompts"];
    for node in nodes {
        signal("-KILL", &child_named(node, child.id()));
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        sleep(Duration::from_millis(200 + (random >> 33) % 800));
        if child.try_wait().unwrap().is_some() {
            break;
        }
    }
    let started = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(started.elapsed() < Duration::from_secs(120));
    let counts = &scratch.report("out")["counts"];
    assert_eq!(counts["done"], 300, "{counts}");
    assert_eq!(counts["failed"], 0, "{counts}");
    let journal = std::fs::read_to_string(scratch.path("out/.seggpt/journal.jsonl")).unwrap();
    assert_eq!(journal.matches(r#""status":"done""#).count(), 300);
}
