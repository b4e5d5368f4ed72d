use std::path::Path;

use crate::AnnotationsError;

/// A text file; see [`seggpt_files::text`].
pub(crate) fn open(path: &Path) -> Result<String, AnnotationsError> {
    seggpt_files::text::open(path).map_err(|error| AnnotationsError::read(path, error))
}
