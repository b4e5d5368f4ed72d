//! Data sets behind one trait.
//!
//! Opening a set lists files and reads its annotation lists; pictures and masks are decoded when a
//! sample is asked for. All labels come out in the same form: class ids from 1, 0 for background,
//! [`IGNORE`](seggpt_imaging::IGNORE) for what the set does not say.
//!
//! Belongs here: whatever brings a picture and its truth together. Nothing in this crate scores, trains or knows about
//! networks and dataflows.
//!
//! | reader | layout |
//! |---|---|
//! | [`Folder`] | `images/`, `masks/`, `classes.tsv`, `split.tsv`; or one such folder per video |
//! | [`Parts`] | a folder of pictures, one of masks, prompts from anywhere |
//! | [`Annotated`] | `images/` and `masks/` as people draw them: black and white, palettes, colours or ids |
//! | [`ClassFolders`] | FSS-1000: one folder per class with `N.jpg` and `N.png` |
//! | [`LabelFolder`] | pictures beside label files: COCO semantic, ADE20K |
//! | [`Exported`] | what labelling tools export: COCO, labelme, Label Studio, CVAT |
//! | [`CocoPanoptic`] | COCO panoptic: segment ids as colours |
//! | [`Voc`] | PASCAL VOC: class and object palettes |
//! | [`Joined`] | prompts from one set, queries from another |
//! | [`VideoFolder`] | DAVIS and YouTube-VOS: a folder of frames and one of masks per video |

mod annotated;
mod class_folders;
mod dataset;
mod error;
mod exported;
mod files;
mod folder;
mod joined;
mod labels;
mod mask_values;
mod panoptic;
mod parts;
mod sample;
mod videos;
mod voc;

pub use annotated::Annotated;
pub use class_folders::ClassFolders;
pub use dataset::Dataset;
pub use error::DatasetError;
pub use exported::Exported;
pub use folder::Folder;
pub use joined::Joined;
pub use labels::{LabelFolder, Zero};
pub use panoptic::CocoPanoptic;
pub use parts::Parts;
pub use sample::{Class, Frame, Instance, Role, Sample, Truth};
pub use videos::{Objects, VideoFolder, VideoLayout};
pub use voc::Voc;
