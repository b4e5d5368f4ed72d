//! Volumes against files that nibabel wrote (`fixtures/make.py`), and against themselves in every orientation.
#![allow(clippy::unwrap_used)]

mod bad;
mod dicom;
mod dicom_bad;
mod dicom_labels;
mod dicom_samples;
mod files;
mod labels;
mod orientations;
mod series;
mod volumes;

use std::path::PathBuf;

use seggpt_volume::{VolumeError, nifti::NiftiFile};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// All voxels of a volume at a point of time, in file order.
fn voxels(file: &NiftiFile, time: usize) -> Result<Vec<f32>, VolumeError> {
    let count: usize = file.header.grid.shape.iter().product();
    let mut bytes = vec![0; count * file.header.dtype.bytes()];
    let mut voxels = file.voxels(time)?;
    voxels.fill(&mut bytes)?;
    Ok(voxels.decode(&bytes))
}
