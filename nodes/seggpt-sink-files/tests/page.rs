//! The report page. Look at it: `target/tmp/report/report.html`.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use common::{failed, identity, mask, prompted, settings, with_instances};
use seggpt_contract::{Failure, Identity, Message};
use seggpt_sink_files::sink::Sink;

fn page(out: &Path) -> String {
    fs::read_to_string(out.join("report.html")).unwrap()
}

#[test]
fn the_page_shows_every_item_and_needs_no_other_file() {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    let _ = fs::remove_dir_all(&out);
    let mut sink = Sink::open(settings(&out, &["--report-max", "5"]), true, "").unwrap();
    for n in 1..=6 {
        sink.prompted(Message::Item(identity(n, 8), prompted(n)))
            .unwrap();
        let mask = if n == 3 {
            with_instances(mask(n))
        } else {
            mask(n)
        };
        sink.mask(Message::Item(identity(n, 8), mask)).unwrap();
    }
    for (item, error) in [
        (
            "empty.jpg",
            "empty.jpg: the file is empty (0 bytes); copy it again from its source",
        ),
        (
            "notes.png",
            "notes.png: not a PNG, JPEG, TIFF, WebP or BMP picture: text",
        ),
    ] {
        let mut identity = Identity::new(item, 7, (1, 1));
        identity.total = Some(8);
        identity.source = format!("/pictures/{item}");
        let failure = Failure {
            node: "source".into(),
            error: error.into(),
        };
        sink.mask(Message::Failed(identity, failure)).unwrap();
    }
    assert!(
        page(&out).contains("http-equiv=\"refresh\""),
        "while the run lasts, the page is watched"
    );
    sink.close(0, false, Ok(())).unwrap();

    let page = page(&out);
    assert!(!page.contains("http-equiv"));
    assert_eq!(page.matches("<article").count(), 5);
    assert!(page.contains("Without pictures") && page.contains("ground_6.mask.png"));
    assert!(page.contains("the file is empty"));
    assert!(!page.contains("untrained"));
    let outside = [
        "src=\"http",
        "src=\"./",
        "href=\"http",
        "url(",
        "@import",
        "<link rel=\"stylesheet\"",
    ];
    assert_eq!(outside.iter().find(|link| page.contains(**link)), None);
    assert!(
        page.len() < 5 * 60_000 + 100_000,
        "{} bytes for 5 items",
        page.len()
    );
}

#[test]
fn whatever_comes_from_outside_is_escaped() {
    const EVIL: &str = "<script>alert('x')</script>&\"quote\"";
    let out = tempfile::tempdir().unwrap();
    let mut sink = Sink::open(settings(out.path(), &[]), true, "").unwrap();
    let mut identity = identity(6, 2);
    identity.source = format!("/a/{EVIL}");
    identity.name = "<b>&\" onload=x".into();
    let mut prompted = prompted(6);
    prompted.examples[0].name = EVIL.into();
    prompted.classes[0].name = EVIL.into();
    let mut mask = mask(6);
    mask.classes[0].class.name = EVIL.into();
    mask.provenance.model = EVIL.into();
    sink.prompted(Message::Item(identity.clone(), prompted))
        .unwrap();
    sink.mask(Message::Item(identity, mask)).unwrap();
    sink.mask(failed(1, EVIL)).unwrap();
    assert!(sink.close(0, false, Err(eyre::eyre!(EVIL))).is_err());
    let page = page(out.path());
    assert!(
        !page.contains("<script>alert") && !page.contains("<b>&\"") && !page.contains("\"quote\"")
    );
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(page.contains("./%3Cb%3E%26%22%20onload%3Dx.mask.png"));
}

#[test]
fn items_that_never_came_are_counted() {
    let out = tempfile::tempdir().unwrap();
    let mut sink = Sink::open(settings(out.path(), &[]), false, "").unwrap();
    sink.mask(Message::Item(identity(6, 3), mask(6))).unwrap();
    sink.close(0, false, Ok(())).unwrap();
    assert!(page(out.path()).contains("<b>2 items have no outcome:</b>"));
    assert!(
        fs::read_to_string(out.path().join("run.json"))
            .unwrap()
            .contains("\"state\": \"incomplete\"")
    );
}

#[test]
fn masks_of_untrained_weights_are_marked_as_such() {
    let out = tempfile::tempdir().unwrap();
    let mut sink = Sink::open(settings(out.path(), &[]), false, "").unwrap();
    let mut mask = mask(6);
    mask.provenance.trained = false;
    sink.mask(Message::Item(identity(6, 1), mask)).unwrap();
    sink.close(0, false, Ok(())).unwrap();
    assert!(page(out.path()).contains("These weights are untrained"));
}
