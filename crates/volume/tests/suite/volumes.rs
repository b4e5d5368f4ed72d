//! Scans and label volumes at hand.

use std::{collections::BTreeMap, fs, path::Path};

use seggpt_volume::{LabelVolume, Scan, Source, Window, nifti::NiftiFile};

use crate::fixture;

fn scan(name: &str, axis: usize, folder: &Path) -> Scan {
    let file = Source::open(&fixture(name)).unwrap();
    let window = Window::Fixed {
        centre: 127.5,
        width: 255.0,
    };
    Scan::open(&file, 0, axis, window, &folder.join("scan")).unwrap()
}

#[test]
fn slices_of_every_axis_are_shown_in_the_window() {
    let folder = tempfile::tempdir().unwrap();
    // LAS: the first axis runs to the left, so columns run with it; rows run against the second and third.
    let axial = scan("i2.nii", 2, folder.path());
    assert_eq!(axial.view.size(), (4, 3));
    assert_eq!(
        axial.slice(1).unwrap(),
        [80, 81, 82, 83, 70, 71, 72, 73, 60, 61, 62, 63]
    );
    let coronal = scan("big-endian.nii", 1, folder.path());
    assert_eq!(coronal.slice(2).unwrap(), [80, 81, 82, 83, 20, 21, 22, 23]);
    let sagittal = scan("compressed.nii.gz", 0, folder.path());
    // Anterior at left.
    assert_eq!(sagittal.slice(3).unwrap(), [83, 73, 63, 23, 13, 3]);
}

#[test]
fn a_cut_scan_is_refused_and_leaves_no_scratch_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = Source::open(&fixture("bad-cut.nii.gz")).unwrap();
    let scratch = folder.path().join("scan");
    let error = Scan::open(&file, 0, 2, Window::Auto, &scratch).unwrap_err();
    assert!(error.to_string().contains("cut off"), "{error}");
    assert!(!scratch.exists());
}

/// The fixture as a label volume with these values.
fn labels(values: [f32; 24], placed: bool, folder: &Path) -> NiftiFile {
    let mut raw = fs::read(fixture("f4.nii")).unwrap();
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    raw[352..].copy_from_slice(&bytes);
    if !placed {
        raw[252..256].fill(0);
    }
    let path = folder.join("labels.nii");
    fs::write(&path, raw).unwrap();
    NiftiFile::open(&path).unwrap()
}

#[test]
fn labels_are_counted_by_slice_and_shown_as_their_scan() {
    let folder = tempfile::tempdir().unwrap();
    let grid = scan("i2.nii", 2, folder.path()).grid;
    let mut values = [0.0; 24];
    (values[0], values[1], values[23]) = (7.0, 7.0, 300.0);
    for placed in [true, false] {
        let file = labels(values, placed, folder.path());
        for (axis, areas) in [
            (2, BTreeMap::from([(0, 2), (1, 1)])),
            (1, BTreeMap::from([(0, 2), (2, 1)])),
            (0, BTreeMap::from([(0, 1), (1, 1), (3, 1)])),
        ] {
            let scratch = folder.path().join("scratch");
            let volume = LabelVolume::open(&file, &grid, axis, &scratch).unwrap();
            assert_eq!(volume.labels.areas, areas);
            assert_eq!(volume.labels.ids, [7, 300].into());
            if axis == 2 {
                let shown = [0, 0, 0, 0, 0, 0, 0, 0, 7, 7, 0, 0];
                assert_eq!(volume.slice(0).unwrap(), shown);
            }
        }
    }
}

#[test]
fn what_are_no_labels_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let grid = scan("i2.nii", 2, folder.path()).grid;
    let scratch = folder.path().join("scratch");
    for value in [0.5, -1.0, 70_000.0, f32::NAN] {
        let file = labels([value; 24], true, folder.path());
        let error = LabelVolume::open(&file, &grid, 2, &scratch).unwrap_err();
        assert!(error.to_string().contains("no class id"), "{error}");
    }
    let elsewhere = NiftiFile::open(&fixture("both.nii")).unwrap();
    let error = LabelVolume::open(&elsewhere, &grid, 2, &scratch).unwrap_err();
    assert!(
        error.to_string().contains("not on the scan's grid"),
        "{error}"
    );
    let times = NiftiFile::open(&fixture("times.nii.gz")).unwrap();
    let error = LabelVolume::open(&times, &grid, 2, &scratch).unwrap_err();
    assert!(error.to_string().contains("2 points of time"), "{error}");
}
