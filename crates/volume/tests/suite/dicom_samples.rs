//! Series of real scanners, where they are at hand.

use std::path::PathBuf;

use seggpt_volume::{LabelFile, Scan, Source, Window, dicom};

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/formats/dicom")
        .join(name)
}

#[test]
#[ignore = "needs ../shared/data/formats/dicom, which is not part of the repository"]
fn series_of_scanners_are_put_together() {
    let of = |name: &str| Source::open(&sample(name)).unwrap();
    let ct = of("ct-3slice");
    assert_eq!((ct.grid().shape, ct.times()), ([512, 512, 3], 1));
    assert!(ct.is_regular());
    let tilted = of("ct-tilted-head");
    assert_eq!(tilted.grid().shape[2], 28);
    assert!(!tilted.is_regular(), "{:?}", tilted.notes());
    let all = |name: &str| dicom::gather(&files(name)).series;
    for name in ["enhanced-mr", "ct-3slice", "ct-tilted-head", "highdicom"] {
        for series in all(name) {
            match series {
                Ok(series) => println!(
                    "{name}: {} {:?} x {} {:?} {:?} {:?}",
                    series.name,
                    series.grid.shape,
                    series.times(),
                    series.grid.affine.zooms(),
                    series.grid.orientation().to_string(),
                    series.notes
                ),
                Err(error) => println!("{name}: {error}"),
            }
        }
    }
    let scratch = tempfile::tempdir().unwrap();
    for name in [
        "ct-3slice",
        "ct-tilted-head",
        "enhanced-mr/philips_fieldmap.dcm",
        "enhanced-mr/xa10_1.dcm",
        "highdicom/ct_image.dcm",
    ] {
        let source = of(name);
        for time in 0..source.times() {
            let scan =
                Scan::open(&source, time, 2, Window::Auto, &scratch.path().join("s")).unwrap();
            println!("{name} {time}: {}", scan.levels);
            scan.slice(0).unwrap();
        }
    }
}

#[test]
#[ignore = "needs ../shared/data/formats/dicom, which is not part of the repository"]
fn segmentations_of_others_lie_on_their_series() {
    let scratch = tempfile::tempdir().unwrap();
    for (scan, labels) in [
        ("ct-3slice", "seg/liver.dcm"),
        ("ct-3slice", "seg/partial_overlaps.dcm"),
        (
            "highdicom/ct_image.dcm",
            "highdicom/seg_image_ct_binary_single_frame.dcm",
        ),
    ] {
        let scan = Source::open(&sample(scan)).unwrap();
        let file = LabelFile::open(&sample(labels)).unwrap();
        let volume = file.read(&scan, 2, &scratch.path().join("l")).unwrap();
        println!("{labels}: {:?}", volume.labels);
    }
    for other in [
        "seg_image_ct_binary",
        "seg_image_ct_binary_overlap",
        "seg_image_ct_true_fractional",
        "seg_image_sm_control_labelmap",
    ] {
        let scan = Source::open(&sample("highdicom/ct_image.dcm")).unwrap();
        let file = LabelFile::open(&sample(&format!("highdicom/{other}.dcm")));
        println!("{other}: {:?}", file.map(|file| file.check(&scan, 2)));
    }
}

fn files(name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(sample(name)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
