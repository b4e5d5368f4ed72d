//! Every score against the tool that the field uses, on fixtures made by it.
#![allow(clippy::unwrap_used)]

mod common;
mod fewshot;
mod panoptic;
mod semantic;
mod video;
