//! DICOM files that cannot be used, or not as they are: each is named with what to do.

use std::{fs, path::Path};

use dicom_core::{PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use seggpt_volume::{LabelFile, Scan, Source, Window, dicom::gather};

use crate::series::{Slice, series};

/// What is said when the scan in a folder or file is opened or read.
fn said(path: &Path) -> String {
    let scratch = tempfile::tempdir().unwrap();
    let read = Source::open(path)
        .and_then(|source| Scan::open(&source, 0, 2, Window::Auto, &scratch.path().join("s")));
    match read {
        Ok(_) => panic!("{}: it was read", path.display()),
        Err(error) => error.to_string(),
    }
}

fn expect(slice: Slice, parts: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = slice.write(folder.path().join("slice.dcm"));
    let said = said(&path);
    for part in parts.iter().chain(&["slice.dcm"]) {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn missing_slices_are_listed_with_their_gaps() {
    let folder = tempfile::tempdir().unwrap();
    series(folder.path(), [0, 1, 2, 5, 6].map(Slice::at));
    let source = Source::open(folder.path()).unwrap();
    assert!(!source.is_regular());
    let notes = source.notes().join("\n");
    assert!(
        notes.contains("15.00 mm after slice 2, 2 missing"),
        "{notes}"
    );
    assert!(notes.contains("segmentation alone"), "{notes}");
}

#[test]
fn duplicates_are_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    series(folder.path(), (0..3).map(Slice::at));
    Slice::at(1).write(folder.path().join("again/IM1"));
    let source = Source::open(folder.path()).unwrap();
    assert_eq!((source.grid().shape[2], source.times()), (3, 1));
    assert!(source.notes()[0].contains("twice"), "{:?}", source.notes());
    // Another object at the place of one, which nothing tells apart.
    let other = Slice::at(2).with(tags::SOP_INSTANCE_UID, VR::UI, "1.2.9.9");
    other.write(folder.path().join("again/IM2"));
    let source = Source::open(folder.path()).unwrap();
    assert_eq!((source.grid().shape[2], source.times()), (3, 1));
    let notes = source.notes().join("\n");
    assert!(notes.contains("1 slices lie where another does"), "{notes}");
}

#[test]
fn what_stands_beside_scans_is_told_from_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let of = |class: &str| Slice::at(0).with(tags::SOP_CLASS_UID, VR::UI, class);
    let localizer = PrimitiveValue::Strs(
        ["ORIGINAL", "PRIMARY", "LOCALIZER"]
            .map(str::to_owned)
            .into_iter()
            .collect(),
    );
    let slices = [
        (
            "report",
            of("1.2.840.10008.5.1.4.1.1.88.11").without(tags::ROWS),
            "a report",
        ),
        (
            "state",
            of("1.2.840.10008.5.1.4.1.1.11.1"),
            "presentation state",
        ),
        ("dose", of(uids::RT_DOSE_STORAGE), "RTDOSE"),
        ("labels", of(uids::SEGMENTATION_STORAGE), "a segmentation"),
        (
            "index",
            of(uids::MEDIA_STORAGE_DIRECTORY_STORAGE),
            "DICOMDIR",
        ),
        (
            "scout",
            Slice::at(0).with(tags::IMAGE_TYPE, VR::CS, localizer),
            "a scout",
        ),
        (
            "empty",
            Slice::at(0).without(tags::ROWS),
            "without pixel data",
        ),
        (
            "picture",
            Slice::at(0).with(tags::SAMPLES_PER_PIXEL, VR::US, 3_u16),
            "colours",
        ),
        (
            "nowhere",
            Slice::at(0).without(tags::IMAGE_POSITION_PATIENT),
            "without a place",
        ),
    ];
    for (name, slice, expected) in slices {
        let path = slice.write(path(name));
        let gathered = gather(std::slice::from_ref(&path));
        assert_eq!(gathered.series.len(), 0, "{name}");
        assert!(
            gathered.others[0].1.contains(expected),
            "{:?}",
            gathered.others
        );
        assert!(said(&path).contains(expected), "{}", said(&path));
    }
    // Beside a scan they are no hindrance.
    Slice::at(0).write(path("slice"));
    assert!(Source::open(folder.path()).is_ok());
}

#[test]
fn pixels_that_cannot_be_decoded_come_with_the_tool_that_converts_them() {
    let bytes = || PrimitiveValue::U8(vec![0; 48].into());
    let of = |syntax| Slice::at(0).syntax(syntax);
    expect(of(uids::JPEGLS_LOSSLESS), &["JPEG-LS", "dcmdjpls"]);
    expect(of("1.2.840.10008.1.2.4.201"), &["high-throughput"]);
    expect(Slice::at(0).without(tags::PIXEL_DATA), &["no pixel data"]);
    expect(
        Slice::at(0).with(
            tags::PIXEL_DATA,
            VR::OW,
            PrimitiveValue::U16(vec![0; 20].into()),
        ),
        &["cut off"],
    );
    expect(
        Slice::at(0).with(tags::BITS_ALLOCATED, VR::US, 12_u16),
        &["12 bits"],
    );
    expect(
        Slice::at(0).with(tags::HIGH_BIT, VR::US, 3_u16),
        &["16 of 16 bits"],
    );
    expect(
        Slice::at(0)
            .with(tags::PIXEL_DATA, VR::OB, bytes())
            .with(tags::ROWS, VR::US, 0_u16),
        &["6 x 0"],
    );
}

#[test]
fn a_cut_file_and_one_that_is_none_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(Slice::at(0).write(folder.path().join("slice.dcm"))).unwrap();
    let cut = folder.path().join("cut.dcm");
    for length in [132, 200, 600, whole.len() - 7] {
        fs::write(&cut, &whole[..length]).unwrap();
        let said = said(&cut);
        assert!(
            said.contains("cut.dcm") && said.contains("cut off"),
            "{length}: {said}"
        );
    }
    fs::create_dir(folder.path().join("empty")).unwrap();
    assert!(said(&folder.path().join("empty")).contains("no DICOM file"));
}

#[test]
fn places_that_make_no_volume_are_refused() {
    let flat = crate::series::numbers(&[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    expect(
        Slice::at(0).with(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, flat),
        &["without a place"],
    );
    let none = crate::series::numbers(&[0.0, 1.0]);
    expect(
        Slice::at(0).with(tags::PIXEL_SPACING, VR::DS, none),
        &["without a place"],
    );
}

#[test]
fn segmentations_that_are_none_or_lie_elsewhere_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |slice: Slice| {
        LabelFile::open(&slice.write(folder.path().join("l")))
            .unwrap_err()
            .to_string()
    };
    assert!(open(Slice::at(0)).contains("no DICOM segmentation"));
    let shares = Slice::at(0)
        .with(tags::SOP_CLASS_UID, VR::UI, uids::SEGMENTATION_STORAGE)
        .with(tags::SEGMENTATION_TYPE, VR::CS, "FRACTIONAL");
    assert!(open(shares).contains("BINARY"));
    let nowhere = Slice::at(0)
        .with(tags::SOP_CLASS_UID, VR::UI, uids::SEGMENTATION_STORAGE)
        .with(tags::SEGMENTATION_TYPE, VR::CS, "BINARY");
    assert!(open(nowhere).contains("where they lie"));
}
