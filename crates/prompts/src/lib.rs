//! The prompt library on disk, and the strategies that pick examples from it.
//!
//! A library is a folder with a `prompts.yml`:
//!
//! ```yaml
//! type: instance          # or semantic: which type token the network gets
//! mask_mode: auto         # auto, binary, palette, rgb or ids: how to read the masks
//! exif: apply             # or ignore: whether cameras' orientation turns images upright
//! classes:                # optional: names, colours, and which classes are wanted
//!   - {id: 1, name: pebble, color: "#ffffff"}      # or [255, 255, 255]
//! prompts:                # paths are relative to this file
//!   - {image: a.jpg, mask: a_mask.png}
//!   - {image: b.jpg, mask: b_mask.png, name: wet sand}
//!   - {image: c.png, mask: c_mask.png, painted: c_painted.png}   # shown instead of the classes' colours
//! ```
//!
//! The same comes from pairs of paths ([`Library::from_pairs`]), and from what labelling tools export
//! ([`seggpt_annotations`]), by its content. [`Library::examples`] prepares the
//! prompts at the network's size, once; a [`Strategy`] says which of them should guide a picture, and a [`memory::Memory`]
//! which earlier frames of a video beside them. [`save`] writes a library of prompts that a program made.

mod classes;
mod coverage;
mod entry;
mod error;
mod file;
mod library;
pub mod memory;
mod prepare;
mod remarks;
mod strategy;
mod table;

pub use entry::{Entry, save};
pub use error::{LibraryError, PromptProblem};
pub use file::{ClassSetting, PromptFiles, Settings, files};
pub use library::{Library, Planes, Prompt};
pub use prepare::{MaskPixels, prepare};
pub use strategy::{
    Choice, Coverage, Descriptor, EmbedError, Embedding, Fixed, Nearest, Pool, Query, Random,
    STRATEGIES, Selected, Strategy, strategy,
};
pub use table::ClassTable;
