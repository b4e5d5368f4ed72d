//! A node that hears nothing any more, though it lives: the edge to it is named, and a new process takes its place.

use seggpt_tests::Scratch;

use crate::endings::{child_named, long_run, signal};

#[test]
fn a_node_that_is_held_up_is_named_and_started_again_and_the_run_finishes() {
    let scratch = Scratch::new();
    let child = long_run(&scratch);
    let held = child_named("ensemble-feature", child.id());
    signal("-STOP", &held);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let edge = "nothing comes through from `prompts` to `ensemble`";
    for line in [
        format!("{edge} yet"),
        format!("{edge}: `ensemble` is started again"),
    ] {
        assert!(said.contains(&line), "{said}");
    }
    let counts = &scratch.report("out")["counts"];
    assert_eq!(
        (&counts["done"], &counts["failed"]),
        (&300.into(), &0.into())
    );
}
