//! DICOM: files into series, series into volumes, label volumes into segmentations.

mod attributes;
mod file;
mod frame;
mod gather;
mod groups;
mod name;
mod other;
mod pass;
mod pixels;
mod seg;
mod series;
mod stack;

pub(crate) use file::files;
pub use file::is_dicom;
pub use gather::{Gathered, gather};
pub use seg::{Made, Segment, Segmentation, segmentation};
pub use series::Series;
pub(crate) use series::Voxels;
