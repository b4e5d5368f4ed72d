//! Messages in, files and acknowledgements out.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use common::{
    CANVAS, failed, files, identity, mask, palette_ids, prompted, settings, with_instances,
};
use seggpt_contract::{ClassIds, Identity, Mask, Message, Prompted, Status};
use seggpt_sink_files::{
    folder::Folder,
    journal::Journal,
    sink::{Finished, Sink},
    summary::{self, Run},
};
use seggpt_store::{Setup, journal_path, setup::NodeSetup};
use serde_json::Value;

fn item(n: u32) -> Message<Mask> {
    Message::Item(identity(n, 6), mask(n))
}

fn picture(n: u32) -> Message<Prompted> {
    Message::Item(identity(n, 6), prompted(n))
}

fn names(finished: &[Finished]) -> Vec<(&str, Status)> {
    finished
        .iter()
        .map(|(identity, status)| (identity.name.as_str(), *status))
        .collect()
}

fn run_json(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("run.json")).unwrap()).unwrap()
}

#[test]
fn a_mask_and_its_picture_become_files_whichever_comes_first() {
    let out = tempfile::tempdir().unwrap();
    let mut sink = Sink::open(settings(out.path(), &["--raw", "true"]), true, "").unwrap();
    assert_eq!(names(&sink.mask(item(6)).unwrap()), []);
    assert_eq!(
        names(&sink.prompted(picture(6)).unwrap()),
        [("ground_6", Status::Done)]
    );
    assert_eq!(names(&sink.prompted(picture(4)).unwrap()), []);
    assert_eq!(
        names(&sink.mask(item(4)).unwrap()),
        [("ground_4", Status::Done)]
    );
    sink.close(0, false, Ok(())).unwrap();

    let of = |name: &str| {
        ["confidence.png", "mask.png", "overlay.jpg", "raw.png"].map(|e| format!("{name}.{e}"))
    };
    let mut expected: Vec<String> = [of("ground_4"), of("ground_6")].concat();
    expected.extend(["report.html", "run.json"].map(String::from));
    assert_eq!(files(out.path()), expected);
    let raw = image::open(out.path().join("ground_6.raw.png")).unwrap();
    assert_eq!((raw.width(), raw.height()), (CANVAS, CANVAS));
    let overlay = image::open(out.path().join("ground_6.overlay.jpg")).unwrap();
    assert_eq!((overlay.width(), overlay.height()), (300, 200));
}

#[test]
fn a_palette_mask_opens_again_with_the_class_ids() {
    let out = tempfile::tempdir().unwrap();
    let mut sink = Sink::open(settings(out.path(), &[]), false, "").unwrap();
    sink.mask(item(6)).unwrap();
    let (ids, size) = palette_ids(&out.path().join("ground_6.mask.png"));
    assert_eq!(size, (300, 200));
    assert_eq!(ClassIds::U8(ids.into()), mask(6).ids);
}

#[test]
fn ids_beyond_255_are_written_in_16_bit() {
    let out = tempfile::tempdir().unwrap();
    let mut sink = Sink::open(settings(out.path(), &["--mask", "ids"]), false, "").unwrap();
    let mut mask = mask(6);
    let ids: Vec<u16> = mask.ids.iter().map(|id| id * 300).collect();
    mask.ids = ClassIds::from_ids(ids.clone());
    mask.classes[0].class.id = 300;
    mask.classes[1].class.id = 600;
    sink.mask(Message::Item(identity(6, 6), mask)).unwrap();
    let back = image::open(out.path().join("ground_6.mask.png")).unwrap();
    let image::DynamicImage::ImageLuma16(back) = back else {
        panic!("{:?}", back.color())
    };
    assert_eq!(back.into_raw(), ids);
}

#[test]
fn instances_are_written_with_their_table() {
    let out = tempfile::tempdir().unwrap();
    let mut sink = Sink::open(
        settings(out.path(), &["--overlay", "false", "--confidence", "false"]),
        false,
        "",
    )
    .unwrap();
    sink.mask(Message::Item(identity(6, 6), with_instances(mask(6))))
        .unwrap();
    let back = image::open(out.path().join("ground_6.instances.png")).unwrap();
    assert!(
        matches!(back, image::DynamicImage::ImageLuma16(_)),
        "{:?}",
        back.color()
    );
    let table: Value =
        serde_json::from_slice(&fs::read(out.path().join("ground_6.instances.json")).unwrap())
            .unwrap();
    assert_eq!(
        (&table[0]["class"], &table[0]["bbox"][2]),
        (&2.into(), &300.into())
    );
    assert!(!out.path().join("ground_6.confidence.png").exists());
}

