//! What labelling tools export, read without conversion, and results in the form that they import.
//!
//! Belongs here: the files of labelling tools, the shapes in them, and what pixels these shapes cover. Nothing in this
//! crate knows about networks, dataflows or scores: it brings a picture and a class per pixel together, or writes such a
//! plane down.
//!
//! | [`Tool`] | read | written by |
//! |---|---|---|
//! | COCO | `{"images", "annotations", "categories"}`: polygons of several parts, run lengths plain and compressed | [`write::Coco`] |
//! | labelme | a file a picture: polygons, rectangles, circles, masks; the picture beside it or embedded | [`write::labelme`] |
//! | Label Studio | its JSON and JSON-MIN: polygons, rectangles, ellipses, brush | [`write::LabelStudio`] |
//! | CVAT | "CVAT for images 1.1": polygons, boxes, ellipses, masks | |
//! | CVAT, VOC | "Segmentation mask 1.1" and "PASCAL VOC" exports: colour masks and `labelmap.txt` | |
//!
//! [`open`] tells them apart by content. Records are read one by one: what cannot be understood costs itself and is counted
//! and named in [`Annotations::notes`], never the whole file.

mod annotations;
mod error;
mod names;
mod read;
mod shape;
mod tally;
mod trace;
pub mod write;

pub use annotations::{
    Annotations, Category, Drawn, IGNORE, Masked, Object, Picture, PictureFile, size,
};
pub use error::AnnotationsError;
pub use names::unique;
pub use read::{
    Panoptic, PanopticPicture, PanopticSegment, Tool, coco_categories, open, recognise,
};
pub use shape::{Pillow, Rle, RleError, Shape};
