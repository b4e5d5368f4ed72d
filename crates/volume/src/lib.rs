//! Volumes: scans whose voxels are grey values, and the label volumes that go with them.
//!
//! Belongs here: how a volume's file is read and written, where its voxels lie in the patient, how its slices are shown
//! and in which order they are asked. Who answers, and over which messages, is not known here.
//!
//! | | |
//! |---|---|
//! | [`nifti`] | headers and voxels of NIfTI-1 and -2, label volumes out |
//! | [`dicom`] | files into series and volumes, segmentations in and out |
//! | [`Source`], [`LabelFile`] | a scan, and labels, whatever their format |
//! | [`Affine`], [`Orientation`] | from voxels to the patient, in millimetres: right, anterior, superior |
//! | [`View`] | a slice as people look at it, and back: permutation and flips, never a resampling |
//! | [`Scratch`] | a file of slices along any axis, filled from a stream in file order |
//! | [`Scan`], [`LabelVolume`] | a volume at hand: its slices as they are shown |
//! | [`Window`], [`Sample`] | which grey values become black and white |
//! | [`Plan`], [`Chain`] | which slices are asked, in which order |
//! | [`Answer`] | what was answered for a slice, and two answers mixed |

mod affine;
mod answer;
mod chain;
pub mod dicom;
mod error;
mod grid;
mod label_file;
mod label_volume;
pub mod nifti;
mod orientation;
mod plane;
mod scan;
mod scratch;
mod source;
mod view;
mod window;

pub use affine::Affine;
pub use answer::Answer;
pub use chain::{Chain, Gap, Key, Plan, Way};
pub use error::VolumeError;
pub use grid::{Grid, Placed};
pub use label_file::LabelFile;
pub use label_volume::{LabelVolume, Labels};
pub use orientation::Orientation;
pub use plane::{Plane, Turn};
pub use scan::Scan;
pub use scratch::Scratch;
pub use source::Source;
pub use view::{Axis, View};
pub use window::{Hints, Levels, Sample, Window};