#[test]
fn a_resent_item_is_only_acknowledged_again() {
    let out = tempfile::tempdir().unwrap();
    let mut sink = Sink::open(settings(out.path(), &[]), true, "").unwrap();
    sink.prompted(picture(6)).unwrap();
    sink.mask(item(6)).unwrap();
    let journal = fs::read(journal_path(out.path())).unwrap();
    fs::remove_file(out.path().join("ground_6.mask.png")).unwrap();

    assert_eq!(
        names(&sink.prompted(picture(6)).unwrap()),
        [("ground_6", Status::Done)]
    );
    assert_eq!(
        names(&sink.mask(item(6)).unwrap()),
        [("ground_6", Status::Done)]
    );
    // Even where the source has given it up meanwhile.
    assert_eq!(
        names(&sink.mask(failed(6, "no acknowledgement")).unwrap()),
        [("ground_6", Status::Done)]
    );
    assert_eq!(fs::read(journal_path(out.path())).unwrap(), journal);
    assert!(!out.path().join("ground_6.mask.png").exists());
}

#[test]
fn failed_items_are_recorded_and_acknowledged_as_failed() {
    let out = tempfile::tempdir().unwrap();
    let mut sink = Sink::open(settings(out.path(), &[]), true, "").unwrap();
    let finished = sink.prompted(failed(1, "a.jpg: 0 bytes")).unwrap();
    assert_eq!(names(&finished), [("ground_1", Status::Failed)]);
    // The same news by the other edge.
    assert_eq!(
        names(&sink.mask(failed(1, "a.jpg: 0 bytes")).unwrap()),
        [("ground_1", Status::Failed)]
    );
    sink.close(0, false, Ok(())).unwrap();
    let run = run_json(out.path());
    assert_eq!(
        (&run["counts"]["failed"], &run["counts"]["done"]),
        (&1.into(), &0.into())
    );
    assert_eq!(run["items"][0]["error"], "a.jpg: 0 bytes");
    assert_eq!(run["items"][0]["failed_in"], "source");
}

#[test]
fn a_mask_of_another_size_than_its_picture_is_a_failed_item_that_names_both() {
    let out = tempfile::tempdir().unwrap();
    let mut sink = Sink::open(settings(out.path(), &[]), false, "").unwrap();
    let finished = sink.mask(Message::Item(identity(4, 6), mask(6))).unwrap();
    assert_eq!(names(&finished), [("ground_4", Status::Failed)]);
    let journal = fs::read_to_string(journal_path(out.path())).unwrap();
    assert!(
        journal.contains("300 x 200") && journal.contains("333 x 500"),
        "{journal}"
    );
    assert_eq!(files(out.path()), ["report.html", "run.json"]);
}

#[test]
fn an_item_whose_name_leads_out_of_the_folder_fails_and_the_others_go_on() {
    let out = tempfile::tempdir().unwrap();
    let inside = out.path().join("inside");
    let mut sink = Sink::open(settings(&inside, &[]), false, "").unwrap();
    let named = |item: &str, name: &str| {
        let identity = Identity {
            item: item.into(),
            name: name.into(),
            ..identity(6, 6)
        };
        Message::Item(identity, mask(6))
    };
    assert_eq!(
        sink.mask(named("a", "../escaped")).unwrap()[0].1,
        Status::Failed
    );
    assert_eq!(
        sink.mask(named("b", "/tmp/escaped")).unwrap()[0].1,
        Status::Failed
    );
    assert_eq!(
        sink.mask(named("c", &"x".repeat(400))).unwrap()[0].1,
        Status::Failed
    );
    assert_eq!(
        sink.mask(named("d", "sub/folder/d")).unwrap()[0].1,
        Status::Done
    );
    assert_eq!(
        sink.mask(named("e", "sub/folder/d")).unwrap()[0].1,
        Status::Failed
    );
    assert!(inside.join("sub/folder/d.mask.png").exists());
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1);
}

