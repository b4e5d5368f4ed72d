//! How runs end, and what they say then.

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use seggpt_tests::{Scratch, binary, ground, root};

use crate::{pebbles, stock::at_home, text, words};

#[test]
fn a_wire_of_the_wrong_type_is_refused_before_anything_starts() {
    let scratch = Scratch::new();
    let path = at_home(&scratch, "folder.yml");
    let flow = fs::read_to_string(&path).unwrap().replace(
        "canvases: { source: ensemble/canvases",
        "canvases: { source: prompts/prompted",
    );
    fs::write(&path, flow).unwrap();
    scratch.seggpt(["run".into(), text(path)]).expect_code(2);
    assert!(!scratch.path("home/out").exists(), "something started");
}

#[test]
fn a_missing_dataflow_and_an_unknown_node_are_named() {
    let scratch = Scratch::new();
    scratch
        .seggpt(["run", "nowhere.yml"])
        .expect_code(2)
        .expect_text("nowhere.yml");
    let flow = text(at_home(&scratch, "folder.yml"));
    scratch
        .seggpt(["run", &flow, "--set", "inferr.MODEL=x"])
        .expect_code(2)
        .expect_text("inferr");
}

#[test]
fn a_node_that_cannot_start_says_why() {
    let scratch = Scratch::new();
    let line = words("segment --out out --model no-such-model")
        .into_iter()
        .chain(pebbles(&[1]))
        .chain([text(ground("ground_3.png"))]);
    scratch
        .seggpt(line)
        .expect_code(2)
        .expect_text("no-such-model");
    let flow = text(at_home(&scratch, "folder.yml"));
    scratch
        .seggpt(["run", &flow, "--set", "infer.MODEL=no-such-model"])
        .expect_code(2)
        .expect_text("infer")
        .expect_text("no-such-model");
}

/// What [`long_run`] is called with.
fn long_line(scratch: &Scratch) -> Vec<String> {
    words("segment --out out --model untrained-tiny")
        .into_iter()
        .chain(pebbles(&[1]))
        .chain([text(scratch.path("many"))])
        .collect()
}

/// 300 pictures, so that there is time to interfere.
pub fn long_run(scratch: &Scratch) -> Child {
    let folder = scratch.path("many");
    fs::create_dir(&folder).unwrap();
    for n in 0..300 {
        fs::copy(ground("ground_6.png"), folder.join(format!("{n:03}.png"))).unwrap();
    }
    let mut command = Command::new(binary("seggpt"));
    let child = command
        .args(long_line(scratch))
        .current_dir(scratch.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let masks = || {
        fs::read_dir(scratch.path("out"))
            .map(|d| {
                d.filter(|e| text(e.as_ref().unwrap().path()).ends_with(".mask.png"))
                    .count()
            })
            .unwrap_or(0)
    };
    let patience = Instant::now() + Duration::from_secs(60);
    while masks() < 3 {
        assert!(Instant::now() < patience, "no mask within a minute");
        sleep(Duration::from_millis(20));
    }
    child
}

pub fn signal(name: &str, pid: &str) {
    assert!(
        Command::new("kill")
            .args([name, pid])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn ctrl_c_stops_the_run_and_the_next_one_goes_on() {
    let scratch = Scratch::new();
    let child = long_run(&scratch);
    signal("-INT", &child.id().to_string());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(130),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let done = scratch.report("out")["counts"]["done"].as_u64().unwrap();
    assert!((3..300).contains(&done), "{done} done");
    let line = words("segment --out out --model untrained-tiny")
        .into_iter()
        .chain(pebbles(&[1]))
        .chain([text(scratch.path("many"))]);
    scratch.seggpt(line).expect_code(0);
    let counts = &scratch.report("out")["counts"];
    assert_eq!(counts["done"], 300);
    assert!(counts["earlier"].as_u64().unwrap() >= done, "{counts}");
}

/// The process of a node under this run; `name` without `seggpt-`.
pub fn child_named(name: &str, parent: u32) -> String {
    let output = Command::new("ps")
        .args(["-eo", "pid,ppid,args"])
        .output()
        .unwrap();
    let listing = String::from_utf8(output.stdout).unwrap();
    let mut rows = listing
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows
        .find(|row| row[1] == parent.to_string() && row[3..].starts_with(&["node", name]))
        .unwrap_or_else(|| panic!("no {name} under {parent}\n{listing}"));
    row[0].to_owned()
}

#[test]
fn doctor_finds_what_a_checkout_has() {
    let scratch = Scratch::new();
    scratch
        .seggpt(["doctor"])
        .expect_text("all 15 in this program")
        .expect_text("untrained-tiny");
    assert!(root().join("models/default").exists());
}
