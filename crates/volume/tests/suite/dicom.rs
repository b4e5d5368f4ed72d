//! DICOM series that are as they should be.

use std::{fs, path::Path};

use dicom_core::{PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use seggpt_volume::{Scan, Source, Window, dicom::gather};

use crate::series::{Slice, enhanced, numbers, series, stored};

fn open(folder: &Path) -> Source {
    Source::open(folder).unwrap_or_else(|error| panic!("{error}"))
}

/// The shown slice `z` of a scan, in the window in which stored values 0 to 255 above `1000 z` are shown as they are.
fn shown(source: &Source, time: usize, z: usize) -> Vec<u8> {
    let scratch = tempfile::tempdir().unwrap();
    let window = Window::Fixed {
        centre: 1000.0 * z as f64 - 1024.0 + 127.5,
        width: 255.0,
    };
    let scan = Scan::open(source, time, 2, window, &scratch.path().join("scan")).unwrap();
    scan.slice(z).unwrap()
}

/// Retired, but met.
const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

fn expected() -> Vec<u8> {
    stored(0).into_iter().map(|value| value as u8).collect()
}

#[test]
fn files_in_no_order_become_a_volume() {
    let folder = tempfile::tempdir().unwrap();
    series(&folder.path().join("deep/er"), (0..3).map(Slice::at));
    Slice::at(3).write(folder.path().join("IM4"));
    let source = open(folder.path());
    let grid = source.grid();
    assert_eq!((grid.shape, source.times()), ([6, 4, 4], 1));
    assert_eq!(grid.affine.place([0.0, 0.0, 0.0]), [10.0, 20.0, 30.0]);
    assert_eq!(grid.affine.place([1.0, 1.0, 3.0]), [9.5, 18.0, 45.0]);
    assert_eq!(grid.orientation().to_string(), "LPS");
    assert!(source.notes().is_empty() && source.is_regular());
    for z in 0..4 {
        assert_eq!(shown(&source, 0, z), expected(), "slice {z}");
    }
    let Source::Dicom(series) = &source else {
        panic!("{source:?}")
    };
    assert_eq!(series.name, "series-4-Thorax-5-0");
}

#[test]
fn transfer_syntaxes_and_files_without_preamble_read_alike() {
    let folder = tempfile::tempdir().unwrap();
    for (number, syntax) in [
        uids::IMPLICIT_VR_LITTLE_ENDIAN,
        uids::EXPLICIT_VR_LITTLE_ENDIAN,
        BIG_ENDIAN,
        uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{number}/slice"));
        Slice::at(0).syntax(syntax).write(&path);
        assert_eq!(shown(&open(&path), 0, 0), expected(), "{syntax}");
        let whole = fs::read(&path).unwrap();
        let headless = folder.path().join(format!("{number}/headless"));
        fs::write(&headless, &whole[128..]).unwrap();
        assert_eq!(shown(&open(&headless), 0, 0), expected(), "{syntax}");
        fs::write(&headless, &whole[132..]).unwrap();
        assert_eq!(shown(&open(&headless), 0, 0), expected(), "{syntax}");
        if number < 2 {
            let length = u32::from_le_bytes(whole[140..144].try_into().unwrap());
            fs::write(&headless, &whole[144 + length as usize..]).unwrap();
            assert_eq!(shown(&open(&headless), 0, 0), expected(), "{syntax} alone");
        }
    }
}

#[test]
fn compressed_slices_of_foreign_tools_read_alike() {
    // By `fixtures/dicom/make.py`: value 10 y + x.
    let folder = crate::fixture("dicom");
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "dcm") {
            let source = open(&path);
            let [columns, rows, _] = source.grid().shape;
            let pixels = (0..rows).flat_map(|y| (0..columns).map(move |x| 10 * y + x));
            let pixels: Vec<u8> = pixels.map(|value| value.min(255) as u8).collect();
            assert!(shown(&source, 0, 0) == pixels, "{}", path.display());
            count += 1;
        }
    }
    assert!(count >= 3, "{count}");
}

#[test]
fn values_are_rescaled_slice_by_slice_and_signed_or_packed() {
    let folder = tempfile::tempdir().unwrap();
    let twice: Vec<u16> = stored(1).iter().map(|value| value * 2).collect();
    let rescaled = Slice::at(1)
        .stored(&twice)
        .with(tags::RESCALE_SLOPE, VR::DS, "0.5");
    let signed: Vec<u16> = (stored(2).iter())
        .map(|value| (*value as i16 - 1024) as u16)
        .collect();
    let signed = Slice::at(2)
        .stored(&signed)
        .with(tags::PIXEL_REPRESENTATION, VR::US, 1_u16)
        .with(tags::RESCALE_INTERCEPT, VR::DS, "0");
    // Twelve bits, and something else above them.
    let noisy: Vec<u16> = stored(3).iter().map(|value| value | 0xa000).collect();
    let packed = Slice::at(3)
        .stored(&noisy)
        .with(tags::BITS_STORED, VR::US, 12_u16)
        .with(tags::HIGH_BIT, VR::US, 11_u16);
    series(folder.path(), [Slice::at(0), rescaled, signed, packed]);
    let source = open(folder.path());
    for z in 0..4 {
        assert_eq!(shown(&source, 0, z), expected(), "slice {z}");
    }
}

