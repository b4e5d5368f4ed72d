//! NIfTI-1 and -2, as one file or as a pair of header and voxels, compressed or not.
//!
//! The standard: <https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h> and `nifti2.h`. What is not said there, how
//! rotations that are none are taken for example, is as nibabel does it; where nibabel guesses, the file is refused.

mod dtype;
mod fields;
mod file;
mod header;
mod labels;

pub use dtype::Dtype;
pub use file::{NiftiFile, Voxels, is_nifti};
pub use header::{Header, Version};
pub use labels::write_labels;
