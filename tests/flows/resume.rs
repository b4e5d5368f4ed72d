//! A run that is cut off goes on where it stopped.

use seggpt_tests::{Scratch, ground};

use crate::{pebbles, text, words};

fn arguments(k: usize, queries: &[u32]) -> Vec<String> {
    let line = words(&format!("segment --out out --model untrained-tiny --k {k}"));
    line.into_iter()
        .chain(pebbles(&[1, 2]))
        .chain(
            queries
                .iter()
                .map(|n| text(ground(&format!("ground_{n}.png")))),
        )
        .collect()
}

#[test]
fn a_second_run_does_only_what_is_new() {
    let scratch = Scratch::new();
    scratch.seggpt(arguments(1, &[3, 4])).expect_code(0);
    let before = std::fs::metadata(scratch.path("out/ground_3.mask.png"))
        .unwrap()
        .modified()
        .unwrap();
    scratch.seggpt(arguments(1, &[3, 4, 6])).expect_code(0);
    assert_eq!(
        std::fs::metadata(scratch.path("out/ground_3.mask.png"))
            .unwrap()
            .modified()
            .unwrap(),
        before,
        "done work was done again"
    );
    let report = scratch.report("out");
    assert_eq!(
        (&report["counts"]["done"], &report["counts"]["earlier"]),
        (&3.into(), &2.into())
    );
    assert!(scratch.path("out/ground_6.mask.png").exists());
}

#[test]
fn other_settings_start_anew() {
    let scratch = Scratch::new();
    scratch.seggpt(arguments(1, &[3, 4])).expect_code(0);
    scratch.seggpt(arguments(2, &[3, 4])).expect_code(0);
    assert_eq!(scratch.report("out")["counts"]["earlier"], 0);
}
