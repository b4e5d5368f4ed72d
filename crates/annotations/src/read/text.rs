use std::path::Path;

use crate::AnnotationsError;

/// A text file without its byte order mark.
pub(crate) fn open(path: &Path) -> Result<String, AnnotationsError> {
    let bytes = std::fs::read(path).map_err(|error| AnnotationsError::read(path, error))?;
    let bytes = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .map_or(bytes.as_slice(), |rest| rest)
        .to_vec();
    String::from_utf8(bytes)
        .map_err(|_| AnnotationsError::format(path, "it is no UTF-8 text; save it as UTF-8"))
}
