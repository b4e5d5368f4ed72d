use std::path::Path;

use crate::{
    LabelVolume, Source, VolumeError,
    dicom::{self, Segmentation},
    nifti::NiftiFile,
};

/// Labels of a scan in a file, whatever its format; only the header is read.
#[derive(Clone, Debug)]
pub enum LabelFile {
    /// A label volume.
    Nifti(NiftiFile),
    /// A DICOM segmentation.
    Dicom(Segmentation),
}

impl LabelFile {
    /// Reads what the file says of itself.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn open(path: &Path) -> Result<Self, VolumeError> {
        match dicom::is_dicom(path) {
            Ok(true) => Segmentation::open(path).map(Self::Dicom),
            _ => NiftiFile::open(path).map(Self::Nifti),
        }
    }

    /// The files that it consists of.
    pub fn files(&self) -> Vec<&Path> {
        match self {
            Self::Nifti(file) => file.files(),
            Self::Dicom(segmentation) => vec![segmentation.path()],
        }
    }

    /// Whether the labels lie on the scan's slices along `axis`.
    ///
    /// # Errors
    /// They lie elsewhere.
    pub fn check(&self, scan: &Source, axis: usize) -> Result<(), VolumeError> {
        match self {
            Self::Nifti(file) if !scan.is_regular() => Err(VolumeError::new(
                file.files()[0],
                "the scan's slices lie at irregular distances, which a NIfTI file cannot follow: give a DICOM segmentation",
            )),
            Self::Nifti(file) => LabelVolume::place(file, scan.grid(), axis).map(drop),
            Self::Dicom(segmentation) => segmentation.place(&scan.planes()).map(drop),
        }
    }

    /// Reads the labels once, into a scratch file at `scratch`. `scan`, `axis`: what they belong to.
    ///
    /// # Errors
    /// As [`LabelFile::check`]; a value is no class id; the file is damaged, or the scratch file cannot be written.
    pub fn read(
        &self,
        scan: &Source,
        axis: usize,
        scratch: &Path,
    ) -> Result<LabelVolume, VolumeError> {
        self.check(scan, axis)?;
        match self {
            Self::Nifti(file) => LabelVolume::open(file, scan.grid(), axis, scratch),
            Self::Dicom(segmentation) => {
                LabelVolume::of_segmentation(segmentation, scan, axis, scratch)
            }
        }
    }
}