#[test]
fn what_is_no_measurement_is_black_and_inverted_values_are_turned_round() {
    let folder = tempfile::tempdir().unwrap();
    let slice = Slice::at(0)
        .with(tags::PIXEL_PADDING_VALUE, VR::US, 35_u16)
        .with(tags::PIXEL_PADDING_RANGE_LIMIT, VR::US, 33_u16);
    let path = slice.write(folder.path().join("a"));
    let pixels = shown(&open(&path), 0, 0);
    assert_eq!(pixels[20..], [32, 0, 0, 0]);
    let inverted = Slice::at(0)
        .with(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME1")
        .with(tags::PIXEL_PADDING_VALUE, VR::US, 35_u16);
    let path = inverted.write(folder.path().join("b"));
    let pixels = shown(&open(&path), 0, 0);
    assert_eq!(pixels[..2], [255, 254]);
    assert_eq!(pixels[20..], [223, 222, 221, 0]);
}

#[test]
fn the_window_is_the_series_own_and_that_of_ct_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let levels = |slice: Slice, name: &str| {
        let source = open(&slice.write(folder.path().join(name)));
        let scan = Scan::open(&source, 0, 2, Window::Auto, &folder.path().join("scan")).unwrap();
        (scan.levels.low, scan.levels.high)
    };
    assert_eq!(levels(Slice::at(0), "ct"), (-160.0, 240.0));
    let own = Slice::at(0)
        .with(tags::WINDOW_CENTER, VR::DS, numbers(&[100.0, 5.0]))
        .with(tags::WINDOW_WIDTH, VR::DS, numbers(&[20.0, 9.0]));
    assert_eq!(levels(own, "own"), (90.0, 110.0));
    let mr = Slice::at(0).with(tags::MODALITY, VR::CS, "MR");
    let (low, high) = levels(mr, "mr");
    assert!(low > -1024.0 && high < -980.0, "{low} {high}");
}

#[test]
fn echoes_over_the_same_places_are_points_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let echo = |z: usize, echo: usize| {
        let uid = format!("1.2.3.{}", 10 * z + echo);
        let values: Vec<u16> = stored(z).iter().map(|value| value + echo as u16).collect();
        Slice::at(z)
            .stored(&values)
            .with(tags::SOP_INSTANCE_UID, VR::UI, uid)
            .with(tags::ECHO_TIME, VR::DS, (5 * echo).to_string())
    };
    let all = (0..3).flat_map(|z| (1..3).map(move |n| echo(z, 3 - n)));
    series(folder.path(), all);
    let source = open(folder.path());
    assert_eq!((source.grid().shape, source.times()), ([6, 4, 3], 2));
    for time in 0..2 {
        let pixels = shown(&source, time, 2);
        assert_eq!(pixels[0], time as u8 + 1);
    }
}

#[test]
fn frames_of_one_file_are_put_in_order_too() {
    let folder = tempfile::tempdir().unwrap();
    let source = open(&enhanced().write(folder.path().join("enhanced")));
    assert_eq!((source.grid().shape, source.times()), ([6, 4, 2], 2));
    for time in 0..2 {
        for z in 0..2 {
            assert_eq!(shown(&source, time, z), expected(), "{time} {z}");
        }
    }
}

#[test]
fn several_series_stand_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let other = |z: usize| {
        Slice::at(z)
            .with(tags::SERIES_INSTANCE_UID, VR::UI, "1.2.3.201")
            .with(tags::SOP_INSTANCE_UID, VR::UI, format!("1.2.4.{}", z + 1))
    };
    // Of the same series, but of another size.
    let small = Slice::at(9).with(tags::ROWS, VR::US, 2_u16).with(
        tags::PIXEL_DATA,
        VR::OW,
        PrimitiveValue::U16(stored(0)[..12].into()),
    );
    series(
        folder.path(),
        (0..3)
            .map(Slice::at)
            .chain((0..2).map(other))
            .chain([small]),
    );
    let mut files: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    let gathered = gather(&files);
    let mut shapes: Vec<_> = (gathered.series.iter())
        .map(|series| series.as_ref().unwrap().grid.shape)
        .collect();
    shapes.sort_unstable();
    assert_eq!(shapes, [[6, 2, 1], [6, 4, 2], [6, 4, 3]]);
    let error = Source::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("3 series"), "{error}");
}
