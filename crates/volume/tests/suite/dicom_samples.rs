//! Series of real scanners, where they are at hand.

use std::path::PathBuf;

use seggpt_volume::{LabelFile, Labels, Scan, Source, Window};

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/formats/dicom")
        .join(name)
}

fn open(name: &str) -> Source {
    Source::open(&sample(name)).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
#[ignore = "needs ../shared/data/formats/dicom, which is not part of the repository"]
fn series_of_scanners_are_put_together_and_decoded() {
    let scratch = tempfile::tempdir().unwrap();
    for (name, shape, times) in [
        ("ct-3slice", [512, 512, 3], 1),
        ("ct-tilted-head", [512, 512, 28], 1),
        ("enhanced-mr/philips_fieldmap.dcm", [64, 64, 32], 2),
        ("enhanced-mr/xa10_1.dcm", [64, 64, 6], 1),
        ("highdicom/ct_image.dcm", [128, 128, 1], 1),
    ] {
        let source = open(name);
        assert_eq!(
            (source.grid().shape, source.times()),
            (shape, times),
            "{name}"
        );
        for time in 0..times {
            let place = scratch.path().join("scan");
            let scan = Scan::open(&source, time, 2, Window::Auto, &place).unwrap();
            let slice = scan.slice(shape[2] / 2).unwrap();
            assert!(slice.iter().any(|value| *value != slice[0]), "{name}");
        }
    }
}

#[test]
#[ignore = "needs ../shared/data/formats/dicom, which is not part of the repository"]
fn a_tilted_series_at_irregular_distances_says_so() {
    let source = open("ct-tilted-head");
    let notes = source.notes().join("\n");
    assert!(!source.is_regular() && source.header().is_none());
    for part in [
        "18.5 degrees",
        "1.08 mm after slice 13",
        "7.00 mm after slice 14",
    ] {
        assert!(notes.contains(part), "{notes}");
    }
}

#[test]
#[ignore = "needs ../shared/data/formats/dicom, which is not part of the repository"]
fn segmentations_of_other_programs_lie_on_their_series() {
    let scratch = tempfile::tempdir().unwrap();
    let read = |scan: &str, labels: &str| -> Labels {
        let file = LabelFile::open(&sample(labels)).unwrap();
        let place = scratch.path().join("labels");
        file.read(&open(scan), 2, &place).unwrap().labels
    };
    let liver = read("ct-3slice", "seg/liver.dcm");
    assert_eq!(liver.areas.values().sum::<usize>(), 107_098);
    assert_eq!(liver.names[&1], "Liver");
    let overlapping = read("ct-3slice", "seg/partial_overlaps.dcm");
    assert_eq!(overlapping.ids.len(), 5);
    assert!(overlapping.notes[0].contains("in several segments"));
    let single = "highdicom/seg_image_ct_binary_single_frame.dcm";
    assert_eq!(read("highdicom/ct_image.dcm", single).areas[&0], 1832);
    let refused = |name: &str| {
        let file = LabelFile::open(&sample(name));
        let checked = file.and_then(|file| file.check(&open("highdicom/ct_image.dcm"), 2));
        checked.unwrap_err().to_string()
    };
    assert!(refused("highdicom/seg_image_ct_binary.dcm").contains("not on the scan's slices"));
    assert!(refused("highdicom/seg_image_ct_true_fractional.dcm").contains("BINARY"));
    assert!(refused("highdicom/seg_image_sm_control_labelmap.dcm").contains("where they lie"));
}
