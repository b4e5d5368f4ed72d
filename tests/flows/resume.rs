//! A run that is cut off goes on where it stopped.

use std::fs;

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
    let before = fs::metadata(scratch.path("out/ground_3.mask.png"))
        .unwrap()
        .modified()
        .unwrap();
    scratch.seggpt(arguments(1, &[3, 4, 6])).expect_code(0);
    assert_eq!(
        fs::metadata(scratch.path("out/ground_3.mask.png"))
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
fn a_mask_that_is_gone_or_shorter_is_made_again() {
    let scratch = Scratch::new();
    scratch.seggpt(arguments(1, &[3, 4, 6])).expect_code(0);
    let mask = |n: u32| scratch.path(format!("out/ground_{n}.mask.png"));
    let whole = [3, 4].map(|n| fs::read(mask(n)).unwrap());
    fs::remove_file(mask(3)).unwrap();
    fs::write(mask(4), &whole[1][..10]).unwrap();
    scratch.seggpt(arguments(1, &[3, 4, 6])).expect_code(0);
    assert_eq!([3, 4].map(|n| fs::read(mask(n)).unwrap()), whole);
    let counts = &scratch.report("out")["counts"];
    assert_eq!(
        (&counts["done"], &counts["earlier"]),
        (&3.into(), &1.into())
    );
}

#[test]
fn results_of_pictures_that_are_no_longer_asked_for_are_counted_apart() {
    let scratch = Scratch::new();
    scratch.seggpt(arguments(1, &[3, 4])).expect_code(0);
    scratch.seggpt(arguments(1, &[4])).expect_code(0);
    let counts = &scratch.report("out")["counts"];
    assert_eq!((&counts["done"], &counts["stale"]), (&1.into(), &1.into()));
}

#[test]
fn other_settings_are_refused_and_the_results_stay() {
    let scratch = Scratch::new();
    scratch.seggpt(arguments(1, &[3, 4])).expect_code(0);
    let mask = || fs::read(scratch.path("out/ground_3.mask.png")).unwrap();
    let before = mask();
    let ran = scratch.seggpt(arguments(2, &[3, 4]));
    ran.expect_text("--replace");
    assert_eq!(mask(), before);
    scratch.seggpt(arguments(1, &[3, 4])).expect_code(0);
    assert_eq!(scratch.report("out")["counts"]["earlier"], 2);
}

#[test]
fn two_folders_with_pictures_of_one_name_are_never_mixed() {
    let scratch = Scratch::new();
    let segment = |folder: &str| {
        let line = words("segment --out out --model untrained-tiny");
        let line = line.into_iter().chain(pebbles(&[1]));
        scratch.seggpt(line.chain([folder.to_owned()]))
    };
    for (folder, n) in [("a", 3), ("b", 4)] {
        fs::create_dir(scratch.path(folder)).unwrap();
        let picture = scratch.path(folder).join("x.png");
        fs::copy(ground(&format!("ground_{n}.png")), picture).unwrap();
    }
    segment("a").expect_code(0);
    let mask = || fs::read(scratch.path("out/x.mask.png")).unwrap();
    let before = mask();
    segment("b")
        .expect_text("a/x.png")
        .expect_text("choose another --out");
    assert_eq!(mask(), before);
}

#[test]
fn a_pattern_that_reaches_its_own_results_does_not_take_them_for_pictures() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("photos")).unwrap();
    let picture = scratch.path("photos/x.png");
    fs::copy(ground("ground_3.png"), picture).unwrap();
    for _ in 0..2 {
        let line = words("segment --out photos/masks --model untrained-tiny");
        let line = line.into_iter().chain(pebbles(&[1]));
        scratch
            .seggpt(line.chain(["photos/**/*.png".to_owned()]))
            .expect_code(0);
        assert_eq!(scratch.report("photos/masks")["counts"]["done"], 1);
    }
}
