//! A run without dora, answered by those who know.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use clap::Parser;
use seggpt_contract::{ClassIds, Mask, Position, Prompted, Provenance, Square, Status};
use seggpt_volume::{Grid, LabelVolume, Source, nifti::NiftiFile};
use seggpt_volumes::{
    Settings,
    session::{Guard, Next, Question, Session, check},
    summary::State,
};
use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/volume")
        .join(name)
}

fn settings(out: &Path, words: &[&str]) -> Settings {
    let pair = format!(
        "{}={}",
        fixture("scan.nii.gz").display(),
        fixture("two_slices.nii.gz").display()
    );
    let words = words.iter().map(|word| (*word).to_owned());
    let all = [
        "seggpt-volumes".to_owned(),
        format!("--out={}", out.display()),
        format!("--prompt-pairs={pair}"),
        "--canvas-size=32".into(),
        "--run-key=run-1".into(),
    ];
    Settings::parse_from(all.into_iter().chain(words))
}

fn input(name: &str) -> String {
    format!("--inputs={}", fixture(name).display())
}

struct Plain;

impl Guard for Plain {
    fn over(
        &self,
        _: &str,
        work: &mut dyn FnMut() -> Result<Prompted, String>,
    ) -> Result<Prompted, String> {
        work()
    }

    fn read(&self, _: &str, work: &mut dyn FnMut() -> Result<(), String>) -> Result<(), String> {
        work()
    }
}

/// Knows the truth of the scans.
struct Knows {
    volumes: BTreeMap<String, LabelVolume>,
    _scratch: tempfile::TempDir,
}

impl Knows {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let open = |item: &str, name: &str| {
            let scan = NiftiFile::open(&fixture(&format!("{name}.nii.gz"))).unwrap();
            let truth = NiftiFile::open(&fixture(&format!("truth/{name}.nii.gz"))).unwrap();
            let grid: Grid = scan.header.grid;
            let axis = grid.orientation().along(2);
            let place = scratch.path().join(item);
            LabelVolume::open(&truth, &grid, axis, &place).unwrap()
        };
        let names = [
            ("scan.nii.gz", "scan"),
            ("other.nii.gz", "other"),
            // The same scan as a DICOM series.
            ("series-3-T2-axial", "scan"),
        ];
        let volumes = names.map(|(item, name)| (item.to_owned(), open(item, name)));
        Self {
            volumes: volumes.into(),
            _scratch: scratch,
        }
    }

    fn answer(&self, question: &Question) -> Mask {
        let identity = &question.identity;
        let Position::Slice { index, .. } = identity.position else {
            panic!("{identity:?}")
        };
        let volume = identity.item.split('#').next().unwrap();
        let ids = self.volumes[volume].slice(index as usize).unwrap();
        Mask {
            width: identity.width,
            height: identity.height,
            confidence: vec![255_u8; ids.len()].into(),
            ids: ClassIds::from_ids(ids),
            classes: vec![],
            painted: Square::new(1, vec![0_u8; 3]).unwrap(),
            instances: None,
            shares: None,
            provenance: Provenance {
                trained: true,
                ..Provenance::default()
            },
        }
    }
}

/// Asks and answers at most `most` questions, several at a time; the items in their order, with their examples.
fn asked(session: &mut Session, knows: &Knows, most: usize) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    let mut under_way = Vec::new();
    while all.len() < most {
        match session.next(&Plain).unwrap() {
            Next::Ask(question) => {
                let prompted = question.prompted.as_ref().unwrap();
                let names = prompted.examples.iter().map(|e| e.name.clone()).collect();
                all.push((question.identity.item.clone(), names));
                under_way.push(question);
            }
            Next::Told(told) => panic!("{told:?}"),
            Next::Wait => {
                let question: Box<Question> = under_way.remove(0);
                let mask = knows.answer(&question);
                let told = session.answer(&question.identity.item, Ok(&mask)).unwrap();
                assert_eq!(told.map(|told| told.status), Some(Status::Done));
            }
            Next::Over(_) => break,
        }
    }
    all
}

fn summary(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("run.json")).unwrap()).unwrap()
}

fn dice(out: &Path) -> String {
    fs::read_to_string(out.join("dice.tsv")).unwrap()
}

