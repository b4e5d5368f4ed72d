//! The crate from outside, against what Pillow made (`../fixtures/make.py`) and the drawn pictures.
#![allow(clippy::unwrap_used)]

mod annotation;
mod common;
mod components;
mod decode;
mod descriptor;
mod draw_tiff;
mod overlay;
mod palette;
mod read;
mod resize;
mod shares;
mod tiff;
mod wild_masks;
mod write;
