//! A node that hears nothing any more, though it lives: the edge to it is named, and the run ends.

use std::time::{Duration, Instant};

use seggpt_tests::Scratch;

use crate::endings::{child_named, long_line, long_run, signal};

#[test]
fn the_edge_to_a_node_that_is_held_up_is_named_and_the_next_run_finishes() {
    let scratch = Scratch::new();
    let child = long_run(&scratch);
    let held = child_named("ensemble-feature", child.id());
    signal("-STOP", &held);
    let since = Instant::now();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("nothing comes through from `prompts` to `ensemble`"),
        "{said}"
    );
    // The node is given time to end by itself before it is killed.
    assert!(since.elapsed() < Duration::from_secs(150), "{since:?}");
    let done = scratch.report("out")["counts"]["done"].as_u64();
    assert!(done >= Some(3));
    scratch.seggpt(long_line(&scratch)).expect_code(0);
    let counts = &scratch.report("out")["counts"];
    assert_eq!(
        (&counts["done"], &counts["failed"], &counts["earlier"]),
        (&300.into(), &0.into(), &done.into())
    );
}
