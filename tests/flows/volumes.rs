//! Volumes through the real engine, as `seggpt segment` runs them.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use seggpt_tests::{Scratch, binary, root};
use seggpt_volume::{LabelFile, LabelVolume, Source, nifti::NiftiFile};

use crate::{text, words};

fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures/volume").join(name)
}

fn arguments(options: &str, inputs: &[&str]) -> Vec<String> {
    let mut all = words("segment --out out --model untrained-tiny");
    all.push(format!(
        "--prompt={}={}",
        text(fixture("scan.nii.gz")),
        text(fixture("two_slices.nii.gz"))
    ));
    all.extend(words(options));
    all.extend(inputs.iter().map(|name| text(fixture(name))));
    all
}

#[test]
fn a_scan_with_two_labelled_slices_becomes_a_label_volume_that_lies_on_it() {
    let scratch = Scratch::new();
    let truth = format!("--truth {}", text(fixture("truth")));
    let line = arguments(&truth, &["scan.nii.gz", "other.nii.gz"]);
    scratch.seggpt(&line).expect_code(0);
    let place = scratch.path("place");
    for name in ["scan", "other"] {
        let scan = NiftiFile::open(&fixture(&format!("{name}.nii.gz"))).unwrap();
        let labels = scratch.path(format!("out/{name}.labels.nii.gz"));
        let labels = NiftiFile::open(&labels).unwrap();
        assert_eq!(labels.header.grid, scan.header.grid);
        if name == "scan" {
            // The slices that were given stand there as they were given.
            let grid = scan.header.grid;
            let given = NiftiFile::open(&fixture("two_slices.nii.gz")).unwrap();
            let given = LabelVolume::open(&given, &grid, 2, &place).unwrap();
            let found = LabelVolume::open(&labels, &grid, 2, &scratch.path("found")).unwrap();
            for slice in [3, 8] {
                assert_eq!(found.slice(slice).unwrap(), given.slice(slice).unwrap());
            }
        }
    }
    let report = scratch.report("out");
    assert_eq!(
        (&report["state"], &report["counts"]["done"]),
        (&"finished".into(), &2.into())
    );
    let dice = fs::read_to_string(scratch.path("out/dice.tsv")).unwrap();
    assert!(dice.contains("scan\t1\tclass 1\tall\t"), "{dice}");
    assert!(scratch.path("out/report.html").exists());
    scratch
        .seggpt(&line)
        .expect_code(0)
        .expect_text("nothing was left to do");
    scratch
        .seggpt(arguments("--memory 3", &["scan.nii.gz"]))
        .expect_code(2)
        .expect_text("--replace");
}

#[test]
fn a_folder_of_dicom_files_becomes_a_label_volume_and_a_segmentation() {
    let scratch = Scratch::new();
    let series = fixture("../series");
    let mut line = words("segment --out out --model untrained-tiny --classes 1:liver,2:aorta");
    line.push(format!(
        "--prompt={}={}",
        text(series.clone()),
        text(fixture("two_slices.nii.gz"))
    ));
    line.push(text(series.clone()));
    scratch.seggpt(&line).expect_code(0);
    let scan = Source::open(&series).unwrap();
    let read = |name: &str| {
        let file = LabelFile::open(&scratch.path(format!("out/{name}"))).unwrap();
        file.read(&scan, 2, &scratch.path(name)).unwrap()
    };
    let labels = read("series-3-T2-axial.labels.nii.gz");
    let segmentation = read("series-3-T2-axial.seg.dcm");
    for slice in 0..12 {
        assert_eq!(
            labels.slice(slice).unwrap(),
            segmentation.slice(slice).unwrap()
        );
    }
    assert_eq!(segmentation.labels.names[&2], "aorta");
    scratch
        .seggpt(&line)
        .expect_code(0)
        .expect_text("nothing was left to do");
}

