//! What cannot be used is named, with what to do.

use proptest::prelude::*;
use seggpt_volume::nifti::{NiftiFile, is_nifti};

use crate::{fixture, voxels};

#[test]
fn every_bad_file_says_what_is_wrong_with_it() {
    for (name, part) in [
        ("bad-rgb.nii", "colours (RGB)"),
        ("bad-complex.nii", "complex numbers"),
        ("bad-type.nii", "of no stated type"),
        ("bad-5d.nii", "5 dimensions"),
        ("bad-dims.nii", "-3 voxels"),
        ("bad-many.nii", "beyond"),
        ("bad-offset.nii", "byte 17"),
        ("bad-cut.nii", "cut off: 399 bytes"),
        ("bad-cut.nii.gz", "cut off"),
        ("bad-damaged.nii.gz", ""),
        ("bad-cut-header.nii", "header is cut off after 347 bytes"),
        ("bad-singular.nii", "singular"),
        ("bad-zero.nii", "no length"),
        ("bad-nan.nii", "no numbers"),
        ("bad-quaternion.nii", "no rotation"),
        ("bad-zooms.nii", "not above 0"),
        ("no-magic.nii", "ANALYZE"),
        ("bad-alone.hdr", "put the .img file beside it"),
        ("bad-headless.img", "put the .hdr file beside it"),
        ("make.py", "no NIfTI"),
        ("missing.nii", "cannot be read"),
    ] {
        let read = NiftiFile::open(&fixture(name)).and_then(|file| voxels(&file, 0));
        let error = read.unwrap_err().to_string();
        assert!(
            error.contains(part) && error.contains(name),
            "{name}: {error}"
        );
    }
}

#[test]
fn other_files_are_no_nifti_and_a_missing_one_is_an_error() {
    assert!(!is_nifti(&fixture("make.py")).unwrap());
    assert!(!is_nifti(&fixture("pair.img")).unwrap());
    assert!(is_nifti(&fixture("bad-rgb.nii")).unwrap());
    assert!(is_nifti(&fixture("missing.nii")).is_err());
}

proptest! {
    /// Bent headers are read or refused; nothing panics.
    #[test]
    fn no_header_panics(
        two: bool, bends in proptest::collection::vec((0..540_usize, any::<u8>()), 1..6), end in 0..600_usize
    ) {
        let source = fixture(if two { "two.nii" } else { "both.nii" });
        let mut bytes = std::fs::read(source).unwrap();
        for (at, byte) in bends {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        if end > 500 {
            bytes.truncate(end - 500);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bent.nii");
        std::fs::write(&path, bytes).unwrap();
        let _ = is_nifti(&path);
        if let Ok(file) = NiftiFile::open(&path) {
            let _ = file.header.grid.orientation().to_string();
            let shape = file.header.grid.shape;
            // Headers may speak of more voxels than there is memory for.
            if shape.iter().product::<usize>() < 1 << 20 {
                let _ = voxels(&file, 0);
            }
        }
    }
}
