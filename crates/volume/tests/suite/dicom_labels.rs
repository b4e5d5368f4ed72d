//! Labels of DICOM series: segmentations and label volumes.

use std::{fs, path::Path};

use dicom_dictionary_std::tags;
use seggpt_volume::{
    LabelFile, LabelVolume, Source,
    dicom::{Made, Segment, segmentation},
    nifti::{NiftiFile, write_labels},
};

use crate::series::{SIZE, Slice, enhanced, series};

fn open(folder: &Path) -> Source {
    Source::open(folder).unwrap_or_else(|error| panic!("{error}"))
}

fn made() -> Made {
    Made {
        uids: ["2.25.1", "2.25.2", "2.25.3", "2.25.4"].map(str::to_owned),
        when: ["20260102", "030405"].map(str::to_owned),
        version: "0".into(),
    }
}

/// Labels of a slice: a corner of class 3, and in odd slices a row of class 7.
fn labels(z: usize) -> Vec<u16> {
    let mut ids = vec![0; SIZE[0] * SIZE[1]];
    if z != 1 {
        ids[0] = 3;
    }
    if z % 2 == 1 {
        ids[SIZE[0]..2 * SIZE[0]].fill(7);
    }
    ids
}

fn segments() -> Vec<Segment> {
    let segment = |id, name: &str| Segment {
        id,
        name: name.into(),
        color: [255, 0, 0],
    };
    vec![segment(3, "Liver"), segment(7, "Gewebe äöü")]
}

/// Segments are numbered from 1 in the order of the classes.
fn numbered(ids: Vec<u16>) -> Vec<u16> {
    let number = |id| match id {
        3 => 1,
        7 => 2,
        other => other,
    };
    ids.into_iter().map(number).collect()
}

fn written(source: &Source, time: usize, keeps_empty: bool) -> Vec<u8> {
    let Source::Dicom(series) = source else {
        panic!("{source:?}")
    };
    segmentation(series, time, &segments(), &made(), keeps_empty, |z| {
        Ok(labels(z))
    })
    .unwrap()
}

#[test]
fn a_segmentation_comes_back_on_its_series_whatever_the_axis() {
    let folder = tempfile::tempdir().unwrap();
    let scan = folder.path().join("scan");
    // At irregular distances.
    let slices = (0..4).map(|z| {
        let along = [30.0, 34.0, 41.0, 42.0][z];
        Slice::at(z).placed([-10.0, -20.0, along])
    });
    series(&scan, slices);
    let source = open(&scan);
    assert!(!source.is_regular() && source.header().is_none());
    let bytes = written(&source, 0, false);
    assert!(bytes == written(&source, 0, false), "other bytes");
    let path = folder.path().join("labels.dcm");
    fs::write(&path, &bytes).unwrap();
    let object = dicom_object::open_file(&path).unwrap();
    let text = |tag| object.element(tag).unwrap().to_str().unwrap().into_owned();
    assert_eq!(text(tags::PATIENT_NAME), "Doe^Jane");
    assert_eq!(text(tags::STUDY_INSTANCE_UID), "1.2.3.100");
    assert_eq!(text(tags::FRAME_OF_REFERENCE_UID), "1.2.3.300");
    assert_eq!(text(tags::NUMBER_OF_FRAMES), "5");
    let file = LabelFile::open(&path).unwrap();
    for axis in 0..3 {
        let read = file.read(&source, axis, &folder.path().join("s")).unwrap();
        assert_eq!(read.labels.names[&2], "Gewebe äöü");
        assert_eq!(read.labels.areas.values().sum::<usize>(), 15);
        if axis == 2 {
            for z in 0..4 {
                assert_eq!(read.slice(z).unwrap(), numbered(labels(z)), "{z}");
            }
        }
    }
    let all = written(&source, 0, true);
    fs::write(&path, &all).unwrap();
    let object = dicom_object::open_file(&path).unwrap();
    assert_eq!(
        object
            .element(tags::NUMBER_OF_FRAMES)
            .unwrap()
            .to_int::<usize>()
            .unwrap(),
        8
    );
    let all = LabelFile::open(&path).unwrap();
    let all = all.read(&source, 2, &folder.path().join("s")).unwrap();
    assert_eq!(all.slice(3).unwrap(), numbered(labels(3)));
}

#[test]
fn a_segmentation_of_frames_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let source = open(&enhanced().write(folder.path().join("enhanced")));
    let path = folder.path().join("labels.dcm");
    fs::write(&path, written(&source, 1, false)).unwrap();
    let object = dicom_object::open_file(&path).unwrap();
    let groups = object
        .element(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)
        .unwrap();
    let frames = groups.items().unwrap().iter().map(|group| {
        let derivation = group.element(tags::DERIVATION_IMAGE_SEQUENCE).unwrap();
        let derivation = &derivation.items().unwrap()[0];
        let source = derivation.element(tags::SOURCE_IMAGE_SEQUENCE).unwrap();
        let frame = source.items().unwrap()[0].element(tags::REFERENCED_FRAME_NUMBER);
        frame.unwrap().to_int::<u32>().unwrap()
    });
    // The later echo comes first in the file, and the upper slice before the lower.
    assert_eq!(frames.collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn nothing_found_is_a_segmentation_too() {
    let folder = tempfile::tempdir().unwrap();
    series(folder.path(), (0..2).map(Slice::at));
    let source = open(folder.path());
    let Source::Dicom(slices) = &source else {
        panic!("{source:?}")
    };
    let nothing = |_| Ok(vec![0; SIZE[0] * SIZE[1]]);
    let bytes = segmentation(slices, 0, &segments(), &made(), false, nothing).unwrap();
    let path = folder.path().join("labels.seg");
    fs::write(&path, bytes).unwrap();
    let read = LabelFile::open(&path).unwrap();
    let read = read.read(&source, 2, &folder.path().join("s")).unwrap();
    assert!(read.labels.areas.is_empty());
}

#[test]
fn label_volumes_lie_on_regular_series_and_sheared_ones_have_no_qform() {
    let folder = tempfile::tempdir().unwrap();
    for (name, shift) in [("straight", 0.0), ("tilted", 1.5)] {
        let scan = folder.path().join(name);
        let slices = (0..4)
            .map(|z| Slice::at(z).placed([-10.0, -20.0 + shift * z as f64, 30.0 + 5.0 * z as f64]));
        series(&scan, slices);
        let source = open(&scan);
        let header = source.header().unwrap();
        let planes = (0..4).map(|z| Ok(labels(z).iter().map(|id| *id as u8).collect()));
        let bytes = write_labels(&header, false, Vec::new(), planes).unwrap();
        let path = folder.path().join(format!("{name}.nii.gz"));
        fs::write(&path, bytes).unwrap();
        let file = NiftiFile::open(&path).unwrap();
        assert!(
            file.header
                .grid
                .affine
                .apart(&source.grid().affine, [6, 4, 4])
                < 1e-4
        );
        let read = LabelVolume::open(&file, source.grid(), 2, &folder.path().join("s")).unwrap();
        assert_eq!(read.slice(3).unwrap(), labels(3));
        let tilted = source
            .notes()
            .iter()
            .any(|note| note.contains("16.7 degrees"));
        assert_eq!(tilted, name == "tilted", "{:?}", source.notes());
    }
}
