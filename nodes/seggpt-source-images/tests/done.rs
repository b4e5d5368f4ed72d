//! What an earlier run has done is not done again, unless anything changed.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use seggpt_node::source::{Stamp, done::Done};
use seggpt_source_images::inputs::Entry;
use seggpt_store::{Spec, header::Header, journal_path};
use tempfile::TempDir;

fn entry(path: &str, size: u64, mtime: i64) -> Entry {
    let path = Path::new(path);
    let item = path.file_name().unwrap().to_str().unwrap();
    Entry {
        path: path.into(),
        item: item.into(),
        name: item.into(),
        page: None,
        stamp: Some(Stamp { size, mtime }),
    }
}

/// A folder with the results of these records, `a.mask.png` among them.
fn results(lines: &[&str]) -> TempDir {
    let out = tempfile::tempdir().unwrap();
    Header::new("k", &Spec::new()).begin(out.path()).unwrap();
    let mut journal = fs::read_to_string(journal_path(out.path())).unwrap();
    journal += &lines.join("\n");
    fs::write(journal_path(out.path()), journal).unwrap();
    fs::write(out.path().join("a.mask.png"), "mask").unwrap();
    out
}

const DONE: &str = r#"{"item":"a.png","status":"done","source":"/p/a.png","file_size":10,"file_mtime":-20,"files":{"mask":"a.mask.png"},"bytes":{"mask":4}}"#;
const FAILED: &str =
    r#"{"item":"a.png","status":"failed","source":"/p/a.png","file_size":10,"file_mtime":-20}"#;

fn is_done(lines: &[&str]) -> bool {
    let out = results(lines);
    let done = Done::read(out.path(), "k", "now").unwrap();
    done.has(&entry("/p/a.png", 10, -20))
}

#[test]
fn what_is_done_is_known_by_item_key_size_time_and_source() {
    let out = results(&[DONE]);
    let done = Done::read(out.path(), "k", "now").unwrap();
    assert!(
        done.has(&entry("/p/a.png", 10, -20)),
        "a file of before 1970"
    );
    for other in [
        entry("/p/b.png", 10, -20),
        entry("/p/a.png", 11, -20),
        entry("/p/a.png", 10, 20),
        entry("/q/a.png", 10, -20),
        Entry {
            stamp: None,
            ..entry("/p/a.png", 10, -20)
        },
    ] {
        assert!(!done.has(&other), "{other:?}");
    }
    for key in ["other", ""] {
        let done = Done::read(out.path(), key, "now").unwrap();
        assert!(!done.has(&entry("/p/a.png", 10, -20)), "{key:?}");
    }
}

#[test]
fn a_mask_that_is_gone_or_of_another_length_is_made_again() {
    let out = results(&[DONE]);
    let mask = out.path().join("a.mask.png");
    fs::write(&mask, "mas").unwrap();
    let shorter = Done::read(out.path(), "k", "now").unwrap();
    assert!(!shorter.has(&entry("/p/a.png", 10, -20)));
    fs::remove_file(mask).unwrap();
    let gone = Done::read(out.path(), "k", "now").unwrap();
    assert!(!gone.has(&entry("/p/a.png", 10, -20)));
}

#[test]
fn the_last_record_of_an_item_counts() {
    assert!(is_done(&[FAILED, DONE]));
    assert!(!is_done(&[DONE, FAILED]));
}

#[test]
fn what_this_run_has_ended_is_not_sent_again_after_a_restart_and_keeps_its_number() {
    let own = |line: &str| line.replacen('{', r#"{"run":"now","#, 1);
    for line in [DONE, FAILED] {
        let out = results(&[&own(line)]);
        let done = Done::read(out.path(), "k", "now").unwrap();
        assert!(done.has_ended("a.png"), "{line}");
        assert!(
            !done.has(&entry("/p/a.png", 10, -20)),
            "it is counted among this run's"
        );
        let later = Done::read(out.path(), "k", "later").unwrap();
        assert!(!later.has_ended("a.png"));
    }
    let out = results(&[&own(DONE)]);
    fs::remove_file(out.path().join("a.mask.png")).unwrap();
    assert!(
        !Done::read(out.path(), "k", "now")
            .unwrap()
            .has_ended("a.png")
    );
}

#[test]
fn a_line_that_was_cut_short_spoils_no_other() {
    assert!(is_done(&[DONE, "", "no JSON", r#"{"item":"a.png","sta"#]));
}

#[test]
fn no_journal_means_that_nothing_is_done() {
    let done = Done::read("/nowhere".as_ref(), "k", "now").unwrap();
    assert!(!done.has(&entry("/p/a.png", 10, -20)));
}

#[test]
fn the_same_item_of_another_source_is_refused_by_name() {
    let out = results(&[DONE]);
    let done = Done::read(out.path(), "k", "now").unwrap();
    done.check(out.path(), &[entry("/p/a.png", 11, 0)]).unwrap();
    let refused = done.check(out.path(), &[entry("/q/a.png", 10, -20)]);
    let said = refused.unwrap_err().to_string();
    for word in ["/p/a.png", "/q/a.png", "--out", "--replace"] {
        assert!(said.contains(word), "{said}");
    }
}