#[test]
fn right_answers_become_the_truth_on_the_grid_of_the_scan() {
    let out = tempfile::tempdir().unwrap();
    let (inputs, truth) = (input(""), format!("--truth={}", fixture("truth").display()));
    let settings = settings(out.path(), &[&inputs, &truth]);
    check(&settings).unwrap();
    let mut session = Session::open(settings, "flow").unwrap();
    let all = asked(&mut session, &Knows::new(), usize::MAX);
    // Ten slices of the scan, four of them from both sides; twelve of the other one.
    assert_eq!((all.len(), session.progress()), (14 + 12, (26, 26)));
    session.close(State::Finished, None).unwrap();
    for name in ["scan", "other"] {
        let labels = NiftiFile::open(&out.path().join(format!("{name}.labels.nii.gz"))).unwrap();
        let scan = NiftiFile::open(&fixture(&format!("{name}.nii.gz"))).unwrap();
        assert_eq!(labels.header.grid, scan.header.grid);
    }
    let text = dice(out.path());
    for part in ["all", "asked", "distance 1", "distance 2"] {
        assert!(
            text.contains(&format!("scan\t1\tclass 1\t{part}\t1.000000")),
            "{text}"
        );
    }
    assert!(text.contains("other\t2\tclass 2\tall\t1.000000"), "{text}");
    let summary = summary(out.path());
    assert_eq!(summary["counts"]["done"], 2);
    assert_eq!(summary["volumes"][0]["orientation"], "SRA");
    assert_eq!(summary["volumes"][1]["labelled"], serde_json::json!([3, 8]));
    let page = fs::read_to_string(out.path().join("report.html")).unwrap();
    assert!(page.contains("scan.nii.gz") && page.contains("data:image/jpeg;base64,"));
    assert!(!out.path().join(".seggpt/work").exists());
}

#[test]
fn each_slice_is_shown_its_labelled_neighbours_and_the_last_answers_of_its_chain() {
    let out = tempfile::tempdir().unwrap();
    let settings = settings(out.path(), &[&input("scan.nii.gz"), "--memory=2"]);
    let mut session = Session::open(settings, "flow").unwrap();
    let all: BTreeMap<_, _> = asked(&mut session, &Knows::new(), usize::MAX)
        .into_iter()
        .collect();
    let shown = |item: &str| all[&format!("scan.nii.gz#z{item}")].join(", ");
    assert_eq!(shown("0002-"), "scan#0003, scan#0008");
    assert_eq!(shown("0004+"), "scan#0003, scan#0008");
    assert_eq!(shown("0005+"), "scan#0003, scan#0008, 0004+ as answered");
    assert_eq!(
        shown("0005-"),
        "scan#0003, scan#0008, 0006- as answered, 0007- as answered"
    );
    assert_eq!(
        shown("0000-"),
        "scan#0003, scan#0008, 0001- as answered, 0002- as answered"
    );
}

#[test]
fn a_scan_without_labels_begins_with_one_slice_and_goes_both_ways_from_it() {
    let out = tempfile::tempdir().unwrap();
    let settings = settings(out.path(), &[&input("other.nii.gz"), "--memory=1"]);
    let mut session = Session::open(settings, "flow").unwrap();
    let all = asked(&mut session, &Knows::new(), usize::MAX);
    assert_eq!(all.len(), 12);
    let (first, examples) = &all[0];
    assert!(
        first.starts_with("other.nii.gz#x") && first.ends_with('+'),
        "{first}"
    );
    assert_eq!(examples.len(), 1);
    let root = first.trim_start_matches("other.nii.gz#x");
    assert!(all[1..3].iter().all(|(_, names)| names.len() == 2));
    assert!(
        all[1..3]
            .iter()
            .all(|(_, names)| names[1] == format!("{root} as answered"))
    );
}

