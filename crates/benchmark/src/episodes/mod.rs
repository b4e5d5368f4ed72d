//! Which prompts go with which query.
//!
//! * [`Episodes`]: few-shot episodes as the literature draws them, the same for the same seed.
//! * [`class_tasks`]: one task per class of a set that has prompts and queries of its own.
//! * [`pascal_5i`], [`coco_20i`], [`FSS_1000_TEST`]: the splits that few-shot papers report on.

mod draw;
mod folds;
mod fss_1000;
mod tasks;

pub use draw::{Episode, Episodes, Shots};
pub use folds::{COCO_IDS, FOLDS, coco_20i, pascal_5i};
pub use fss_1000::FSS_1000_TEST;
pub use tasks::{ClassTask, class_tasks, long_side};