#[test]
fn a_mask_whose_picture_never_comes_is_written_without_overlay_in_the_end() {
    let out = tempfile::tempdir().unwrap();
    let mut sink = Sink::open(settings(out.path(), &[]), true, "").unwrap();
    assert_eq!(names(&sink.mask(item(6)).unwrap()), []);
    assert_eq!(names(&sink.rest().unwrap()), [("ground_6", Status::Done)]);
    assert!(out.path().join("ground_6.mask.png").exists());
    assert!(!out.path().join("ground_6.overlay.jpg").exists());
    sink.close(0, false, Ok(())).unwrap();
    assert_eq!(
        run_json(out.path())["items"][0]["notes"][0],
        "no overlay: the picture did not come"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_run_names_the_path_and_keeps_what_is_done() {
    let out = tempfile::tempdir().unwrap();
    let mut sink = Sink::open(settings(out.path(), &[]), false, "").unwrap();
    sink.mask(item(6)).unwrap();
    std::os::unix::fs::symlink("/dev/full", out.path().join(".ground_4.mask.png.part")).unwrap();
    let outcome = sink.mask(item(4)).map(|_| ());
    let error = format!("{:#}", sink.close(0, false, outcome).unwrap_err());
    assert!(
        error.contains("free some space")
            && error.contains("ground_4.mask.png: cannot be written: No space left"),
        "{error}"
    );
    let run = run_json(out.path());
    assert_eq!(
        (&run["state"], &run["counts"]["done"]),
        (&"broken".into(), &1.into())
    );
    assert!(!out.path().join(".ground_4.mask.png.part").exists());
}

#[test]
fn an_interrupted_run_goes_on_under_the_same_key_and_another_key_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let with = |key| settings(out.path(), &["--run-key", key]);
    let mut first = Sink::open(with("k"), true, "").unwrap();
    first.prompted(picture(6)).unwrap();
    first.mask(item(6)).unwrap();
    first.close(0, true, Ok(())).unwrap();
    assert_eq!(run_json(out.path())["state"], "stopped");

    let mut second = Sink::open(with("k"), true, "").unwrap();
    second.prompted(picture(4)).unwrap();
    second.mask(item(4)).unwrap();
    second.close(0, false, Ok(())).unwrap();
    let run = run_json(out.path());
    assert_eq!(
        (&run["counts"]["done"], &run["counts"]["earlier"]),
        (&2.into(), &1.into())
    );
    let page = fs::read_to_string(out.path().join("report.html")).unwrap();
    assert_eq!(page.matches("<article").count(), 2);
    assert_eq!(page.matches("earlier run<").count(), 1);
    assert!(!page.contains("src=\"\""));

    for other in ["other", ""] {
        let error = Sink::open(with(other), true, "3")
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("holds results of k") && error.contains("--replace"),
            "{error}"
        );
    }
    assert!(out.path().join("ground_6.mask.png").exists());
}

#[test]
fn results_that_are_gone_or_shorter_do_not_count_any_more() {
    let out = tempfile::tempdir().unwrap();
    let with = || settings(out.path(), &["--run-key", "k"]);
    let mut first = Sink::open(with(), false, "1").unwrap();
    first.mask(item(4)).unwrap();
    first.mask(item(6)).unwrap();
    first.close(0, true, Ok(())).unwrap();
    fs::remove_file(out.path().join("ground_4.mask.png")).unwrap();
    fs::write(out.path().join("ground_6.mask.png"), "short").unwrap();
    let mut second = Sink::open(with(), false, "1").unwrap();
    assert_eq!(run_json(out.path())["counts"]["done"], 0);
    second.mask(item(4)).unwrap();
    assert!(out.path().join("ground_4.mask.png").exists());
}

#[test]
fn what_was_not_committed_is_done_again() {
    let out = tempfile::tempdir().unwrap();
    let with = || settings(out.path(), &["--run-key", "k"]);
    let mut first = Sink::open(with(), false, "1").unwrap().in_groups_of(2);
    assert_eq!(names(&first.mask(item(6)).unwrap()), []);
    assert_eq!(
        names(&first.mask(item(6)).unwrap()),
        [],
        "sent again meanwhile"
    );
    assert!(!out.path().join("ground_6.mask.png").exists());
    drop(first);
    let mut second = Sink::open(with(), false, "1").unwrap().in_groups_of(2);
    assert_eq!(names(&second.mask(item(6)).unwrap()), []);
    let both = second.mask(item(4)).unwrap();
    assert_eq!(
        names(&both),
        [("ground_6", Status::Done), ("ground_4", Status::Done)]
    );
}

#[test]
fn a_sink_that_was_restarted_in_its_run_acknowledges_what_it_did_and_does_it_not_again() {
    let out = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let mut sink = Sink::open(settings(out.path(), &[]), false, "run").unwrap();
        assert_eq!(
            names(&sink.mask(item(6)).unwrap()),
            [("ground_6", Status::Done)]
        );
    }
    let journal = fs::read_to_string(journal_path(out.path())).unwrap();
    assert_eq!(journal.lines().count(), 2, "a header and a record");
}

#[test]
fn a_name_that_an_earlier_result_has_or_that_differs_in_case_alone_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let with = || settings(out.path(), &["--run-key", "k"]);
    let mut first = Sink::open(with(), false, "1").unwrap();
    first.mask(item(6)).unwrap();
    first.close(0, true, Ok(())).unwrap();
    let mut second = Sink::open(with(), false, "2").unwrap();
    let mut other = identity(6, 6);
    (other.item, other.name) = ("ground_6.png".into(), "Ground_6".into());
    let refused = second.mask(Message::Item(other, mask(6))).unwrap();
    assert_eq!(names(&refused), [("Ground_6", Status::Failed)]);
    let journal = fs::read_to_string(journal_path(out.path())).unwrap();
    assert!(
        journal.contains("`ground_6.jpg` are stored under `ground_6`"),
        "{journal}"
    );
}

