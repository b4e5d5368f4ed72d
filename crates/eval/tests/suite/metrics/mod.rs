//! Every score against the tool that the field uses, on fixtures made by it.

mod fewshot;
mod panoptic;
mod semantic;
mod video;
