//! Segmentations: labels as DICOM has them.

mod about;
mod bits;
mod code;
mod color;
mod groups;
mod put;
mod read;
mod write;

pub use about::Made;
pub use read::Segmentation;
pub use write::{Segment, segmentation};
