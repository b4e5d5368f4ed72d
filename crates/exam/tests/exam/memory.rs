//! Earlier frames and the answers to them as prompts.

use std::{fs, path::Path, sync::Arc};

use seggpt_eval::LabelPlane;
use seggpt_exam::{Asker, Exam, MEMORY, Order, Protocol, Row};
use seggpt_prompt_library::memory::{Policy, Shown};

use crate::{mark, open};

fn remembering() -> Arc<Exam> {
    let mut exam = open("davis", &Protocol::default());
    exam.remember(Policy::Fifo).unwrap();
    Arc::new(exam)
}

fn asker(exam: &Arc<Exam>, row: &Row) -> Asker {
    Asker::new(Arc::clone(exam), 32, MEMORY, None, row.kept().clone()).unwrap()
}

/// An answer that no truth is.
fn answer(exam: &Exam, at: usize) -> LabelPlane {
    let question = &exam.questions[at];
    let truth = exam.truth(question).unwrap();
    let mut answer = LabelPlane::filled(truth.size(), 0);
    answer.values_mut()[0] = question.wanted[0];
    answer
}

fn add(exam: &Exam, row: &mut Row, at: usize) {
    row.add(exam, at, &mark(&exam.questions[at].item), &answer(exam, at))
        .unwrap();
}

fn kept(out: &Path, key: &str) -> usize {
    fs::read_dir(out.join("rows/row").join(key).join("kept")).map_or(0, Iterator::count)
}

#[test]
fn a_frame_waits_for_the_one_before_and_shows_it_with_its_answer() {
    let exam = remembering();
    let mut order = Order::new(&exam, &[0, 1]);
    assert_eq!(order.begin(4), [0]);
    assert_eq!(order.after(0), Some(1));
    assert_eq!(order.after(1), None);

    let out = tempfile::tempdir().unwrap();
    let mut row = Row::open(out.path(), "row", "key", "").unwrap();
    let first = asker(&exam, &row).ask(&exam.questions[0]).unwrap();
    assert_eq!(first.examples.len(), 1);
    add(&exam, &mut row, 0);
    let second = asker(&exam, &row).ask(&exam.questions[1]).unwrap();
    let names: Vec<_> = second.examples.iter().map(|e| &e.name[..]).collect();
    assert_eq!(names, ["goat/00000", "goat/00001"]);
    let mask = second.examples[1].mask.bytes();
    let painted = mask.chunks(3).filter(|pixel| *pixel != [0; 3]).count();
    assert!(mask[..3] != [0; 3] && painted > 0 && painted < 32 * 32 / 4);
}

#[test]
fn without_memory_no_frame_waits() {
    let exam = open("davis", &Protocol::default());
    assert_eq!(Order::new(&exam, &[0, 1]).begin(1), [0, 1]);
}

#[test]
fn a_video_that_was_cut_off_goes_on_with_the_answers_it_had() {
    let exam = remembering();
    let out = tempfile::tempdir().unwrap();
    let reopened = || Row::open(out.path(), "row", "key", "").unwrap();
    add(&exam, &mut reopened(), 0);
    let row = reopened();
    assert_eq!(row.open_questions(&exam).unwrap(), [1]);
    let asked = asker(&exam, &row).ask(&exam.questions[1]).unwrap();
    assert_eq!(asked.examples.len(), 2);

    fs::remove_file(out.path().join("rows/row/key/kept/0.png")).unwrap();
    let error = row.open_questions(&exam).unwrap_err().to_string();
    assert!(error.contains("0.png") && error.contains("anew"), "{error}");

    let mut anew = Row::open(out.path(), "row", "another", "").unwrap();
    add(&exam, &mut anew, 0);
    assert_eq!(kept(out.path(), "another"), 1);
    add(&exam, &mut anew, 1);
    assert_eq!(
        kept(out.path(), "another"),
        0,
        "nothing builds on them any more"
    );
    assert!(anew.open_questions(&exam).unwrap().is_empty());
}

#[test]
fn only_videos_are_remembered() {
    let error = open("folder", &Protocol::default())
        .remember(Policy::Fifo)
        .unwrap_err();
    assert!(error.to_string().contains("is for videos"), "{error}");
}

#[test]
fn an_answer_that_is_not_sure_guides_nothing_where_memory_is_gated() {
    let mut exam = open("davis", &Protocol::default());
    exam.remember(Policy::Gated).unwrap();
    let exam = Arc::new(exam);
    let out = tempfile::tempdir().unwrap();
    for (key, confidence, examples) in [("sure", 0.9, 2), ("unsure", 0.2, 1)] {
        let mut row = Row::open(out.path(), "row", key, "").unwrap();
        let shown = Shown {
            id: exam.questions[0].wanted[0],
            pixels: 1,
            confidence,
        };
        row.kept().keep_shown(0, &[shown]).unwrap();
        add(&exam, &mut row, 0);
        let asker = Asker::new(
            Arc::clone(&exam),
            32,
            "memory:gated",
            None,
            row.kept().clone(),
        );
        let asked = asker.unwrap().ask(&exam.questions[1]).unwrap();
        assert_eq!(asked.examples.len(), examples, "{key}");
        add(&exam, &mut row, 1);
        assert_eq!(kept(out.path(), key), 0, "{key}");
    }
}
