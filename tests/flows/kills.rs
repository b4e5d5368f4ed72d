//! Nodes killed in the middle of a run, at moments drawn from a seed.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    thread::sleep,
    time::{Duration, Instant},
};

use seggpt_tests::{
    Scratch,
    faults::{Death, Flow, MOMENTS},
};

use crate::endings::{child_named, long_run, signal};

#[test]
fn nodes_killed_by_turns_are_started_again_and_nothing_is_lost_doubled_or_failed() {
    let scratch = Scratch::new();
    let mut child = long_run(&scratch);
    let mut random = 12_345_u64;
    let nodes = ["infer", "ensemble-feature", "prompts"];
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
    let journal = fs::read_to_string(scratch.path("out/.seggpt/journal.jsonl")).unwrap();
    assert_eq!(journal.matches(r#""status":"done""#).count(), 300);
}

#[test]
fn every_node_dies_at_every_moment_and_only_what_kills_each_time_fails() {
    let flow = Flow::new(120);
    let mut items = flow.items().iter().step_by(5);
    let mut hows = ["kill", "abort", "exit"].into_iter().cycle();
    let mut plan = vec![];
    for (program, moments) in MOMENTS {
        for moment in moments {
            let (how, item) = (hows.next().unwrap(), items.next().unwrap());
            plan.push(Death::once(program, moment, how, item));
        }
    }
    let poison = items.next().unwrap();
    plan.push(Death {
        always: true,
        ..Death::once("seggpt-infer", "in-work", "kill", poison)
    });
    flow.plan(&plan);
    let ended = flow.run(Duration::from_secs(300));
    let result = flow.judge(std::slice::from_ref(poison));
    assert!(result.is_good(), "{result:?}\n{}", ended.said);
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    assert_eq!(result.kills, plan.len() + 1, "the poison kills twice");
    let error = "the process of node `infer` died on it twice";
    assert!(ended.said.contains(error), "{}", ended.said);
}

#[test]
fn a_node_that_gives_up_is_not_started_again() {
    let flow = Flow::new(30);
    let item = &flow.items()[10];
    flow.plan(&[Death::once(
        "seggpt-sink-files",
        "before-work",
        "kill",
        item,
    )]);
    // A folder in the place of a file that has to be written.
    fs::create_dir_all(flow.scratch.path("out/run.json")).unwrap();
    let ended = flow.run(Duration::from_secs(60));
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    assert!(ended.said.contains("node `sink` gave up"), "{}", ended.said);
    assert_eq!(ended.said.matches("gave up: stopping").count(), 1);
}

#[test]
fn a_run_whose_messages_are_lost_in_shared_memory_goes_on_once_without_it() {
    let scratch = Scratch::new();
    let node = scratch.path("node.sh");
    // What the link of a source says in its log, and how it ends.
    let script = "#!/bin/sh\necho \"${SEGGPT_SHARED_MEMORY:-on}\" >> starts\n\
        echo '{\"timestamp\":\"2026-01-01T00:00:00Z\",\"level\":\"error\",\"target\":\"seggpt::link\",\"message\":\"lost\",\"fields\":{}}'\n\
        sleep 1\nexit 1\n";
    fs::write(&node, script).unwrap();
    fs::set_permissions(&node, fs::Permissions::from_mode(0o755)).unwrap();
    let flow = scratch.path("flow.yml");
    fs::write(
        &flow,
        "nodes:\n  - {id: source, path: ./node.sh, outputs: [image]}\n",
    )
    .unwrap();
    scratch
        .seggpt([OsStr::new("run"), flow.as_os_str()])
        .expect_code(3)
        .expect_text("going on without it");
    let starts = fs::read_to_string(scratch.path("starts")).unwrap();
    assert_eq!(starts, "on\noff\n");
}