#[test]
fn what_is_cut_off_goes_on_and_ends_in_the_same_bytes() {
    let (whole, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let inputs = [input("scan.nii.gz"), input("other.nii.gz")];
    let words = [&inputs[0], &inputs[1], "--memory=2"];
    let knows = Knows::new();
    let mut session = Session::open(settings(whole.path(), &words), "flow").unwrap();
    let total = asked(&mut session, &knows, usize::MAX).len();
    session.close(State::Finished, None).unwrap();
    let mut count = 0;
    for run in 0..30 {
        let mut session = Session::open(settings(cut.path(), &words), "flow").unwrap();
        // What is under way when it is cut off is asked again.
        count += asked(&mut session, &knows, 3 + run % 4).len();
        if session.progress().0 == total as u64 {
            session.close(State::Finished, None).unwrap();
            break;
        }
    }
    assert!(count > total, "it was not cut off: {count} of {total}");
    for name in ["scan.labels.nii.gz", "other.labels.nii.gz"] {
        let read = |out: &tempfile::TempDir| fs::read(out.path().join(name)).unwrap();
        assert!(read(&whole) == read(&cut), "{name}");
    }
    let again = Session::open(settings(cut.path(), &words), "other flow");
    let mut again = again.unwrap();
    assert!(matches!(again.next(&Plain).unwrap(), Next::Over(_)));
    again.close(State::Finished, None).unwrap();
    assert_eq!(summary(cut.path())["counts"]["earlier"], 2);
}

#[test]
fn slices_without_an_answer_fail_their_volume_and_are_asked_again() {
    let out = tempfile::tempdir().unwrap();
    let knows = Knows::new();
    let open = || Session::open(settings(out.path(), &[&input("scan.nii.gz")]), "flow").unwrap();
    let mut session = open();
    loop {
        match session.next(&Plain).unwrap() {
            Next::Ask(question) => {
                let item = &question.identity.item;
                let mask = knows.answer(&question);
                let answer = match item.ends_with("0001-") {
                    true => Err("the network is tired".to_owned()),
                    false => Ok(&mask),
                };
                session.answer(item, answer).unwrap();
            }
            Next::Over(_) => break,
            _ => {}
        }
    }
    session.close(State::Finished, None).unwrap();
    let volume = &summary(out.path())["volumes"][0];
    assert_eq!(volume["status"], "failed");
    let error = volume["error"].as_str().unwrap();
    assert!(
        error.contains("1 of 12") && error.contains("tired"),
        "{error}"
    );
    let mut session = open();
    let all = asked(&mut session, &knows, usize::MAX);
    assert_eq!(all.len(), 1, "{all:?}");
    session.close(State::Finished, None).unwrap();
    assert_eq!(summary(out.path())["counts"]["done"], 1);
}

#[test]
fn what_cannot_be_used_is_named_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (scans, out) = (folder.path().join("scans"), folder.path().join("out"));
    fs::create_dir(&scans).unwrap();
    let scan = fs::read(fixture("scan.nii.gz")).unwrap();
    fs::write(scans.join("cut.nii.gz"), &scan[..scan.len() / 2]).unwrap();
    fs::copy(fixture("other.nii.gz"), scans.join("other.nii.gz")).unwrap();
    let times = "../../crates/volume/tests/fixtures/times.nii.gz";
    let times = Path::new(env!("CARGO_MANIFEST_DIR")).join(times);
    fs::copy(times, scans.join("times.nii.gz")).unwrap();
    let inputs = format!("--inputs={}", scans.display());
    let mut session = Session::open(settings(&out, &[&inputs]), "flow").unwrap();
    let (mut told, mut answered) = (Vec::new(), 0);
    let knows = Knows::new();
    loop {
        match session.next(&Plain).unwrap() {
            Next::Ask(question) => {
                let mask = knows.answer(&question);
                session.answer(&question.identity.item, Ok(&mask)).unwrap();
                answered += 1;
            }
            Next::Told(one) => told.push((one.identity.item, one.error)),
            Next::Wait => {}
            Next::Over(_) => break,
        }
    }
    let (finished, total) = session.progress();
    assert_eq!((answered, finished), (12, total));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].0 == "cut.nii.gz" && told[0].1.contains("cut off"));
    assert!(told[1].0 == "times.nii.gz" && told[1].1.contains("2 points of time"));
    session.close(State::Finished, None).unwrap();
    let summary = summary(&out);
    assert_eq!(
        (&summary["counts"]["done"], &summary["counts"]["failed"]),
        (&1.into(), &2.into())
    );
}

/// Settings for a series with a label file.
fn of_series(out: &Path, series: &Path, labels: &Path, words: &[String]) -> Settings {
    let all = [
        "seggpt-volumes".to_owned(),
        format!("--out={}", out.display()),
        format!("--prompt-pairs={}={}", series.display(), labels.display()),
        format!("--inputs={}", series.display()),
        "--canvas-size=32".into(),
        "--run-key=run-1".into(),
    ];
    Settings::parse_from(all.iter().chain(words))
}