#[test]
fn a_node_that_dies_anywhere_and_a_run_that_is_killed_end_in_the_same_bytes() {
    let whole = Scratch::new();
    let line = arguments("--memory 1", &["scan.nii.gz"]);
    whole.seggpt(&line).expect_code(0);
    let labels = |scratch: &Scratch| fs::read(scratch.path("out/scan.labels.nii.gz")).unwrap();
    let killed = Scratch::new();
    fs::create_dir(killed.path("faults")).unwrap();
    let deaths = "\
before-read kill scan.nii.gz
before-work kill scan.nii.gz#z0004+
before-send kill scan.nii.gz#z0002-
in-work kill scan.nii.gz#z0009+
after-answer kill scan.nii.gz#z0006-
before-record kill scan.nii.gz
after-journal kill scan.nii.gz
";
    fs::write(killed.path("faults/seggpt-volumes"), deaths).unwrap();
    let command = || {
        let mut command = Command::new(binary("seggpt"));
        command
            .args(&line)
            .current_dir(killed.path(""))
            .env(seggpt_fault::FOLDER, killed.path("faults"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    // All of it at once, as soon as there are answers on disk.
    let mut child = command().spawn().unwrap();
    let started = Instant::now();
    let answers = || glob(&killed.path("out/.seggpt/work"), ".answer");
    while answers() < 3 && started.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    child.wait().unwrap();
    let status = command().status().unwrap();
    assert_eq!(status.code(), Some(0));
    let died = fs::read_to_string(killed.path("faults/deaths")).unwrap();
    assert_eq!(died.lines().count(), deaths.lines().count(), "{died}");
    assert!(labels(&killed) == labels(&whole), "other bytes");
    assert_eq!(answers(), 0);
}

/// How many files of this ending there are in a folder and below.
fn glob(folder: &std::path::Path, ending: &str) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let count = |path: PathBuf| match path.is_dir() {
        true => glob(&path, ending),
        false => usize::from(path.to_string_lossy().ends_with(ending)),
    };
    entries.map(|entry| count(entry.path())).sum()
}

#[test]
fn what_cannot_be_meant_is_said_before_anything_starts() {
    let scratch = Scratch::new();
    let picture = text(root().join("tests/fixtures/ground/ground_1.png"));
    let mixed = arguments("", &["scan.nii.gz"])
        .into_iter()
        .chain([picture.clone()]);
    scratch
        .seggpt(mixed)
        .expect_code(2)
        .expect_text("1 pictures and 1 volumes");
    scratch
        .seggpt(arguments("--instances", &["scan.nii.gz"]))
        .expect_code(2)
        .expect_text("--instances");
    let pictures = arguments("--axis coronal --window soft", &[]).into_iter();
    scratch
        .seggpt(pictures.chain([picture]))
        .expect_code(2)
        .expect_text("--window GREY");
    let mut elsewhere = words("segment --out out --model untrained-tiny");
    let scan = fixture("scan.nii.gz");
    let labels = root().join("crates/volume/tests/fixtures/i2.nii");
    elsewhere.push(format!("--prompt={}={}", text(scan.clone()), text(labels)));
    elsewhere.push(text(scan));
    scratch
        .seggpt(elsewhere)
        .expect_code(2)
        .expect_text("(LAS)");
    assert!(!scratch.path("out/run.json").exists());
}

#[test]
fn a_cut_scan_fails_alone() {
    let scratch = Scratch::new();
    let scan = fs::read(fixture("scan.nii.gz")).unwrap();
    fs::write(scratch.path("cut.nii.gz"), &scan[..scan.len() / 2]).unwrap();
    let line = arguments("--gap meet", &["other.nii.gz"]);
    scratch
        .seggpt(line.into_iter().chain(["cut.nii.gz".into()]))
        .expect_code(1)
        .expect_text("cut off");
    let counts = &scratch.report("out")["counts"];
    assert_eq!((&counts["done"], &counts["failed"]), (&1.into(), &1.into()));
}