#[test]
fn a_summary_says_that_the_run_is_under_way_from_the_beginning() {
    let out = tempfile::tempdir().unwrap();
    let sink = Sink::open(settings(out.path(), &["--run-key", "k"]), false, "7").unwrap();
    let run = run_json(out.path());
    assert_eq!(
        (&run["state"], &run["run"]),
        (&"running".into(), &"7".into())
    );
    assert_eq!(
        (&run["run_key"], &run["pid"]),
        (&"k".into(), &std::process::id().into())
    );
    sink.close(0, false, Ok(())).unwrap();
    assert_eq!(run_json(out.path())["state"], "finished");
}

#[test]
fn the_summary_tells_what_the_run_was_started_with() {
    let out = tempfile::tempdir().unwrap();
    let infer = NodeSetup {
        program: "seggpt-infer".into(),
        decide_results: [("THRESHOLD".into(), "0.5".into())].into(),
        others: [("THREADS".into(), "0".into())].into(),
    };
    let setup = Setup {
        started_by: 7,
        spec: [("infer.CUT".into(), "0.5".into())].into(),
        versions: [("dora".into(), "1.1.0".into())].into(),
        nodes: [("infer".into(), infer)].into(),
        resources: [("window_mb".into(), 512)].into(),
    };
    let settings = settings(out.path(), &["--run-key", "k"]);
    let folder = Folder::create(out.path()).unwrap();
    let journal = Journal::open(&folder, "k", "1").unwrap();
    let run = Run::start(settings, "1", Some(setup));
    summary::write(&folder, &run, &journal).unwrap();
    let said = run_json(out.path());
    assert_eq!(said["nodes"]["infer"]["decide_results"]["THRESHOLD"], "0.5");
    assert_eq!(said["nodes"]["infer"]["others"]["THREADS"], "0");
    assert_eq!(said["spec"]["infer.CUT"], "0.5");
    assert_eq!(said["resources"]["window_mb"], 512);
    assert_eq!(said["run"], "1");
}

#[test]
fn a_journal_line_holds_what_a_source_needs_to_skip_the_item() {
    let out = tempfile::tempdir().unwrap();
    let mut sink = Sink::open(settings(out.path(), &["--run-key", "k"]), true, "").unwrap();
    sink.prompted(picture(6)).unwrap();
    sink.mask(item(6)).unwrap();
    let journal = fs::read_to_string(journal_path(out.path())).unwrap();
    let line: Value = serde_json::from_str(journal.lines().nth(1).unwrap()).unwrap();
    assert_eq!(line["item"], "ground_6.jpg");
    assert_eq!(line["status"], "done");
    assert_eq!(line["run_key"], "k");
    assert_eq!(line["file_size"], 1006);
    assert_eq!(line["file_mtime"], 1_700_000_000_000_000_000_i64);
    assert_eq!(line["files"]["mask"], "ground_6.mask.png");
    let mask = fs::metadata(out.path().join("ground_6.mask.png")).unwrap();
    assert_eq!(line["bytes"]["mask"], mask.len());
    assert_eq!(line["classes"][1]["name"], "leaf");
    assert_eq!(line["prompts"][0]["name"], "ground_1");
    assert!(line["provenance"]["milliseconds"]["write"].is_number());
}

#[test]
fn of_an_endless_run_the_last_items_stay_and_are_counted_over_restarts_as_well() {
    let out = tempfile::tempdir().unwrap();
    let open = |run: &str| {
        let keep = ["--keep", "2", "--report", "false", "--run-key", "k"];
        Sink::open(settings(out.path(), &keep), false, run).unwrap()
    };
    let mut sink = open("1");
    for n in [1, 2, 3] {
        assert_eq!(sink.mask(item(n)).unwrap().len(), 1);
    }
    sink.close(0, false, Ok(())).unwrap();
    let kept = |names: [&str; 2]| {
        let run = run_json(out.path());
        assert_eq!(run["counts"]["done"], 2, "{run}");
        for n in [1, 2, 3, 4] {
            let name = format!("ground_{n}");
            let there = out.path().join(format!("{name}.mask.png")).exists();
            assert_eq!(there, names.contains(&name.as_str()), "{name}");
        }
    };
    kept(["ground_2", "ground_3"]);
    let mut second = open("2");
    second.mask(item(4)).unwrap();
    second.close(0, false, Ok(())).unwrap();
    kept(["ground_3", "ground_4"]);
}