#[test]
fn a_dicom_series_gets_a_label_volume_and_a_segmentation_that_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let (series, two) = (fixture("../series"), fixture("two_slices.nii.gz"));
    let truth = vec![format!(
        "--truth={}",
        fixture("truth/scan.nii.gz").display()
    )];
    let open = || {
        let settings = of_series(&out, &series, &two, &truth);
        check(&settings).unwrap();
        Session::open(settings, "flow").unwrap()
    };
    let mut session = open();
    let all = asked(&mut session, &Knows::new(), usize::MAX);
    assert_eq!(all.len(), 14);
    assert_eq!(
        all[0].1,
        ["series-3-T2-axial#0003", "series-3-T2-axial#0008"]
    );
    session.close(State::Finished, None).unwrap();
    let text = dice(&out);
    assert!(
        text.contains("series-3-T2-axial\t1\tclass 1\tall\t1.000000"),
        "{text}"
    );
    let scan = Source::open(&series).unwrap();
    let labels = NiftiFile::open(&out.join("series-3-T2-axial.labels.nii.gz")).unwrap();
    let grid = scan.grid();
    assert!(labels.header.grid.affine.apart(&grid.affine, grid.shape) < 1e-3);
    let path = out.join("series-3-T2-axial.seg.dcm");
    let bytes = fs::read(&path).unwrap();
    // Nothing of the patient's beside the segmentation.
    for file in [
        "run.json",
        "report.html",
        "dice.tsv",
        ".seggpt/journal.jsonl",
    ] {
        let text = fs::read_to_string(out.join(file)).unwrap();
        assert!(!text.contains("Bent") && !text.contains("4711"), "{file}");
    }
    // Made once more in the same folder, it is the same.
    fs::remove_file(&path).unwrap();
    let mut session = open();
    assert_eq!(asked(&mut session, &Knows::new(), usize::MAX).len(), 14);
    session.close(State::Finished, None).unwrap();
    assert!(fs::read(&path).unwrap() == bytes, "other bytes");
    // As truth and as example, a segmentation is as good as a label volume.
    let again = folder.path().join("again");
    let truth = [format!("--truth={}", path.display())];
    let settings = of_series(&again, &series, &two, &truth);
    let mut session = Session::open(settings, "flow").unwrap();
    asked(&mut session, &Knows::new(), usize::MAX);
    session.close(State::Finished, None).unwrap();
    assert!(dice(&again).contains("\tclass 2\tall\t1.000000"));
    let given = folder.path().join("given");
    let settings = of_series(&given, &series, &path, &[]);
    let mut session = Session::open(settings, "flow").unwrap();
    // All that is marked is given.
    assert_eq!(asked(&mut session, &Knows::new(), usize::MAX).len(), 0);
    session.close(State::Finished, None).unwrap();
    assert_eq!(summary(&given)["classes"][0]["name"], "class 1");
}

#[test]
fn a_series_with_a_gap_has_a_segmentation_alone_and_what_is_no_scan_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let (series, out) = (folder.path().join("series"), folder.path().join("out"));
    fs::create_dir(&series).unwrap();
    for entry in fs::read_dir(fixture("../series")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        // The sixth slice is missing.
        if !["make.py", "IM0001"].contains(&name.to_str().unwrap()) {
            fs::copy(&path, series.join(name)).unwrap();
        }
    }
    let whole = folder.path().join("whole");
    let settings = of_series(
        &whole,
        &fixture("../series"),
        &fixture("two_slices.nii.gz"),
        &[],
    );
    let mut session = Session::open(settings, "flow").unwrap();
    asked(&mut session, &Knows::new(), usize::MAX);
    session.close(State::Finished, None).unwrap();
    let labels = whole.join("series-3-T2-axial.seg.dcm");
    // A segmentation beside the scans is none.
    fs::copy(&labels, series.join("beside")).unwrap();
    let pair = format!("{}={}", fixture("../series").display(), labels.display());
    let settings = Settings::parse_from([
        "x".to_owned(),
        format!("--out={}", out.display()),
        format!("--prompt-pairs={pair}"),
        format!("--inputs={}", series.display()),
    ]);
    let mut session = Session::open(settings, "flow").unwrap();
    assert_eq!(asked(&mut session, &Knows::new(), usize::MAX).len(), 11);
    session.close(State::Finished, None).unwrap();
    let summary = summary(&out);
    let text = summary["volumes"][0]["notes"].to_string();
    assert!(text.contains("6.00 mm after slice 4, 1 missing"), "{text}");
    let text = summary["warnings"].to_string();
    assert!(
        text.contains("beside is no scan: it is a segmentation"),
        "{text}"
    );
    assert!(out.join("series-3-T2-axial.seg.dcm").exists());
    assert!(!out.join("series-3-T2-axial.labels.nii.gz").exists());
}

#[test]
fn examples_that_do_not_fit_are_refused_before_anything_starts() {
    let out = tempfile::tempdir().unwrap();
    let refused = |labels: &str, words: &[&str]| {
        let pair = format!(
            "--prompt-pairs={}={}",
            fixture("scan.nii.gz").display(),
            fixture(labels).display()
        );
        let inputs = input("other.nii.gz");
        let out = format!("--out={}", out.path().display());
        let all = ["x", &out, &pair, &inputs]
            .into_iter()
            .chain(words.iter().copied());
        let settings = Settings::parse_from(all);
        let refusal = check(&settings).and_then(|()| Session::open(settings, "flow").map(drop));
        format!("{:#}", refusal.unwrap_err())
    };
    let elsewhere = "../../../crates/volume/tests/fixtures/i2.nii";
    assert!(refused(elsewhere, &[]).contains("not on the scan's grid"));
    assert!(refused("missing.nii", &[]).contains("cannot be read"));
    assert!(refused("scan.nii.gz", &[]).contains("different values: is one of them a scan?"));
    assert!(refused("two_slices.nii.gz", &["--classes=9:liver"]).contains("CLASSES"));
    let gone = "--truth=/no/such/folder";
    assert!(refused("two_slices.nii.gz", &[gone]).contains("TRUTH"));
}
