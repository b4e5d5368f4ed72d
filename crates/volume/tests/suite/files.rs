//! What nibabel wrote is read as nibabel reads it.

use seggpt_volume::nifti::{NiftiFile, Version, is_nifti};

use crate::{fixture, voxels};

/// As the script fills them.
fn written(shape: [usize; 3]) -> Vec<f32> {
    let [nx, ny, nz] = shape.map(|n| n as u16);
    let plane = |z| (0..ny).flat_map(move |y| (0..nx).map(move |x| f32::from(x + 10 * y + 60 * z)));
    (0..nz).flat_map(plane).collect()
}

#[test]
fn voxels_and_where_they_lie_are_nibabels() {
    let expected = std::fs::read_to_string(fixture("expected.tsv")).unwrap();
    let mut count = 0;
    for line in expected.lines() {
        let mut columns = line.split('\t');
        let (name, codes) = (columns.next().unwrap(), columns.next().unwrap());
        let file = NiftiFile::open(&fixture(name)).unwrap();
        let grid = &file.header.grid;
        assert!(is_nifti(&fixture(name)).unwrap(), "{name}");
        assert_eq!(grid.orientation().to_string(), codes, "{name}");
        for (own, nibabels) in grid.affine.0.as_flattened().iter().zip(columns) {
            let nibabels: f64 = nibabels.parse().unwrap();
            assert!((own - nibabels).abs() < 2e-5, "{name}: {own}, {nibabels}");
        }
        let mut values = written(grid.shape);
        if name == "scaled.nii" {
            values
                .iter_mut()
                .for_each(|value| *value = *value * 2.0 - 5.0);
        }
        assert_eq!(voxels(&file, 0).unwrap(), values, "{name}");
        count += 1;
    }
    assert_eq!(count, 21);
}

#[test]
fn either_half_of_a_pair_and_every_point_of_time_is_found() {
    let pair = NiftiFile::open(&fixture("pair.img")).unwrap();
    assert_eq!(pair.files(), [fixture("pair.hdr"), fixture("pair.img")]);
    let times = NiftiFile::open(&fixture("times.nii.gz")).unwrap();
    assert_eq!(
        (times.header.times, times.header.grid.shape),
        (2, [4, 3, 2])
    );
    let first = voxels(&times, 0).unwrap();
    let second: Vec<f32> = first.iter().map(|value| value + 1.0).collect();
    assert_eq!(voxels(&times, 1).unwrap(), second);
    let two = NiftiFile::open(&fixture("two.nii")).unwrap();
    assert_eq!(two.header.version, Version::Two);
}

#[test]
fn what_is_odd_is_said() {
    let notes = |name| NiftiFile::open(&fixture(name)).unwrap().header.notes;
    assert!(notes("both.nii").is_empty() && notes("i2.nii").is_empty());
    assert!(notes("disagree.nii")[0].contains("the sform is used"));
    assert!(notes("no-form.nii")[0].contains("does not say which way"));
}
