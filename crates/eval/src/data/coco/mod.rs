//! COCO's annotation files: objects as polygons or run lengths, panoptic segments as colours.

mod instances;
mod json;
mod panoptic;
mod polygon;
mod rle;

use std::path::Path;

pub use instances::CocoInstances;
pub use panoptic::CocoPanoptic;
pub use rle::{Rle, RleError};

use super::Class;
use crate::EvalError;

/// The categories of a COCO file, by ascending id.
pub(super) fn classes(path: &Path) -> Result<Vec<Class>, EvalError> {
    let file: json::Categories = json::read(path)?;
    json::classes(path, file.categories)
}
