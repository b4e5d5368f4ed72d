//! What an earlier run has done is not done again, unless anything changed.
#![allow(clippy::unwrap_used)]

use std::{fs, path::PathBuf};

use seggpt_source_images::{
    inputs::{Entry, Stamp},
    journal::Journal,
};

fn entry(item: &str, size: u64, mtime: i64) -> Entry {
    Entry {
        path: PathBuf::from("/p").join(item),
        item: item.into(),
        name: item.into(),
        stamp: Some(Stamp { size, mtime }),
    }
}

fn journal(lines: &[&str], run_key: &str) -> Journal {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    fs::write(&path, lines.join("\n")).unwrap();
    Journal::read(&path, run_key).unwrap()
}

const DONE: &str = r#"{"item":"a.png","status":"done","run_key":"k","file_size":10,"file_mtime":20,"mask":"a.mask.png"}"#;

#[test]
fn what_is_done_is_known_by_item_key_size_and_time() {
    let journal = journal(&[DONE], "k");
    assert!(journal.has(&entry("a.png", 10, 20)));
    assert!(!journal.has(&entry("b.png", 10, 20)));
    assert!(!journal.has(&entry("a.png", 11, 20)));
    assert!(!journal.has(&entry("a.png", 10, 21)));
    assert!(!journal.has(&Entry {
        stamp: None,
        ..entry("a.png", 10, 20)
    }));
}

#[test]
fn another_key_is_another_run() {
    assert!(!journal(&[DONE], "other").has(&entry("a.png", 10, 20)));
    let keyless = r#"{"item":"a.png","status":"done","file_size":10,"file_mtime":20}"#;
    assert!(journal(&[keyless], "").has(&entry("a.png", 10, 20)));
}

#[test]
fn the_last_line_on_an_item_counts() {
    let failed =
        r#"{"item":"a.png","status":"failed","run_key":"k","file_size":10,"file_mtime":20}"#;
    assert!(!journal(&[DONE, failed], "k").has(&entry("a.png", 10, 20)));
    assert!(journal(&[failed, DONE], "k").has(&entry("a.png", 10, 20)));
}

#[test]
fn a_line_that_was_cut_short_spoils_no_other() {
    let journal = journal(&[DONE, "", "no JSON", r#"{"item":"b.png","sta"#], "k");
    assert!(journal.has(&entry("a.png", 10, 20)));
    assert!(!journal.has(&entry("b.png", 10, 20)));
}

#[test]
fn no_journal_means_that_nothing_is_done() {
    let journal = Journal::read("/nowhere/journal.jsonl".as_ref(), "").unwrap();
    assert!(!journal.has(&entry("a.png", 10, 20)));
}
