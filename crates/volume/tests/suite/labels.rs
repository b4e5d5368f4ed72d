//! Label volumes lie where their scans do.

use std::fs;

use seggpt_volume::nifti::{NiftiFile, write_labels};

use crate::{fixture, voxels};

/// A label volume of a fixture, written and opened again.
fn written(name: &str, wide: bool, labels: &[u16]) -> (NiftiFile, NiftiFile, tempfile::TempDir) {
    let scan = NiftiFile::open(&fixture(name)).unwrap();
    let bytes = match wide {
        true => labels.iter().flat_map(|id| id.to_le_bytes()).collect(),
        false => labels.iter().map(|id| *id as u8).collect::<Vec<u8>>(),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("labels.nii.gz");
    let pieces = bytes.chunks(8).map(|piece| Ok(piece.to_vec()));
    fs::write(
        &path,
        write_labels(&scan.header, wide, Vec::new(), pieces).unwrap(),
    )
    .unwrap();
    (scan, NiftiFile::open(&path).unwrap(), folder)
}

#[test]
fn they_have_the_grid_of_the_scan_and_hold_their_ids() {
    for name in [
        "i2.nii",
        "big-endian.nii",
        "scaled.nii",
        "two.nii",
        "two-compressed.nii.gz",
        "pair.hdr",
        "qform.nii",
        "both.nii",
        "no-form.nii",
        "flat.nii",
        "times.nii.gz",
    ] {
        for wide in [false, true] {
            let scan = NiftiFile::open(&fixture(name)).unwrap();
            let count = scan.header.grid.shape.iter().product::<usize>() as u16;
            let largest = if wide { 300 } else { 200 };
            let ids: Vec<u16> = (0..count).map(|i| i * 97 % largest).collect();
            let (scan, labels, _folder) = written(name, wide, &ids);
            assert_eq!(labels.header.grid, scan.header.grid, "{name}");
            assert_eq!(labels.header.version, scan.header.version);
            assert_eq!((labels.header.times, labels.header.scale), (1, (1.0, 0.0)));
            let read = voxels(&labels, 0).unwrap();
            assert!(
                read.iter().zip(&ids).all(|(a, b)| *a == f32::from(*b)),
                "{name}"
            );
        }
    }
}

#[test]
fn geometry_is_that_of_the_scan_byte_for_byte_and_texts_are_gone() {
    let mut raw = fs::read(fixture("both.nii")).unwrap();
    raw[14..21].copy_from_slice(b"patient");
    raw[148..155].copy_from_slice(b"patient");
    raw[123] = 10; // millimetres and seconds
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scan.nii");
    fs::write(&path, &raw).unwrap();
    let scan = NiftiFile::open(&path).unwrap();
    let gzip = write_labels(&scan.header, false, Vec::new(), [Ok(vec![1; 24])]).unwrap();
    let mut labels = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&gzip[..]), &mut labels).unwrap();
    assert_eq!(labels.len(), 352 + 24);
    // dims, pixdims, units, codes, quaternion, offsets and sform.
    for range in [40..56, 76..108, 123..124, 252..328] {
        assert_eq!(labels[range.clone()], raw[range]);
    }
    assert!(!labels.windows(7).any(|window| window == b"patient"));
    assert_eq!(i16::from_le_bytes([labels[68], labels[69]]), 1002);
    let again = write_labels(&scan.header, false, Vec::new(), [Ok(vec![1; 24])]).unwrap();
    assert_eq!(gzip, again, "the same labels are the same file");
}

#[test]
fn what_breaks_off_is_an_error() {
    let scan = NiftiFile::open(&fixture("i2.nii")).unwrap();
    let broken = [Err(std::io::ErrorKind::StorageFull.into())];
    assert!(write_labels(&scan.header, false, Vec::new(), broken).is_err());
}
